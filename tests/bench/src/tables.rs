//! The tables of what was measured. Times are in milliseconds.

use std::collections::BTreeMap;

use crate::arguments::Latency;
use crate::lives::Measured;
use crate::long::Long;
use crate::receipt::{ARM64, compute};
use crate::stats::{decimal, mb, median, ms, permille, table};

/// At this size a function has a whole core; below, its share of one.
///
/// Source: AWS Lambda developer guide, "Configure Lambda function memory".
const WHOLE_CORE_MB: u64 = 1769;

/// The memory sizes that are tried, in MB.
pub(crate) const SIZES_MB: [u64; 5] = [128, 256, 512, 1024, WHOLE_CORE_MB];

/// What was measured at each memory size.
pub(crate) type Sizes = BTreeMap<u64, Vec<Measured>>;

/// The part of a core that comes with a size, in thousandths.
pub(crate) fn share_permille(size_mb: u64) -> u64 {
    (size_mb.saturating_mul(1000) / WHOLE_CORE_MB).min(1000)
}

pub(crate) fn calls(rows: &[Measured]) -> String {
    let row = |Measured { operation, zip_bytes, all, .. }: &Measured| {
        let [start, cpu, first] = [all.start_ns, all.start_cpu_ns, all.first_ns].map(ms);
        let [p50, p99, each] = [all.warm_p50_ns, all.warm_p99_ns, all.warm_cpu_ns].map(ms);
        let alone = if operation.ships() { ms(all.replay_p50_ns) } else { String::new() };
        let (name, zip, rss) = (operation.name, zip_bytes / 1000, decimal(mb(all.peak_rss_kib), 1));
        format!("{name}|{zip}|{start}|{cpu}|{first}|{p50}|{p99}|{each}|{alone}|{rss}")
    };
    let head = "| zip KB | start | start CPU | first call | warm p50 | warm p99 | CPU a call \
                | calls alone | peak RSS MB";
    table(head, rows.iter().map(row))
}

pub(crate) fn hops(rows: &[Measured], latency: Latency) -> String {
    let row = |row: &Measured| {
        let (sum_ns, p50_ns) = (row.hops_ns(latency), row.all.warm_p50_ns);
        let ([sum, p50], ratio) = ([sum_ns, p50_ns].map(ms), permille(p50_ns, sum_ns));
        format!("{}|{}|{sum}|{p50}|{}", row.operation.name, row.all.hops, decimal(ratio, 2))
    };
    table("| calls | their sum | p50 | ratio", rows.iter().map(row))
}

/// What was throttled after its start, and from its first instruction on.
pub(crate) fn throttled([after, whole]: &[Vec<Measured>; 2]) -> String {
    let row = |(after, whole): (&Measured, &Measured)| {
        let [first, mean] = [after.all.first_ns, after.all.warm_mean_ns].map(ms);
        let [start, then_first] = [whole.all.start_ns, whole.all.first_ns].map(ms);
        let (name, then_mean) = (after.operation.name, ms(whole.all.warm_mean_ns));
        format!("{name}|{first}|{mean}|{start}|{then_first}|{then_mean}")
    };
    let head = "| first call | warm mean | throttled start | then first | then mean";
    table(head, after.iter().zip(whole).map(row))
}

pub(crate) fn long(all: &[Long]) -> String {
    let looks = all.iter().flat_map(|long| {
        long.looks.iter().map(|look| {
            let [rss, peak] = look.rss_kib.map(|kib| decimal(mb(kib), 2));
            let (calls, descriptors, connections) =
                (look.calls, look.descriptors, look.connections);
            format!("{}|{calls}|{rss}|{peak}|{descriptors}|{connections}", long.name)
        })
    });
    let freeze = |long: &Long| {
        let [after, opened] = long.most();
        let p50 = ms(median(long.freezes.iter().map(|[call_ns, ..]| *call_ns)));
        format!("{}|{}|{after}|{opened}|{p50}", long.name, long.requests)
    };
    let looks = table("| calls | RSS MB | peak MB | descriptors | connections opened", looks);
    let head = "| calls a request | after a freeze | connections opened | p50";
    format!("{looks}\n{}", table(head, all.iter().map(freeze)))
}

pub(crate) fn sizes(sizes: &Sizes) -> String {
    let all = sizes.iter().flat_map(|(size_mb, rows)| rows.iter().map(move |row| (row, *size_mb)));
    let mut all: Vec<(&Measured, u64)> = all.collect();
    all.sort_by_key(|(row, size_mb)| (row.operation.name, *size_mb));
    let row = |(Measured { operation, all, .. }, size_mb): (&Measured, u64)| {
        let [first, mean, p99] = [all.first_ns, all.warm_mean_ns, all.warm_p99_ns].map(ms);
        // Picodollars a call are microdollars a million calls.
        let millidollars = compute(size_mb, all.billed_us, ARM64) / 1000;
        let (billed, dollars) = (decimal(all.billed_us, 1), decimal(millidollars, 2));
        format!("{}|{size_mb}|{first}|{mean}|{p99}|{billed}|{dollars}", operation.name)
    };
    let head = "| MB | first call | warm mean | warm p99 | billed | $ a million calls";
    table(head, all.into_iter().map(row))
}

pub(crate) fn advice(sizes: &Sizes) -> String {
    let advised = advised(sizes).into_iter().map(|(name, size_mb)| format!("{name} {size_mb} MB"));
    format!("By these figures: {}.\n", advised.collect::<Vec<_>>().join(", "))
}

/// The size to have by default, for each operation: the smallest at which neither the first call
/// nor the mean of the later ones takes a tenth longer than with a whole core. More memory than that
/// buys nothing.
fn advised(sizes: &Sizes) -> Vec<(&'static str, u64)> {
    let enough = |value: u64, whole: u64| permille(value, whole) <= 1_100;
    let smallest = |whole: &Measured| {
        let is_enough = |row: &Measured| {
            row.operation.name == whole.operation.name
                && enough(row.all.first_ns, whole.all.first_ns)
                && enough(row.all.warm_mean_ns, whole.all.warm_mean_ns)
        };
        let (size_mb, _) = sizes.iter().find(|(_, rows)| rows.iter().any(is_enough))?;
        Some((whole.operation.name, *size_mb))
    };
    sizes.get(&WHOLE_CORE_MB).into_iter().flatten().filter_map(smallest).collect()
}

#[cfg(test)]
mod tests {
    use super::{Latency, Measured, Sizes, advised, share_permille};
    use crate::{lives::Summary, operation::OPERATIONS};

    #[test]
    fn a_group_of_calls_takes_as_long_as_its_longest() {
        let latency = Latency { store_ms: 4, shop_ms: 8 };
        let sums = [2, 3].map(|at| Measured::of(&OPERATIONS[at], &[]).hops_ns(latency));
        assert_eq!(sums, [12_000_000, 4_000_000]);
    }

    #[test]
    fn cpu_comes_with_memory_and_the_advice_is_the_smallest_size_as_fast_as_any() {
        assert_eq!([128, 256, 512, 1769, 3008].map(share_permille), [72, 144, 289, 1000, 1000]);
        let sizes = [(128, 111, 100), (256, 110, 110), (512, 90, 90), (1769, 100, 100)];
        let sizes = sizes.map(|(size_mb, first_ns, warm_mean_ns)| {
            let all = Summary { first_ns, warm_mean_ns, ..Summary::default() };
            (size_mb, vec![Measured { all, ..Measured::of(&OPERATIONS[2], &[]) }])
        });
        assert_eq!(advised(&sizes.into()), [("create", 256)]);
        assert_eq!(advised(&Sizes::new()), []);
    }
}
