//! Items as they are in the table, and what one must look like by itself.

use serde_json::{Map, Value};

pub(super) const PENDING: u64 = 0;
pub(super) const PAID: u64 = 1;
pub(super) const CLOSED: u64 = 3;
pub(super) const REFUNDED: u64 = 4;

/// An item: texts and numbers by name. What is neither is in base64, as a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row(pub Map<String, Value>);

impl Row {
    /// Whether it has an attribute.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A number, if the attribute is one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// A text, if the attribute is one.
    #[must_use]
    pub fn get_text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A text; empty if the attribute is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get_text(name).unwrap_or_default()
    }
}

/// What an item is, by its key.
pub(crate) enum Kind {
    Record(u64),
    Event(u64),
    Guard(u64),
    Stray,
}

/// The kind of an item; none if its key is of no kind.
pub(crate) fn kind(row: &Row) -> Option<Kind> {
    let (pk, sk) = (row.text("pk"), row.text("sk"));
    let number = |prefix: &str| pk.strip_prefix(prefix)?.parse::<u64>().ok();
    match (number("pay#"), number("order#"), sk) {
        (Some(id), _, "record") => Some(Kind::Record(id)),
        (Some(id), _, _) if sk.starts_with("event#") => Some(Kind::Event(id)),
        (_, Some(oid), "guard") => Some(Kind::Guard(oid)),
        _ if pk.starts_with("stray#") && sk.starts_with("event#") => Some(Kind::Stray),
        _ => None,
    }
}

/// Whether no other payment may take the place of this one.
pub(super) fn is_live(record: &Row) -> bool {
    match record.number("status") {
        Some(CLOSED) => false,
        Some(REFUNDED) => record.has("paid_time"),
        _ => true,
    }
}

/// What is wrong with a record by itself.
pub(super) fn faults(id: u64, record: &Row) -> Vec<String> {
    let mut faults = Vec::new();
    let ranges: [(&str, u64, u64); 9] = [
        ("id", id, id),
        ("uid", 1, (1 << 53) - 1),
        ("oid", 1, (1 << 53) - 1),
        ("amount", 1, u32::MAX.into()),
        ("source", 0, 255),
        ("status", 0, 4),
        ("version", 1, u64::MAX),
        ("create_time", 1, u64::MAX),
        ("update_time", record.number("create_time").unwrap_or(0), u64::MAX),
    ];
    for (name, least, most) in ranges {
        if !record.number(name).is_some_and(|number| (least..=most).contains(&number)) {
            faults.push(format!("{name} is missing or out of range"));
        }
    }
    let currency = record.text("currency");
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        faults.push("currency is no code".to_owned());
    }
    let (status, has) = (record.number("status"), |name: &str| record.has(name));
    let paid = status == Some(PAID);
    let was_paid = paid || status == Some(REFUNDED);
    let list = format!("order#{}", id % 4);
    for (wrong, what) in [
        (paid && !has("paid_time"), "paid without paid_time"),
        (!was_paid && (has("paid_time") || has("told_at")), "paid_time or told_at, and never paid"),
        (!was_paid && record.number("source") != Some(0), "a source of money that never moved"),
        (!was_paid && has("provider_txn"), "a transaction of money that never moved"),
        (!paid && has("work"), "on the work list, and not paid"),
        (has("work") && record.text("work") != list, "on another work list than its own"),
        (has("work") != has("due") || has("work") != has("tries"), "work, due and tries apart"),
        (has("work") && has("told_at"), "told, and still on the work list"),
    ] {
        if wrong {
            faults.push(what.to_owned());
        }
    }
    faults
}
