//! Whether an instance is after very many calls what it was after a few, and what a freeze costs.

use anyhow::Result;
use bench::plan::{Freeze, Long, Look, Work};
use serde::Serialize;

use super::runner::Runner;
use super::stats::{decimal, median, ms};
use super::subjects::Operation;
use super::table::table;
use super::{Options, Progress, figures};

/// How often each instance is stopped.
const FREEZES: u64 = 10;

/// How much memory may come after the first tenth of the calls and still count as none, in KiB:
/// what the kernel counts is a few pages late.
const FLAT_KIB: u64 = 256;

/// Long lives and freezes.
#[derive(Debug, Clone, Serialize)]
pub struct LongLife {
    /// Of each operation.
    pub lives: Vec<Long>,
    /// Of each operation.
    pub freezes: Vec<Freeze>,
}

/// Calls one instance of each operation very often, then freezes one.
pub(super) async fn run(
    runner: &Runner,
    options: &Options,
    progress: &mut Progress,
) -> Result<LongLife> {
    let step = options.long_calls / 10;
    let ours = runner.places(Operation::is_of_a_payment);
    progress.expect("long life", ours.len().saturating_mul(2));
    let mut done = Vec::new();
    for subject in ours {
        // A process of its own for each, so that its signatures are fresh.
        let work =
            vec![Work::Long { subject, step, steps: 10 }, Work::Freeze { subject, times: FREEZES }];
        done.extend(runner.run(work, progress).await?);
    }
    Ok(LongLife { lives: figures::long(&done), freezes: figures::freezes(&done) })
}

/// Whether nothing grew from the first tenth of the calls to the last call.
#[must_use]
pub fn is_flat(long: &Long) -> bool {
    let (Some(early), Some(late)) = (long.looks.get(1), long.looks.last()) else {
        return false;
    };
    late.rss_kib <= early.rss_kib.saturating_add(FLAT_KIB)
        && late.descriptors <= early.descriptors
        && late.connections <= early.connections
}

/// The most requests that a call after a freeze made beyond those of an ordinary one.
#[must_use]
pub fn retries(freeze: &Freeze) -> u64 {
    freeze.after.iter().copied().max().unwrap_or_default().saturating_sub(freeze.requests)
}

impl LongLife {
    /// Two tables, times in milliseconds.
    #[must_use]
    pub fn text(&self) -> String {
        let looks = self.lives.iter().flat_map(|long| {
            let first_tenth_and_last = long.looks.first().into_iter().chain(long.looks.get(1));
            first_tenth_and_last.chain(long.looks.last()).map(|look| look_row(&long.subject, look))
        });
        let head = ["", "calls", "RSS MB", "peak MB", "descriptors", "connections opened"];
        let lives = table(&head, &looks.collect::<Vec<_>>());
        let head = ["", "calls a request", "after a freeze", "connections opened", "p50"];
        let freezes = table(&head, &self.freezes.iter().map(freeze_row).collect::<Vec<_>>());
        format!("{lives}\n{freezes}")
    }
}

fn look_row(name: &str, look: &Look) -> Vec<String> {
    let mb = |kib: u64| decimal(kib.saturating_mul(1024) / 1000, 2);
    let counts = [look.descriptors, look.connections].map(|count| count.to_string());
    let cells = [name.to_owned(), look.calls.to_string(), mb(look.rss_kib), mb(look.peak_rss_kib)];
    cells.into_iter().chain(counts).collect()
}

fn freeze_row(freeze: &Freeze) -> Vec<String> {
    let most = |counts: &[u64]| counts.iter().copied().max().unwrap_or_default().to_string();
    vec![
        freeze.subject.clone(),
        freeze.requests.to_string(),
        most(&freeze.after),
        most(&freeze.connections),
        ms(median(&freeze.call_ns)),
    ]
}

#[cfg(test)]
mod tests {
    use bench::plan::{Freeze, Long, Look};

    use super::{is_flat, retries};

    fn long(rss: [u64; 3], descriptors: [u64; 3]) -> Long {
        let look = |(rss_kib, descriptors)| Look { rss_kib, descriptors, ..Look::default() };
        let looks = rss.into_iter().zip(descriptors).map(look).collect();
        Long { looks, ..Long::default() }
    }

    #[test]
    fn flat_is_what_does_not_grow_after_the_first_tenth() {
        assert!(is_flat(&long([5000, 6000, 6000], [9, 10, 10])));
        assert!(is_flat(&long([5000, 6000, 6256], [9, 10, 9])));
        assert!(!is_flat(&long([5000, 6000, 6257], [9, 10, 10])));
        assert!(!is_flat(&long([5000, 6000, 6000], [9, 10, 11])));
        assert!(!is_flat(&Long::default()));
    }

    #[test]
    fn retries_are_what_the_services_saw_beyond_an_ordinary_call() {
        let freeze = Freeze { requests: 3, after: vec![3, 4, 3], ..Freeze::default() };
        assert_eq!(retries(&freeze), 1);
        assert_eq!(retries(&Freeze { after: vec![3], ..freeze }), 0);
    }
}
