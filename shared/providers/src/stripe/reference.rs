//! Which payment of ours, and which transaction of Stripe's, an object names.

use pay_core::{
    domain::{
        CheckoutNumber, Mismatch, MismatchField, Outcome, PaymentId, ProviderRefund, ProviderTxn,
    },
    json::{Json, Object},
};

use super::kind::{ObjectKind, Reading};
use crate::adapter::{self, UnknownType, optional, unknown};

/// The payment in `metadata.payment_id`, or in a Checkout session's `client_reference_id`, and the
/// mismatch of a session in which they are two.
///
/// `client_reference_id` is free text: one that can be no id of ours is another reference of the
/// shop's, and counts as absent.
pub(super) fn payment(object: &Object, kind: ObjectKind) -> (Option<PaymentId>, Option<Mismatch>) {
    let in_metadata = object.object("metadata").and_then(|metadata| metadata.get("payment_id"));
    let parse = |id: &Json| id.as_text().and_then(|id| PaymentId::parse(id).ok());
    if kind != ObjectKind::Session {
        return (in_metadata.and_then(parse), None);
    }
    let client = object.get("client_reference_id").filter(|value| **value != Json::Other);
    if client.is_some_and(|value| value.as_text().is_none()) {
        let review = unknown(MismatchField::Payment, "client_reference_id");
        return (in_metadata.and_then(parse), Some(review));
    }
    let client = client.and_then(parse);
    let Some(id) = in_metadata else { return (client, None) };
    let payment = parse(id);
    let two = match (payment, client) {
        (Some(payment), Some(client)) if payment != client => Some(Mismatch::new(
            MismatchField::Payment,
            Some(format!("metadata.payment_id={payment}")),
            Some(format!("client_reference_id={client}")),
        )),
        _ => None,
    };
    (payment, two)
}

/// The checkout in `metadata.checkout`, which we put there.
pub(super) fn checkout(object: &Object) -> Option<CheckoutNumber> {
    let number = object.object("metadata").and_then(|metadata| metadata.text("checkout"));
    number.and_then(|number| CheckoutNumber::parse(number).ok())
}

/// The text in a refund's `metadata.refund_id`, where whoever made it put their reference.
pub(super) fn in_refund(object: &Object) -> Result<Option<&str>, UnknownType> {
    match object.get("metadata") {
        None | Some(Json::Other) => Ok(None),
        Some(metadata) => {
            let metadata = metadata.as_object().ok_or(UnknownType)?;
            optional(metadata, "refund_id", Json::as_text)
        }
    }
}

/// The same, where it is a reference.
pub(super) fn refund(object: &Object) -> Option<ProviderRefund> {
    ProviderRefund::new(in_refund(object).ok()??).ok()
}

/// Whether nothing in an object is meant to name a payment of ours.
///
/// Of a refund it is not known: it does not inherit the metadata of its charge.
pub(super) fn is_not_ours(object: &Object, kind: ObjectKind) -> bool {
    let no_id = match object.get("metadata") {
        None | Some(Json::Other) => true,
        Some(Json::Object(metadata)) => metadata.get("payment_id").is_none(),
        Some(Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_)) => false,
    };
    no_id && kind != ObjectKind::Refund && payment(object, kind) == (None, None)
}

/// The `PaymentIntent`, which may be expanded, or the mismatch where it is required and can be none.
///
/// A session has none until somebody begins to pay, and never in the mode `subscription`. Without it,
/// a second session that is paid would look like a repeat of the first.
pub(super) fn transaction(
    object: &Object,
    reading: &Reading,
) -> (Option<ProviderTxn>, Option<Mismatch>) {
    let name = if reading.object == ObjectKind::Intent { "id" } else { "payment_intent" };
    let text = match object.get(name) {
        None => Ok(None),
        Some(Json::Object(expanded)) => expanded.text("id").map(Some).ok_or(UnknownType),
        Some(Json::Other) if reading.object == ObjectKind::Session => Ok(None),
        Some(value) => value.as_text().map(Some).ok_or(UnknownType),
    };
    let of_session = reading.object == ObjectKind::Session;
    if of_session && reading.outcome == Some(Outcome::Paid) && matches!(text, Ok(None)) {
        let received = Some("a paid checkout session without a `payment_intent`");
        return (None, Some(Mismatch::absent(MismatchField::Reference, received)));
    }
    adapter::transaction(name, text)
}
