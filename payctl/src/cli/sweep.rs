//! Has the callback function do what is due.

use anyhow::Result;
use clap::Args;

use super::End;
use crate::operation::{FunctionCall, SWEEP_LIMIT_DEFAULT, SWEEP_LIMIT_MOST};
use crate::target::FunctionTarget;

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub(super) struct SweepArguments {
    #[command(flatten)]
    target: FunctionTarget,
    /// The most entries, 1 to 100000.
    #[arg(long, default_value_t = SWEEP_LIMIT_DEFAULT, value_parser = clap::value_parser!(u64).range(1..=SWEEP_LIMIT_MOST))]
    limit: u64,
    /// Do all entries, not only those that are due by now.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Ends with [`End::Found`] where the table failed at an entry.
pub(super) async fn run(arguments: SweepArguments) -> Result<End> {
    let SweepArguments { target, limit, all, json } = arguments;
    target.call(&FunctionCall::Sweep { limit, all }, json).await
}
