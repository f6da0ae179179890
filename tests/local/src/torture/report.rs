//! What a torture was and what came of it, for a person and for a program.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::chaos::Wounds;
use super::world::{Facts, World};
use super::{Options, check};
use crate::audit::{Row, Violation};
use crate::{Faults, Stack};

/// The figures of a run and whatever was wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed of its choices.
    pub seed: u64,
    /// How long it was, in seconds, without the healing.
    pub seconds: u64,
    /// Whether the orders were told by the work list at the end, not by another delivery.
    pub reconciled: bool,
    /// How many requests were sent, those that healed included.
    pub requests: u64,
    /// How many payments the clients heard of.
    pub payments: u64,
    /// How many messages were sent, redeliveries left out.
    pub messages: u64,
    /// How many instances were killed.
    pub kills: u64,
    /// How many times an instance was frozen for a while.
    pub stops: u64,
    /// How many times all connections were broken.
    pub breaks: u64,
    /// By call and fault, how many calls went wrong.
    pub faults: BTreeMap<String, u64>,
    /// By route and answer, how many there were.
    pub answers: BTreeMap<String, u64>,
    /// Half of the answers took no longer, in milliseconds.
    pub p50_ms: u64,
    /// All but one in a hundred took no longer, in milliseconds.
    pub p99_ms: u64,
    /// Whatever must not be, and is.
    pub violations: Vec<String>,
}

impl Report {
    pub(super) fn new(options: Options, world: &World, faults: &Faults, wounds: Wounds) -> Self {
        let fired = faults.fired().into_iter();
        let payments = world.orders.iter().map(|order| order.payments.len()).sum::<usize>();
        let Wounds { kills, stops, breaks } = wounds;
        let mut report = Self {
            seed: options.seed,
            seconds: options.time.as_secs(),
            reconciled: world.reconciled,
            requests: count(world.times_ms.len()),
            payments: count(payments),
            messages: count(world.facts.messages.len()),
            kills,
            stops,
            breaks,
            faults: fired.map(|((at, fault), times)| (format!("{at} {fault}"), times)).collect(),
            answers: world.answers.clone(),
            p50_ms: percentile(&world.times_ms, 50),
            p99_ms: percentile(&world.times_ms, 99),
            violations: world.unheard_of.clone(),
        };
        if world.cut_off > kills {
            let cut_off = world.cut_off;
            let what = format!("I14: {cut_off} invocations ended without an answer, {kills} by us");
            report.violations.push(what);
        }
        report
    }

    /// Checks what is left, and adds whatever is wrong.
    pub(super) fn judge(&mut self, stack: &Stack, rows: &[Row], facts: &Facts) {
        for Violation { promise, item, what } in check::check(rows, facts, &stack.shop().tellings())
        {
            self.violations.push(format!("{promise}: {item}: {what}"));
        }
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

fn percentile(times_ms: &[u64], percent: usize) -> u64 {
    let mut times = times_ms.to_vec();
    times.sort_unstable();
    let at = times.len().saturating_mul(percent) / 100;
    times.get(at.min(times.len().saturating_sub(1))).copied().unwrap_or(0)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, seconds, requests, payments, messages, kills, stops, breaks, .. } = self;
        writeln!(
            f,
            "seed {seed}, {seconds} s: {requests} requests, {payments} payments, {messages} messages"
        )?;
        writeln!(f, "{kills} kills, {stops} stops, {breaks} times all connections broken")?;
        let healed = if self.reconciled { "the work list" } else { "another delivery" };
        writeln!(f, "healed by {healed}")?;
        for (title, figures) in [("faults", &self.faults), ("answers", &self.answers)] {
            writeln!(f, "\n{title}")?;
            for (name, times) in figures {
                writeln!(f, "{times:>8}  {name}")?;
            }
        }
        writeln!(f, "\np50 {} ms, p99 {} ms", self.p50_ms, self.p99_ms)?;
        writeln!(f, "{} violations", self.violations.len())?;
        self.violations.iter().try_for_each(|violation| writeln!(f, "  {violation}"))
    }
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<u64> = (1..=200).rev().collect();
        assert_eq!([percentile(&times, 50), percentile(&times, 99)], [101, 199]);
        assert_eq!([percentile(&[], 99), percentile(&[7], 99)], [0, 7]);
    }
}
