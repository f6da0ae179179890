//! The native body: that of the replaced service, and three optional members.

use pay_core::domain::{
    Amount, Claims, Currency, EventId, Notification, OrderId, OutOfRange, Outcome, PaymentId,
    ProviderRef, ProviderTxn, RawBody, RefundReport, Report, Sender, Source, Status, UserId,
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
    let refunded = fields.optional_number("refunded", refunded)?;
    let (outcome, refund) = outcome(status, amount_minor, refunded)?;
    Ok(Notification {
        sender: Sender::Native,
        event_id,
        payment: Some(payment),
        claims: Some(claims),
        wrong_account: None,
        review: None,
        queried: false,
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

/// What the status reports. What went back must fit it: nothing before it was paid, and all of it once it
/// is refunded.
fn outcome(
    status: Status,
    amount_minor: u64,
    refunded: Option<u64>,
) -> Result<(Option<Outcome>, Option<RefundReport>), Problem> {
    let bad = || Problem::bad_field("refunded");
    let plain = match (status, refunded) {
        (Status::Paid, Some(total)) if total > 0 => {
            return Ok((Some(Outcome::Refunded), Some(RefundReport::Total(total))));
        }
        (Status::Refunded, None) => return Ok((Some(Outcome::Refunded), None)),
        (Status::Refunded, Some(total)) if total == amount_minor => {
            return Ok((Some(Outcome::Refunded), None));
        }
        (Status::Refunded, Some(_)) => return Err(bad()),
        (Status::Pending | Status::Failed | Status::Closed, Some(total)) if total > 0 => {
            return Err(bad());
        }
        (Status::Pending, _) => None,
        (Status::Failed, _) => Some(Outcome::Failed),
        (Status::Closed, _) => Some(Outcome::Closed),
        (Status::Paid, _) => Some(Outcome::Paid),
    };
    Ok((plain, None))
}
