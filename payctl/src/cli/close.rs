//! Has the create function close a payment.

use anyhow::{Context as _, Result};
use clap::{ArgGroup, Args};
use pay_core::domain::{PaymentId, Status};
use serde_json::{Value, json};

use super::End;
use crate::arguments::{function_name, payment_id};
use crate::event::status;
use crate::print::{print, print_json};
use crate::target::LocalFunctions;

/// Arguments of `close`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["function", "local"]))]
pub(super) struct CloseArguments {
    /// The payment.
    #[arg(value_parser = payment_id)]
    id: PaymentId,
    /// The create function of this name or ARN in AWS, with the region and the credentials of the
    /// environment.
    #[arg(long, value_name = "NAME", value_parser = function_name)]
    function: Option<String>,
    #[command(flatten)]
    target: LocalFunctions,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Ends with [`End::Found`] where it is not closed: a checkout of it can still be paid, or it was paid.
pub(super) async fn run(arguments: CloseArguments) -> Result<End> {
    let CloseArguments { id, function, target, json } = arguments;
    let (lambda, _) = target.open().await?;
    let function = function.as_deref().unwrap_or("create");
    let request = json!({ "operation": "close", "id": id.get() });
    let response = lambda.invoke(function, &request).await?;
    let code = response.get("status").and_then(Value::as_u64);
    let code = code.context("the response has no status")?;
    if json {
        print_json(&response)?;
    } else {
        print(&format!("payment {id}: {}\n", status(code)))?;
    }
    Ok(End::of(code == u64::from(Status::Closed.code())))
}
