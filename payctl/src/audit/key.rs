//! What an item is by its key.

use pay_core::domain::{
    CheckoutNumber, EventKey, OrderId, PaymentId, Provider, ProviderRefund, RefundId,
};

use crate::Row;

/// What an item is, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// The record of the payment with this id.
    Record(u64),
    /// An event of the payment with this id.
    Event(u64),
    /// A checkout of the payment with this id.
    Checkout(u64),
    /// A refund of the payment with this id.
    Refund(u64),
    /// What a provider's id of a refund stands for, of the payment with this id.
    RefundReference(u64),
    /// The guard of the order with this id.
    Guard(u64),
    /// An event that names no payment of ours.
    Unmatched,
}

/// The kind of an item; `None` for a key that no item of ours has.
#[must_use]
pub fn kind(row: &Row) -> Option<ItemKind> {
    let (pk, sk) = (row.text("pk"), row.text("sk"));
    if let Some(oid) = order_of(pk) {
        return (sk == "guard").then_some(ItemKind::Guard(oid));
    }
    let payment = payment_of(pk);
    match payment {
        Some(id) if sk == "record" => Some(ItemKind::Record(id.get())),
        Some(id) if checkout_of(sk).is_some() => Some(ItemKind::Checkout(id.get())),
        Some(id) if refund_of(sk).is_some() => Some(ItemKind::Refund(id.get())),
        Some(id) if refund_reference_of(sk).is_some() => Some(ItemKind::RefundReference(id.get())),
        _ => event_key(pk, sk).map(|_| match payment {
            Some(id) => ItemKind::Event(id.get()),
            None => ItemKind::Unmatched,
        }),
    }
}

/// The payment whose partition has this key.
pub(crate) fn payment_of(pk: &str) -> Option<PaymentId> {
    PaymentId::parse(pk.strip_prefix("pay#")?).ok()
}

fn order_of(pk: &str) -> Option<u64> {
    let text = pk.strip_prefix("order#")?;
    let oid = OrderId::new(text.parse().ok()?).ok()?.get();
    (oid.to_string() == text).then_some(oid)
}

/// The checkout that has this sort key, if it is the key of one.
pub(super) fn checkout_of(sk: &str) -> Option<CheckoutNumber> {
    CheckoutNumber::parse(sk.strip_prefix("checkout#")?).ok()
}

/// The refund that has this sort key, if it is the key of one.
pub(super) fn refund_of(sk: &str) -> Option<RefundId> {
    RefundId::new(sk.strip_prefix("refund#")?).ok()
}

/// The provider's id of a refund in this sort key, if it is the key of a reference.
pub(super) fn refund_reference_of(sk: &str) -> Option<(Provider, ProviderRefund)> {
    let (provider, id) = sk.strip_prefix("refund-ref#")?.split_once('#')?;
    Some((Provider::new(provider).ok()?, ProviderRefund::new(id).ok()?))
}

/// The event that has this primary key, if it is the key of one.
pub(crate) fn event_key(pk: &str, sk: &str) -> Option<EventKey> {
    let (sender, name) = sk.strip_prefix("event#")?.split_once('#')?;
    let payment = match pk.strip_prefix("unmatched#") {
        Some(of) if of == sender => "unmatched".to_owned(),
        Some(_) => return None,
        None => payment_of(pk)?.to_string(),
    };
    EventKey::parse(&format!("{payment}/{sender}/{name}")).ok()
}

/// The primary key of an event.
pub(crate) fn primary(key: &EventKey) -> (String, String) {
    let sender = key.sender.as_str();
    let pk = match key.payment {
        Some(id) => format!("pay#{id}"),
        None => format!("unmatched#{sender}"),
    };
    (pk, format!("event#{sender}#{}", key.name()))
}
