//! Reads the event into a notification.

use pay_core::{
    domain::{Mismatch, MismatchField, Provider, ProviderRef, Report},
    json::{Json, Object},
};

use super::{
    StripeKeys,
    kind::{KINDS, of_kind},
    reference,
};
use crate::{
    Verified,
    adapter::{Message, UnknownType, optional, wrong_account},
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
        let Some(object) = object else {
            return Verified::Ignored("no event that changes a payment");
        };
        let reading = match of_kind(kind, object) {
            Ok(reading) => reading,
            Err(reason) => return Verified::Ignored(reason),
        };
        let (payment, two_payments) = reference::payment(object, reading.object);
        let (txn, unknown_txn) = reference::transaction(object, &reading);
        let received = event.get("livemode").and_then(Json::as_bool);
        let word = |mode: bool| if mode { "true" } else { "false" };
        let message = Message {
            event_id: event.text("id"),
            payment,
            wrong_account: wrong_account("livemode", self.livemode.map(word), received.map(word))
                .or_else(|| other_account(&event, self.account.as_deref())),
            review: reading.review.or(two_payments).or(unknown_txn),
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
