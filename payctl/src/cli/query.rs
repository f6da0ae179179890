//! Has the callback function ask the providers what became of a payment.

use anyhow::Result;
use clap::Args;
use pay_core::domain::PaymentId;

use super::End;
use crate::arguments::payment_id;
use crate::operation::FunctionCall;
use crate::target::FunctionTarget;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub(super) struct QueryArguments {
    /// The payment.
    #[arg(value_parser = payment_id)]
    id: PaymentId,
    #[command(flatten)]
    target: FunctionTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Ends with [`End::Found`] where a provider gave no usable response, or what it reports waits for a
/// person.
pub(super) async fn run(arguments: QueryArguments) -> Result<End> {
    let QueryArguments { id, target, json } = arguments;
    target.call(&FunctionCall::Query(id), json).await
}
