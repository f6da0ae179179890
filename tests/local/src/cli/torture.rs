//! Many clients while instances die and services fail; then a check of the table and the shop.

use std::io::{Write as _, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use local::torture::{self, Options};
use local::{Stack, StackOptions, clock};

use super::serve::until_stopped;

/// Arguments of `torture`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How long the clients act, in seconds.
    #[arg(long, value_name = "N", default_value_t = 30)]
    seconds: u64,
    /// The seed of every choice; by default another one each time. The order of concurrent calls is
    /// not a choice, so two runs with one seed differ.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Processes of each function.
    #[arg(long, value_name = "N", default_value_t = 3)]
    instances: usize,
    /// Print one line of JSON and nothing else.
    #[arg(long)]
    json: bool,
    /// Build the functions as they ship.
    #[arg(long)]
    release: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { seconds, seed, instances, json, release } = arguments;
    let options =
        Options { time: Duration::from_secs(seconds), seed: seed.unwrap_or_else(clock::now_ms) };
    let work = async {
        let stack = StackOptions { instances, release, ..StackOptions::default() };
        let stack = Stack::start(stack).await?;
        let report = Box::pin(torture::run(&stack, options)).await;
        stack.stop().await?;
        report
    };
    let Some(report) = until_stopped(work).await? else {
        return Ok(ExitCode::FAILURE);
    };
    let report = report?;
    if json {
        writeln!(stdout(), "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(stdout(), "{report}")?;
    }
    let sound = report.violations.is_empty();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
