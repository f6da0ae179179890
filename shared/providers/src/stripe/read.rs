//! Reads the event into a notification.

use pay_core::{
    domain::{Currency, Mismatch, MismatchField, Provider, ProviderRef, ProviderTxn, Report},
    json::{Json, Object},
};

use super::{
    StripeKeys,
    kind::{KINDS, ignored, of_kind},
    reference,
};
use crate::{
    Ignored, Verified,
    adapter::{Message, UnknownType, optional, wrong_account},
    unit,
};

impl StripeKeys {
    /// Reads an authentic message. Unknown members are ignored.
    pub(super) fn read(&self, body: &[u8]) -> Verified {
        let provider = Provider::Stripe;
        let Some(event) = Object::parse_message(body) else {
            return Message::unreadable(None).into_notification(provider, body);
        };
        let unreadable = || Message::unreadable(event.text("id")).into_notification(provider, body);
        let (Ok(form), Ok(kind)) = (text(&event, "object"), text(&event, "type")) else {
            return unreadable();
        };
        let kind = if form == "event" { kind } else { kind.strip_prefix("v1.").unwrap_or(kind) };
        let object = match object(&event) {
            Ok(object) => object.filter(|_| form == "event"),
            Err(UnknownType) if form == "event" && KINDS.contains(&kind) => return unreadable(),
            Err(UnknownType) => None,
        };
        let reading = match object {
            Some(object) => of_kind(kind, object).map(|reading| (object, reading)),
            None if KINDS.contains(&kind) => {
                return self.without_object(&event).into_notification(provider, body);
            }
            None => Err(ignored(kind)),
        };
        let (object, reading) = match reading {
            Ok(reading) => reading,
            Err(reason) => return Verified::Ignored(reason),
        };
        if self.shared && reference::is_not_ours(object, reading.object) {
            return Verified::Ignored(Ignored::NotOurs);
        }
        let (payment, two_payments) = reference::payment(object, reading.object);
        let (txn, unknown_txn) = reference::transaction(object, &reading);
        let currency = object.text("currency").map(str::to_ascii_uppercase);
        let amount = reading.amount.and_then(|amount| object.integer(amount));
        let (amount_minor, fraction) = minor_units(amount, currency.as_deref());
        let message = Message {
            event_id: event.text("id"),
            payment,
            wrong_account: self.wrong_account(&event),
            review: reading.review.or(two_payments).or(unknown_txn).or(fraction),
            report: Report {
                outcome: reading.outcome,
                refund: reading.refund,
                reference: ProviderRef { txn, ..ProviderRef::NONE },
                amount_minor,
                currency,
            },
        };
        message.into_notification(provider, body)
    }

    /// An event that names its object without carrying it, as a thin event does. Of it only the
    /// `PaymentIntent` is kept, if it names one.
    fn without_object<'a>(&self, event: &'a Object) -> Message<'a> {
        let related = event.object("related_object");
        let of_kind = |kind| related.filter(|object| object.text("type") == kind);
        let id = |object: &Object| object.text("id").and_then(|id| ProviderTxn::new(id).ok());
        let named =
            related.and_then(id).map_or_else(String::new, |id| format!(" of {}", id.as_str()));
        let reason = format!(
            "a thin event{named}: set the payload style of the event destination to snapshot"
        );
        let txn = of_kind(Some("payment_intent")).and_then(id);
        Message {
            wrong_account: self.wrong_account(event),
            report: Report { reference: ProviderRef { txn, ..ProviderRef::NONE }, ..Report::NONE },
            ..Message::inapplicable(event.text("id"), &reason)
        }
    }

    fn wrong_account(&self, event: &Object) -> Option<Mismatch> {
        let received = event.get("livemode").and_then(Json::as_bool);
        let word = |mode: bool| if mode { "true" } else { "false" };
        wrong_account("livemode", self.livemode.map(word).as_slice(), received.map(word))
            .or_else(|| other_account(event, self.account.as_deref()))
    }
}

/// The amount in minor units, and the mismatch of one that is no whole number of them. In a currency
/// that we do not know, which fits no record, it is as Stripe has it.
fn minor_units(amount: Option<u64>, currency: Option<&str>) -> (Option<u64>, Option<Mismatch>) {
    let known = currency.and_then(|code| Currency::new(code).ok());
    let (Some(amount), Some(currency)) = (amount, known) else { return (amount, None) };
    let minor = unit::minor_units(Provider::Stripe, currency, amount);
    let fraction = || {
        let received = format!("{amount}, no whole number of minor units of {}", currency.code());
        Mismatch::absent(MismatchField::Amount, Some(received))
    };
    (minor, minor.is_none().then(fraction))
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

/// A text; empty if it is absent.
fn text<'a>(event: &'a Object, name: &str) -> Result<&'a str, UnknownType> {
    Ok(optional(event, name, Json::as_text)?.unwrap_or_default())
}

/// The object that an event carries.
fn object(event: &Object) -> Result<Option<&Object>, UnknownType> {
    match optional(event, "data", Json::as_object)? {
        Some(data) => optional(data, "object", Json::as_object),
        None => Ok(None),
    }
}
