//! Cold starts and warm calls of every operation, and the same calls by a bare client.

use anyhow::Result;
use bench::plan::{Figure, Latency, Life, Service, Work};
use serde::Serialize;

use super::figures::{Lives, conversations, each};
use super::runner::Runner;
use super::stats::{decimal, median, ms};
use super::subjects::Operation;
use super::table::table;
use super::{Options, Progress};

/// One operation in figures: medians over the starts, percentiles over all warm calls.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// The operation.
    pub name: String,
    /// Size of the function's zip file.
    pub zip_bytes: u64,
    /// From the start of the process to its first request for work.
    pub start_ns: u64,
    /// CPU until then.
    pub start_cpu_ns: u64,
    /// The first call.
    pub first_ns: u64,
    /// CPU of it.
    pub first_cpu_ns: u64,
    /// Half of the later calls took no longer.
    pub warm_p50_ns: u64,
    /// 99 of 100 took no longer.
    pub warm_p99_ns: u64,
    /// CPU of a later call.
    pub warm_cpu_ns: u64,
    /// The most memory it had.
    pub peak_rss_kib: u64,
    /// The calls that the function makes, by a bare client, where it makes any.
    pub client: Option<Client>,
    /// Each start by itself: its neighbours in other rows had the same machine.
    pub each: Vec<Once>,
}

/// One start.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Once {
    /// CPU of the start.
    pub start_cpu_ns: u64,
    /// The first call.
    pub first_ns: u64,
    /// Half of the later calls took no longer.
    pub warm_p50_ns: u64,
    /// Half of the replays by a bare client took no longer.
    pub client_p50_ns: u64,
}

/// What a bare client takes for the same calls.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Client {
    /// Calls that were made side by side, one group after the other.
    pub hops: Vec<Vec<Service>>,
    /// Half of the replays took no longer.
    pub p50_ns: u64,
    /// CPU of a replay.
    pub cpu_ns: u64,
}

/// Runs all operations in turn, as often as is asked for.
pub(super) async fn run(
    runner: &Runner,
    options: &Options,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let work = round(runner, options);
    progress.expect("starts and calls", work.len().saturating_mul(options.runs));
    let mut figures = Vec::new();
    for _ in 0..options.runs {
        figures.extend(runner.run(work.clone(), progress).await?);
    }
    let operations = runner.operations().iter().filter(|operation| !operation.is_further());
    operations.map(|operation| row(runner, operation, &figures)).collect()
}

/// Every operation once: what disturbs a run disturbs all of them.
fn round(runner: &Runner, options: &Options) -> Vec<Work> {
    let calls = options.calls;
    let life = |subject| Work::Life { subject, calls, latency: Latency::default(), quota: None };
    let mut work = Vec::new();
    for subject in runner.places(|operation| !operation.is_further()) {
        work.push(life(subject));
    }
    for subject in runner.places(|operation| operation.is_ours() && !operation.is_further()) {
        work.push(Work::Client { subject, calls });
    }
    work
}

fn row(runner: &Runner, operation: &Operation, figures: &[Figure]) -> Result<Row> {
    let lives = Lives::of(figures, operation.name);
    Ok(Row {
        name: operation.name.to_owned(),
        zip_bytes: runner.zip_bytes(operation)?,
        start_ns: lives.median(|life| life.start_ns),
        start_cpu_ns: lives.median(|life| life.start_cpu_ns),
        first_ns: lives.median(|life| life.first_ns),
        first_cpu_ns: lives.median(|life| life.first_cpu_ns),
        warm_p50_ns: lives.warm_percentile(50),
        warm_p99_ns: lives.warm_percentile(99),
        warm_cpu_ns: lives.median(|life| each(life.warm_cpu_ns, &life.warm_ns)),
        peak_rss_kib: lives.median(|life| life.peak_rss_kib),
        client: client(operation, figures),
        each: each_start(operation, &lives, figures),
    })
}

fn each_start(operation: &Operation, lives: &Lives<'_>, figures: &[Figure]) -> Vec<Once> {
    let replays = conversations(figures, operation.name);
    let once = |(at, life): (usize, &Life)| Once {
        start_cpu_ns: life.start_cpu_ns,
        first_ns: life.first_ns,
        warm_p50_ns: median(&life.warm_ns),
        client_p50_ns: replays.get(at).map_or(0, |replay| median(&replay.replay_ns)),
    };
    lives.iter().enumerate().map(once).collect()
}

fn client(operation: &Operation, figures: &[Figure]) -> Option<Client> {
    let replays = conversations(figures, operation.name);
    let all: Vec<u64> = replays.iter().flat_map(|one| one.replay_ns.iter().copied()).collect();
    let cpu: Vec<u64> = replays.iter().map(|one| each(one.replay_cpu_ns, &one.replay_ns)).collect();
    let hops = replays.first()?.hops.clone();
    Some(Client { hops, p50_ns: median(&all), cpu_ns: median(&cpu) })
}

/// The rows as a table, times in milliseconds.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let head = [
        "",
        "zip KB",
        "start",
        "start CPU",
        "first call",
        "warm p50",
        "warm p99",
        "CPU a call",
        "calls alone",
        "peak RSS MB",
    ];
    let line = |row: &Row| {
        vec![
            row.name.clone(),
            (row.zip_bytes / 1000).to_string(),
            ms(row.start_ns),
            ms(row.start_cpu_ns),
            ms(row.first_ns),
            ms(row.warm_p50_ns),
            ms(row.warm_p99_ns),
            ms(row.warm_cpu_ns),
            row.client.as_ref().map_or_else(String::new, |client| ms(client.p50_ns)),
            decimal(row.peak_rss_kib.saturating_mul(1024) / 1000, 1),
        ]
    };
    table(&head, &rows.iter().map(line).collect::<Vec<_>>())
}
