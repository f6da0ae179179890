//! I6: the event log tells the whole way of a record, without a gap, each move along the chain.

use std::collections::{BTreeMap, BTreeSet};

use pay::domain::Status;
use serde_json::Value;

use super::{Record, Table, Violation, number, text, violation};

/// What is wrong with the log of one payment.
pub(super) fn check(table: &Table<'_>, payment: &Record) -> Vec<Violation> {
    let pk = format!("pay#{}", payment.id);
    let events = table.events.get(pk.as_str());
    let events: Vec<&Value> = events.into_iter().flat_map(BTreeMap::values).copied().collect();
    let mut found = Vec::new();
    let mut wrong = |what: String| {
        found.push(violation("I6", format!("payment {}: {what}", payment.id)));
    };
    let mut moves = BTreeMap::new();
    let mut reached = BTreeSet::from([1]);
    for event in &events {
        let sk = text(event, "sk").unwrap_or_default();
        let Some((version, before, after)) = read(event) else {
            wrong(format!("{sk} does not say what it did"));
            continue;
        };
        reached.insert(version);
        let applied = text(event, "verdict") == Some("applied");
        if applied && moves.insert(version, (before, after)).is_some() {
            wrong(format!("two events made version {version}"));
        }
        if applied && after <= before {
            wrong(format!("{sk} moved it from {before:?} to {after:?}"));
        }
        if !applied && before != after {
            wrong(format!("{sk} moved it without being applied"));
        }
    }
    let all: BTreeSet<u64> = (1..=payment.version).collect();
    if reached != all {
        wrong(format!("it has version {}, the log has {reached:?}", payment.version));
    }
    let mut status = Status::Pending;
    for (version, (before, after)) in moves {
        if before != status {
            wrong(format!("version {version} came from {before:?}, but it was {status:?}"));
        }
        status = after;
    }
    if status != payment.status {
        wrong(format!("it is {:?}, the log ends in {status:?}", payment.status));
    }
    found
}

fn read(event: &Value) -> Option<(u64, Status, Status)> {
    let status = |name| Status::new(number(event, name)?).ok();
    Some((number(event, "version")?, status("status_before")?, status("status_after")?))
}
