//! Has the money that a quarantined notification reports given back at its provider.

use anyhow::{Context as _, Result};
use clap::Args;
use pay_core::domain::{Decision, RefundId, RefundState};
use serde_json::json;

use super::decide::{DecisionArguments, decide, refund_of};
use super::{End, named};
use crate::Row;
use crate::arguments::function_name;
use crate::audit::payment_of;
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
    let made = decide(Decision::Refund, None, &decision).await?;
    let name = named(&decision.notification)?;
    let table = decision.target.open().await?;
    let refund = refund_of(&table, &name).await?;
    let (pk, _) = name.0;
    let id = payment_of(&pk).context("the notification names no payment")?;
    let functions = decision.target.functions();
    let function = function.or_else(|| functions.local.as_ref().map(|_| "callback".to_owned()));
    let mut failure = None;
    if let Some(function) = &function {
        let request =
            json!({ "operation": "refund", "id": id.get(), "refund_id": refund.as_str() });
        let (lambda, _) = functions.open().await?;
        failure = lambda.invoke(function, &request).await.err();
    }
    let row = table.item(&pk, &format!("refund#{}", refund.as_str())).await?;
    let row = row.with_context(|| format!("the refund {} is missing", refund.as_str()))?;
    let state = RefundState::ALL.into_iter().find(|state| state.as_str() == row.text("state"));
    let next = next(state, function.is_some());
    if state != Some(RefundState::Failed)
        && let Some(failure) = failure.take()
    {
        return Err(failure.context(format!("{}. {next}", made.text())));
    }
    let why = failure.map(|failure| format!("{failure:#}"));
    if decision.json {
        let mut shown = made.json();
        if let Some(members) = shown.as_object_mut() {
            let (amount, state) = (row.number("amount"), row.text("state"));
            let refund = json!({"refund_id": refund.as_str(), "amount": amount, "status": state, "error": why});
            members.insert("refund".to_owned(), refund);
        }
        print_json(&shown)?;
    } else {
        let lines = [made.text(), line(&refund, &row), why.unwrap_or_default(), next.to_owned()];
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        print(&format!("{}\n", lines.join("\n")))?;
    }
    Ok(End::of(match state {
        Some(RefundState::Succeeded | RefundState::Pending) => true,
        Some(RefundState::Requested) => function.is_none(),
        Some(RefundState::Failed) | None => false,
    }))
}

fn line(refund: &RefundId, row: &Row) -> String {
    let amount = row.number("amount").unwrap_or_default();
    format!("refund {} of {amount}: {}", refund.as_str(), row.text("state"))
}

/// What is to be done next; empty where nothing is.
const fn next(state: Option<RefundState>, was_asked: bool) -> &'static str {
    match (state, was_asked) {
        (Some(RefundState::Succeeded), _) => "",
        (Some(RefundState::Pending), _) => {
            "The provider has accepted it, and the sweep asks what becomes of it."
        }
        (Some(RefundState::Requested), true) => {
            "What became of it is not known yet: the sweep goes on with it, and so does this command."
        }
        (Some(RefundState::Requested), false) => "The next sweep asks the provider for it.",
        (Some(RefundState::Failed), _) => {
            "The provider gave nothing back: the money is still there. Give it back in the provider's \
             console."
        }
        (None, _) => "Its state is unreadable: `payctl audit` says what is wrong with it.",
    }
}
