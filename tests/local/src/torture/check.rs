//! What must hold at the end: what the table alone shows ([`crate::audit`]), and what was noted on
//! the way held against it.

mod heard;

use std::collections::{BTreeMap, BTreeSet};

use super::world::Facts;
use crate::Telling;
use crate::audit::{Kind, Row, Violation, audit, kind};

/// Everything that is wrong after everything was healed: no fault is left, and every message was
/// delivered once more or the work list worked off.
///
/// `rows` are those of the whole table.
#[must_use]
pub fn check(rows: &[Row], facts: &Facts, tellings: &[Telling]) -> Vec<Violation> {
    let table = Table::new(rows);
    let mut found = audit(rows).violations;
    found.extend(told(&table, tellings));
    found.extend(heard::check(&table, facts));
    found
}

fn violation(promise: &'static str, item: String, what: impl Into<String>) -> Violation {
    Violation { promise, item, what: what.into() }
}

/// The table, by what its items are.
#[derive(Debug, Default)]
struct Table<'a> {
    records: BTreeMap<u64, &'a Row>,
    /// By order, the payment that its guard names.
    guards: BTreeMap<u64, u64>,
    /// Partition and sort keys of the event log.
    events: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Table<'a> {
    fn new(rows: &'a [Row]) -> Self {
        let mut table = Self::default();
        for row in rows {
            match kind(row) {
                Some(Kind::Record(id)) => drop(table.records.insert(id, row)),
                Some(Kind::Guard(oid)) => {
                    table.guards.insert(oid, row.number("payment").unwrap_or_default());
                }
                Some(Kind::Event(_) | Kind::Stray) | None => {
                    table.events.insert((row.text("pk"), row.text("sk")));
                }
            }
        }
        table
    }
}

/// I7, I10: orders were told of what was paid, each once however often it was told; I9: and of all
/// that was paid.
fn told(table: &Table<'_>, tellings: &[Telling]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut wrong =
        |promise, oid, what| found.push(violation(promise, format!("order {oid}"), what));
    let mut effects: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for Telling { oid, pay_id, amount, key, counted } in tellings {
        let id = pay_id.unwrap_or_default();
        match table.records.get(&id).filter(|record| record.has("paid_time")) {
            None => wrong("I7", *oid, format!("told of {id}, which was never paid")),
            Some(record) => {
                if (record.number("oid"), record.number("amount")) != (Some(*oid), *amount) {
                    wrong("I7", *oid, format!("told of {id}, which is not for it or this amount"));
                }
            }
        }
        if key.as_deref() != Some(id.to_string().as_str()) {
            wrong("I10", *oid, format!("told of {id} under the key {key:?}"));
        }
        if *counted {
            effects.entry(*oid).or_default().push(id);
        }
    }
    for (oid, ids) in &effects {
        if ids.len() > 1 {
            wrong("I10", *oid, format!("paid by each of {ids:?}"));
        }
    }
    for (id, record) in &table.records {
        let oid = record.number("oid").unwrap_or_default();
        let knows = effects.get(&oid).is_some_and(|ids| ids.contains(id));
        if record.number("status") == Some(1) && !knows {
            wrong("I9", oid, format!("does not know that {id} paid it"));
        }
        if record.has("work") {
            wrong("I9", oid, format!("is still to be told of {id}"));
        }
    }
    found
}

#[cfg(test)]
mod tests;
