//! Reads a plan, does its work, and prints one line of JSON for each figure.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use bench::{Bench, client, quota_refused};

/// One thread, so that what is measured has the other core for itself.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match writeln!(io::stderr(), "error: {error:#}") {
            Ok(()) | Err(_) => ExitCode::FAILURE,
        },
    }
}

async fn run() -> Result<()> {
    let mut output = io::stdout().lock();
    match std::env::args().nth(1).as_deref() {
        Some("client") => return client(&mut io::stdin().lock(), &mut output).await,
        // Nothing is printed where a limit can be set.
        Some("quota") => return Ok(write!(output, "{}", quota_refused().unwrap_or_default())?),
        Some(_) | None => {}
    }
    let plan = serde_json::from_reader(io::stdin().lock()).context("not a plan")?;
    let bench = Bench::start(plan).await?;
    bench
        .run(|figure| {
            writeln!(output, "{}", serde_json::to_string(&figure)?)?;
            Ok(output.flush()?)
        })
        .await
}
