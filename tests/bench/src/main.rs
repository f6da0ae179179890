//! Measures and prints: see the library.

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

/// One thread, so that what is measured has the other core for itself.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(&bench::Arguments::parse()).await.unwrap_or_else(|error| {
        // With standard error closed nobody reads the message.
        drop(writeln!(stderr(), "error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// A signal ends the work, and its processes and files go with it; the code is then a shell's.
async fn run(arguments: &bench::Arguments) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        text = bench::run(arguments) => writeln!(stdout(), "{}", text?)?,
        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
        _ = terminate.recv() => return Ok(ExitCode::from(143)),
    }
    Ok(ExitCode::SUCCESS)
}
