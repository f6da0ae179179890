//! Names of items, indexes and queues.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use pay_core::{
    domain::{CheckoutReference, EventKey, OrderId, PaymentId, Provider, ProviderRefund, RefundId},
    limits::SWEEP_QUEUES,
    ports::DueItem,
};

use super::row::s;

/// Finds payments by order, newest first.
pub(super) const OID_INDEX: &str = "oid-index";
/// Finds payments by user, newest first.
pub(super) const UID_INDEX: &str = "uid-index";
/// Finds payments by the provider's transaction.
pub(super) const TRANSACTION_INDEX: &str = "transaction-index";
/// Finds what is still to be done, longest overdue first.
pub(super) const DUE_INDEX: &str = "due-index";
/// The queue of the notifications that a person must look at.
pub(super) const REVIEW: &str = "review";

/// What the sort keys of refunds begin with.
pub(super) const REFUND: &str = "refund#";

/// Begins the sort keys of the checkouts of a payment; their number follows.
pub(super) const CHECKOUT: &str = "checkout#";

/// Begins the names of the queues of due payments.
const SWEEP: &str = "sweep#";
/// The sort key of a payment's record.
const RECORD: &str = "record";

/// The primary key of an item.
#[derive(Debug)]
pub(super) struct ItemKey {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl ItemKey {
    pub(super) fn into_item(self) -> HashMap<String, AttributeValue> {
        HashMap::from([("pk".to_owned(), s(self.pk)), ("sk".to_owned(), s(self.sk))])
    }
}

pub(super) fn payment(id: PaymentId) -> ItemKey {
    ItemKey { pk: format!("pay#{id}"), sk: RECORD.to_owned() }
}

/// The payment whose record has this key, if it is the key of one.
pub(super) fn payment_of(pk: &str, sk: &str) -> Option<PaymentId> {
    let id = PaymentId::parse(pk.strip_prefix("pay#")?).ok()?;
    (sk == RECORD).then_some(id)
}

/// What is due under this key, if something can be.
pub(super) fn due_item(pk: &str, sk: &str) -> Option<DueItem> {
    if let Some(id) = payment_of(pk, sk) {
        return Some(DueItem::Payment(id));
    }
    let id = payment_of(pk, RECORD)?;
    let refund = RefundId::new(sk.strip_prefix(REFUND)?).ok()?;
    Some(DueItem::Refund(id, refund))
}

pub(super) fn checkout(reference: CheckoutReference) -> ItemKey {
    let sk = format!("{CHECKOUT}{}", reference.number);
    ItemKey { pk: payment(reference.payment).pk, sk }
}

pub(super) fn refund(payment_id: PaymentId, id: &RefundId) -> ItemKey {
    ItemKey { pk: payment(payment_id).pk, sk: format!("{REFUND}{}", id.as_str()) }
}

/// Where it is kept which refund a provider's id stands for.
pub(super) fn refund_reference(
    payment_id: PaymentId,
    provider: Provider,
    id: &ProviderRefund,
) -> ItemKey {
    let sk = format!("refund-ref#{}#{}", provider.as_str(), id.as_str());
    ItemKey { pk: payment(payment_id).pk, sk }
}

pub(super) fn guard(oid: OrderId) -> ItemKey {
    ItemKey { pk: format!("order#{oid}"), sk: "guard".to_owned() }
}

/// A key that never exists: no order has the id 0.
pub(super) fn nothing() -> ItemKey {
    ItemKey { pk: "order#0".to_owned(), sk: "guard".to_owned() }
}

/// Neither the sender nor an event id holds a `#`, so no two events share a key by accident.
pub(super) fn event(event: &EventKey) -> ItemKey {
    let sender = event.sender.as_str();
    let pk = match event.payment {
        Some(id) => payment(id).pk,
        None => format!("unmatched#{sender}"),
    };
    ItemKey { pk, sk: format!("event#{sender}#{}", event.name()) }
}

/// The queue that a payment is put in when it becomes due: the value of `queue`.
#[must_use]
pub fn queue_of(id: PaymentId) -> String {
    sweep_queue(id.get() % SWEEP_QUEUES)
}

/// Every queue that due payments are put in.
pub(super) fn sweep_queues() -> impl Iterator<Item = String> {
    (0..SWEEP_QUEUES).map(sweep_queue)
}

/// Whether this is a queue of due payments, also one of another number of queues than today's.
pub(super) fn is_sweep_queue(queue: &str) -> bool {
    queue.strip_prefix(SWEEP).is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

fn sweep_queue(number: u64) -> String {
    format!("{SWEEP}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_names_its_queue_whatever_the_number_of_queues() {
        let own = queue_of(PaymentId::new(SWEEP_QUEUES + 5).unwrap());
        assert_eq!(own, "sweep#5");
        assert!(sweep_queues().any(|queue| queue == own));
        for queue in sweep_queues().chain(["sweep#4096".to_owned()]) {
            assert!(is_sweep_queue(&queue), "{queue}");
        }
        for other in ["", "sweep", "sweep#", "sweep#x", "sweep#1 ", "sweep#-1", REVIEW] {
            assert!(!is_sweep_queue(other), "{other}");
        }
    }

    #[test]
    fn only_the_key_of_a_record_names_a_payment() {
        let id = PaymentId::new(42).unwrap();
        let ItemKey { pk, sk } = payment(id);
        assert_eq!(payment_of(&pk, &sk), Some(id));
        for (pk, sk) in [("pay#42", "event#stripe#evt_1"), ("pay#x", "record"), ("42", "record")] {
            assert_eq!(payment_of(pk, sk), None, "{pk} {sk}");
        }
    }
}
