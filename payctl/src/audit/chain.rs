//! The event log of one payment against its record: an event reached every version, every
//! transition is one of the table, and together they lead to the record's status.

use pay_core::domain::{Outcome, Status, Transition};

use super::Audit;
use super::row::PENDING;
use crate::Row;

/// Checks the events of a record.
pub(super) fn check(audit: &mut Audit, record: &Row, events: &[&Row]) {
    let Some(version) = record.number("version") else {
        // Reported with the record already.
        return;
    };
    let mut moves: Vec<&Row> =
        events.iter().copied().filter(|event| event.text("verdict") == "applied").collect();
    moves.sort_by_key(|event| event.number("version"));
    let reached: Vec<u64> = events.iter().filter_map(|event| event.number("version")).collect();
    if let Some(beyond) = reached.iter().find(|reached| **reached > version) {
        audit.wrong(
            "I6",
            record,
            format!("an event reached version {beyond}, the record has {version}"),
        );
    }
    // Bounded: a version beyond what a log of this length can reach is a gap already.
    let most = u64::try_from(events.len()).unwrap_or(u64::MAX).saturating_add(2);
    if let Some(gap) = (2..=version.min(most)).find(|version| !reached.contains(version)) {
        audit.wrong("I6", record, format!("no event reached version {gap}"));
    }
    let mut status = PENDING;
    let mut last = 1;
    for event in moves {
        let (before, after) = (event.number("status_before"), event.number("status_after"));
        let reached = event.number("version").unwrap_or_default();
        if reached <= last {
            audit.wrong("I6", event, format!("a second event reached version {reached}"));
        }
        if before != Some(status) {
            audit.wrong("I6", event, format!("moved from {before:?}, but the status was {status}"));
        }
        if !is_a_transition(before, after, event.text("outcome")) {
            audit.wrong("I6", event, format!("no notification moves {before:?} to {after:?}"));
        }
        status = after.unwrap_or(status);
        last = reached;
    }
    if record.number("status") != Some(status) {
        audit.wrong("I6", record, format!("its events end in status {status}"));
    }
}

/// Whether the table has a transition with this outcome between these statuses.
fn is_a_transition(before: Option<u64>, after: Option<u64>, outcome: &str) -> bool {
    let status = |code: Option<u64>| code.and_then(|code| Status::new(code).ok());
    let outcome = Outcome::ALL.into_iter().find(|one| one.as_str() == outcome);
    let (Some(before), Some(after), Some(outcome)) = (status(before), status(after), outcome)
    else {
        return false;
    };
    match before.transition(outcome, true) {
        Transition::Move(to) | Transition::MoveIfLive(to) => to == after,
        Transition::Duplicate | Transition::Stale | Transition::Note | Transition::Quarantine => {
            false
        }
    }
}
