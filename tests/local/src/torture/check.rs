//! The invariants at the end: those that the table alone shows ([`payctl::audit`]), and the table
//! compared with what was noted during the run.

mod checkouts;
mod given_back;
mod held;
mod refunds;
mod responses;

use std::collections::BTreeMap;

use super::heal::is_unended;
use super::world::Facts;
use crate::OrderPaidCall;
use pay_service::start::clock;
use payctl::Row;
use payctl::audit::{ItemKind, Violation, audit_rows, kind};

/// Every violation after the recovery: no fault is left, messages may have been delivered once more, and the
/// sweep has run over everything.
///
/// `rows` are those of the whole table.
#[must_use]
pub fn check(rows: &[Row], facts: &Facts, calls: &[OrderPaidCall]) -> Vec<Violation> {
    let table = Table::new(rows);
    let mut found = match audit_rows(rows, clock()) {
        Ok(audit) => audit.violations,
        Err(error) => vec![violation("row", "all".to_owned(), error.to_string())],
    };
    found.extend(order_notifications_of(&table, calls));
    found.extend(responses::check(&table, facts));
    found.extend(held::check(&table, facts));
    found.extend(checkouts::check(&table, facts));
    found.extend(refunds::check(&table, facts));
    found.extend(given_back::check(&table, facts));
    found
}

fn violation(invariant: &'static str, item: String, what: impl Into<String>) -> Violation {
    Violation { invariant, item, what: what.into() }
}

/// The table, by the kinds of its items.
#[derive(Debug, Default)]
struct Table<'a> {
    records: BTreeMap<u64, &'a Row>,
    /// The payment that the guard of each order names.
    guards: BTreeMap<u64, u64>,
    /// The checkouts, by payment and number.
    checkouts: BTreeMap<(u64, u32), &'a Row>,
    /// The refunds, by payment and id.
    refunds: BTreeMap<(u64, &'a str), &'a Row>,
    /// The event log, by partition and sort key.
    events: BTreeMap<(&'a str, &'a str), &'a Row>,
}

impl<'a> Table<'a> {
    fn new(rows: &'a [Row]) -> Self {
        let mut table = Self::default();
        for row in rows {
            match kind(row) {
                Some(ItemKind::Record(id)) => drop(table.records.insert(id, row)),
                Some(ItemKind::Guard(oid)) => {
                    table.guards.insert(oid, row.number("payment").unwrap_or_default());
                }
                Some(ItemKind::Checkout(id)) => {
                    let number = row.text("sk").rsplit('#').next();
                    let number = number.and_then(|number| number.parse().ok());
                    table.checkouts.insert((id, number.unwrap_or_default()), row);
                }
                Some(ItemKind::Refund(id)) => {
                    let refund = row.text("sk").strip_prefix("refund#").unwrap_or_default();
                    table.refunds.insert((id, refund), row);
                }
                Some(ItemKind::RefundReference(_)) => {}
                Some(ItemKind::Event(_) | ItemKind::Unmatched) | None => {
                    table.events.insert((row.text("pk"), row.text("sk")), row);
                }
            }
        }
        table
    }
}

impl Table<'_> {
    /// Whether a checkout of a payment may still be paid.
    fn has_unended(&self, payment: u64) -> bool {
        let mut of_payment = self.checkouts.range((payment, 0)..=(payment, u32::MAX));
        of_payment.any(|(_, row)| is_unended(row))
    }

    /// Whether a message is in the log: of the payment, or unmatched.
    fn has_event(&self, sender: &str, id: &str, payment: u64) -> bool {
        let key = format!("event#{sender}#{id}");
        let suffixed = format!("{key}#");
        [format!("pay#{payment}"), format!("unmatched#{sender}")].iter().any(|pk| {
            let from = self.events.range((pk.as_str(), key.as_str())..);
            let mut of_payment = from.take_while(|((under, _), _)| under == pk);
            of_payment.any(|((_, sk), _)| *sk == key || sk.starts_with(&suffixed))
        })
    }
}

/// I7, I10: the order service was notified only of what was paid, with one effect for each payment;
/// I9: and of everything that was paid.
fn order_notifications_of(table: &Table<'_>, calls: &[OrderPaidCall]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut wrong =
        |invariant, oid, what| found.push(violation(invariant, format!("order {oid}"), what));
    let mut effects: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for OrderPaidCall { oid, pay_id, amount, key, counted } in calls {
        let id = pay_id.unwrap_or_default();
        match table.records.get(&id).filter(|record| record.has("paid_time")) {
            None => wrong("I7", *oid, format!("notified of {id}, which was never paid")),
            Some(record) => {
                if (record.number("oid"), record.number("amount")) != (Some(*oid), *amount) {
                    wrong(
                        "I7",
                        *oid,
                        format!("notified of {id}, which is not for it or this amount"),
                    );
                }
            }
        }
        if key.as_deref() != Some(id.to_string().as_str()) {
            wrong("I10", *oid, format!("notified of {id} with the key {key:?}"));
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
        let is_open = matches!(record.number("status"), Some(0 | 2));
        match (is_open, record.has("queue")) {
            // The sweep has something to end.
            (false, true) if table.has_unended(*id) => {}
            (false, true) => wrong("I9", oid, format!("{id} is still due")),
            (true, false) => wrong("I23", oid, format!("{id} is open, and is not asked about")),
            (true, true) | (false, false) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
