//! The native body: that of the replaced service, and two optional members.

use pay_core::domain::{
    Amount, Claims, Currency, EventId, Notification, OrderId, Outcome, PaymentId, ProviderRef,
    ProviderTxn, RawBody, Report, Sender, Source, Status, UserId,
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
    let outcome = outcome(fields.required_number("status", Status::new)?);
    let currency = fields.optional_text("currency", Currency::new)?;
    let txn = fields.optional_text("provider_txn", ProviderTxn::new)?;
    Ok(Notification {
        sender: Sender::Native,
        event_id,
        payment: Some(payment),
        claims: Some(claims),
        wrong_account: None,
        review: None,
        report: Report {
            outcome,
            reference: ProviderRef { source, txn },
            amount_minor: Some(amount_minor),
            currency: currency.map(|currency| currency.code().to_owned()),
        },
        body,
    })
}

fn outcome(status: Status) -> Option<Outcome> {
    match status {
        Status::Pending => None,
        Status::Failed => Some(Outcome::Failed),
        Status::Closed => Some(Outcome::Closed),
        Status::Paid => Some(Outcome::Paid),
        Status::Refunded => Some(Outcome::Refunded),
    }
}
