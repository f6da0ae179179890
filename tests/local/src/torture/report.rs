//! The figures of a run and the violations, for a person and for a program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pay_core::domain::RefundState;
use serde::Serialize;

use super::chaos::Damage;
use super::world::{Facts, GiveBackResult, GivenBack, World};
use super::{Options, check};
use crate::simulator::ledger::{Trade, TradeRefund, TradeState};
use crate::{Fault, Faults, Stack};
use payctl::Row;
use payctl::audit::Violation;

/// The figures of a run, and the violations.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed of its choices.
    pub seed: u64,
    /// How long it was, in seconds, without the recovery.
    pub seconds: u64,
    /// Whether everything was left to the sweep at the end, and no message was delivered once more.
    pub swept: bool,
    /// How many requests got a response, with webhooks, sweeps and those of the recovery.
    pub requests: u64,
    /// How many payments the clients know.
    pub payments: u64,
    /// How many messages were sent that were made directly, without redeliveries.
    pub messages: u64,
    /// How many checkouts the providers made.
    pub checkouts: u64,
    /// How many of them were paid.
    pub paid: u64,
    /// How many requests to close a payment were made, with those of the recovery.
    pub closes: u64,
    /// How many refunds were asked for, each by a key of its own.
    pub refunds: u64,
    /// How many of them the providers made.
    pub given_back: u64,
    /// How often money of a checkout was on its way for a while.
    pub processing: u64,
    /// How many payments in quarantine persons had given back.
    pub quarantined: u64,
    /// How many webhooks the providers made.
    pub webhooks: u64,
    /// How many of them were never sent.
    pub lost: u64,
    /// How many payments were moved on because a sweep asked providers.
    pub found: u64,
    /// How many instances were killed.
    pub kills: u64,
    /// How many times an instance was frozen for a while.
    pub stops: u64,
    /// How many times all connections were broken.
    pub breaks: u64,
    /// The number of calls that failed, by call and fault.
    pub faults: BTreeMap<String, u64>,
    /// The number of responses, by route and name.
    pub responses: BTreeMap<String, u64>,
    /// The median of the response times, in milliseconds.
    pub p50_ms: u64,
    /// The 99th percentile of the response times, in milliseconds.
    pub p99_ms: u64,
    /// The violations.
    pub violations: Vec<String>,
}

impl Report {
    pub(super) fn new(options: Options, world: &World, faults: &Faults, damage: Damage) -> Self {
        let fired = faults.fired().into_iter();
        let payments = world.orders.iter().map(|order| order.payments.len()).sum::<usize>();
        let is_lost = |(_, fault): &(String, &str)| *fault == Fault::Lose.name();
        let lost = faults.fired().into_iter().filter(|(what, _)| is_lost(what));
        let lost = lost.map(|(_, times)| times).fold(0, u64::saturating_add);
        let Facts { messages, webhooks, refunds, trades, .. } = &world.facts;
        let trades = trades.iter().map(|(_, trade)| trade);
        let checkouts = trades.clone().filter(|trade| trade.checkout.is_some());
        let is_paid = |trade: &&Trade| trade.state == TradeState::Paid;
        let ours = |refund: &&TradeRefund| {
            refund.reference.is_some() && refund.state == RefundState::Succeeded
        };
        let keys: BTreeSet<_> = refunds.iter().map(|asked| (asked.payment, &asked.key)).collect();
        let given_back = world.facts.given_back.iter();
        let kept = |of: &GivenBack| match &of.result {
            GiveBackResult::Kept(id) => Some(id.clone()),
            GiveBackResult::Rejected(_) | GiveBackResult::Unknown => None,
        };
        let Damage { kills, stops, breaks } = damage;
        let mut report = Self {
            seed: options.seed,
            seconds: options.time.as_secs(),
            swept: world.swept,
            requests: world.responses.values().copied().fold(0, u64::saturating_add),
            payments: count(payments),
            messages: count(messages.len()),
            checkouts: count(checkouts.clone().count()),
            paid: count(checkouts.filter(is_paid).count()),
            closes: world.closes,
            refunds: count(keys.len()),
            given_back: count(trades.flat_map(|trade| &trade.refunds).filter(ours).count()),
            processing: world.processing,
            quarantined: count(given_back.filter_map(kept).collect::<BTreeSet<_>>().len()),
            webhooks: count(webhooks.len()),
            lost,
            found: world.found,
            kills,
            stops,
            breaks,
            faults: fired.map(|((at, fault), times)| (format!("{at} {fault}"), times)).collect(),
            responses: world.responses.clone(),
            p50_ms: percentile(&world.times_ms, 50),
            p99_ms: percentile(&world.times_ms, 99),
            violations: world.unexpected.clone(),
        };
        if world.cut_off > kills {
            let cut_off = world.cut_off;
            let what =
                format!("I14: {cut_off} invocations ended without a response, {kills} were killed");
            report.violations.push(what);
        }
        report
    }

    /// Checks the table and the shop, and adds the violations.
    pub(super) fn judge(&mut self, stack: &Stack, rows: &[Row], facts: &Facts) {
        let calls = stack.shop().order_notifications();
        for Violation { invariant, item, what } in check::check(rows, facts, &calls) {
            self.violations.push(format!("{invariant}: {item}: {what}"));
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
        let Self { webhooks, lost, found, checkouts, paid, closes, refunds, given_back, .. } = self;
        writeln!(
            f,
            "seed {seed}, {seconds} s: {requests} requests, {payments} payments, {messages} messages"
        )?;
        writeln!(
            f,
            "{checkouts} checkouts, {paid} of them paid; {closes} closes; {refunds} refunds asked for, {given_back} made"
        )?;
        let Self { processing, quarantined, .. } = self;
        writeln!(
            f,
            "{processing} times money was on its way for a while; {quarantined} payments in quarantine given back"
        )?;
        writeln!(f, "{webhooks} webhooks, {lost} of them lost; sweeps moved {found} payments on")?;
        writeln!(f, "{kills} kills, {stops} stops, {breaks} times all connections broken")?;
        let by = if self.swept { "the sweep" } else { "redelivery and the sweep" };
        writeln!(f, "recovered by {by}")?;
        for (title, figures) in [("faults", &self.faults), ("responses", &self.responses)] {
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
