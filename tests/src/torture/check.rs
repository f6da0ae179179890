//! What must hold at the end, over plain items of the table and what was noted on the way.

mod heard;
mod log;

use std::collections::BTreeMap;

use pay::domain::Status;
use serde_json::Value;

use super::world::Facts;
use crate::Telling;

/// Something that must never be, and is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant it breaks, by its number in docs/architecture.md.
    pub invariant: &'static str,
    /// What is wrong, and with which payment or order.
    pub what: String,
}

fn violation(invariant: &'static str, what: String) -> Violation {
    Violation { invariant, what }
}

/// Everything that is wrong after everything was healed: no fault is left, and every message was
/// delivered once more.
///
/// `items` are those of the whole table, as plain JSON.
#[must_use]
pub fn check(items: &[Value], facts: &Facts, tellings: &[Telling]) -> Vec<Violation> {
    let table = Table::new(items);
    let mut found = table.broken.clone();
    found.extend(table.lives());
    for payment in table.payments.values() {
        found.extend(log::check(&table, payment));
        found.extend(table.telling(payment));
    }
    found.extend(tellings_fit(&table, tellings));
    found.extend(heard::check(&table, facts));
    found
}

/// A payment's record, as far as it is checked.
#[derive(Debug, Clone, Copy)]
struct Record {
    id: u64,
    uid: u64,
    oid: u64,
    amount: u64,
    status: Status,
    version: u64,
    was_paid: bool,
    told: bool,
    listed: bool,
}

impl Record {
    fn new(item: &Value) -> Option<Self> {
        Some(Self {
            id: number(item, "id")?,
            uid: number(item, "uid")?,
            oid: number(item, "oid")?,
            amount: number(item, "amount")?,
            status: Status::new(number(item, "status")?).ok()?,
            version: number(item, "version")?,
            was_paid: number(item, "paid_time").is_some(),
            told: number(item, "told_at").is_some(),
            listed: item.get("work").is_some(),
        })
    }

    /// Whether it keeps its order: no other payment may take its place.
    fn is_live(&self) -> bool {
        match self.status {
            Status::Pending | Status::Failed | Status::Paid => true,
            Status::Closed => false,
            Status::Refunded => self.was_paid,
        }
    }
}

/// The table, by what its items are.
#[derive(Debug, Default)]
struct Table<'a> {
    payments: BTreeMap<u64, Record>,
    guards: BTreeMap<u64, &'a Value>,
    /// By partition key, then by sort key.
    events: BTreeMap<&'a str, BTreeMap<&'a str, &'a Value>>,
    /// Items that cannot be read.
    broken: Vec<Violation>,
}

impl<'a> Table<'a> {
    fn new(items: &'a [Value]) -> Self {
        let mut table = Self::default();
        for item in items {
            if table.take(item).is_none() {
                let key = [text(item, "pk"), text(item, "sk")].map(Option::unwrap_or_default);
                table.broken.push(violation("I3", format!("{} cannot be read", key.join(" "))));
            }
        }
        table
    }

    fn take(&mut self, item: &'a Value) -> Option<()> {
        let (pk, sk) = (text(item, "pk")?, text(item, "sk")?);
        if sk == "guard" {
            self.guards.insert(pk.strip_prefix("order#")?.parse().ok()?, item);
        } else if sk == "record" {
            let record = Record::new(item)?;
            if pk != format!("pay#{}", record.id) {
                return None;
            }
            self.payments.insert(record.id, record);
        } else {
            self.events.entry(pk).or_default().insert(sk, item);
        }
        Some(())
    }

    /// I1: an order has at most one live payment, and its guard names it.
    fn lives(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut i1 = |what| found.push(violation("I1", what));
        for (oid, guard) in &self.guards {
            let named = number(guard, "payment");
            match named.and_then(|id| self.payments.get(&id)) {
                None => i1(format!("the guard of order {oid} names no payment that is there")),
                Some(payment) => {
                    let agree = payment.oid == *oid
                        && number(guard, "uid") == Some(payment.uid)
                        && number(guard, "amount") == Some(payment.amount);
                    if !agree {
                        i1(format!("the guard of order {oid} and payment {} differ", payment.id));
                    }
                }
            }
        }
        for payment in self.payments.values() {
            let Record { id, oid, .. } = payment;
            let named = self.guards.get(oid).and_then(|guard| number(guard, "payment"));
            match named {
                None => i1(format!("payment {id} of order {oid} has no guard")),
                Some(named) if named != *id && payment.is_live() => {
                    i1(format!("payment {id} of order {oid} is live beside {named}"));
                }
                Some(_) => {}
            }
        }
        found
    }

    /// I8: the order of a paid payment was told, or is listed; I9: healed, it was told.
    fn telling(&self, payment: &Record) -> Vec<Violation> {
        let Record { id, status, told, listed, .. } = payment;
        let mut found = Vec::new();
        if *status == Status::Paid && !told && !listed {
            found.push(violation("I8", format!("payment {id} is paid, not told and not listed")));
        }
        if *listed {
            found.push(violation("I9", format!("payment {id} is still to be told")));
        }
        found
    }
}

/// I7, I10: orders were told of what was paid, each once however often it was told.
fn tellings_fit(table: &Table<'_>, tellings: &[Telling]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut effects: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for telling in tellings {
        let Telling { oid, pay_id, amount, key, counted } = telling;
        let payment = pay_id.and_then(|id| table.payments.get(&id));
        let Some(payment) = payment.filter(|payment| payment.was_paid) else {
            let what = format!("order {oid} was told of {pay_id:?}, which was never paid");
            found.push(violation("I7", what));
            continue;
        };
        if (payment.oid, Some(payment.amount)) != (*oid, *amount) {
            let what =
                format!("order {oid} was told of payment {}, which is another's", payment.id);
            found.push(violation("I7", what));
        }
        if key.as_deref() != Some(payment.id.to_string().as_str()) {
            let what = format!("payment {} was told under the key {key:?}", payment.id);
            found.push(violation("I10", what));
        }
        if *counted {
            effects.entry(*oid).or_default().push(payment.id);
        }
    }
    for (oid, payments) in &effects {
        if payments.len() > 1 {
            found.push(violation("I10", format!("order {oid} was paid by {payments:?}")));
        }
    }
    let told =
        |payment: &Record| effects.get(&payment.oid).is_some_and(|ids| ids.contains(&payment.id));
    let paid = table.payments.values().filter(|payment| payment.status == Status::Paid);
    for payment in paid.filter(|payment| !told(payment)) {
        let Record { id, oid, .. } = payment;
        found.push(violation("I9", format!("order {oid} does not know that {id} paid it")));
    }
    found
}

fn number(item: &Value, name: &str) -> Option<u64> {
    item.get(name).and_then(Value::as_u64)
}

fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
