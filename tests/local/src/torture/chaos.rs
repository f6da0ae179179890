//! What fails meanwhile: instances are killed and frozen, connections break, calls fail.

use std::time::Duration;

use fastrand::Rng;
use pay_core::domain::Provider;
use pay_core::testing::a_code_against_checkouts;
use tokio::time::{Instant, sleep};

use crate::faults::{Fault, POINTS, Plan, Rule};
use crate::simulator::ledger::Orders;
use crate::simulator::simulator;
use crate::{Instance, Stack};

/// The calls that write here and at the shop.
const WRITES: [&str; 4] =
    ["dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "orders:paid", "orders:refunded"];

/// The ends of the names of the calls that change what a provider has.
const MOVES: [&str; 3] = [":make-checkout", ":close", ":make-refund"];

/// How often the functions and their connections were damaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) kills: u64,
    pub(super) stops: u64,
    pub(super) breaks: u64,
}

/// Kills and freezes instances, and breaks connections.
#[derive(Debug)]
pub(super) struct Chaos<'a> {
    stack: &'a Stack,
    random: Rng,
    damage: Damage,
}

/// Makes calls fail.
#[derive(Debug)]
pub(super) struct Failures<'a> {
    stack: &'a Stack,
    random: Rng,
}

async fn pause(random: &mut Rng, least_ms: u64, most_ms: u64) {
    sleep(Duration::from_millis(random.u64(least_ms..most_ms))).await;
}

impl<'a> Chaos<'a> {
    pub(super) fn new(stack: &'a Stack, random: Rng) -> Self {
        Self { stack, random, damage: Damage::default() }
    }

    /// Does damage until the end, and returns what was done.
    pub(super) async fn run(mut self, end: Instant) -> Damage {
        while Instant::now() < end {
            match self.random.u8(..100) {
                0..45 => self.kill(),
                45..90 => self.freeze().await,
                _ => self.break_connections(),
            }
            pause(&mut self.random, 100, 800).await;
        }
        self.damage
    }

    fn victim(&mut self) -> Option<Instance> {
        self.random.choice(self.stack.instances())
    }

    fn kill(&mut self) {
        let Some(victim) = self.victim() else { return };
        if self.stack.kill(victim.pid).is_ok() {
            self.damage.kills = self.damage.kills.saturating_add(1);
        }
    }

    /// Freezes an instance between two invocations or during one. Connections may break meanwhile.
    async fn freeze(&mut self) {
        let Some(victim) = self.victim() else { return };
        if self.stack.freeze(victim.pid).is_err() {
            return;
        }
        self.damage.stops = self.damage.stops.saturating_add(1);
        pause(&mut self.random, 20, 400).await;
        if self.random.bool() {
            self.break_connections();
        }
        pause(&mut self.random, 20, 400).await;
        match self.stack.thaw(victim.pid) {
            // It may have been frozen while it ended.
            Ok(()) | Err(_) => {}
        }
    }

    fn break_connections(&mut self) {
        self.stack.faults().break_connections();
        self.damage.breaks = self.damage.breaks.saturating_add(1);
    }
}

impl<'a> Failures<'a> {
    pub(super) fn new(stack: &'a Stack, random: Rng) -> Self {
        Self { stack, random }
    }

    /// Makes calls fail until the end, then stops. A third of the webhooks is lost all the time.
    pub(super) async fn run(mut self, end: Instant) {
        while Instant::now() < end {
            let rules = if self.random.u8(..100) < 80 { self.random.u8(1..=3) } else { 0 };
            self.fail(rules);
            self.decide();
            // Longer than a write is retried.
            pause(&mut self.random, 300, 1500).await;
        }
        self.stack.faults().clear();
        for &provider in Provider::ALL {
            self.order_refunds(provider, Orders::Succeed);
            self.refuse_checkouts(provider, false);
        }
    }

    fn refuse_checkouts(&self, provider: Provider, refuses: bool) {
        if let Ok(account) = self.stack.account(provider) {
            account.refuse_checkouts(refuses.then(|| a_code_against_checkouts(provider)));
        }
    }

    /// Decides what becomes of the refunds that the shop orders of one provider, and whether one makes checkouts.
    fn decide(&mut self) {
        let Some(&provider) = self.random.choice(Provider::ALL) else { return };
        let orders = match self.random.u8(..100) {
            0..50 => Orders::Succeed,
            50..75 => Orders::Wait,
            _ => Orders::Refused(refusal(provider).to_owned()),
        };
        self.order_refunds(provider, orders);
        if let Some(&provider) = self.random.choice(Provider::ALL) {
            let refuses = self.random.u8(..100) < 25;
            self.refuse_checkouts(provider, refuses);
        }
    }

    fn order_refunds(&self, provider: Provider, orders: Orders) {
        if let Ok(account) = self.stack.account(provider) {
            account.refund_orders(orders);
        }
    }

    /// Sets so many rules in place of those before, besides those for webhooks.
    fn fail(&mut self, count: u8) {
        let mut rules = self.webhooks();
        rules.extend((0..count).flat_map(|_| self.rules()).collect::<Vec<_>>());
        rules.extend(self.moves());
        self.stack.faults().follow(Plan { seed: self.random.u64(..), rules });
    }

    /// Of the webhooks of each provider a third is lost. Of the others some come twice, and some late.
    fn webhooks(&mut self) -> Vec<Rule> {
        let late = Duration::from_millis(self.random.u64(..2000));
        let faults = [(Fault::Lose, 33), (Fault::Twice, 20), (Fault::LateEffect(late), 20)];
        let of = |provider: &Provider| {
            let at = simulator(*provider).webhook_point;
            faults.map(|(fault, percent)| Rule { at: at.to_owned(), fault, times: None, percent })
        };
        Provider::ALL.iter().flat_map(of).collect()
    }

    /// Of the calls that change what a provider has some fail all the time: without effect, after it, or before it.
    fn moves(&mut self) -> Vec<Rule> {
        let late = Fault::LateEffect(Duration::from_millis(self.random.u64(..1500)));
        let points = POINTS.into_iter().filter(|at| MOVES.iter().any(|end| at.ends_with(end)));
        let faults = [(Fault::Status(500), 8), (Fault::LoseResponse, 12), (late, 6)];
        let of = |at: &str| {
            faults.map(|(fault, percent)| Rule { at: at.to_owned(), fault, times: None, percent })
        };
        points.flat_map(of).collect()
    }

    /// One call fails, or one that every provider has.
    fn rules(&mut self) -> Vec<Rule> {
        let fault = self.fault();
        let mut points: Vec<_> = POINTS.into_iter().filter(|at| fits(fault, at)).collect();
        let moves = self.random.choice(MOVES).unwrap_or_default();
        match self.random.u8(..3) {
            // Where a write can be lost.
            0 => points.retain(|at| WRITES.contains(at)),
            1 => points.retain(|at| at.ends_with(moves)),
            _ => points = self.random.choice(points).into_iter().collect(),
        }
        if points.iter().any(|at| WRITES.contains(at)) {
            points = self.random.choice(points).into_iter().collect();
        }
        // Faults that make callers wait are rare, so that other things happen too.
        let percents: &[u8] = if waits(fault) { &[3, 6, 10] } else { &[30, 100] };
        let percent = self.random.choice(percents).copied().unwrap_or(100);
        let rule = |at: &str| Rule { at: at.to_owned(), fault, times: None, percent };
        points.into_iter().map(rule).collect()
    }

    fn fault(&mut self) -> Fault {
        let late = Fault::LateEffect(Duration::from_millis(self.random.u64(..1500)));
        // Half of them leave it unknown whether the call was carried out.
        match self.random.u8(..24) {
            0..3 => Fault::Reset,
            3..6 => Fault::Status(500),
            6..9 => Fault::LoseResponse,
            9..11 => late,
            11 => Fault::Status(503),
            12 => Fault::Garbage,
            13 => Fault::Drip(Duration::from_secs(1)),
            14 => Fault::Hang,
            15 => Fault::HangAfter,
            16 => Fault::Throttle,
            17 => Fault::Conflict,
            18 => Fault::WrongId,
            19 => Fault::FindNothing,
            20 => Fault::WrongShape,
            21 => Fault::Unsigned,
            22 => Fault::ErrorEnvelope,
            _ => Fault::Delay(Duration::from_millis(self.random.u64(..400))),
        }
    }
}

/// Whether the service must cope with this fault. A store that responds with another item than
/// requested is a fault that the service reports as `internal`; what Stripe itself says of an object that is
/// asked for by its own id is the truth. Webhooks have rules of their own.
fn fits(fault: Fault, at: &str) -> bool {
    let trusted = ["stripe:charge", "stripe:refund", "stripe:session"];
    let is_trusted = at.starts_with("dynamodb:") || trusted.contains(&at);
    fault.is_for(at)
        && !(fault == Fault::WrongId && is_trusted)
        && !Provider::ALL.iter().any(|provider| simulator(*provider).webhook_point == at)
}

/// The code by which a provider refuses refunds, whatever they are.
const fn refusal(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "charge_disputed",
        Provider::WeChat => "USER_ACCOUNT_ABNORMAL",
        Provider::Alipay => "ACQ.TRADE_HAS_FINISHED",
    }
}

const fn waits(fault: Fault) -> bool {
    matches!(fault, Fault::Drip(_) | Fault::Hang | Fault::HangAfter)
}
