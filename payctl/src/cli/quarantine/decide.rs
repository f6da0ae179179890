//! A person's decision on a notification: its arguments, and what is printed of it.

use anyhow::{Context as _, Result};
use clap::Args;
use pay_core::domain::{Decision, Note, Operator, PaymentId};
use pay_core::limits::{NOTE_MAX_CHARS, OPERATOR_MAX_CHARS};
use pay_service::start::environment;

use super::End;
use crate::Table;
use crate::arguments::payment_id;
use crate::operation::{self, MadeDecision, WantedDecision, named};
use crate::print::{print, print_json};
use crate::target::TableTarget;

/// Arguments of `quarantine dismiss`.
#[derive(Debug, Args)]
pub(super) struct DecisionArguments {
    /// The notification, as `list` names it: `<payment id>/<sender>/<event id>`; of an unreadable item
    /// also `item/<pk>/<sk>`.
    pub(super) notification: String,
    /// Why: 1 to 1024 characters, kept in the event log.
    #[arg(long, value_parser = note)]
    note: Note,
    /// Who decides; the name of the user, unless it is said.
    #[arg(long, value_name = "NAME", value_parser = operator)]
    by: Option<Operator>,
    #[command(flatten)]
    pub(super) target: TableTarget,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `quarantine accept`.
#[derive(Debug, Args)]
pub(super) struct AcceptArguments {
    /// The payment that an unmatched notification is about; amount and currency must be its own.
    #[arg(long, value_name = "ID", value_parser = payment_id)]
    payment: Option<PaymentId>,
    #[command(flatten)]
    decision: DecisionArguments,
}

pub(super) async fn accept(arguments: AcceptArguments) -> Result<End> {
    let (_, made) = decide(Decision::Accept, arguments.payment, &arguments.decision).await?;
    if arguments.decision.json {
        print_json(&made.json())?;
        return Ok(End::Done);
    }
    let next = "If its order service is to be notified, the next sweep does it.";
    print(&format!("{}\n{next}\n", made.text()))?;
    Ok(End::Done)
}

pub(super) async fn dismiss(arguments: DecisionArguments) -> Result<End> {
    let (_, made) = decide(Decision::Dismiss, None, &arguments).await?;
    if arguments.json {
        print_json(&made.json())?;
    } else {
        print(&format!("{}\n", made.text()))?;
    }
    Ok(End::Done)
}

/// Reads a note.
fn note(text: &str) -> Result<Note, String> {
    let length = text.chars().count();
    let needed = format!("1 to {NOTE_MAX_CHARS} characters are needed, and it has {length}");
    Note::new(text).map_err(|_blank_or_long| needed)
}

/// Reads the name of who decides.
pub(in crate::cli) fn operator(name: &str) -> Result<Operator, String> {
    let needed =
        format!("1 to {OPERATOR_MAX_CHARS} characters without control characters are needed");
    Operator::new(name).map_err(|_unusable| needed)
}

/// Who decides: who it is said to be, else the user of this machine. A container names none; on a local stack, where
/// nobody asks who it was, that is no error.
pub(in crate::cli) fn decider(named: Option<Operator>, target: &TableTarget) -> Result<Operator> {
    let user = || ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(environment);
    let nobody = || target.is_local().then(|| "local".to_owned());
    let unsaid = || user().or_else(nobody).and_then(|user| Operator::new(&user).ok());
    let by = named.or_else(unsaid);
    by.context("the environment names no user: say who decides with --by NAME")
}

/// Makes the decision of these arguments, in their table.
pub(super) async fn decide(
    decision: Decision,
    onto: Option<PaymentId>,
    arguments: &DecisionArguments,
) -> Result<(Table, MadeDecision)> {
    let DecisionArguments { notification, note, by, target, json: _ } = arguments;
    let name = named(notification)?;
    let by = decider(by.clone(), target)?;
    let table = target.open().await?;
    let wanted = WantedDecision { notification, name: &name, decision, onto, by, note };
    let made = operation::decide(&table, &wanted).await?;
    Ok((table, made))
}
