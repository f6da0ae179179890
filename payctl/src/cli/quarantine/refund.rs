//! Has the money that a quarantined notification reports given back at its provider.

use anyhow::Result;
use clap::Args;
use pay_core::domain::{Decision, RefundId, RefundReference};
use serde_json::{Value, json};

use super::decide::{DecisionArguments, decide, refund_key};
use super::{End, find, named};
use crate::arguments::function_name;
use crate::audit::payment_of;
use crate::print::{escaped, print};

/// Arguments of `quarantine refund`.
#[derive(Debug, Args)]
pub(super) struct RefundArguments {
    #[command(flatten)]
    decision: DecisionArguments,
    /// The callback function of this name or ARN in AWS: it asks the provider at once. Without it, the next
    /// sweep does.
    #[arg(long, value_name = "NAME", value_parser = function_name)]
    function: Option<String>,
}

/// Ends with [`End::Found`] where the refund failed, or what became of it is not known yet.
pub(super) async fn run(arguments: RefundArguments) -> Result<End> {
    let RefundArguments { decision, function } = arguments;
    let functions = decision.target.functions();
    let decided = decide(Decision::Refund, None, &decision).await?;
    let function = match (function, &functions.local) {
        (Some(function), _) => function,
        (None, Some(_)) => "callback".to_owned(),
        (None, None) => {
            print("The next sweep asks the provider for it.\n")?;
            return Ok(decided);
        }
    };
    let name = named(&decision.notification)?;
    let Some(id) = payment_of(&name.0.0) else { return Ok(decided) };
    let row = find(&decision.target.open().await?, &name).await?;
    let refund = RefundId::requested(RefundReference::new(id, refund_key(&row)));
    let request = json!({ "operation": "refund", "id": id.get(), "refund_id": refund.as_str() });
    let (lambda, _) = functions.open().await?;
    let response = lambda.invoke(&function, &request).await?;
    let word = |name: &str| response.get(name).and_then(Value::as_str).unwrap_or_default();
    let amount = response.get("amount").and_then(Value::as_u64).unwrap_or_default();
    let status = escaped(word("status"));
    print(&format!("refund {} of {amount}: {status}\n", refund.as_str()))?;
    Ok(End::of(["succeeded", "pending"].contains(&word("status"))))
}
