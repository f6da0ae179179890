//! What the functions must reach, and whether they do.

use bench::plan::{Freeze, Long};
use serde::Serialize;

use super::cold::{Once, Row};
use super::stats::{decimal, median, permille};
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
        let flat =
            |one: &Long| target(FLAT, &one.subject, if long::is_flat(one) { 0 } else { 1_000 }, 0);
        targets.extend(life.lives.iter().map(flat));
        let retries = |one: &Freeze| {
            target(RETRIES, &one.subject, long::retries(one).saturating_mul(1_000), 1_000)
        };
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

/// What a call takes beyond the calls that it makes itself.
const fn own_ns(one: &Once) -> u64 {
    one.warm_p50_ns.saturating_sub(one.client_p50_ns)
}

/// Ratios are medians of those within one run: a machine that is slow for a while is slow for both.
fn of_row(row: &Row, bare: &Row) -> Vec<Target> {
    let target = |figure, value, limit| target(figure, &row.name, value, limit);
    let ratio = |of: fn(&Once, &Once) -> (u64, u64)| {
        let runs = row.each.iter().zip(&bare.each).map(|(one, bare)| of(one, bare));
        median(&runs.map(|(part, whole)| permille(part, whole)).collect::<Vec<_>>())
    };
    vec![
        target(START_CPU, ratio(|one, bare| (one.start_cpu_ns, bare.start_cpu_ns)), 3_500),
        target(FIRST_CALL, ratio(|one, _| (one.first_ns, one.warm_p50_ns)), 1_600),
        target(OWN_TIME, ratio(|one, bare| (own_ns(one), bare.warm_p50_ns)), 4_000),
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

#[cfg(test)]
mod tests {
    use super::super::cold::{Once, Row};
    use super::{Target, of_row, text};

    fn once(start_cpu_ns: u64, first_ns: u64, warm_p50_ns: u64, client_p50_ns: u64) -> Once {
        Once { start_cpu_ns, first_ns, warm_p50_ns, client_p50_ns }
    }

    #[test]
    fn a_ratio_is_that_of_the_same_run() {
        // The machine was three times as slow in the second run, for both.
        let bare = [once(100, 0, 10, 0), once(300, 0, 30, 0), once(100, 0, 10, 0)];
        let ours = [once(340, 80, 60, 20), once(1_020, 240, 180, 60), once(340, 80, 60, 20)];
        let bare = Row { each: bare.to_vec(), ..Row::default() };
        let row = Row {
            zip_bytes: 2_600_001,
            peak_rss_kib: 8_000,
            each: ours.to_vec(),
            ..Row::default()
        };
        let targets = of_row(&row, &bare);
        let values: Vec<u64> = targets.iter().map(|target| target.value).collect();
        assert_eq!(values, [3_400, 1_333, 4_000, 2_600, 8_192]);
        let met: Vec<bool> = targets.iter().map(Target::is_met).collect();
        assert_eq!(met, [true, true, true, true, false]);
    }

    #[test]
    fn what_misses_its_target_is_marked_and_counted() {
        let target =
            |of: &str, value| Target { figure: "x", of: of.to_owned(), value, limit: 1_000 };
        assert_eq!(
            text(&[target("a", 1_000), target("b", 1_010)]),
            "|     | target |    a |      b |\n\
             |-----|-------:|-----:|-------:|\n\
             | x   | ≤ 1.00 | 1.00 | 1.01 ✗ |\n\n\
             1 of 2 figures miss their target (✗).\n"
        );
        assert!(text(&[target("a", 1_000)]).ends_with("Every target is met.\n"));
    }
}
