//! Starts and calls where the platform gives only a part of a core, as it does to small functions.

use anyhow::Result;
use bench::plan::{Figure, Latency, Quota, Work};
use serde::Serialize;

use super::figures::Lives;
use super::runner::Runner;
use super::stats::{mean, ms};
use super::table::table;
use super::{Options, Progress};

/// What a function of 128 MB gets, in thousandths of a core: 128 / 1769 of one, rounded down.
///
/// Source: AWS Lambda developer guide, "Configure Lambda function memory".
pub const PERMILLE: u64 = 70;

const CALLS: u64 = 30;

/// What a limit of CPU makes of every operation; or why none could be set.
#[derive(Debug, Clone, Serialize)]
pub struct Throttled {
    /// Why there are no figures.
    pub refused: Option<String>,
    /// The figures.
    pub rows: Vec<Row>,
}

/// One operation.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The operation.
    pub name: String,
    /// Start-up with a whole core, everything after it throttled.
    pub after_start: Times,
    /// Throttled from the first instruction on.
    pub whole_life: Times,
}

/// How long things took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Times {
    /// From the start of the process to its first request for work.
    pub start_ns: u64,
    /// The first call.
    pub first_ns: u64,
    /// Half of the later calls took no longer.
    pub warm_p50_ns: u64,
    /// The mean of them: calls in a row share one allowance.
    pub warm_mean_ns: u64,
}

/// Runs every operation both ways.
pub(super) async fn run(
    runner: &Runner,
    options: &Options,
    progress: &mut Progress,
) -> Result<Throttled> {
    if let Some(refused) = runner.quota_refused().await? {
        return Ok(Throttled { refused: Some(refused), rows: Vec::new() });
    }
    let runs = options.runs.min(5);
    let (after, whole) = (round(runner, false), round(runner, true));
    progress.expect("throttled", after.len().saturating_mul(2).saturating_mul(runs));
    let (mut after_start, mut whole_life) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        after_start.extend(runner.run(after.clone(), progress).await?);
        whole_life.extend(runner.run(whole.clone(), progress).await?);
    }
    let operations = runner.operations().iter().filter(|operation| !operation.is_further());
    let rows = operations.map(|operation| Row {
        name: operation.name.to_owned(),
        after_start: times(&after_start, operation.name),
        whole_life: times(&whole_life, operation.name),
    });
    Ok(Throttled { refused: None, rows: rows.collect() })
}

fn round(runner: &Runner, from_birth: bool) -> Vec<Work> {
    let quota = Some(Quota { permille: PERMILLE, from_birth });
    let life = |subject| Work::Life { subject, calls: CALLS, latency: Latency::default(), quota };
    runner.places(|operation| !operation.is_further()).into_iter().map(life).collect()
}

fn times(figures: &[Figure], name: &str) -> Times {
    let lives = Lives::of(figures, name);
    Times {
        start_ns: lives.median(|life| life.start_ns),
        first_ns: lives.median(|life| life.first_ns),
        warm_p50_ns: lives.warm_percentile(50),
        warm_mean_ns: mean(&lives.warm_ns()),
    }
}

impl Throttled {
    /// The rows as a table, times in milliseconds; or why there is none.
    #[must_use]
    pub fn text(&self) -> String {
        if let Some(refused) = &self.refused {
            return format!("Not measured: {refused}\n");
        }
        let head = ["", "first call", "warm mean", "throttled start", "then first", "then mean"];
        let line = |row: &Row| {
            let Row { name, after_start: after, whole_life: whole } = row;
            let times = [
                after.first_ns,
                after.warm_mean_ns,
                whole.start_ns,
                whole.first_ns,
                whole.warm_mean_ns,
            ];
            std::iter::once(name.clone()).chain(times.map(ms)).collect()
        };
        table(&head, &self.rows.iter().map(line).collect::<Vec<_>>())
    }
}
