//! What the functions must reach, and whether they do.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::lives::{Measured, Summary};
use crate::operation::OPERATIONS;
use crate::report::Report;
use crate::stats::{decimal, mb, median, permille, table};

/// A figure that has a limit, of each operation that it was measured of, in thousandths.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    figure: &'static str,
    limit: u64,
    values: BTreeMap<&'static str, u64>,
}

/// Everything that was measured, against its limit.
pub(crate) fn of(report: &Report) -> Vec<Target> {
    let calls = report.cold.as_deref().unwrap_or_default();
    let bare = calls.iter().find(|row| row.operation.name == "bare");
    let mut targets: Vec<_> = bare.into_iter().flat_map(|bare| of_calls(calls, bare)).collect();
    let ratio = |row: &Measured| permille(row.all.warm_p50_ns, row.hops_ns(report.latency));
    let hops = report.hops.iter().flatten().map(|row| (row.operation.name, ratio(row))).collect();
    let long = || report.long.iter().flatten();
    let grown = long().map(|one| (one.name, if one.is_flat() { 0 } else { 1_000 })).collect();
    let retries = long().map(|one| (one.name, one.retries().saturating_mul(1_000))).collect();
    let target = |figure, limit, values| Target { figure, limit, values };
    targets.push(target("p50 ÷ sum of sequential hops", 1_150, hops));
    targets.push(target("grown over a long life", 0, grown));
    targets.push(target("retries after a freeze", 1_000, retries));
    targets.retain(|target| !target.values.is_empty());
    targets
}

/// Ratios are medians of those within one run: a machine that is slow for a while is slow for both.
fn of_calls(rows: &[Measured], bare: &Measured) -> [Target; 5] {
    let each = |figure, limit, of: &dyn Fn(&Measured) -> u64| {
        let ours = rows.iter().filter(|row| row.operation.ships());
        Target { figure, limit, values: ours.map(|row| (row.operation.name, of(row))).collect() }
    };
    let ratio = |figure, limit, of: fn(&Summary, &Summary) -> [u64; 2]| {
        each(figure, limit, &|row| {
            let runs = row.each.iter().zip(&bare.each).map(|(one, bare)| of(one, bare));
            median(runs.map(|[part, whole]| permille(part, whole)))
        })
    };
    [
        ratio("start CPU ÷ bare", 3_500, |one, bare| [one.start_cpu_ns, bare.start_cpu_ns]),
        ratio("first call ÷ warm p50", 1_600, |one, _| [one.first_ns, one.warm_p50_ns]),
        // What a call takes beyond the calls that it makes itself.
        ratio("(warm p50 − the calls alone) ÷ bare p50", 4_000, |one, bare| {
            [one.warm_p50_ns.saturating_sub(one.replay_p50_ns), bare.warm_p50_ns]
        }),
        each("zip, MB", 2_800, &|row| row.zip_bytes / 1000),
        each("peak RSS, MB", 8_000, &|row| mb(row.all.peak_rss_kib)),
    ]
}

/// A figure a line, an operation a column.
pub(crate) fn text(targets: &[Target]) -> String {
    let names = OPERATIONS.iter().map(|operation| operation.name);
    let has_value = |name: &&str| targets.iter().any(|target| target.values.contains_key(name));
    let names: Vec<_> = names.filter(has_value).collect();
    let row = |Target { figure, limit, values }: &Target| {
        let cell = |name: &&str| match values.get(name) {
            Some(value) if value > limit => format!("{} ✗", decimal(*value, 2)),
            value => value.map(|value| decimal(*value, 2)).unwrap_or_default(),
        };
        let cells: Vec<_> = names.iter().map(cell).collect();
        format!("{figure}|≤ {}|{}", decimal(*limit, 2), cells.join("|"))
    };
    let table = table(&format!("|target|{}", names.join("|")), targets.iter().map(row));
    let all: usize = targets.iter().map(|target| target.values.len()).sum();
    match table.matches('✗').count() {
        0 => format!("{table}\nEvery target is met.\n"),
        missed => format!("{table}\n{missed} of {all} figures miss their target (✗).\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Measured, OPERATIONS, Summary, Target, of_calls, text};

    #[test]
    fn a_ratio_is_that_of_the_same_run() {
        let measured = |operation, [start_cpu, first, p50, replay]: [u64; 4]| {
            // The machine was three times as slow in the second run, for all.
            let each = [1, 3, 1].map(|times| Summary {
                start_cpu_ns: start_cpu * times,
                first_ns: first * times,
                warm_p50_ns: p50 * times,
                replay_p50_ns: replay * times,
                ..Summary::default()
            });
            let all = Summary { peak_rss_kib: 8_000, ..Summary::default() };
            Measured { operation, zip_bytes: 2_600_001, all, each: each.into() }
        };
        let bare = measured(&OPERATIONS[0], [100, 0, 10, 0]);
        let targets = of_calls(&[measured(&OPERATIONS[2], [340, 80, 60, 20])], &bare);
        assert_eq!(targets.map(|one| one.values["create"]), [3_400, 1_333, 4_000, 2_600, 8_192]);
    }

    #[test]
    fn what_misses_its_target_is_marked_and_counted() {
        let target = |list| Target {
            figure: "x",
            limit: 1_000,
            values: [("list", list), ("create", 1_000)].into(),
        };
        assert_eq!(
            text(&[target(1_010)]),
            "|     | target | create |   list |\n\
             |-----|-------:|-------:|-------:|\n\
             | x   | ≤ 1.00 |   1.00 | 1.01 ✗ |\n\n\
             1 of 2 figures miss their target (✗).\n"
        );
        assert!(text(&[target(1_000)]).ends_with("Every target is met.\n"));
    }
}
