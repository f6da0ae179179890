//! Reads the event into a notification.

use pay_core::{
    domain::{Mismatch, MismatchField, Outcome, PaymentId, Provider, ProviderRef, Report},
    json::{Json, Object},
};

use super::StripeKeys;
use crate::{
    Verified,
    adapter::{Message, UnknownType, failed_refund, optional, transaction, unknown, wrong_account},
};

impl StripeKeys {
    /// Reads an authentic message. Unknown members are ignored.
    pub(super) fn read(&self, body: &[u8]) -> Verified {
        let provider = Provider::Stripe;
        let Some(event) = Object::parse(body) else {
            return Message::unreadable(None).into_notification(provider, body);
        };
        let unreadable = || Message::unreadable(event.text("id")).into_notification(provider, body);
        let (kind, object) = match (kind(&event), object(&event)) {
            (Err(UnknownType), _) => return unreadable(),
            (Ok(None), _) => {
                return Verified::Ignored("not an event of the kind that carries its object");
            }
            (Ok(Some(kind)), Err(UnknownType)) if KINDS.contains(&kind) => return unreadable(),
            (Ok(Some(kind)), object) => (kind, object.unwrap_or_default()),
        };
        let Some((object, reading)) =
            object.and_then(|object| Some((object, of_kind(kind, object)?)))
        else {
            return Verified::Ignored("no event that changes a payment");
        };
        let (txn, unknown_txn) =
            transaction(reading.txn, optional(object, reading.txn, Json::as_text));
        let metadata = object.object("metadata");
        let received = event.get("livemode").and_then(Json::as_bool);
        let word = |mode: bool| if mode { "true" } else { "false" };
        let message = Message {
            event_id: event.text("id"),
            payment: metadata
                .and_then(|data| data.text("payment_id"))
                .and_then(|id| PaymentId::parse(id).ok()),
            wrong_account: wrong_account("livemode", self.livemode.map(word), received.map(word))
                .or_else(|| other_account(&event, self.account.as_deref())),
            review: reading.review.or(unknown_txn),
            report: Report {
                outcome: reading.outcome,
                reference: ProviderRef { txn, ..ProviderRef::NONE },
                amount_minor: reading.amount.and_then(|amount| object.integer(amount)),
                currency: object.text("currency").map(str::to_ascii_uppercase),
            },
        };
        message.into_notification(provider, body)
    }
}

/// The mismatch of an event of a connected account, or of one in an organization, that is not the
/// configured account. Who owns such an account writes its metadata, and may name a payment of ours.
fn other_account(event: &Object, account: Option<&str>) -> Option<Mismatch> {
    ["account", "context"].into_iter().find_map(|name| {
        // `null` is how Stripe writes that there is none.
        let received = event.get(name).filter(|value| **value != Json::Other)?.as_text();
        let expected = account.map(|account| format!("account={account}"));
        let shown = format!("{name}={}", received.unwrap_or("no text"));
        (received.is_none() || received != account)
            .then(|| Mismatch::new(MismatchField::Account, expected, Some(shown)))
    })
}

/// The type of an event that carries its object; `None` for another one.
fn kind(event: &Object) -> Result<Option<&str>, UnknownType> {
    let carries = optional(event, "object", Json::as_text)? == Some("event");
    let kind = optional(event, "type", Json::as_text)?.unwrap_or_default();
    Ok(carries.then_some(kind))
}

/// The object that an event carries.
fn object(event: &Object) -> Result<Option<&Object>, UnknownType> {
    match optional(event, "data", Json::as_object)? {
        Some(data) => optional(data, "object", Json::as_object),
        None => Ok(None),
    }
}

/// What an event of one type reports, and the names under which its object has the rest.
struct Reading {
    outcome: Option<Outcome>,
    review: Option<Mismatch>,
    txn: &'static str,
    amount: Option<&'static str>,
}

/// Every type that [`of_kind`] reads.
const KINDS: [&str; 7] = [
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.refunded",
    "charge.refund.updated",
    "refund.updated",
    "refund.failed",
];

/// What an event of this type reports; `None` if it changes no payment.
fn of_kind(kind: &str, object: &Object) -> Option<Reading> {
    let intent = |outcome, amount| Reading {
        outcome: Some(outcome),
        review: None,
        txn: "id",
        amount: Some(amount),
    };
    let charge = |outcome, review| Reading {
        outcome,
        review,
        txn: "payment_intent",
        amount: Some("amount"),
    };
    // Its `amount` is the refund's: how much was paid it does not say.
    let refund = |review| Reading {
        outcome: None,
        review: Some(review),
        txn: "payment_intent",
        amount: None,
    };
    Some(match kind {
        "payment_intent.succeeded" => intent(Outcome::Paid, "amount_received"),
        // Not final: the customer may try again.
        "payment_intent.payment_failed" => intent(Outcome::Failed, "amount"),
        "payment_intent.canceled" => intent(Outcome::Closed, "amount"),
        "charge.refunded" => match optional(object, "refunded", Json::as_bool) {
            // True only once all of it was refunded; `amount_refunded` adds up until then.
            Ok(Some(true)) => charge(Some(Outcome::Refunded), None),
            Ok(Some(false) | None) => charge(Some(Outcome::PartlyRefunded), None),
            Err(UnknownType) => charge(None, Some(unknown(MismatchField::Outcome, "refunded"))),
        },
        "refund.failed" => refund(failed_refund(kind)),
        "charge.refund.updated" | "refund.updated" => {
            match optional(object, "status", Json::as_text) {
                Ok(Some(status @ ("failed" | "canceled"))) => {
                    refund(failed_refund(&format!("{kind} with the status {status}")))
                }
                Ok(_) => return None,
                Err(UnknownType) => refund(unknown(MismatchField::Outcome, "status")),
            }
        }
        _ => return None,
    })
}
