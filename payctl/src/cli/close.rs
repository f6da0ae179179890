//! Has the create function close a payment.

use anyhow::Result;
use clap::Args;
use pay_core::domain::PaymentId;

use super::End;
use crate::arguments::payment_id;
use crate::operation::FunctionCall;
use crate::target::FunctionTarget;

/// Arguments of `close`.
#[derive(Debug, Args)]
pub(super) struct CloseArguments {
    /// The payment.
    #[arg(value_parser = payment_id)]
    id: PaymentId,
    #[command(flatten)]
    target: FunctionTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Ends with [`End::Found`] where it is not closed: a checkout of it can still be paid, or it was paid.
pub(super) async fn run(arguments: CloseArguments) -> Result<End> {
    let CloseArguments { id, target, json } = arguments;
    target.call(&FunctionCall::Close(id), json).await
}
