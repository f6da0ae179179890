//! Whether an instance is after very many calls what it was after a few, and what a freeze costs.

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use serde::Serialize;

use crate::instance::Instance;
use crate::lives::{Bench, Setting, show};
use crate::operation::Operation;

/// How much memory may come after the first tenth of the calls and still count as none, in KiB:
/// what the kernel counts is a few pages late.
const FLAT_KIB: u64 = 256;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Long {
    pub(crate) name: &'static str,
    /// After the first call, after a tenth of all, and after all.
    pub(crate) looks: Vec<Look>,
    /// Requests that the services see for an ordinary warm call.
    pub(crate) requests: u64,
    /// Of each first call after a freeze the nanoseconds, the requests, the connections opened.
    pub(crate) freezes: Vec<[u64; 3]>,
}

/// What an instance has after so many calls.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Look {
    pub(crate) calls: u64,
    /// Now and at its most.
    pub(crate) rss_kib: [u64; 2],
    pub(crate) descriptors: u64,
    /// Connections to the services that were opened since the start.
    pub(crate) connections: u64,
}

pub(crate) async fn measure(bench: &Bench<'_>) -> Result<Vec<Long>> {
    let mut all = Vec::new();
    for operation in bench.arguments.operations(Operation::is_of_a_payment) {
        show(&format!("long: {}", operation.name));
        all.push(long(bench, operation).await.context(operation.name)?);
    }
    Ok(all)
}

async fn long(bench: &Bench<'_>, operation: &Operation) -> Result<Long> {
    let mut long = Long { name: operation.name, ..Long::default() };
    let mut instance = bench.instance(operation, &Setting::default()).await?;
    let ([_, opened], last, mut calls) = (bench.services.seen(), bench.arguments.long_calls, 0);
    for after in [1, (last / 10).saturating_add(1), last.saturating_add(1)] {
        for _ in calls..after {
            instance.call().await?;
        }
        calls = after;
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", instance.pid))?.count();
        let (rss_kib, descriptors) = (instance.memory_kib()?, u64::try_from(descriptors)?);
        let connections = bench.services.seen()[1].saturating_sub(opened);
        long.looks.push(Look { calls, rss_kib, descriptors, connections });
    }
    instance.end().await?;
    let mut instance = bench.instance(operation, &Setting::default()).await?;
    instance.call().await?;
    for _ in 0..10 {
        long.requests = call(bench, &mut instance).await?[1];
        kill(instance.pid, Signal::SIGSTOP)?;
        bench.services.hang_up();
        // The connections' tasks close them before anything else happens here.
        tokio::task::yield_now().await;
        kill(instance.pid, Signal::SIGCONT)?;
        long.freezes.push(call(bench, &mut instance).await?);
    }
    instance.end().await?;
    Ok(long)
}

async fn call(bench: &Bench<'_>, instance: &mut Instance) -> Result<[u64; 3]> {
    let before = bench.services.seen();
    let call_ns = instance.call().await?;
    let [requests, connections] = bench.services.seen();
    Ok([call_ns, requests.saturating_sub(before[0]), connections.saturating_sub(before[1])])
}

impl Long {
    /// Whether nothing grew from the first tenth of the calls to the last call.
    pub(crate) fn is_flat(&self) -> bool {
        let [_, early, late] = &self.looks[..] else {
            return false;
        };
        late.rss_kib[0] <= early.rss_kib[0].saturating_add(FLAT_KIB)
            && late.descriptors <= early.descriptors
            && late.connections <= early.connections
    }

    /// The most requests and connections that a call after a freeze made.
    pub(crate) fn most(&self) -> [u64; 2] {
        let requests = self.freezes.iter().map(|[_, requests, _]| *requests).max();
        let connections = self.freezes.iter().map(|[.., connections]| *connections).max();
        [requests, connections].map(Option::unwrap_or_default)
    }

    /// The most requests that such a call made beyond those of an ordinary one.
    pub(crate) fn retries(&self) -> u64 {
        self.most()[0].saturating_sub(self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::{Long, Look};

    #[test]
    fn flat_is_what_does_not_grow_after_the_first_tenth_and_retries_are_further_requests() {
        let lives =
            [([6000, 10], true), ([6256, 9], true), ([6257, 10], false), ([6000, 11], false)];
        for (late, flat) in lives {
            let look = |[rss, descriptors]: [u64; 2]| Look {
                rss_kib: [rss; 2],
                descriptors,
                ..Look::default()
            };
            let looks = [[5000, 9], [6000, 10], late].map(look).into();
            assert_eq!(Long { looks, ..Long::default() }.is_flat(), flat, "{late:?}");
        }
        assert!(!Long::default().is_flat());
        for (seen, retries) in [([3, 4, 3], 1), ([3, 3, 3], 0)] {
            let freezes = seen.map(|requests| [0, requests, 0]).into();
            assert_eq!(Long { requests: 3, freezes, ..Long::default() }.retries(), retries);
        }
    }
}
