//! What goes wrong meanwhile: instances are killed and frozen, connections break, calls fail.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::faults::{Fault, POINTS, Plan, Rule};
use crate::seeded::Seeded;
use crate::{Instance, Stack};

/// What was done to the functions and their connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wounds {
    pub(super) kills: u64,
    pub(super) stops: u64,
    pub(super) breaks: u64,
}

/// Whoever makes things go wrong.
#[derive(Debug)]
pub(super) struct Chaos<'a> {
    stack: &'a Stack,
    random: Seeded,
    wounds: Wounds,
}

impl<'a> Chaos<'a> {
    pub(super) fn new(stack: &'a Stack, random: Seeded) -> Self {
        Self { stack, random, wounds: Wounds::default() }
    }

    pub(super) fn wounds(&self) -> Wounds {
        self.wounds
    }

    /// Does damage until the end.
    pub(super) async fn run(&mut self, end: Instant) {
        while Instant::now() < end {
            match self.random.below(100) {
                0..20 => self.kill(),
                20..40 => self.freeze().await,
                40..45 => self.break_connections(),
                45..85 => self.fail(),
                _ => self.stack.faults().clear(),
            }
            self.pause(20, 300).await;
        }
    }

    /// Nothing goes wrong any more.
    pub(super) fn end(&self) {
        self.stack.faults().clear();
    }

    async fn pause(&mut self, least_ms: u64, most_ms: u64) {
        let more = self.random.below(most_ms.saturating_sub(least_ms));
        sleep(Duration::from_millis(least_ms.saturating_add(more))).await;
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
        self.pause(20, 400).await;
        if self.random.percent(50) {
            self.break_connections();
        }
        self.pause(20, 400).await;
        match self.stack.thaw(victim.pid) {
            // It is gone: nobody kills it meanwhile, but it may have been frozen at its end.
            Ok(()) | Err(_) => {}
        }
    }

    fn break_connections(&mut self) {
        self.stack.faults().break_connections();
        self.wounds.breaks = self.wounds.breaks.saturating_add(1);
    }

    /// One to three rules, instead of those before.
    fn fail(&mut self) {
        let rules = self.random.below(3).saturating_add(1);
        let rules = (0..rules).filter_map(|_| self.rule()).collect();
        self.stack.faults().follow(Plan { seed: self.random.next(), rules });
    }

    fn rule(&mut self) -> Option<Rule> {
        let fault = self.fault();
        let points: Vec<_> = POINTS.into_iter().filter(|at| fits(fault, at)).collect();
        let at = (*self.random.pick(&points)?).to_owned();
        // What makes callers wait is rare, or nothing else would happen.
        let most = if waits(fault) { 8 } else { 60 };
        let percent = u8::try_from(self.random.below(most).saturating_add(2)).unwrap_or(10);
        Some(Rule { at, fault, times: None, percent })
    }

    fn fault(&mut self) -> Fault {
        let time = |random: &mut Seeded, most_ms| Duration::from_millis(random.below(most_ms));
        match self.random.below(14) {
            0 => Fault::Delay(time(&mut self.random, 400)),
            1 => Fault::Drip(Duration::from_secs(1)),
            2 => Fault::Reset,
            3 => Fault::Hang,
            4 => Fault::HangAfter,
            5 => Fault::Status(500),
            6 => Fault::Status(503),
            7 => Fault::Throttle,
            8 => Fault::Conflict,
            9 => Fault::Garbage,
            10 => Fault::WrongId,
            11 => Fault::FindNothing,
            12 => Fault::LateEffect(time(&mut self.random, 1500)),
            _ => Fault::LoseAnswer,
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
