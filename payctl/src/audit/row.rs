//! What an item is by its key, and what a record must look like by itself.

use pay_core::domain::{OrderId, UserId};
use pay_core::limits::SWEEP_QUEUES;

use crate::Row;

pub(super) const PENDING: u64 = 0;
pub(super) const PAID: u64 = 1;
pub(super) const CLOSED: u64 = 3;
pub(super) const REFUNDED: u64 = 4;

/// What an item is, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// The record of the payment with this id.
    Record(u64),
    /// An event of the payment with this id.
    Event(u64),
    /// The guard of the order with this id.
    Guard(u64),
    /// An event that names no payment of ours.
    Unmatched,
}

/// The kind of an item; `None` for a key that no item of ours has.
#[must_use]
pub fn kind(row: &Row) -> Option<ItemKind> {
    let (pk, sk) = (row.text("pk"), row.text("sk"));
    let number = |prefix: &str| pk.strip_prefix(prefix)?.parse::<u64>().ok();
    match (number("pay#"), number("order#"), sk) {
        (Some(id), _, "record") => Some(ItemKind::Record(id)),
        (Some(id), _, _) if sk.starts_with("event#") => Some(ItemKind::Event(id)),
        (_, Some(oid), "guard") => Some(ItemKind::Guard(oid)),
        _ if pk.starts_with("unmatched#") && sk.starts_with("event#") => Some(ItemKind::Unmatched),
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
        ("uid", 1, UserId::MAX),
        ("oid", 1, OrderId::MAX),
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
