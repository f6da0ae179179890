//! What an event of each type reports.

use pay_core::{
    domain::{Mismatch, MismatchField, Outcome, ProviderRefund, RefundReport, RefundState},
    json::{Json, Object},
};

use super::reference;
use crate::{
    Ignored,
    adapter::{UnknownType, optional, unknown},
};

/// Every type that [`of_kind`] reads.
pub(super) const KINDS: [&str; 12] = [
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
];

/// What an event of one type reports, and which object it carries.
pub(super) struct Reading {
    pub(super) outcome: Option<Outcome>,
    pub(super) refund: Option<RefundReport>,
    pub(super) review: Option<Mismatch>,
    pub(super) object: ObjectKind,
    /// The name of the member that holds the payment's whole amount.
    pub(super) amount: Option<&'static str>,
}

/// The object that an event carries: it decides where the payment and the transaction stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Intent,
    Charge,
    Refund,
    Session,
}

impl Reading {
    /// The object reports this, and the member has the payment's whole amount.
    pub(super) const fn of(
        object: ObjectKind,
        outcome: Option<Outcome>,
        amount: &'static str,
    ) -> Self {
        Self { outcome, refund: None, review: None, object, amount: Some(amount) }
    }
}

/// What an event of this type reports; the reason if it changes no payment.
pub(super) fn of_kind(kind: &str, object: &Object) -> Result<Reading, Ignored> {
    let intent = |outcome, amount| Reading::of(ObjectKind::Intent, Some(outcome), amount);
    match kind {
        "payment_intent.succeeded" => Ok(intent(Outcome::Paid, "amount_received")),
        // Not final: the customer may try again.
        "payment_intent.payment_failed" => Ok(intent(Outcome::Failed, "amount")),
        "payment_intent.canceled" => Ok(intent(Outcome::Closed, "amount")),
        "charge.refunded" => Ok(charge(object)),
        "refund.created" | "refund.failed" | "charge.refund.updated" | "refund.updated" => {
            Ok(refund(kind, object))
        }
        "charge.succeeded" | "charge.captured" => bare_charge(object),
        _ => match kind.strip_prefix("checkout.session.") {
            Some(event) => session(event, object),
            None => Err(ignored(kind)),
        },
    }
}

/// Why an event of a type that [`of_kind`] does not read is ignored.
pub(super) fn ignored(kind: &str) -> Ignored {
    match kind {
        _ if kind.starts_with("charge.dispute.") => Ignored::Dispute,
        _ => Ignored::OtherKind,
    }
}

/// A charge that was made without a `PaymentIntent`: no other event will report its money.
fn bare_charge(object: &Object) -> Result<Reading, Ignored> {
    let bare = object.get("payment_intent").is_none_or(|intent| *intent == Json::Other);
    if !bare || reference::payment(object, ObjectKind::Charge) == (None, None) {
        return Err(Ignored::OtherKind);
    }
    Ok(Reading {
        review: Some(without_intent()),
        ..Reading::of(ObjectKind::Charge, Some(Outcome::Paid), "amount")
    })
}

/// The mismatch of a charge that was made without a `PaymentIntent`.
pub(super) fn without_intent() -> Mismatch {
    let received = "a charge without a PaymentIntent: collect by PaymentIntent or Checkout";
    Mismatch::absent(MismatchField::Reference, Some(received))
}

/// `amount_refunded` is the total so far. It counts refunds that may still fail.
fn charge(object: &Object) -> Reading {
    let total = optional(object, "amount_refunded", Json::as_integer);
    let (refund, review) = match (total, optional(object, "refunded", Json::as_bool)) {
        (_, Err(UnknownType)) => (None, Some(unknown(MismatchField::Outcome, "refunded"))),
        (Ok(Some(total)), Ok(_)) => (Some(RefundReport::Total(total)), None),
        // All of it.
        (Ok(None), Ok(Some(true))) => (None, None),
        (Ok(None), Ok(Some(false) | None)) | (Err(UnknownType), Ok(_)) => {
            (None, Some(unknown(MismatchField::Outcome, "amount_refunded")))
        }
    };
    let outcome = review.is_none().then_some(Outcome::Refunded);
    Reading { refund, review, ..Reading::of(ObjectKind::Charge, outcome, "amount") }
}

/// One refund. Its `amount` is the refund's: how much was paid it does not say. Of the types only
/// `refund.failed` says where it stands.
pub(super) fn refund(kind: &str, object: &Object) -> Reading {
    let state = match optional(object, "status", Json::as_text) {
        _ if kind == "refund.failed" => Ok(RefundState::Failed),
        Ok(Some("failed" | "canceled")) => Ok(RefundState::Failed),
        Ok(Some("succeeded")) => Ok(RefundState::Succeeded),
        Ok(Some("pending" | "requires_action")) => Ok(RefundState::Pending),
        Ok(_) | Err(UnknownType) => Err("status"),
    };
    let id = object.text("id").and_then(|id| ProviderRefund::new(id).ok()).ok_or("id");
    let amount_minor = object.integer("amount").ok_or("amount");
    let one = state.and_then(|state| {
        let (id, amount_minor) = (id?, amount_minor?);
        let reference = reference::refund(object);
        Ok(RefundReport::One { id, reference, amount_minor, state })
    });
    let review = one.as_ref().err().map(|name| unknown(MismatchField::Outcome, name));
    let outcome = one.is_ok().then_some(Outcome::Refunded);
    Reading { outcome, refund: one.ok(), review, object: ObjectKind::Refund, amount: None }
}

/// The mismatch of a Checkout session that ended without a payment.
pub(super) fn needed_no_payment() -> Mismatch {
    let received = "a checkout session that needed no payment";
    Mismatch::absent(MismatchField::Outcome, Some(received))
}

/// A Checkout session. It ends in one of the outcomes; `payment_status` must agree with the type.
pub(super) fn session(event: &str, object: &Object) -> Result<Reading, Ignored> {
    let reading = |outcome, review| Reading {
        review,
        ..Reading::of(ObjectKind::Session, outcome, "amount_total")
    };
    let status = optional(object, "payment_status", Json::as_text);
    let outcome = match (event, status) {
        // A delayed payment method: its end is reported by `async_payment_…`.
        ("completed", Ok(Some("unpaid"))) => return Err(Ignored::Unpaid),
        ("completed" | "async_payment_succeeded", Ok(Some("paid"))) => Outcome::Paid,
        ("completed", Ok(Some("no_payment_required"))) => {
            if reference::payment(object, ObjectKind::Session) == (None, None) {
                return Err(Ignored::Free);
            }
            return Ok(reading(None, Some(needed_no_payment())));
        }
        // Another session may still be paid.
        ("async_payment_failed", Ok(Some("unpaid") | None)) => Outcome::Failed,
        // It cannot be paid any more.
        ("expired", Ok(Some("unpaid" | "no_payment_required") | None)) => Outcome::Closed,
        ("completed" | "async_payment_succeeded" | "async_payment_failed" | "expired", _) => {
            let review = unknown(MismatchField::Outcome, "payment_status");
            return Ok(reading(None, Some(review)));
        }
        _ => return Err(Ignored::OtherKind),
    };
    Ok(reading(Some(outcome), None))
}
