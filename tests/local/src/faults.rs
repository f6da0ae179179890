//! Faults of the services around the functions, in one vocabulary for the store, the shop and the
//! secrets.

mod hold;
mod journal;
mod plan;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use pay_core::domain::Provider;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::sleep;

pub use self::hold::Held;
pub use self::journal::{Journal, Noted};
pub use self::plan::{Plan, Rule};

/// The calls that can fail: the service, a colon, and its operation. A query of an index has a name
/// of its own.
///
/// A provider's webhooks are one of its calls.
pub const POINTS: [&str; 38] = [
    "alipay:close",
    "alipay:make-checkout",
    "alipay:make-refund",
    "alipay:query",
    "alipay:refund-query",
    "alipay:webhook",
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query oid-index",
    "dynamodb:Query uid-index",
    "dynamodb:Query due-index",
    "dynamodb:TransactWriteItems",
    "dynamodb:UpdateItem",
    "orders:create",
    "orders:detail",
    "orders:paid",
    "orders:refunded",
    "orders:update",
    "secretsmanager:GetSecretValue",
    "stripe:charge",
    "stripe:close",
    "stripe:make-checkout",
    "stripe:make-refund",
    "stripe:payment-intent",
    "stripe:refund",
    "stripe:refunds",
    "stripe:search",
    "stripe:session",
    "stripe:webhook",
    "users:register",
    "users:userinfo",
    "wechat:close",
    "wechat:make-checkout",
    "wechat:make-refund",
    "wechat:payment",
    "wechat:refund",
    "wechat:webhook",
];

/// The name of a provider's call, such as `close`; `None` where the provider has no call of that name.
#[must_use]
pub fn point_of(provider: Provider, call: &str) -> Option<&'static str> {
    let name = format!("{}:{call}", provider.as_str());
    POINTS.into_iter().find(|point| *point == name)
}

/// Each fault as it is written in a file, in the order of [`Fault`], which documents them.
pub const WORDS: [&str; 18] = [
    r#"{"delay_ms": 300}"#,
    r#"{"drip_ms": 1000}"#,
    r#""reset""#,
    r#""hang""#,
    r#"{"status": 503}"#,
    r#""throttle""#,
    r#""conflict""#,
    r#""error-envelope""#,
    r#""garbage""#,
    r#""wrong-shape""#,
    r#""wrong-id""#,
    r#""find-nothing""#,
    r#""lose-response""#,
    r#""hang-after""#,
    r#"{"late_effect_ms": 2000}"#,
    r#""unsigned""#,
    r#""lose""#,
    r#""twice""#,
];

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Carries out the call after a delay; not at all if the caller has hung up by then.
    #[serde(rename = "delay_ms", deserialize_with = "plan::millis")]
    Delay(Duration),
    /// Carries out the call, and sends the response byte by byte, with this delay before each.
    #[serde(rename = "drip_ms", deserialize_with = "plan::millis")]
    Drip(Duration),
    /// Does nothing and resets the connection.
    Reset,
    /// Does nothing and never responds.
    Hang,
    /// Does nothing and responds with this status.
    #[serde(deserialize_with = "plan::status")]
    Status(u16),
    /// Does nothing: the call is throttled. Only of AWS's services and of providers.
    Throttle,
    /// Does nothing: another transaction has the same items. Only of DynamoDB's writes.
    Conflict,
    /// Does nothing and responds 200 with an error in it: go-zero's envelope, or Alipay's. Only of the
    /// shop and Alipay.
    ErrorEnvelope,
    /// Carries out the call, and responds 200 with what is not JSON.
    Garbage,
    /// Carries out the call, and responds 200 with JSON of another shape.
    WrongShape,
    /// The response is about another id than requested, and signed as ever. Only of reads of one item
    /// and of providers.
    WrongId,
    /// The response is that nothing was found, as from an index that lags. Only of DynamoDB's
    /// queries and Stripe's search.
    FindNothing,
    /// Carries out the call, then resets the connection: the response is lost.
    LoseResponse,
    /// Carries out the call, and never responds.
    HangAfter,
    /// Responds 500 at once, and carries out the call after this time. A webhook is sent after this
    /// time.
    #[serde(rename = "late_effect_ms", deserialize_with = "plan::millis")]
    LateEffect(Duration),
    /// The response has no signature. Only of WeChat Pay and Alipay.
    Unsigned,
    /// It is never sent. Only of webhooks.
    Lose,
    /// It is sent twice. Only of webhooks.
    Twice,
}

impl Fault {
    /// Its name in a file.
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
            Self::ErrorEnvelope => "error-envelope",
            Self::Garbage => "garbage",
            Self::WrongShape => "wrong-shape",
            Self::WrongId => "wrong-id",
            Self::FindNothing => "find-nothing",
            Self::LoseResponse => "lose-response",
            Self::HangAfter => "hang-after",
            Self::LateEffect(_) => "late_effect_ms",
            Self::Unsigned => "unsigned",
            Self::Lose => "lose",
            Self::Twice => "twice",
        }
    }

    /// Whether a call of this kind can have this fault.
    #[must_use]
    pub fn is_for(self, point: &str) -> bool {
        let of = |services: &[&str]| services.iter().any(|service| point.starts_with(service));
        if point.ends_with(":webhook") {
            return matches!(self, Self::Lose | Self::Twice | Self::LateEffect(_));
        }
        match self {
            Self::Throttle => {
                of(&["dynamodb:", "secretsmanager:", "alipay:", "stripe:", "wechat:"])
            }
            Self::Conflict => {
                ["TransactWriteItems", "PutItem", "UpdateItem"].iter().any(|of| point.ends_with(of))
            }
            Self::ErrorEnvelope => of(&["orders:", "users:", "alipay:"]),
            Self::FindNothing => of(&["dynamodb:Query ", "stripe:search"]),
            Self::WrongId => {
                let reads = ["dynamodb:GetItem", "orders:detail", "users:userinfo"];
                reads.contains(&point) || of(&["alipay:", "stripe:", "wechat:"])
            }
            Self::Unsigned => of(&["alipay:", "wechat:"]),
            Self::Lose | Self::Twice => false,
            Self::Delay(_)
            | Self::Drip(_)
            | Self::Reset
            | Self::Hang
            | Self::Status(_)
            | Self::Garbage
            | Self::WrongShape
            | Self::LoseResponse
            | Self::HangAfter
            | Self::LateEffect(_) => true,
        }
    }
}

#[derive(Debug)]
struct State {
    rules: Vec<Rule>,
    random: Rng,
    fired: BTreeMap<(String, &'static str), u64>,
    late: usize,
}

impl Default for State {
    fn default() -> Self {
        let random = Rng::with_seed(Plan::default().seed);
        Self { rules: Vec::new(), random, fired: BTreeMap::new(), late: 0 }
    }
}

/// The faults that are set, and the count of calls that met one. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    broken: Arc<Notify>,
    journal: Journal,
    gates: hold::Gates,
}

impl Faults {
    /// Follows this plan from now on; rules that were set before no longer apply.
    pub fn follow(&self, plan: Plan) {
        let mut state = self.lock();
        state.random = Rng::with_seed(plan.seed);
        state.rules = plan.rules;
    }

    /// Adds a rule after those that are set. Of several rules for a call the first that hits
    /// applies.
    pub fn add(&self, rule: Rule) {
        self.lock().rules.push(rule);
    }

    /// Sets the one rule for calls of a kind: the next `times` calls fail, or all from now on.
    pub(crate) fn set(&self, at: &str, fault: Fault, times: Option<usize>) {
        let mut state = self.lock();
        state.rules.retain(|rule| rule.at != at);
        state.rules.push(Rule { at: at.to_owned(), fault, times, percent: 100 });
    }

    /// Holds the next call of this name before it is carried out, until what this returns is dropped.
    #[must_use]
    pub fn hold(&self, at: &str) -> Held {
        self.gates.hold(at)
    }

    /// The list of calls, which is kept only while it is switched on.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Makes everything work again; calls that hang stay hung.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// Makes the calls whose names begin with this text work again.
    pub(crate) fn clear_at(&self, begin: &str) {
        self.lock().rules.retain(|rule| !rule.at.starts_with(begin));
    }

    /// Resets every connection to these services that is open now.
    pub fn break_connections(&self) {
        self.broken.notify_waiters();
    }

    /// How many calls failed, by the name of the call and of the fault.
    #[must_use]
    pub fn fired(&self) -> BTreeMap<(String, &'static str), u64> {
        self.lock().fired.clone()
    }

    /// How many late effects are still to come.
    #[must_use]
    pub fn late(&self) -> usize {
        self.lock().late
    }

    /// Does something after this time, which counts as a late effect until it is done.
    pub(crate) fn later(&self, after: Duration, effect: impl Future<Output = ()> + Send + 'static) {
        self.count_late(true);
        let faults = self.clone();
        tokio::spawn(async move {
            sleep(after).await;
            effect.await;
            faults.count_late(false);
        });
    }

    fn count_late(&self, one_more: bool) {
        let mut state = self.lock();
        state.late =
            if one_more { state.late.saturating_add(1) } else { state.late.saturating_sub(1) };
    }

    /// The fault of a call that arrives.
    pub(crate) fn arrive(&self, at: &str) -> Option<Fault> {
        let mut state = self.lock();
        let State { rules, random, fired, .. } = &mut *state;
        let hit = |rule: &&mut Rule| {
            rule.at == at && rule.times != Some(0) && random.u8(..100) < rule.percent
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
    fn a_rule_hits_as_often_as_it_says_and_then_the_next_one() {
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
