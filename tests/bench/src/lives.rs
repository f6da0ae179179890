//! Starting functions and calling them: one life of an instance, and what many come to.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::arguments::Latency;
use crate::instance::{Instance, Quota, cpu_ns, now};
use crate::operation::Operation;
use crate::replay::replay;
use crate::services::{Services, written};
use crate::stats::{mean, median, percentile};
use crate::{Arguments, Authority, workspace};

/// Everything that is needed to start a function.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) services: Services,
    authority: Authority,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Setting {
    /// After the first.
    pub(crate) calls: u64,
    pub(crate) latency: Latency,
    pub(crate) quota: Option<Quota>,
    /// How often the calls that the function makes are made without it; with none they are not known.
    pub(crate) replays: u64,
}

/// One life, or many of one operation: medians over the starts, the others over all warm calls.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Summary {
    /// From the start of the process to its first request for work, and CPU until then.
    pub(crate) start_ns: u64,
    pub(crate) start_cpu_ns: u64,
    pub(crate) first_ns: u64,
    #[serde(skip)]
    pub(crate) warm_ns: Vec<u64>,
    pub(crate) warm_p50_ns: u64,
    pub(crate) warm_p99_ns: u64,
    pub(crate) warm_mean_ns: u64,
    /// Of one call.
    pub(crate) warm_cpu_ns: u64,
    /// The mean of the warm calls, each rounded up to a whole millisecond, in microseconds.
    pub(crate) billed_us: u64,
    pub(crate) peak_rss_kib: u64,
    /// The calls that it makes, as the services saw them, and the same calls by a bare client.
    pub(crate) hops: String,
    #[serde(skip)]
    pub(crate) replays_ns: Vec<u64>,
    pub(crate) replay_p50_ns: u64,
}

/// All lives of one operation in one setting.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    #[serde(flatten)]
    pub(crate) operation: &'static Operation,
    /// Size of the function's zip file, where it matters.
    pub(crate) zip_bytes: u64,
    #[serde(flatten)]
    pub(crate) all: Summary,
    /// Each start by itself: its neighbours in other operations had the same machine.
    pub(crate) each: Vec<Summary>,
}

impl Summary {
    fn of(lives: &[Self]) -> Self {
        let warm_ns = lives.iter().flat_map(|life| life.warm_ns.clone()).collect::<Vec<_>>();
        let billed = warm_ns.iter().map(|ns| billed_ms(*ns).saturating_mul(1000));
        let of = |value: fn(&Self) -> u64| median(lives.iter().map(value));
        Self {
            start_ns: of(|life| life.start_ns),
            start_cpu_ns: of(|life| life.start_cpu_ns),
            first_ns: of(|life| life.first_ns),
            warm_p50_ns: percentile(&warm_ns, 50),
            warm_p99_ns: percentile(&warm_ns, 99),
            warm_mean_ns: mean(&warm_ns),
            warm_cpu_ns: of(|life| life.warm_cpu_ns),
            billed_us: mean(&billed.collect::<Vec<_>>()),
            peak_rss_kib: of(|life| life.peak_rss_kib),
            hops: lives.last().map(|life| life.hops.clone()).unwrap_or_default(),
            replay_p50_ns: median(lives.iter().flat_map(|life| life.replays_ns.clone())),
            ..Self::default()
        }
    }
}

impl Measured {
    pub(crate) fn of(operation: &'static Operation, lives: &[Summary]) -> Self {
        let each = lives.chunks(1).map(Summary::of).collect();
        Self { operation, zip_bytes: 0, all: Summary::of(lives), each }
    }

    /// What the calls of its design take: of those side by side the longest.
    pub(crate) fn hops_ns(&self, latency: Latency) -> u64 {
        let longest = |hop: &str| hop.split(" + ").map(|service| latency.ms_of(service)).max();
        let hops = self.operation.design.split(", ").filter_map(longest);
        hops.sum::<u64>().saturating_mul(1_000_000)
    }
}

/// A duration as it is billed, in milliseconds.
pub(crate) fn billed_ms(nanos: u64) -> u64 {
    nanos.div_ceil(1_000_000)
}

impl<'a> Bench<'a> {
    pub(crate) async fn start(arguments: &'a Arguments) -> Result<Self> {
        let authority = Authority::new(Ipv4Addr::LOCALHOST.into())?;
        Ok(Self { arguments, services: Services::start(&authority).await?, authority })
    }

    /// Starts an instance, with a fresh event and the services ready for it.
    pub(crate) async fn instance(
        &self,
        operation: &Operation,
        setting: &Setting,
    ) -> Result<Instance> {
        let now_secs = now().as_secs();
        self.services.prepare(operation.name != "create", setting.latency, now_secs)?;
        let environment = operation.environment(&self.services);
        let (event, log) = (operation.event(now_secs)?, self.services.file(operation.name));
        let executable = executable(operation.function)?;
        Instance::start(&executable, environment, event, log, setting.quota).await
    }

    /// So many lives of each of these operations in each setting, in turn: what disturbs the machine
    /// disturbs all of them.
    pub(crate) async fn measure<const N: usize>(
        &self,
        what: &str,
        runs: u64,
        operations: fn(&Operation) -> bool,
        settings: [Setting; N],
    ) -> Result<[Vec<Measured>; N]> {
        let operations = self.arguments.operations(operations);
        let mut all = settings.map(|setting| (setting, vec![Vec::new(); operations.len()]));
        for run in 1..=runs {
            for (setting, lives) in &mut all {
                for (operation, lives) in operations.iter().zip(lives) {
                    show(&format!("{what}: run {run} of {runs}, {}", operation.name));
                    lives.push(self.life(operation, setting).await.context(operation.name)?);
                }
            }
        }
        let rows = |lives: Vec<Vec<Summary>>| operations.iter().zip(lives);
        let row = |(operation, lives): (&&'static _, Vec<_>)| Measured::of(operation, &lives);
        Ok(all.map(|(_, lives)| rows(lives).map(row).collect()))
    }

    async fn life(&self, operation: &Operation, setting: &Setting) -> Result<Summary> {
        let mut instance = self.instance(operation, setting).await?;
        let mut life = Summary { first_ns: instance.call().await?, ..Summary::default() };
        [life.start_ns, life.start_cpu_ns] = instance.start_ns;
        let cpu = cpu_ns(instance.pid)?;
        for _ in 0..setting.calls {
            life.warm_ns.push(instance.call().await?);
        }
        let warm_cpu = cpu_ns(instance.pid)?.saturating_sub(cpu);
        life.warm_cpu_ns = warm_cpu.checked_div(setting.calls).unwrap_or_default();
        [_, life.peak_rss_kib] = instance.memory_kib()?;
        if setting.replays > 0 && operation.ships() {
            self.services.record();
            instance.call().await?;
            let recorded = self.services.recorded();
            life.hops = written(&recorded);
            life.replays_ns =
                replay(Arc::clone(&self.authority.client), recorded, setting.replays).await?;
        }
        instance.end().await?;
        Ok(life)
    }
}

/// Where a function was built: beside this program, or in a workspace of its own.
pub(crate) fn executable(function: &str) -> Result<PathBuf> {
    if function == "defaults" {
        return workspace::file("target/baselines/release/defaults");
    }
    Ok(std::env::current_exe()?.with_file_name(function))
}

/// Says on a terminal what goes on, in place of what was said before.
pub(crate) fn show(what: &str) {
    if stderr().is_terminal() {
        // Not seen is no loss.
        drop(write!(stderr(), "\r\x1b[K{what}"));
    }
}
