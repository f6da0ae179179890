//! Has the create function close a payment.

use anyhow::{Context as _, Result};
use clap::Args;
use pay_core::domain::{PaymentId, Status};
use serde_json::{Value, json};

use super::End;
use crate::arguments::payment_id;
use crate::event::status;
use crate::print::{print, print_json};
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
    let request = json!({ "operation": "close", "id": id.get() });
    let response = target.invoke("create", &request).await?;
    let code = response.get("status").and_then(Value::as_u64);
    let code = code.context("the response has no status")?;
    if json {
        print_json(&response)?;
    } else {
        print(&format!("payment {id}: {}\n", status(code)))?;
    }
    Ok(End::of(code == u64::from(Status::Closed.code())))
}
