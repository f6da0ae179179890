//! What goes wrong around the functions: one vocabulary for the store, the shop and the secrets.

mod journal;
mod plan;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Notify;

pub use self::journal::{Journal, Noted};
pub use self::plan::{Plan, Rule};
use crate::seeded::Seeded;

/// Where a call can go wrong: the service, a colon, and its operation. A query of an index has a
/// name of its own.
pub const POINTS: [&str; 14] = [
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query oid-index",
    "dynamodb:Query uid-index",
    "dynamodb:Query work-index",
    "dynamodb:TransactWriteItems",
    "dynamodb:UpdateItem",
    "orders:create",
    "orders:detail",
    "orders:paid",
    "orders:update",
    "secretsmanager:GetSecretValue",
    "users:userinfo",
];

/// The words for each way in which a call can go wrong, as a file has them. What they mean is said
/// at [`Fault`], in this order.
pub const WORDS: [&str; 14] = [
    r#"{"delay_ms": 300}"#,
    r#"{"drip_ms": 1000}"#,
    r#""reset""#,
    r#""hang""#,
    r#"{"status": 503}"#,
    r#""throttle""#,
    r#""conflict""#,
    r#""garbage""#,
    r#""wrong-shape""#,
    r#""wrong-id""#,
    r#""find-nothing""#,
    r#""lose-answer""#,
    r#""hang-after""#,
    r#"{"late_effect_ms": 2000}"#,
];

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Does what it is asked, after so long; not at all if the caller has hung up by then.
    #[serde(rename = "delay_ms", deserialize_with = "plan::millis")]
    Delay(Duration),
    /// Does what it is asked, and answers one byte at a time, so far apart.
    #[serde(rename = "drip_ms", deserialize_with = "plan::millis")]
    Drip(Duration),
    /// Does nothing and resets the connection.
    Reset,
    /// Does nothing and never answers.
    Hang,
    /// Does nothing and answers this status.
    #[serde(deserialize_with = "plan::status")]
    Status(u16),
    /// Does nothing: refused for the rate of calls. Of AWS's services.
    Throttle,
    /// Does nothing: another transaction is at the same items. Of DynamoDB's writes.
    Conflict,
    /// Does what it is asked, and answers 200 and something that is not JSON.
    Garbage,
    /// Does what it is asked, and answers 200 and JSON of another shape.
    WrongShape,
    /// Answers about another id than asked for. Of reads of one thing.
    WrongId,
    /// Answers that nothing was found, as an index does that lags behind. Of DynamoDB's queries.
    FindNothing,
    /// Does what it is asked, then resets the connection: the answer is lost.
    LoseAnswer,
    /// Does what it is asked, and never answers.
    HangAfter,
    /// Answers 500 at once, and does what it is asked so much later.
    #[serde(rename = "late_effect_ms", deserialize_with = "plan::millis")]
    LateEffect(Duration),
}

impl Fault {
    /// Its word in a file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delay(_) => "delay_ms",
            Self::Drip(_) => "drip_ms",
            Self::Reset => "reset",
            Self::Hang => "hang",
            Self::Status(_) => "status",
            Self::Throttle => "throttle",
            Self::Conflict => "conflict",
            Self::Garbage => "garbage",
            Self::WrongShape => "wrong-shape",
            Self::WrongId => "wrong-id",
            Self::FindNothing => "find-nothing",
            Self::LoseAnswer => "lose-answer",
            Self::HangAfter => "hang-after",
            Self::LateEffect(_) => "late_effect_ms",
        }
    }

    /// Whether a call of this kind can go wrong so.
    #[must_use]
    pub fn is_for(self, point: &str) -> bool {
        match self {
            Self::Throttle => {
                ["dynamodb:", "secretsmanager:"].iter().any(|of| point.starts_with(of))
            }
            Self::Conflict => {
                ["TransactWriteItems", "PutItem", "UpdateItem"].iter().any(|of| point.ends_with(of))
            }
            Self::FindNothing => point.starts_with("dynamodb:Query "),
            Self::WrongId => {
                ["dynamodb:GetItem", "orders:detail", "users:userinfo"].contains(&point)
            }
            Self::Delay(_)
            | Self::Drip(_)
            | Self::Reset
            | Self::Hang
            | Self::Status(_)
            | Self::Garbage
            | Self::WrongShape
            | Self::LoseAnswer
            | Self::HangAfter
            | Self::LateEffect(_) => true,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    random: Seeded,
    fired: BTreeMap<(String, &'static str), u64>,
    late: usize,
}

/// The switch that makes calls go wrong, and the count of those that did. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    broken: Arc<Notify>,
    journal: Journal,
}

impl Faults {
    /// Follows this plan from now on, and no rule that was set before.
    pub fn follow(&self, plan: Plan) {
        let mut state = self.lock();
        state.random = Seeded::new(plan.seed);
        state.rules = plan.rules;
    }

    /// Adds a rule after those that are set: of several for one call the first that hits counts.
    pub fn add(&self, rule: Rule) {
        self.lock().rules.push(rule);
    }

    /// Sets the one rule for calls of a kind: the next `times` calls go wrong, or all from now on.
    pub(crate) fn set(&self, at: &str, fault: Fault, times: Option<usize>) {
        let mut state = self.lock();
        state.rules.retain(|rule| rule.at != at);
        state.rules.push(Rule { at: at.to_owned(), fault, times, percent: 100 });
    }

    /// The list of calls, which is not kept unless it is asked for.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Makes everything work again; calls that hang stay hung.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// Makes the calls whose names begin so work again.
    pub(crate) fn clear_at(&self, begin: &str) {
        self.lock().rules.retain(|rule| !rule.at.starts_with(begin));
    }

    /// Resets every connection to these services that is open now.
    pub fn break_connections(&self) {
        self.broken.notify_waiters();
    }

    /// How often what went wrong, by the name of the call and of the fault.
    #[must_use]
    pub fn fired(&self) -> BTreeMap<(String, &'static str), u64> {
        self.lock().fired.clone()
    }

    /// How many late effects are still to come.
    #[must_use]
    pub fn late(&self) -> usize {
        self.lock().late
    }

    fn count_late(&self, one_more: bool) {
        let mut state = self.lock();
        state.late =
            if one_more { state.late.saturating_add(1) } else { state.late.saturating_sub(1) };
    }

    /// The fault that a call is to meet.
    fn arrive(&self, at: &str) -> Option<Fault> {
        let mut state = self.lock();
        let State { rules, random, fired, .. } = &mut *state;
        let hit = |rule: &&mut Rule| {
            rule.at == at && rule.times != Some(0) && random.percent(rule.percent)
        };
        let rule = rules.iter_mut().find(hit)?;
        rule.times = rule.times.map(|left| left.saturating_sub(1));
        let fault = rule.fault;
        let count = fired.entry((at.to_owned(), fault.name())).or_default();
        *count = count.saturating_add(1);
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, Rule};

    fn rule(at: &str, fault: Fault, times: Option<usize>, percent: u8) -> Rule {
        Rule { at: at.to_owned(), fault, times, percent }
    }

    #[test]
    fn a_rule_hits_as_often_as_it_is_told_to_and_then_the_next_one() {
        let faults = Faults::default();
        faults.set("orders:paid", Fault::Hang, None);
        faults.set("orders:paid", Fault::Reset, Some(2));
        faults.add(rule("orders:paid", Fault::Garbage, None, 100));
        let hits = [(); 4].map(|()| faults.arrive("orders:paid"));
        assert_eq!(hits, [Fault::Reset, Fault::Reset, Fault::Garbage, Fault::Garbage].map(Some));
        assert_eq!(faults.arrive("orders:detail"), None);
        let fired = faults.fired();
        assert_eq!(fired[&("orders:paid".to_owned(), "garbage")], 2);
        assert_eq!(fired.len(), 2);

        faults.clear_at("users:");
        assert!(faults.arrive("orders:paid").is_some());
        faults.clear_at("orders:");
        assert_eq!(faults.arrive("orders:paid"), None);
    }

    #[test]
    fn the_same_seed_makes_the_same_calls_fail() {
        let run = |seed| {
            let faults = Faults::default();
            let rules = vec![rule("dynamodb:GetItem", Fault::Throttle, None, 30)];
            faults.follow(super::Plan { seed, rules });
            [(); 64].map(|()| faults.arrive("dynamodb:GetItem").is_some())
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(run(1).contains(&true) && run(1).contains(&false));
    }
}
