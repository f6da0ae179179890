//! Items as they are in the table, and what a record must look like by itself.

use pay_core::limits::SWEEP_QUEUES;
use serde_json::{Map, Value};

pub(super) const PENDING: u64 = 0;
pub(super) const PAID: u64 = 1;
pub(super) const CLOSED: u64 = 3;
pub(super) const REFUNDED: u64 = 4;

/// An item: texts and numbers by name. Bytes are base64 texts.
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
    Unmatched,
}

/// The kind of an item; `None` for a key that no item of ours has.
pub(crate) fn kind(row: &Row) -> Option<Kind> {
    let (pk, sk) = (row.text("pk"), row.text("sk"));
    let number = |prefix: &str| pk.strip_prefix(prefix)?.parse::<u64>().ok();
    match (number("pay#"), number("order#"), sk) {
        (Some(id), _, "record") => Some(Kind::Record(id)),
        (Some(id), _, _) if sk.starts_with("event#") => Some(Kind::Event(id)),
        (_, Some(oid), "guard") => Some(Kind::Guard(oid)),
        _ if pk.starts_with("unmatched#") && sk.starts_with("event#") => Some(Kind::Unmatched),
        _ => None,
    }
}

/// Whether the order's guard must name this payment: no other may replace it.
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
        faults.push("currency is not an ISO 4217 code".to_owned());
    }
    let (status, has) = (record.number("status"), |name: &str| record.has(name));
    let paid = status == Some(PAID);
    let was_paid = paid || status == Some(REFUNDED);
    let queue = record.get_text("queue").unwrap_or_default();
    let sweep = queue.strip_prefix("sweep#").filter(|number| is_digits(number));
    let is_read =
        sweep.and_then(|number| number.parse().ok()).is_some_and(|n: u64| n < SWEEP_QUEUES);
    for (wrong, what) in [
        (paid && !has("paid_time"), "paid without paid_time"),
        (!was_paid && has("paid_time"), "paid_time, and never paid"),
        (!was_paid && has("notified_time"), "notified_time, and never paid"),
        (!was_paid && record.number("source") != Some(0), "a source, and never paid"),
        (!was_paid && has("provider_txn"), "a provider transaction, and never paid"),
        (!paid && has("queue"), "due, and not paid"),
        (has("queue") && sweep.is_none(), "in a queue that is not one of the sweep"),
        (sweep.is_some() && !is_read, "in a queue above those that the sweep reads"),
        (has("queue") != has("due"), "queue without due, or due without queue"),
        (has("queue") != has("attempts"), "queue without attempts, or attempts without queue"),
        (has("queue") && has("notified_time"), "due, and the order service was notified"),
    ] {
        if wrong {
            faults.push(what.to_owned());
        }
    }
    faults
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
