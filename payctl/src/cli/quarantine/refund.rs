//! Has the money that a quarantined notification reports given back at its provider.

use anyhow::Result;
use clap::Args;
use pay_core::domain::{Decision, RefundState};
use serde_json::json;

use super::End;
use super::decide::{DecisionArguments, decide};
use crate::arguments::function_name;
use crate::operation::{find, give_back, named};
use crate::print::{print, print_json};

/// Arguments of `quarantine refund`.
#[derive(Debug, Args)]
pub(super) struct GiveBackArguments {
    #[command(flatten)]
    decision: DecisionArguments,
    /// The callback function of this name or ARN in AWS: it asks the provider at once. Without it, the next
    /// sweep does.
    #[arg(long, value_name = "NAME", value_parser = function_name)]
    function: Option<String>,
}

/// Decides, unless that was decided before, and has the function go on with the refund. Ends with
/// [`End::Found`] where the refund failed, or what became of it is not known although the provider was asked.
pub(super) async fn run(arguments: GiveBackArguments) -> Result<End> {
    let GiveBackArguments { decision, function } = arguments;
    let (table, made) = decide(Decision::Refund, None, &decision).await?;
    let name = named(&decision.notification)?;
    let row = find(&table, &name).await?;
    let functions = decision.target.functions();
    let function = function.or_else(|| functions.local.as_ref().map(|_| "callback".to_owned()));
    let mut given = if let Some(function) = &function {
        let (lambda, _) = functions.open().await?;
        give_back(&table, (&name, &row), Some((&lambda, function))).await?
    } else {
        give_back(&table, (&name, &row), None).await?
    };
    let next = given.next();
    if given.state != Some(RefundState::Failed)
        && let Some(failure) = given.failure.take()
    {
        return Err(failure.context(format!("{}. {next}", made.text())));
    }
    let why = given.failure.as_ref().map(|failure| format!("{failure:#}"));
    if decision.json {
        let mut shown = made.json();
        if let Some(members) = shown.as_object_mut() {
            let (amount, state) = (given.row.number("amount"), given.row.text("state"));
            let refund = json!({"refund_id": given.refund.as_str(), "amount": amount, "status": state, "error": why});
            members.insert("refund".to_owned(), refund);
        }
        print_json(&shown)?;
    } else {
        let lines = [made.text(), given.line(), why.unwrap_or_default(), next.to_owned()];
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        print(&format!("{}\n", lines.join("\n")))?;
    }
    Ok(End::of(given.is_well()))
}
