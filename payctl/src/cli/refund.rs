//! Has the callback function give money of a payment back at its provider.

use anyhow::Result;
use clap::Args;
use pay_core::domain::{Amount, PaymentId, RefundReason};
use pay_service::http::idempotency_digest;

use super::End;
use crate::arguments::payment_id;
use crate::operation::FunctionCall;
use crate::target::FunctionTarget;

/// Arguments of `refund`.
#[derive(Debug, Args)]
pub(super) struct RefundArguments {
    /// The payment.
    #[arg(value_parser = payment_id)]
    id: PaymentId,
    /// How much, in the minor unit of its currency. Without it, what is left.
    #[arg(long, value_name = "N", value_parser = amount)]
    amount: Option<u64>,
    /// Why, for the payer: 80 bytes at most.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    /// Names the refund: with the same key it is the same one, for good.
    #[arg(long, value_name = "KEY", value_parser = key)]
    key: String,
    #[command(flatten)]
    target: FunctionTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Ends with [`End::Found`] where the refund failed, or what became of it is not known yet.
pub(super) async fn run(arguments: RefundArguments) -> Result<End> {
    let RefundArguments { id, amount: amount_minor, reason, key, target, json } = arguments;
    target.call(&FunctionCall::Refund { id, amount_minor, reason, key }, json).await
}

fn amount(text: &str) -> Result<u64, String> {
    let amount = text.parse().ok().and_then(|minor| Amount::check_minor(minor).ok());
    amount.ok_or_else(|| "an amount is a number from 1 to 4294967295".to_owned())
}

fn reason(text: &str) -> Result<String, String> {
    let reason = RefundReason::new(text).map(|reason| reason.as_str().to_owned());
    reason.map_err(|_bad| "a reason has 1 to 80 bytes and no control characters".to_owned())
}

fn key(text: &str) -> Result<String, String> {
    match idempotency_digest(0, text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_bad) => Err("a key has 1 to 255 visible ASCII characters".to_owned()),
    }
}
