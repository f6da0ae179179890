//! Each operation's time where the services take their time, against the calls that must wait for
//! one another.

use anyhow::Result;
use bench::plan::{Latency, Service, Work};
use serde::Serialize;

use super::figures::{Lives, conversations};
use super::runner::Runner;
use super::stats::{decimal, ms, permille};
use super::subjects::Operation;
use super::table::table;
use super::{Options, Progress};

/// Calls of each start: the services' waiting is what takes the time.
const CALLS: u64 = 40;

/// One operation.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The operation.
    pub name: String,
    /// Calls that were made side by side, one group after the other, as the services saw them.
    pub hops: Vec<Vec<Service>>,
    /// What the groups of the design take.
    pub sum_ns: u64,
    /// Half of the calls took no longer.
    pub p50_ns: u64,
    /// The one in thousandths of the other.
    pub permille: u64,
}

/// Runs every operation that ships in turn.
pub(super) async fn run(
    runner: &Runner,
    options: &Options,
    progress: &mut Progress,
) -> Result<Vec<Row>> {
    let latency = options.latency;
    let ours = runner.places(Operation::is_ours);
    let learn = ours.iter().map(|subject| Work::Client { subject: *subject, calls: 1 });
    let round = ours.iter().map(|subject| Work::Life {
        subject: *subject,
        calls: CALLS,
        latency,
        quota: None,
    });
    let (learn, round): (Vec<_>, Vec<_>) = (learn.collect(), round.collect());
    let runs = options.runs.min(5);
    progress.expect("hops", learn.len().saturating_add(round.len().saturating_mul(runs)));
    let mut figures = runner.run(learn, progress).await?;
    for _ in 0..runs {
        figures.extend(runner.run(round.clone(), progress).await?);
    }
    let row = |operation: &Operation| {
        let seen = conversations(&figures, operation.name);
        let sum_ns = sum_ns(operation.hops, latency);
        let p50_ns = Lives::of(&figures, operation.name).warm_percentile(50);
        Row {
            name: operation.name.to_owned(),
            hops: seen.first().map(|one| one.hops.clone()).unwrap_or_default(),
            sum_ns,
            p50_ns,
            permille: permille(p50_ns, sum_ns),
        }
    };
    Ok(runner.operations().iter().filter(|operation| operation.is_ours()).map(row).collect())
}

/// The longest call of each group, all of those one after the other.
fn sum_ns(hops: &[&[Service]], latency: Latency) -> u64 {
    let wait_ms = |service: &Service| match service {
        Service::Store | Service::Secrets => latency.store_ms,
        Service::Shop => latency.shop_ms,
    };
    let longest = hops.iter().map(|hop| hop.iter().map(wait_ms).max().unwrap_or_default());
    longest.sum::<u64>().saturating_mul(1_000_000)
}

/// The rows as a table, times in milliseconds.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let head = ["", "calls", "their sum", "p50", "ratio"];
    let line = |row: &Row| {
        let ratio = decimal(row.permille, 2);
        vec![row.name.clone(), written(&row.hops), ms(row.sum_ns), ms(row.p50_ns), ratio]
    };
    table(&head, &rows.iter().map(line).collect::<Vec<_>>())
}

/// `shop + shop + store, store`
#[must_use]
pub fn written(hops: &[Vec<Service>]) -> String {
    let name = |service: &Service| match service {
        Service::Store => "store",
        Service::Secrets => "secrets",
        Service::Shop => "shop",
    };
    let group = |hop: &Vec<Service>| {
        let mut names: Vec<_> = hop.iter().map(name).collect();
        names.sort_unstable();
        names.join(" + ")
    };
    hops.iter().map(group).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use bench::plan::{Latency, Service};

    use super::{sum_ns, written};

    #[test]
    fn a_group_takes_as_long_as_its_longest_call() {
        let latency = Latency { store_ms: 4, shop_ms: 8 };
        let (store, shop) = (Service::Store, Service::Shop);
        assert_eq!(sum_ns(&[&[shop, store, shop], &[store]], latency), 12_000_000);
        assert_eq!(sum_ns(&[&[store]], latency), 4_000_000);
        assert_eq!(sum_ns(&[], latency), 0);
        assert_eq!(written(&[vec![store, shop], vec![store]]), "shop + store, store");
    }
}
