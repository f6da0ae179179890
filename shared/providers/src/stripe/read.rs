//! Reads the event into a notification.

use pay_core::{
    domain::{Outcome, PaymentId, Provider, ProviderRef, ProviderTxn, Report},
    json::{Json, Object},
};

use crate::{
    Verified,
    adapter::{Message, wrong_account},
};

/// Reads an authentic message. Unknown members are ignored.
pub(super) fn read(body: &[u8], livemode: Option<bool>) -> Verified {
    let provider = Provider::Stripe;
    let Some(event) = Object::parse(body) else {
        return Message::unreadable(None).into_notification(provider, body);
    };
    if event.text("object") != Some("event") {
        return Verified::Ignored("not an event of the kind that carries its object");
    }
    let object = event.object("data").and_then(|data| data.object("object"));
    let kind = event.text("type").unwrap_or_default();
    let Some((outcome, txn, amount)) = object.and_then(|object| of_kind(kind, object)) else {
        return Verified::Ignored("no event that changes a payment");
    };
    let text = |name: &str| object.and_then(|object| object.text(name));
    let metadata = object.and_then(|object| object.object("metadata"));
    let received = event.get("livemode").and_then(Json::as_bool);
    let word = |mode: bool| if mode { "true" } else { "false" };
    let message = Message {
        event_id: event.text("id"),
        payment: metadata
            .and_then(|data| data.text("payment_id"))
            .and_then(|id| PaymentId::parse(id).ok()),
        wrong_account: wrong_account("livemode", livemode.map(word), received.map(word)),
        review: None,
        report: Report {
            outcome: Some(outcome),
            reference: ProviderRef {
                txn: text(txn).and_then(|txn| ProviderTxn::new(txn).ok()),
                ..ProviderRef::NONE
            },
            amount_minor: object.and_then(|object| object.integer(amount)),
            currency: text("currency").map(str::to_ascii_uppercase),
        },
    };
    message.into_notification(provider, body)
}

/// The outcome that an event of this type reports, and the names under which its object has the
/// transaction and the amount.
fn of_kind(kind: &str, object: &Object) -> Option<(Outcome, &'static str, &'static str)> {
    let refunded = object.get("refunded").and_then(Json::as_bool);
    match kind {
        "payment_intent.succeeded" => Some((Outcome::Paid, "id", "amount_received")),
        // Not final: the customer may try again.
        "payment_intent.payment_failed" => Some((Outcome::Failed, "id", "amount")),
        "payment_intent.canceled" => Some((Outcome::Closed, "id", "amount")),
        // True only once all of it was refunded; `amount_refunded` adds up until then.
        "charge.refunded" if refunded == Some(true) => {
            Some((Outcome::Refunded, "payment_intent", "amount"))
        }
        "charge.refunded" => Some((Outcome::PartlyRefunded, "payment_intent", "amount")),
        _ => None,
    }
}
