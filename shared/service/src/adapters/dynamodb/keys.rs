//! Names of items, indexes and lists.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use pay_core::domain::{EventKey, OrderId, PaymentId};

use super::row::s;

/// Finds payments by order, newest first.
pub(super) const OID_INDEX: &str = "oid-index";
/// Finds payments by user, newest first.
pub(super) const UID_INDEX: &str = "uid-index";
/// Finds what is still to be done, longest due first.
pub(super) const WORK_INDEX: &str = "work-index";
/// The list of messages that a person must look at.
pub(super) const QUARANTINE: &str = "quarantine";

/// The list of tellings is spread over this many keys, so that none is hot. What rate they are enough
/// for, and how to have more, is in docs/scale.md.
const WORK_SHARDS: u64 = 4;

/// The primary key of an item.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn into_item(self) -> HashMap<String, AttributeValue> {
        HashMap::from([("pk".to_owned(), s(self.pk)), ("sk".to_owned(), s(self.sk))])
    }
}

pub(super) fn payment(id: PaymentId) -> Key {
    Key { pk: format!("pay#{id}"), sk: "record".to_owned() }
}

pub(super) fn guard(oid: OrderId) -> Key {
    Key { pk: format!("order#{oid}"), sk: "guard".to_owned() }
}

/// Where no item is: no order is 0.
pub(super) fn nothing() -> Key {
    Key { pk: "order#0".to_owned(), sk: "guard".to_owned() }
}

/// The parts of it hold no `#`, so no two events share a key by accident.
pub(super) fn event(event: &EventKey) -> Key {
    let provider = event.provider.as_str();
    let pk = match event.payment {
        Some(id) => payment(id).pk,
        None => format!("stray#{provider}"),
    };
    Key { pk, sk: format!("event#{provider}#{}", event.name()) }
}

/// The list that a payment's telling is on: the value of `work`.
#[must_use]
pub fn work(id: PaymentId) -> String {
    shard(id.get() % WORK_SHARDS)
}

/// Every list of tellings.
pub(super) fn work_lists() -> impl Iterator<Item = String> {
    (0..WORK_SHARDS).map(shard)
}

fn shard(number: u64) -> String {
    format!("order#{number}")
}

/// The payment whose items are under this key, if it is a payment's.
pub(super) fn payment_of(pk: &str) -> Option<PaymentId> {
    PaymentId::parse(pk.strip_prefix("pay#")?).ok()
}
