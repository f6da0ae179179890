//! What goes wrong meanwhile: instances are killed and frozen, connections break, calls fail.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::faults::{Fault, POINTS, Plan, Rule};
use crate::seeded::Seeded;
use crate::{Instance, Stack};

/// The calls that change something.
const WRITES: [&str; 3] = ["dynamodb:TransactWriteItems", "dynamodb:UpdateItem", "orders:paid"];

/// What was done to the functions and their connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wounds {
    pub(super) kills: u64,
    pub(super) stops: u64,
    pub(super) breaks: u64,
}

/// Whoever hurts the functions.
#[derive(Debug)]
pub(super) struct Chaos<'a> {
    stack: &'a Stack,
    random: Seeded,
    wounds: Wounds,
}

/// Whoever makes calls fail.
#[derive(Debug)]
pub(super) struct Failures<'a> {
    stack: &'a Stack,
    random: Seeded,
}

async fn pause(random: &mut Seeded, least_ms: u64, most_ms: u64) {
    let more = random.below(most_ms.saturating_sub(least_ms));
    sleep(Duration::from_millis(least_ms.saturating_add(more))).await;
}

impl<'a> Chaos<'a> {
    pub(super) fn new(stack: &'a Stack, random: Seeded) -> Self {
        Self { stack, random, wounds: Wounds::default() }
    }

    /// Does damage until the end; what it was.
    pub(super) async fn run(mut self, end: Instant) -> Wounds {
        while Instant::now() < end {
            match self.random.below(100) {
                0..45 => self.kill(),
                45..90 => self.freeze().await,
                _ => self.break_connections(),
            }
            pause(&mut self.random, 100, 800).await;
        }
        self.wounds
    }

    fn victim(&mut self) -> Option<Instance> {
        self.random.pick(&self.stack.instances()).cloned()
    }

    fn kill(&mut self) {
        let Some(victim) = self.victim() else { return };
        if self.stack.kill(victim.pid).is_ok() {
            self.wounds.kills = self.wounds.kills.saturating_add(1);
        }
    }

    /// As between two invocations, or in the middle of one; peers may hang up meanwhile.
    async fn freeze(&mut self) {
        let Some(victim) = self.victim() else { return };
        if self.stack.freeze(victim.pid).is_err() {
            return;
        }
        self.wounds.stops = self.wounds.stops.saturating_add(1);
        pause(&mut self.random, 20, 400).await;
        if self.random.percent(50) {
            self.break_connections();
        }
        pause(&mut self.random, 20, 400).await;
        match self.stack.thaw(victim.pid) {
            // It is gone: nobody kills it meanwhile, but it may have been frozen at its end.
            Ok(()) | Err(_) => {}
        }
    }

    fn break_connections(&mut self) {
        self.stack.faults().break_connections();
        self.wounds.breaks = self.wounds.breaks.saturating_add(1);
    }
}

impl<'a> Failures<'a> {
    pub(super) fn new(stack: &'a Stack, random: Seeded) -> Self {
        Self { stack, random }
    }

    /// Makes calls fail until the end, then none.
    pub(super) async fn run(mut self, end: Instant) {
        while Instant::now() < end {
            if self.random.percent(80) {
                self.fail();
            } else {
                self.stack.faults().clear();
            }
            // Longer than a write is repeated.
            pause(&mut self.random, 300, 1500).await;
        }
        self.stack.faults().clear();
    }

    /// One to three rules, instead of those before.
    fn fail(&mut self) {
        let rules = self.random.below(3).saturating_add(1);
        let rules = (0..rules).filter_map(|_| self.rule()).collect();
        self.stack.faults().follow(Plan { seed: self.random.next(), rules });
    }

    fn rule(&mut self) -> Option<Rule> {
        let fault = self.fault();
        let mut points: Vec<_> = POINTS.into_iter().filter(|at| fits(fault, at)).collect();
        if self.random.percent(50) {
            // Where something can be lost.
            points.retain(|at| WRITES.contains(at));
        }
        let at = (*self.random.pick(&points)?).to_owned();
        // What makes callers wait is rare, or nothing else would happen.
        let percents: &[u8] = if waits(fault) { &[3, 6, 10] } else { &[30, 100] };
        let percent = *self.random.pick(percents)?;
        Some(Rule { at, fault, times: None, percent })
    }

    fn fault(&mut self) -> Fault {
        let late = Fault::LateEffect(Duration::from_millis(self.random.below(1500)));
        // Half of the time one that leaves it open whether anything was done.
        match self.random.below(22) {
            0..3 => Fault::Reset,
            3..6 => Fault::Status(500),
            6..9 => Fault::LoseAnswer,
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
            _ => Fault::Delay(Duration::from_millis(self.random.below(400))),
        }
    }
}

/// Whether the service is to cope with this one. A store that answers about another item than
/// asked for is broken beyond that: it is reported as ours to repair.
fn fits(fault: Fault, at: &str) -> bool {
    fault.is_for(at) && !(fault == Fault::WrongId && at.starts_with("dynamodb:"))
}

const fn waits(fault: Fault) -> bool {
    match fault {
        Fault::Drip(_) | Fault::Hang | Fault::HangAfter => true,
        Fault::Delay(_)
        | Fault::Reset
        | Fault::Status(_)
        | Fault::Throttle
        | Fault::Conflict
        | Fault::Garbage
        | Fault::WrongShape
        | Fault::WrongId
        | Fault::FindNothing
        | Fault::LoseAnswer
        | Fault::LateEffect(_) => false,
    }
}
