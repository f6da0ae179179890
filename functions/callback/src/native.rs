//! The native body: that of the replaced service, and three optional members.

use pay_core::domain::{
    Amount, Claims, Currency, EventId, Mismatch, MismatchField, Notification, OrderId, OutOfRange,
    Outcome, PaymentId, ProviderRef, ProviderTxn, RawBody, RefundReport, Report, Sender, Source,
    Status, UserId,
};
use pay_service::http::{Fields, Problem};

/// Reads a native notification.
///
/// # Errors
///
/// [`pay_service::http::Code::InvalidRequest`] for a member that is missing or out of range.
pub(crate) fn read(
    fields: &Fields,
    event_id: EventId,
    body: RawBody,
) -> Result<Notification, Problem> {
    let payment = fields.required_number("id", PaymentId::new)?;
    let claims = Claims {
        uid: fields.required_number("uid", UserId::new)?,
        oid: fields.required_number("oid", OrderId::new)?,
    };
    let amount_minor = fields.required_number("amount", Amount::check_minor)?;
    let source = fields.required_number("source", Source::new)?;
    let status = fields.required_number("status", Status::new)?;
    let currency = fields.optional_text("currency", Currency::new)?;
    let txn = fields.optional_text("provider_txn", ProviderTxn::new)?;
    let refunded = fields.optional_number("refunded", refunded)?.unwrap_or_default();
    let (outcome, refund, review) = outcome(status, amount_minor, refunded);
    Ok(Notification {
        sender: Sender::Native,
        event_id,
        payment: Some(payment),
        checkout: None,
        claims: Some(claims),
        wrong_account: None,
        review,
        queried: false,
        is_shared: false,
        report: Report {
            outcome,
            refund,
            reference: ProviderRef { source, txn },
            amount_minor: Some(amount_minor),
            currency: currency.map(|currency| currency.code().to_owned()),
        },
        body,
    })
}

/// What went back so far, in minor units: nothing, or what an amount can be.
fn refunded(minor: u64) -> Result<u64, OutOfRange> {
    if minor == 0 { Ok(0) } else { Amount::check_minor(minor) }
}

/// What the status reports, and the mismatch of what went back where it does not fit the status: nothing
/// before it was paid, and all of it once it is refunded.
fn outcome(
    status: Status,
    amount_minor: u64,
    refunded: u64,
) -> (Option<Outcome>, Option<RefundReport>, Option<Mismatch>) {
    let other = |expected: u64| {
        Some(Mismatch::new(MismatchField::Refunded, Some(expected), Some(refunded)))
    };
    let none = |outcome| (outcome, None, if refunded > 0 { other(0) } else { None });
    match status {
        Status::Pending => none(None),
        Status::Failed => none(Some(Outcome::Failed)),
        Status::Closed => none(Some(Outcome::Closed)),
        Status::Paid if refunded > 0 => {
            (Some(Outcome::Refunded), Some(RefundReport::Total(refunded)), None)
        }
        Status::Paid => (Some(Outcome::Paid), None, None),
        Status::Refunded if refunded > 0 && refunded != amount_minor => {
            (Some(Outcome::Refunded), None, other(amount_minor))
        }
        Status::Refunded => (Some(Outcome::Refunded), None, None),
    }
}
