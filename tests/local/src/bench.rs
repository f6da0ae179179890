//! `cargo local bench`: what the functions cost, beside what functions cost at least and commonly.
//!
//! Here is decided what is run and what the figures mean. What has to be fast for them to be true
//! is the package `bench`, a program of its own that is built in release.

mod build;
mod canned;
pub mod cold;
mod figures;
pub mod hops;
pub mod long;
mod machine;
mod page;
mod prices;
mod progress;
pub mod receipt;
mod runner;
pub mod sizes;
pub mod stats;
mod subjects;
pub mod table;
pub mod targets;
pub mod throttled;

use anyhow::Result;
use bench::plan::Latency;
use serde::Serialize;

use self::cold::Row;
use self::long::LongLife;
use self::machine::Machine;
pub use self::page::PAGE;
pub use self::progress::Progress;
use self::receipt::Receipt;
use self::runner::Runner;
pub use self::subjects::Operation;
use self::targets::Target;
use self::throttled::Throttled;

/// What can be measured apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Cold starts and warm calls, and the same calls by a bare client.
    Calls,
    /// Calls where the services take their time, against the sum of their sequential hops.
    Hops,
    /// Starts and calls at 0.07 of a core.
    Throttled,
    /// One instance for very many calls, and freezes.
    Long,
    /// Every memory size, and from that the receipt of a million payments.
    Cost,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which parts.
    pub parts: Vec<Part>,
    /// How often every operation is started.
    pub runs: usize,
    /// Calls of each start, after the first.
    pub calls: u64,
    /// Calls of a long life.
    pub long_calls: u64,
    /// How long the services wait where they wait.
    pub latency: Latency,
    /// What is measured.
    pub operations: Vec<Operation>,
    /// Whether they are built as they ship: figures of another build mean nothing.
    pub release: bool,
}

/// All figures.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where and of what.
    pub machine: Machine,
    /// How often every operation was started.
    pub runs: usize,
    /// Calls of each start, after the first.
    pub calls: u64,
    /// How long the services waited where they did.
    pub latency: Latency,
    /// Of [`Part::Calls`].
    pub cold: Option<Vec<Row>>,
    /// Of [`Part::Hops`].
    pub hops: Option<Vec<hops::Row>>,
    /// Of [`Part::Throttled`].
    pub throttled: Option<Throttled>,
    /// Of [`Part::Long`].
    pub long: Option<LongLife>,
    /// Of [`Part::Cost`]; empty where CPU cannot be limited.
    pub sizes: Option<Vec<sizes::Row>>,
    /// Of [`Part::Cost`].
    pub receipt: Option<Receipt>,
    /// All that has a limit.
    pub targets: Vec<Target>,
}

/// Builds everything and measures it.
///
/// # Errors
///
/// Something cannot be built, or a function does not answer as it should.
pub async fn run(options: &Options, progress: &mut Progress) -> Result<Report> {
    let built = build::all(&options.operations, options.release).await?;
    let runner = Runner::new(built, options.operations.clone())?;
    let mut report = Report::empty(options);
    for part in &options.parts {
        match part {
            Part::Calls => report.cold = Some(cold::run(&runner, options, progress).await?),
            Part::Hops => report.hops = Some(hops::run(&runner, options, progress).await?),
            Part::Throttled => {
                report.throttled = Some(throttled::run(&runner, options, progress).await?);
            }
            Part::Long => report.long = Some(long::run(&runner, options, progress).await?),
            Part::Cost => {
                let sizes = sizes::run(&runner, options, progress).await?;
                report.receipt = Receipt::of(&sizes);
                report.sizes = Some(sizes);
            }
        }
    }
    progress.end();
    report.targets = targets::of(&report);
    Ok(report)
}

impl Report {
    fn empty(options: &Options) -> Self {
        let Options { runs, calls, latency, .. } = *options;
        Self {
            machine: Machine::here(),
            runs,
            calls,
            latency,
            cold: None,
            hops: None,
            throttled: None,
            long: None,
            sizes: None,
            receipt: None,
            targets: Vec::new(),
        }
    }

    /// The tables, by the name of their place on the page.
    #[must_use]
    pub fn sections(&self) -> Vec<(&'static str, String)> {
        let machine = self.cold.is_some().then(|| self.machine.text());
        let cold = self.cold.as_ref().map(|rows| {
            let (runs, calls) = (self.runs, self.calls);
            let how = format!("{runs} starts of each, {calls} warm calls a start; times in ms.\n");
            format!("{how}\n{}", cold::text(rows))
        });
        let hops = self.hops.as_ref().map(|rows| {
            let Latency { store_ms, shop_ms } = self.latency;
            format!("The store waits {store_ms} ms, the shop {shop_ms}.\n\n{}", hops::text(rows))
        });
        let advice = self.sizes.as_ref().map(|rows| sizes::advice_text(rows));
        let sections = [
            ("machine", machine),
            ("calls", cold),
            ("hops", hops),
            ("throttled", self.throttled.as_ref().map(Throttled::text)),
            ("long", self.long.as_ref().map(LongLife::text)),
            ("sizes", self.sizes.as_ref().map(|rows| sizes::text(rows))),
            ("advice", advice),
            ("receipt", self.receipt.as_ref().map(Receipt::text)),
            ("targets", (!self.targets.is_empty()).then(|| targets::text(&self.targets))),
        ];
        let measured = |(name, text): (&'static str, Option<String>)| Some((name, text?));
        sections.into_iter().filter_map(measured).collect()
    }

    /// Puts the tables on the page that tells of them; places of what was not measured stay, and so
    /// do the targets unless everything that has one was measured.
    ///
    /// # Errors
    ///
    /// The page is not there, or lacks a place.
    pub fn write(&self) -> Result<()> {
        let whole = self.cold.is_some() && self.hops.is_some() && self.long.is_some();
        let mut sections = self.sections();
        sections.retain(|(name, _)| whole || *name != "targets");
        page::write(&sections)
    }
}
