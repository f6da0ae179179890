//! `cargo local bench`: what the functions cost, beside what functions cost at least and commonly.
//!
//! Here is decided what is run and what the figures mean. What has to be fast for them to be true
//! is the package `bench`, a program of its own that is built in release.

mod build;
mod canned;
pub mod cold;
mod progress;
mod runner;
pub mod stats;
mod subjects;
pub mod table;

use anyhow::Result;
use serde::Serialize;

pub use self::progress::Progress;
use self::runner::Runner;
pub use self::subjects::Operation;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often every operation is started.
    pub runs: usize,
    /// Calls of each start, after the first.
    pub calls: u64,
    /// What is measured.
    pub operations: Vec<Operation>,
}

/// All figures.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Starts and calls.
    pub cold: Vec<cold::Row>,
}

/// Builds everything and measures it.
///
/// # Errors
///
/// Something cannot be built, or a function does not answer as it should.
pub async fn run(options: &Options, progress: &mut Progress) -> Result<Report> {
    let built = build::release(&options.operations).await?;
    let runner = Runner::new(built, options.operations.clone())?;
    let cold = cold::run(&runner, options, progress).await?;
    progress.end();
    Ok(Report { cold })
}
