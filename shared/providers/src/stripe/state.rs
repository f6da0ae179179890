//! What an object that was queried says became of a payment.
//!
//! Sources: docs.stripe.com/api, the attributes `status` of `PaymentIntent`, charge and Checkout session.

use pay_core::{
    domain::Outcome,
    json::{Json, Object},
    ports::{ProviderState, QueryError},
};

use super::kind::{self, ObjectKind, Reading};
use crate::{Ignored, query::unusable};

/// What became of the payment, and what the object reports about it.
pub(super) type Stated = (ProviderState, Reading);

/// A `PaymentIntent`. A `last_payment_error` changes nothing: the payer may try again.
pub(super) fn of_intent(object: &Object) -> Result<Stated, QueryError> {
    let (state, outcome, amount) = match object.text("status") {
        Some("succeeded") => (ProviderState::Paid, Some(Outcome::Paid), "amount_received"),
        Some("canceled") => (ProviderState::Closed, Some(Outcome::Closed), "amount"),
        Some("processing") => (ProviderState::Processing, None, "amount"),
        // The last one is authorized: nothing is received before it is captured.
        Some(
            "requires_payment_method"
            | "requires_confirmation"
            | "requires_action"
            | "requires_capture",
        ) => (ProviderState::Open, None, "amount"),
        Some(_) | None => return Err(unusable("a PaymentIntent of an unknown `status`")),
    };
    Ok((state, Reading::of(ObjectKind::Intent, outcome, amount)))
}

/// A charge, which is one attempt to pay.
pub(super) fn of_charge(object: &Object) -> Result<Stated, QueryError> {
    let captured = object.get("captured").and_then(Json::as_bool);
    let (state, outcome) = match (object.text("status"), captured) {
        (Some("succeeded"), Some(true)) => (ProviderState::Paid, Some(Outcome::Paid)),
        (Some("succeeded"), Some(false)) | (Some("failed"), _) => (ProviderState::Open, None),
        (Some("pending"), _) => (ProviderState::Processing, None),
        _ => return Err(unusable("a charge of an unknown `status`")),
    };
    let reading = Reading::of(ObjectKind::Charge, outcome, "amount_captured");
    let is_bare = object.get("payment_intent").is_none_or(|intent| *intent == Json::Other);
    let review = (is_bare && outcome.is_some()).then(kind::without_intent);
    Ok((state, Reading { review, ..reading }))
}

/// A Checkout session, read as the event that reports its end.
pub(super) fn of_session(object: &Object) -> Result<Stated, QueryError> {
    let nothing = Reading::of(ObjectKind::Session, None, "amount_total");
    let event = match object.text("status") {
        Some("open") => return Ok((ProviderState::Open, nothing)),
        Some("complete") => "completed",
        Some("expired") => "expired",
        Some(_) | None => return Err(unusable("a Checkout session of an unknown `status`")),
    };
    match kind::session(event, object) {
        Ok(reading) => match reading.outcome {
            Some(Outcome::Paid) => Ok((ProviderState::Paid, reading)),
            Some(Outcome::Closed) => Ok((ProviderState::Closed, reading)),
            Some(Outcome::Failed | Outcome::Refunded) | None => free(object, nothing),
        },
        Err(Ignored::Unpaid) => Ok((ProviderState::Processing, nothing)),
        Err(_) => free(object, nothing),
    }
}

/// A session that ended without a payment: a person decides.
fn free(object: &Object, nothing: Reading) -> Result<Stated, QueryError> {
    if object.text("payment_status") != Some("no_payment_required") {
        return Err(unusable("a Checkout session of an unknown `payment_status`"));
    }
    let review = Some(kind::needed_no_payment());
    Ok((ProviderState::Closed, Reading { review, ..nothing }))
}

/// How much of a charge was refunded so far, which counts refunds that may still fail; nothing where
/// there is no charge, and `None` where that is not known.
pub(super) fn refunded_so_far(charge: Option<&Json>) -> Option<u64> {
    match charge {
        None | Some(Json::Other) => Some(0),
        Some(Json::Object(charge)) => charge.integer("amount_refunded"),
        Some(Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Array(_)) => None,
    }
}
