//! What a call takes and costs at each memory size: CPU comes with memory.

use anyhow::Result;
use bench::plan::{Life, Quota, Work};
use serde::Serialize;

use super::figures::Lives;
use super::prices::{Architecture, picodollars};
use super::runner::Runner;
use super::stats::{decimal, mean, ms, percentile, permille};
use super::subjects::Operation;
use super::table::table;
use super::{Options, Progress};

/// The sizes that are tried, in MB; the last is the one with a whole core.
pub const SIZES_MB: [u64; 5] = [128, 256, 512, 1024, WHOLE_CORE_MB];

/// At this size a function has a whole core; below, its share of one.
///
/// Source: AWS Lambda developer guide, "Configure Lambda function memory".
pub const WHOLE_CORE_MB: u64 = 1769;

/// How much longer than with a whole core a call may take at a size that is enough, in thousandths.
const ENOUGH_PERMILLE: u64 = 1_100;

const CALLS: u64 = 40;
const RUNS: usize = 5;

/// One operation at one size.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// The operation.
    pub name: String,
    /// The memory size.
    pub size_mb: u64,
    /// From the start of the process to its first request for work; with a whole core, as the
    /// platform gives one in start-up.
    pub start_ns: u64,
    /// The first call.
    pub first_ns: u64,
    /// The mean of the later calls.
    pub mean_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// What a later call is billed for: each rounded up to a whole millisecond, then the mean in
    /// microseconds.
    pub billed_us: u64,
}

/// Runs the functions at every size, where CPU can be limited.
pub(super) async fn run(
    runner: &Runner,
    options: &Options,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    if runner.quota_refused().await?.is_some() {
        return Ok(Vec::new());
    }
    let subjects = runner.places(Operation::is_of_a_payment);
    let round = |size_mb: u64| {
        let quota = Some(Quota { permille: share_permille(size_mb), from_birth: false });
        let life = |subject: &usize| Work::Life {
            subject: *subject,
            calls: CALLS,
            latency: options.latency,
            quota,
        };
        subjects.iter().map(life).collect::<Vec<_>>()
    };
    progress
        .expect("memory sizes", subjects.len().saturating_mul(SIZES_MB.len()).saturating_mul(RUNS));
    let mut rows = Vec::new();
    for size_mb in SIZES_MB {
        let mut figures = Vec::new();
        for _ in 0..RUNS {
            figures.extend(runner.run(round(size_mb), progress).await?);
        }
        let operations = runner.operations().iter().filter(|one| one.is_of_a_payment());
        rows.extend(operations.map(|one| row(one.name, size_mb, &Lives::of(&figures, one.name))));
    }
    Ok(rows)
}

/// The part of a core that comes with a size, in thousandths.
fn share_permille(size_mb: u64) -> u64 {
    (size_mb.saturating_mul(1000) / WHOLE_CORE_MB).min(1000)
}

fn row(name: &str, size_mb: u64, lives: &Lives<'_>) -> Row {
    let warm = lives.warm_ns();
    let billed: Vec<u64> = warm.iter().map(|ns| billed_ms(*ns).saturating_mul(1000)).collect();
    let of = |value: fn(&Life) -> u64| lives.median(value);
    Row {
        name: name.to_owned(),
        size_mb,
        start_ns: of(|life| life.start_ns),
        first_ns: of(|life| life.first_ns),
        mean_ns: mean(&warm),
        p99_ns: percentile(&warm, 99),
        billed_us: mean(&billed),
    }
}

/// A duration as it is billed, in milliseconds.
pub(super) fn billed_ms(nanos: u64) -> u64 {
    nanos.div_ceil(1_000_000)
}

impl Row {
    /// What a million later calls cost in compute, in thousandths of a dollar.
    #[must_use]
    pub fn millidollars_a_million(&self) -> u64 {
        // Picodollars a call are microdollars a million calls.
        picodollars(self.size_mb, self.billed_us, Architecture::Arm64) / 1000
    }

    fn is_enough(&self, whole: &Self) -> bool {
        let enough = |value: u64, whole: u64| permille(value, whole) <= ENOUGH_PERMILLE;
        enough(self.first_ns, whole.first_ns) && enough(self.mean_ns, whole.mean_ns)
    }
}

/// The size to have by default, for each operation: the smallest at which neither the first call
/// nor the mean of the later ones takes a tenth longer than with a whole core. More memory than that
/// buys nothing.
#[must_use]
pub fn advice(rows: &[Row]) -> Vec<(String, u64)> {
    let whole = rows.iter().filter(|row| row.size_mb == WHOLE_CORE_MB);
    let smallest = |whole: &Row| {
        let same = rows.iter().filter(|row| row.name == whole.name && row.is_enough(whole));
        Some((whole.name.clone(), same.map(|row| row.size_mb).min()?))
    };
    whole.filter_map(smallest).collect()
}

/// The advice in a sentence; or why there is none.
#[must_use]
pub fn advice_text(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "No advice: CPU cannot be limited here.\n".to_owned();
    }
    let sizes = advice(rows).into_iter().map(|(name, size_mb)| format!("{name} {size_mb} MB"));
    format!("By these figures: {}.\n", sizes.collect::<Vec<_>>().join(", "))
}

/// The rows as a table, times in milliseconds.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let head = ["", "MB", "first call", "warm mean", "warm p99", "billed", "$ a million calls"];
    let line = |row: &Row| {
        vec![
            row.name.clone(),
            row.size_mb.to_string(),
            ms(row.first_ns),
            ms(row.mean_ns),
            ms(row.p99_ns),
            decimal(row.billed_us, 1),
            decimal(row.millidollars_a_million(), 2),
        ]
    };
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| (&a.name, a.size_mb).cmp(&(&b.name, b.size_mb)));
    table(&head, &sorted.iter().map(line).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::{Row, advice, billed_ms, share_permille};

    #[test]
    fn cpu_comes_with_memory() {
        assert_eq!([128, 256, 512, 1769, 3008].map(share_permille), [72, 144, 289, 1000, 1000]);
    }

    #[test]
    fn a_started_millisecond_is_billed_whole() {
        assert_eq!([0, 1, 1_000_000, 1_000_001].map(billed_ms), [0, 1, 1, 2]);
    }

    #[test]
    fn the_advice_is_the_smallest_size_that_is_as_fast_as_any() {
        let row = |size_mb, first_ns, mean_ns| Row {
            name: "create".to_owned(),
            size_mb,
            first_ns,
            mean_ns,
            ..Row::default()
        };
        let rows = [row(128, 111, 100), row(256, 110, 110), row(512, 90, 90), row(1769, 100, 100)];
        assert_eq!(advice(&rows), [("create".to_owned(), 256)]);
        assert_eq!(advice(&[]), []);
    }
}
