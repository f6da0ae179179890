//! The native body: the one the replaced service took, and two optional names.

use pay_core::{
    domain::{
        Amount, Currency, EventId, Money, OrderId, Outcome, PaymentId, Provider, ProviderTxn,
        RawBody, Report, Source, Status, UserId,
    },
    usecases::callback::{Claims, Notice},
};
use pay_service::http::{Fields, Refusal};

/// Reads a native message.
///
/// # Errors
///
/// [`pay_service::http::Code::InvalidRequest`] for a name that is missing or out of range.
pub(crate) fn notice(fields: &Fields, event_id: EventId, body: RawBody) -> Result<Notice, Refusal> {
    let payment = fields.required_number("id", PaymentId::new)?;
    let claims = Claims {
        uid: fields.required_number("uid", UserId::new)?,
        oid: fields.required_number("oid", OrderId::new)?,
    };
    let amount_minor = fields.required_number("amount", Amount::check_minor)?;
    let source = fields.required_number("source", Source::new)?;
    let report = report(fields.required_number("status", Status::new)?);
    let currency = fields.optional_text("currency", Currency::new)?;
    let txn = fields.optional_text("provider_txn", ProviderTxn::new)?;
    Ok(Notice {
        provider: Provider::Native,
        event_id,
        payment: Some(payment),
        claims: Some(claims),
        amount_minor: Some(amount_minor),
        currency: currency.map(|currency| currency.code().to_owned()),
        foreign: false,
        report,
        money: Money { source, txn },
        body,
    })
}

fn report(status: Status) -> Report {
    match status {
        Status::Pending => Report::Nothing,
        Status::Failed => Report::Outcome(Outcome::Failed),
        Status::Closed => Report::Outcome(Outcome::Closed),
        Status::Paid => Report::Outcome(Outcome::Paid),
        Status::Refunded => Report::Outcome(Outcome::Refunded),
    }
}
