//! Fault rules, as a file has them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Fault, POINTS};

/// Rules, and the seed of their random choices.
///
/// In a file: `{"seed": 7, "rules": [{"at": "orders:paid", "fault": {"delay_ms": 300}, "times":
/// 5}]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The same seed makes the same calls fail.
    #[serde(default)]
    pub seed: u64,
    /// Of several for one call the first that hits applies.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub struct Rule {
    /// Which calls: one of [`POINTS`].
    pub at: String,
    /// How they fail.
    pub fault: Fault,
    /// How many more calls; `None` for all.
    pub times: Option<usize>,
    /// The percentage of calls, 0 to 100.
    pub percent: u8,
}

/// A rule as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    at: String,
    fault: Fault,
    times: Option<usize>,
    percent: Option<u8>,
}

impl TryFrom<Written> for Rule {
    type Error = String;

    fn try_from(Written { at, fault, times, percent }: Written) -> Result<Self, String> {
        let percent = percent.unwrap_or(100);
        if !POINTS.contains(&at.as_str()) {
            return Err(format!("unknown call `{at}`, expected one of {}", listed(&POINTS)));
        }
        if !fault.is_for(&at) {
            let points: Vec<_> = POINTS.into_iter().filter(|at| fault.is_for(at)).collect();
            let (fault, points) = (fault.name(), listed(&points));
            return Err(format!("`{at}` cannot have the fault `{fault}`, only {points} can"));
        }
        if percent > 100 {
            return Err(format!("{percent} percent is more than 100"));
        }
        Ok(Self { at, fault, times, percent })
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Plan {
    /// Reads a plan's file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path)
            .with_context(|| format!("cannot read the faults in {}", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("the faults in {} cannot be used", path.display()))
    }
}

/// Milliseconds, at most an hour: more is a mistake.
pub(super) fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let millis = u64::deserialize(from)?;
    if millis > 3_600_000 {
        return Err(D::Error::custom(format!("{millis} ms is more than an hour")));
    }
    Ok(Duration::from_millis(millis))
}

/// A final HTTP status.
pub(super) fn status<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(from)?;
    if !(200..=599).contains(&status) {
        return Err(D::Error::custom(format!(
            "{status} is not the status of a response (200 to 599)"
        )));
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Fault, POINTS, Plan};
    use crate::faults::WORDS;

    fn parse(plan: Value) -> Result<Plan, String> {
        serde_json::from_value(plan).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plan_is_read_as_it_is_written() {
        let plan = parse(json!({"seed": 7, "rules": [
            {"at": "dynamodb:TransactWriteItems", "fault": "lose-response", "percent": 10},
            {"at": "orders:paid", "fault": {"delay_ms": 300}, "times": 5},
            {"at": "users:userinfo", "fault": {"status": 503}},
        ]}));
        let plan = plan.unwrap();
        assert_eq!(plan.seed, 7);
        let rules = plan.rules.iter().map(|rule| (rule.fault, rule.times, rule.percent));
        assert_eq!(
            rules.collect::<Vec<_>>(),
            [
                (Fault::LoseResponse, None, 10),
                (Fault::Delay(Duration::from_millis(300)), Some(5), 100),
                (Fault::Status(503), None, 100),
            ]
        );
    }

    #[test]
    fn every_word_is_read_as_the_fault_of_that_name() {
        let faults = WORDS.map(|word| serde_json::from_str::<Fault>(word).unwrap());
        for (word, fault) in WORDS.into_iter().zip(faults) {
            assert!(word.contains(&format!("\"{}\"", fault.name())), "{word}");
            assert!(POINTS.into_iter().any(|at| fault.is_for(at)), "{word}");
        }
    }

    #[test]
    fn the_error_for_an_unknown_word_lists_the_known_ones() {
        let rule = |rule: Value| parse(json!({"rules": [rule]})).unwrap_err();
        for (error, parts) in [
            (
                rule(json!({"at": "orders:payed", "fault": "hang"})),
                ["orders:payed", "`orders:paid`"],
            ),
            (rule(json!({"at": "orders:paid", "fault": "slow"})), ["slow", "`delay_ms`"]),
            (
                rule(json!({"at": "orders:paid", "fault": "conflict"})),
                ["conflict", "`dynamodb:PutItem`"],
            ),
            (rule(json!({"at": "orders:paid", "fault": "hang", "percent": 101})), ["101", "100"]),
            (rule(json!({"at": "orders:paid", "fault": "hang", "often": 1})), ["often", "`times`"]),
            (rule(json!({"at": "orders:paid", "fault": {"status": 99}})), ["99", "200 to 599"]),
            (
                rule(json!({"at": "orders:paid", "fault": {"delay_ms": 3_600_001}})),
                ["3600001", "hour"],
            ),
            (parse(json!({"rule": []})).unwrap_err(), ["`rule`", "`rules`"]),
        ] {
            for part in parts {
                assert!(error.contains(part), "{part} in {error}");
            }
        }
    }
}
