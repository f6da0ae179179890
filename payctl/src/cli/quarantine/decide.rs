//! A person's decision on a notification.

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use pay_core::domain::{
    Decided, Decision, Note, Operator, OrderId, Payment, PaymentId, RawBody, Refund, RefundId,
    RefundReference, UserId,
};
use pay_core::limits::{NOTE_MAX_CHARS, OPERATOR_MAX_CHARS};
use pay_core::ports::{Order, Orders, ShopError, TraceParent};
use pay_core::usecases::quarantine::{Resolve, ResolveError, resolve};
use pay_service::http::sha256;
use pay_service::start::{clock, environment};
use serde_json::{Value, json};

use super::{End, find, named, payment, unreadable};
use crate::Table;
use crate::arguments::payment_id;
use crate::audit::{event_key, payment_of};
use crate::event::{EventEntry, status};
use crate::name::{Name, refund_key};
use crate::print::{print, print_json, time};
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
    let made = decide(Decision::Accept, arguments.payment, &arguments.decision).await?;
    if arguments.decision.json {
        print_json(&made.json())?;
        return Ok(End::Done);
    }
    let next = "If its order service is to be notified, the next sweep does it.";
    print(&format!("{}\n{next}\n", made.text()))?;
    Ok(End::Done)
}

pub(super) async fn dismiss(arguments: DecisionArguments) -> Result<End> {
    let made = decide(Decision::Dismiss, None, &arguments).await?;
    if arguments.json {
        print_json(&made.json())?;
    } else {
        print(&format!("{}\n", made.text()))?;
    }
    Ok(End::Done)
}

/// A decision that was made.
#[derive(Debug)]
pub(super) struct MadeDecision {
    notification: String,
    decision: Decision,
    by: Operator,
    /// Whether it was made before.
    is_repeat: bool,
    payment: Option<PaymentId>,
    /// What the payment is now.
    status: Option<String>,
}

impl MadeDecision {
    pub(super) fn text(&self) -> String {
        let Self { notification, decision, by, is_repeat, payment, status } = self;
        let already = if *is_repeat { "already " } else { "" };
        let of_payment = match (payment, status) {
            (Some(payment), Some(status)) => format!("; payment {payment} is {status}"),
            (None, _) | (_, None) => String::new(),
        };
        format!("{notification} is {already}{} by {by}{of_payment}", decision.as_str())
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "event": self.notification, "decision": self.decision.as_str(), "by": self.by.as_str(),
            "payment": self.payment.map(PaymentId::get), "status": self.status,
        })
    }
}

fn note(text: &str) -> Result<Note, String> {
    let length = text.chars().count();
    let needed = format!("1 to {NOTE_MAX_CHARS} characters are needed, and it has {length}");
    Note::new(text).map_err(|_blank_or_long| needed)
}

fn operator(name: &str) -> Result<Operator, String> {
    let needed =
        format!("1 to {OPERATOR_MAX_CHARS} characters without control characters are needed");
    Operator::new(name).map_err(|_unusable| needed)
}

/// Who decides: who it is said to be, else the user of this machine.
fn decider(named: Option<Operator>) -> Result<Operator> {
    let user = || ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(environment);
    let named = named.or_else(|| user().and_then(|user| Operator::new(&user).ok()));
    named.context("the environment names no user: say who decides with --by NAME")
}

pub(super) async fn decide(
    decision: Decision,
    onto: Option<PaymentId>,
    arguments: &DecisionArguments,
) -> Result<MadeDecision> {
    let DecisionArguments { notification, note, by, target, json: _ } = arguments;
    let name = named(notification)?;
    let by = decider(by.clone())?;
    let table = target.open().await?;
    decide_in(&table, (&name, note, by), decision, onto).await
}

/// Has the money given back that a quarantined notification reports, as `quarantine refund` does where it names no
/// function; asked again, the same refund goes on. Returns its id: the sweep asks the provider for it.
///
/// # Errors
///
/// Nothing was decided: of a [`ResolveError`] that is not [`ResolveError::Failed`] it is known.
pub async fn give_back(
    table: &Table,
    notification: &str,
    note: Note,
    by: Operator,
) -> Result<RefundId> {
    let name = named(notification)?;
    decide_in(table, (&name, &note, by), Decision::Refund, None).await?;
    refund_of(table, &name).await
}

/// The refund of the money that a notification reports.
pub(super) async fn refund_of(table: &Table, name: &Name) -> Result<RefundId> {
    let key = refund_key(&find(table, name).await?);
    let id = payment_of(&name.0.0).context("the notification names no payment")?;
    Ok(RefundId::requested(RefundReference::new(id, key)))
}

async fn decide_in(
    table: &Table,
    (name, note, by): (&Name, &Note, Operator),
    decision: Decision,
    onto: Option<PaymentId>,
) -> Result<MadeDecision> {
    let row = find(table, name).await?;
    let id = payment_of(&name.0.0).or(onto);
    let wrong = EventEntry(&row).unreadable();
    let mut decided_by = None;
    match event_key(&name.0.0, &name.0.1).filter(|_| wrong.is_empty()) {
        Some(key) => {
            let note = kept(note);
            let refund_key = refund_key(&row);
            let request =
                Resolve { key, decision, payment: onto, by: by.clone(), note, refund_key };
            let (now, trace) = (clock(), trace());
            match resolve(&OutOfReach, &table.payments(), &request, now, &trace).await {
                Ok(()) => {}
                // It is the same refund, and goes on.
                Err(ResolveError::Decided(Decided { decision: Decision::Refund, by, .. }))
                    if decision == Decision::Refund =>
                {
                    decided_by = Some(by);
                }
                Err(error) => return Err(explained(table, error).await),
            }
        }
        None if decision == Decision::Dismiss => {
            unreadable::dismiss(table, name, &row, &by, note).await?;
        }
        None => {
            bail!("{name} is unreadable, and can only be dismissed: {}", wrong.join("; "));
        }
    }
    let record = payment(table, id).await?;
    let status = record.and_then(|record| record.number("status")).map(status);
    let (notification, is_repeat) = (name.to_string(), decided_by.is_some());
    let by = decided_by.unwrap_or(by);
    Ok(MadeDecision { notification, decision, by, is_repeat, payment: id, status })
}

/// The note as its event keeps it.
pub(super) fn kept(note: &Note) -> RawBody {
    let note = note.as_str().as_bytes();
    RawBody::new(note, sha256(&[note]))
}

fn trace() -> TraceParent {
    let now = clock().millis();
    TraceParent::start(u128::from(now), now)
}

/// Why nothing was decided. Who comes second learns what the first decided.
async fn explained(table: &Table, error: ResolveError) -> anyhow::Error {
    let ResolveError::Decided(decided) = error else {
        return error.into();
    };
    let Decided { decision, by, at, event } = decided;
    let note = match table.event(&event).await {
        Ok(Some(row)) => EventEntry(&row).body().unwrap_or_default(),
        Ok(None) | Err(_) => String::new(),
    };
    let at = time(at.millis());
    anyhow!("it is decided already: {} by {by}, {at}: {note}", decision.as_str())
}

/// The shop, which an operator's tool does not call. A payment that becomes paid stays due, and the
/// sweep notifies the order service within a minute.
#[derive(Debug, Clone, Copy)]
struct OutOfReach;

fn left_to_the_sweep() -> ShopError {
    ShopError::Unavailable("left to the sweep".into())
}

impl Orders for OutOfReach {
    async fn find(
        &self,
        _oid: OrderId,
        _payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        Err(left_to_the_sweep())
    }

    async fn notify_paid(&self, _payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        Err(left_to_the_sweep())
    }

    /// Only the functions have the URL. Where they have none, the sweep clears what is due.
    fn hears_of_refunds(&self) -> bool {
        true
    }

    async fn notify_refunded(
        &self,
        _payment: &Payment,
        _refund: &Refund,
        _trace: &TraceParent,
    ) -> Result<(), ShopError> {
        Err(left_to_the_sweep())
    }
}
