//! What the functions must reach, and whether they do.

use bench::plan::{Freeze, Long};
use serde::Serialize;

use super::cold::Row;
use super::stats::{decimal, permille};
use super::subjects::{BARE, Operation};
use super::table::table;
use super::{Report, long};

/// A figure that has a limit. Both are thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// What is limited.
    pub figure: &'static str,
    /// Of which operation.
    pub of: String,
    /// What it is.
    pub value: u64,
    /// What it may be at most.
    pub limit: u64,
}

impl Target {
    /// Whether the limit is kept.
    #[must_use]
    pub const fn is_met(&self) -> bool {
        self.value <= self.limit
    }
}

const START_CPU: &str = "start CPU ÷ bare";
const FIRST_CALL: &str = "first call ÷ warm p50";
const OWN_TIME: &str = "(warm p50 − the calls alone) ÷ bare p50";
const ZIP: &str = "zip, MB";
const MEMORY: &str = "peak RSS, MB";
const FLAT: &str = "grown over a long life";
const RETRIES: &str = "retries after a freeze";
const LATENCY: &str = "p50 ÷ sum of sequential hops";

/// Everything that was measured, against its limit.
#[must_use]
pub fn of(report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    let cold = report.cold.as_deref().unwrap_or_default();
    if let Some(bare) = cold.iter().find(|row| row.name == BARE.name) {
        for row in cold.iter().filter(|row| is_ours(&row.name)) {
            targets.extend(of_row(row, bare));
        }
    }
    for row in report.hops.iter().flatten() {
        targets.push(target(LATENCY, &row.name, row.permille, 1_150));
    }
    if let Some(life) = &report.long {
        let flat = |one: &Long| target(FLAT, &one.subject, u64::from(!long::is_flat(one)) * 1000, 0);
        targets.extend(life.lives.iter().map(flat));
        let retries = |one: &Freeze| target(RETRIES, &one.subject, long::retries(one) * 1000, 1_000);
        targets.extend(life.freezes.iter().map(retries));
    }
    targets
}

fn is_ours(name: &str) -> bool {
    Operation::all().any(|operation| operation.name == name && operation.is_ours())
}

fn target(figure: &'static str, of: &str, value: u64, limit: u64) -> Target {
    Target { figure, of: of.to_owned(), value, limit }
}

fn of_row(row: &Row, bare: &Row) -> Vec<Target> {
    let target = |figure, value, limit| target(figure, &row.name, value, limit);
    let calls_alone = row.client.as_ref().map_or(0, |client| client.p50_ns);
    let own = row.warm_p50_ns.saturating_sub(calls_alone);
    vec![
        target(START_CPU, permille(row.start_cpu_ns, bare.start_cpu_ns), 3_500),
        target(FIRST_CALL, permille(row.first_ns, row.warm_p50_ns), 1_600),
        target(OWN_TIME, permille(own, bare.warm_p50_ns), 4_000),
        target(ZIP, row.zip_bytes / 1000, 2_600),
        target(MEMORY, row.peak_rss_kib.saturating_mul(1024) / 1000, 8_000),
    ]
}

/// The targets as a table: a figure a line, an operation a column.
#[must_use]
pub fn text(targets: &[Target]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut figures: Vec<(&'static str, u64)> = Vec::new();
    for target in targets {
        if !names.contains(&target.of.as_str()) {
            names.push(&target.of);
        }
        if !figures.iter().any(|(figure, _)| *figure == target.figure) {
            figures.push((target.figure, target.limit));
        }
    }
    let cell = |figure: &str, name: &str| {
        let found = targets.iter().find(|target| target.figure == figure && target.of == name);
        found.map_or_else(String::new, |target| {
            let missed = if target.is_met() { "" } else { " ✗" };
            format!("{}{missed}", decimal(target.value, 2))
        })
    };
    let row = |(figure, limit): &(&str, u64)| {
        let cells = names.iter().map(|name| cell(figure, name));
        [(*figure).to_owned(), format!("≤ {}", decimal(*limit, 2))]
            .into_iter()
            .chain(cells)
            .collect()
    };
    let head: Vec<&str> = ["", "target"].into_iter().chain(names.iter().copied()).collect();
    let missed = targets.iter().filter(|target| !target.is_met()).count();
    let verdict = match missed {
        0 => "Every target is met.\n".to_owned(),
        missed => format!("{missed} of {} figures miss their target (✗).\n", targets.len()),
    };
    format!("{}\n{verdict}", table(&head, &figures.iter().map(row).collect::<Vec<_>>()))
}
