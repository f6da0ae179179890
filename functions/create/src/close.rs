//! The end of a payment that nobody is to pay any more: `POST /api/pay/close`, and the same by direct invoke.

use pay_core::{
    domain::{PaymentId, RawBody},
    usecases::{
        close::{ClosePayment, ClosedPayment, close},
        query::{AnyQueryPorts, Observe},
    },
};
use pay_service::{
    http::{Fields, Invocation, Problem, Response, payment_body, sha256},
    metrics, outcome,
};

use crate::Asker;

/// Reads a request.
///
/// # Errors
///
/// [`pay_service::http::Code::InvalidRequest`]: `id`.
pub(crate) fn read(
    fields: &Fields,
    Asker { payer, sender }: Asker,
    body: &[u8],
) -> Result<ClosePayment, Problem> {
    let id = fields.required_number("id", PaymentId::new)?;
    Ok(ClosePayment { id, payer, sender, body: RawBody::new(body, sha256(&[body])) })
}

/// Closes the payment, as far as that can be done now, and shows it as detail does.
///
/// # Errors
///
/// Those of [`pay_core::usecases::close`].
pub(crate) async fn run(
    ports: &impl AnyQueryPorts,
    request: &ClosePayment,
    invocation: &Invocation,
) -> Result<Response, Problem> {
    let Invocation { now, trace, .. } = invocation;
    let may_start = invocation.may_call_provider();
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&outcome::record, &may_start);
    let ClosedPayment { payment, is_new } = close(ports, request, how, *now, trace).await?;
    // What a notification has closed is counted where that is observed.
    if is_new {
        metrics::PAYMENTS_CLOSED.count();
    }
    Ok(Response::json(&payment_body(&payment)?)?.about(payment.id))
}
