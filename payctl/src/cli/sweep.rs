//! Has the callback function do what is due.

use anyhow::Result;
use clap::Args;
use pay_core::limits::SWEEP_LIMIT_MAX;
use serde_json::{Value, json};

use super::End;
use crate::print::{print, print_json};
use crate::target::FunctionTarget;

/// [`pay_core::limits::SWEEP_LIMIT_MAX`], as the command line counts.
const LIMIT_MAX: u64 = 100_000;

const _: () = assert!(SWEEP_LIMIT_MAX == 100_000, "the command line takes what a sweep takes");

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub(super) struct SweepArguments {
    #[command(flatten)]
    target: FunctionTarget,
    /// The most entries, 1 to 100000.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=LIMIT_MAX))]
    limit: u64,
    /// Do all entries, not only those that are due by now.
    #[arg(long)]
    all: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: SweepArguments) -> Result<End> {
    let SweepArguments { target, limit, all, json } = arguments;
    let request = json!({"operation": "sweep", "limit": limit, "all": all});
    let swept = target.invoke("callback", &request).await?;
    if json {
        print_json(&swept)?;
    } else {
        print(&text(&swept))?;
    }
    Ok(End::of(swept.get("failed").and_then(Value::as_u64) == Some(0)))
}

fn text(swept: &Value) -> String {
    let names =
        ["notified", "queried", "moved", "rescheduled", "abandoned", "failed", "stale", "left"];
    let counted = names.map(|name| {
        let count = swept.get(name).and_then(Value::as_u64).unwrap_or_default();
        format!("{count} {name}")
    });
    let oldest = match swept.get("oldest_due_seconds").and_then(Value::as_u64) {
        Some(secs) => format!("; the oldest has been due for {secs} s"),
        None => String::new(),
    };
    format!("{}{oldest}\n", counted.join(", "))
}
