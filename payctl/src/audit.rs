//! What a table alone can show of the invariants: one live payment an order, a chain of events
//! without a gap, no paid payment whose order service is neither notified nor due.
//!
//! It reads the rows by itself, not with the store's own adapter: this finds what the adapter
//! misreads.

mod chain;
mod row;

use std::collections::BTreeMap;

use serde::Serialize;

pub use row::{ItemKind, kind};

use crate::Row;

/// What is wrong with an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The invariant that is broken: `I1`, `I6`, `I8`, or `row` for an item that cannot be read.
    pub invariant: &'static str,
    /// The item.
    pub item: String,
    /// What is wrong with it.
    pub what: String,
}

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Records.
    pub payments: usize,
    /// Orders with a guard.
    pub orders: usize,
    /// Entries of the event log.
    pub events: usize,
    /// Notifications that a person must look at.
    pub quarantined: usize,
    /// Paid payments whose order service is still to be notified.
    pub due: usize,
    /// Every violation, in the order of the items.
    pub violations: Vec<Violation>,
}

/// The items of one payment, and of one order.
#[derive(Default)]
struct Found<'a> {
    records: BTreeMap<u64, &'a Row>,
    guards: BTreeMap<u64, &'a Row>,
    events: BTreeMap<u64, Vec<&'a Row>>,
}

/// Checks every item of a table.
///
/// The items must be of one moment: in a table that is in use, an item that is written during the
/// read may look like a violation. Run it again then.
#[must_use]
pub fn audit(rows: &[Row]) -> Audit {
    let mut audit = Audit::default();
    let mut found = Found::default();
    for row in rows {
        match kind(row) {
            Some(ItemKind::Record(id)) => {
                audit.payments = audit.payments.saturating_add(1);
                found.records.insert(id, row);
            }
            Some(ItemKind::Guard(oid)) => {
                audit.orders = audit.orders.saturating_add(1);
                found.guards.insert(oid, row);
            }
            Some(ItemKind::Event(id)) => {
                audit.events = audit.events.saturating_add(1);
                audit.count_quarantined(row);
                found.events.entry(id).or_default().push(row);
            }
            Some(ItemKind::Unmatched) => {
                audit.events = audit.events.saturating_add(1);
                audit.count_quarantined(row);
            }
            None => audit.wrong("row", row, "a key that no item of ours has"),
        }
    }
    audit.records(&found);
    audit.orders(&found);
    for (id, events) in &found.events {
        if let Some(record) = found.records.get(id) {
            chain::check(&mut audit, record, events);
        } else {
            let orphans = "events of a payment that has no record";
            audit.violation("row", format!("pay#{id}"), orphans);
        }
    }
    for (id, record) in &found.records {
        if !found.events.contains_key(id) {
            chain::check(&mut audit, record, &[]);
        }
    }
    audit
        .violations
        .sort_by(|one, other| (&one.item, one.invariant).cmp(&(&other.item, other.invariant)));
    audit
}

impl Audit {
    fn violation(&mut self, invariant: &'static str, item: String, what: impl Into<String>) {
        self.violations.push(Violation { invariant, item, what: what.into() });
    }

    fn wrong(&mut self, invariant: &'static str, row: &Row, what: impl Into<String>) {
        self.violation(invariant, format!("{} {}", row.text("pk"), row.text("sk")), what);
    }

    fn count_quarantined(&mut self, row: &Row) {
        match row.get_text("queue") {
            Some("review") => self.quarantined = self.quarantined.saturating_add(1),
            Some(_) => self.wrong("row", row, "an event in another queue than review"),
            None => {}
        }
    }

    /// Every record by itself.
    fn records(&mut self, found: &Found<'_>) {
        for (id, record) in &found.records {
            for wrong in row::faults(*id, record) {
                self.wrong("row", record, wrong);
            }
            let (due, notified) = (record.has("queue"), record.has("notified_time"));
            if due {
                self.due = self.due.saturating_add(1);
            }
            if record.number("status") == Some(row::PAID) && !due && !notified {
                self.wrong("I8", record, "paid, and the order service neither notified nor due");
            }
        }
    }

    /// Every order: its payments, and its guard.
    fn orders(&mut self, found: &Found<'_>) {
        let mut of_order: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (id, record) in &found.records {
            of_order.entry(record.number("oid").unwrap_or_default()).or_default().push(*id);
        }
        for (oid, ids) in &of_order {
            let live =
                ids.iter().filter(|id| found.records.get(id).is_some_and(|row| row::is_live(row)));
            let live: Vec<u64> = live.copied().collect();
            let item = || format!("order#{oid} guard");
            if live.len() > 1 {
                self.violation("I1", item(), format!("{} live payments: {live:?}", live.len()));
            }
            let guarded = found.guards.get(oid).and_then(|guard| guard.number("payment"));
            match guarded {
                None => self.violation("I1", item(), "payments, and no guard that names one"),
                Some(id) if live.first().is_some_and(|live| *live != id) => {
                    self.violation("I1", item(), format!("names {id}, but {live:?} is live"));
                }
                Some(_) => {}
            }
        }
        for (oid, guard) in &found.guards {
            let named = guard.number("payment").and_then(|id| found.records.get(&id));
            let Some(record) = named else {
                self.wrong("I1", guard, "names a payment that does not exist");
                continue;
            };
            if record.number("oid") != Some(*oid) {
                self.wrong("I1", guard, "names a payment of another order");
            }
            for name in ["uid", "amount"] {
                if guard.number(name) != record.number(name) {
                    self.wrong("I1", guard, format!("has another {name} than its payment"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
