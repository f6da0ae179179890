//! The native body: the one the replaced service took, and two optional names.

use pay::{
    domain::{
        Amount, Currency, EventId, Money, OrderId, Outcome, PaymentId, Provider, ProviderTxn,
        RawBody, Source, Status, UserId,
    },
    http::{Fields, Refusal},
    usecases::callback::{Claims, Notice, Report},
};

/// Reads a native message.
///
/// # Errors
///
/// [`pay::http::Code::InvalidRequest`] for a name that is missing or out of range.
pub(crate) fn notice(fields: &Fields, event_id: EventId, body: RawBody) -> Result<Notice, Refusal> {
    let payment = fields.required("id", PaymentId::new)?;
    let claims = Claims {
        uid: fields.required("uid", UserId::new)?,
        oid: fields.required("oid", OrderId::new)?,
    };
    let amount_minor = fields.required("amount", Amount::check_minor)?;
    let source = fields.required("source", Source::new)?;
    let report = report(fields.required("status", Status::new)?);
    let currency = fields.text("currency", Currency::new)?;
    let txn = fields.text("provider_txn", ProviderTxn::new)?;
    Ok(Notice {
        provider: Provider::Native,
        event_id,
        payment: Some(payment),
        claims: Some(claims),
        amount_minor: Some(amount_minor),
        currency: currency.map(|currency| currency.code().to_owned()),
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
