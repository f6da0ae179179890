//! A refund that the shop or an operator asks for: `POST /api/pay/refund`, and the same by direct invoke.

use pay_core::{
    domain::{Amount, PaymentId, RawBody, RefundId, RefundReason, Sender},
    ports::chain,
    usecases::{
        query::{AnyQueryPorts, Observe},
        refund::{Carried, RefundPayment, go_on, refund},
    },
};
use pay_service::{
    http::{Fields, IDEMPOTENCY_FIELD, Invocation, Problem, Response, idempotency_digest, sha256},
    outcome,
};
use serde_json::json;

/// Reads a request.
///
/// # Errors
///
/// [`pay_service::http::Code::InvalidRequest`]: `id`, `amount`, `reason`, then the key.
pub(crate) fn read(
    fields: &Fields,
    key: Option<&str>,
    sender: Sender,
    body: &[u8],
) -> Result<RefundPayment, Problem> {
    let id = fields.required_number("id", PaymentId::new)?;
    let amount_minor = fields.optional_number("amount", Amount::check_minor)?;
    let reason = fields.optional_text("reason", RefundReason::new)?;
    let key = key.ok_or_else(|| Problem::invalid("a refund needs an Idempotency-Key"))?;
    let key = idempotency_digest(id.get(), key)?;
    let body = RawBody::new(body, sha256(&[body]));
    Ok(RefundPayment { id, amount_minor, key, reason, sender, body })
}

/// What is asked for.
pub(crate) enum WantedRefund {
    /// A refund by a key, which may be new.
    Keyed(RefundPayment),
    /// To go on with a refund that is kept.
    Kept(PaymentId, RefundId),
}

/// Reads a direct request: of a refund that is kept it names the id, not a key.
///
/// # Errors
///
/// As [`read`]; [`pay_service::http::Code::InvalidRequest`] for a `refund_id` that can be none.
pub(crate) fn read_direct(fields: &Fields, body: &[u8]) -> Result<WantedRefund, Problem> {
    if let Some(refund) = fields.optional_text("refund_id", RefundId::new)? {
        return Ok(WantedRefund::Kept(fields.required_number("id", PaymentId::new)?, refund));
    }
    let key = fields.optional_text(IDEMPOTENCY_FIELD, |key| Ok(key.to_owned()))?;
    read(fields, key.as_deref(), Sender::Operator, body).map(WantedRefund::Keyed)
}

/// Makes the refund, or says what became of it. One whose outcome is not known yet is `requested`: the sweep
/// goes on with it. A provider is called only while there is time for the call and for what it writes.
///
/// # Errors
///
/// Those of [`pay_core::usecases::refund`].
pub(crate) async fn run(
    ports: &impl AnyQueryPorts,
    wanted: &WantedRefund,
    invocation: &Invocation,
) -> Result<Response, Problem> {
    let Invocation { now, trace, .. } = invocation;
    let may_start = invocation.may_call_provider();
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&outcome::record, &may_start);
    let carried = match wanted {
        WantedRefund::Keyed(request) => refund(ports, request, how, *now, trace).await?,
        WantedRefund::Kept(payment, id) => go_on(ports, (*payment, id), how, *now, trace).await?,
    };
    let Carried { refund, unknown, .. } = carried;
    if let Some(error) = unknown {
        let (payment_id, refund_id) = (refund.payment.get(), refund.id.as_str());
        let cause = chain(&error);
        let state = refund.state.as_str();
        tracing::warn!(payment_id, refund_id, state, cause, "response about a refund not usable");
    }
    let response = Response::json(&json!({
        "id": refund.payment.get(),
        "refund_id": refund.id.as_str(),
        "amount": refund.amount_minor,
        "status": refund.state.as_str(),
    }))?;
    Ok(response.about(refund.payment))
}
