//! What the functions cost.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use local::bench::{self, Operation, Options, Progress, cold};

use super::serve::until_told;

/// What the bench takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Starts of each variant.
    #[arg(long, value_name = "N", default_value_t = 25)]
    runs: usize,
    /// Calls of each start, after the first.
    #[arg(long, value_name = "N", default_value_t = 150)]
    calls: u64,
    /// Measure these alone: bare, defaults, create, detail, callback, callback-stripe.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Print one JSON object and nothing else.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { runs, calls, only, json } = arguments;
    let options = Options { runs, calls, operations: Operation::named(&only)? };
    let mut progress = Progress::on_terminal();
    let Some(report) = until_told(bench::run(&options, &mut progress)).await? else {
        return Ok(ExitCode::FAILURE);
    };
    let report = report?;
    let text = if json { serde_json::to_string(&report)? } else { cold::text(&report.cold) };
    writeln!(stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}
