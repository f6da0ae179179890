//! Reads the event into a notification.

use pay_core::{
    domain::{
        Currency, Mismatch, MismatchField, Provider, ProviderRef, ProviderTxn, RefundReport, Report,
    },
    json::{Json, Object},
    ports::Query,
};

use super::{
    StripeKeys,
    kind::{KINDS, ObjectKind, Reading, ignored, of_kind},
    reference,
    target::Target,
};
use crate::{
    Ignored, Verified,
    adapter::{Message, UnknownType, optional, wrong_account},
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
            None if KINDS.contains(&kind) => return self.without_object(&event, body),
            None => Err(ignored(kind)),
        };
        let (object, reading) = match reading {
            Ok(reading) => reading,
            Err(reason) => return Verified::Ignored(reason),
        };
        if self.shared && reference::is_not_ours(object, reading.object) {
            return Verified::Ignored(Ignored::NotOurs);
        }
        let is_about_refunds = matches!(reading.object, ObjectKind::Charge | ObjectKind::Refund);
        let is_refund = reading.object == ObjectKind::Refund;
        let message = message(event.text("id"), object, reading);
        let message = Message {
            wrong_account: self.wrong_account(&event),
            is_shared: self.shared && is_refund && message.payment.is_none(),
            ..message
        };
        let intent = message.report.reference.txn.clone().filter(|_| is_about_refunds);
        with_hint(message, intent.and_then(Target::hint), body)
    }

    /// An event that names its object without carrying it, as a thin event does. Of it only the
    /// `PaymentIntent` is kept, if it names one.
    fn without_object(&self, event: &Object, body: &[u8]) -> Verified {
        let related = event.object("related_object");
        let kind = related.and_then(|object| object.text("type"));
        let id = related.and_then(|object| object.text("id"));
        let id = id.and_then(|id| ProviderTxn::new(id).ok());
        let named = id.as_ref().map_or_else(String::new, |id| format!(" of {}", id.as_str()));
        let reason = format!(
            "a thin event{named}: set the payload style of the event destination to snapshot"
        );
        let query = match kind {
            Some("payment_intent" | "checkout.session" | "charge" | "refund") => {
                id.clone().and_then(Target::hint)
            }
            Some(_) | None => None,
        };
        let txn = id.filter(|_| kind == Some("payment_intent"));
        let message = Message {
            wrong_account: self.wrong_account(event),
            report: Report { reference: ProviderRef { txn, ..ProviderRef::NONE }, ..Report::NONE },
            ..Message::inapplicable(event.text("id"), &reason)
        };
        with_hint(message, query, body)
    }

    fn wrong_account(&self, event: &Object) -> Option<Mismatch> {
        let received = event.get("livemode").and_then(Json::as_bool);
        let word = |mode: bool| if mode { "true" } else { "false" };
        wrong_account("livemode", self.livemode.map(word).as_slice(), received.map(word))
            .or_else(|| other_account(event, self.account.as_deref()))
    }
}

/// A message that says where to look, if it does: with our key nothing of another account is seen.
fn with_hint(message: Message<'_>, query: Option<Query>, body: &[u8]) -> Verified {
    let query = query.filter(|_| message.wrong_account.is_none());
    let notification = Box::new(message.notification(Provider::Stripe, body));
    match query {
        Some(query) => Verified::Hint(notification, query),
        None => Verified::Notification(notification),
    }
}

/// What an object reports. Of one that reports nothing, no member is for review.
pub(super) fn message<'a>(
    event_id: Option<&'a str>,
    object: &Object,
    reading: Reading,
) -> Message<'a> {
    let reports = reading.outcome.is_some() || reading.review.is_some();
    let (payment, two_payments) = reference::payment(object, reading.object);
    let (txn, unknown_txn) = reference::transaction(object, &reading);
    let currency = object.text("currency").map(str::to_ascii_uppercase);
    let amount = reading.amount.and_then(|amount| object.integer(amount));
    let (amount_minor, fraction) = minor_units(MismatchField::Amount, amount, currency.as_deref());
    let (refund, part) = refund_in_minor_units(reading.refund, currency.as_deref());
    // Without its amount it would stand for all of it.
    let outcome = reading.outcome.filter(|_| part.is_none());
    let review = reading.review.or(two_payments).or(unknown_txn).or(fraction).or(part);
    Message {
        event_id,
        payment,
        checkout: payment.and_then(|_| reference::checkout(object)),
        wrong_account: None,
        review: review.filter(|_| reports),
        is_shared: false,
        report: Report {
            outcome,
            refund,
            reference: ProviderRef { txn, ..ProviderRef::NONE },
            amount_minor,
            currency,
        },
    }
}

/// What was refunded, in minor units, and the mismatch of an amount that is no whole number of them.
fn refund_in_minor_units(
    refund: Option<RefundReport>,
    currency: Option<&str>,
) -> (Option<RefundReport>, Option<Mismatch>) {
    let convert = |amount| minor_units(MismatchField::Refunded, Some(amount), currency);
    match refund {
        Some(RefundReport::One { id, reference, amount_minor, state }) => {
            let (amount, part) = convert(amount_minor);
            let one = |amount_minor| RefundReport::One { id, reference, amount_minor, state };
            (amount.map(one), part)
        }
        Some(RefundReport::Total(total)) => {
            let (total, part) = convert(total);
            (total.map(RefundReport::Total), part)
        }
        None => (None, None),
    }
}

/// The amount in minor units, and the mismatch of one that is no whole number of them. In a currency
/// that we do not know, which fits no record, it is as Stripe has it.
fn minor_units(
    field: MismatchField,
    amount: Option<u64>,
    currency: Option<&str>,
) -> (Option<u64>, Option<Mismatch>) {
    let known = currency.and_then(|code| Currency::new(code).ok());
    let (Some(amount), Some(currency)) = (amount, known) else { return (amount, None) };
    let minor = Provider::Stripe.minor_units(currency, amount);
    let fraction = || {
        let received = format!("{amount}, no whole number of minor units of {}", currency.code());
        Mismatch::absent(field, Some(received))
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
