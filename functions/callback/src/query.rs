//! Asking providers about one payment, as operators do by direct invoke: `{"operation":"query","id":n}`.

use pay_core::{
    domain::{Notification, PaymentId},
    ports::{Payments, Query, QueryError, chain},
    usecases::{
        apply::{Applied, ApplyError},
        query::{AnyQueryPorts, Queried, providers_of, query_payment},
    },
};
use pay_providers::Ignored;
use pay_service::{
    http::{Code, Fields, Invocation, Problem, Response},
    outcome,
};
use serde_json::{Value, json};

/// Asks each provider that may have collected a payment, and applies what they report.
///
/// # Errors
///
/// [`Code::InvalidRequest`]: `id`; [`Code::PaymentNotFound`]; those of the store. A provider without a
/// usable response is no error: the response says why.
pub(crate) async fn run(
    ports: &impl AnyQueryPorts,
    fields: &Fields,
    Invocation { now, trace, .. }: &Invocation,
) -> Result<Response, Problem> {
    let id = fields.required_number("id", PaymentId::new)?;
    let payment = ports.store().payment(id).await?.ok_or(Code::PaymentNotFound)?;
    let mut queries = Vec::new();
    let providers = providers_of(ports, &payment, *now).await.map_err(Problem::unavailable)?;
    for provider in providers {
        for queried in query_payment(ports, provider, &payment, &|| true, *now, trace).await {
            for (sent, applied) in &queried.applied {
                outcome::record(sent, applied);
            }
            queries.push(shown(&queried));
        }
    }
    let payment = ports.store().payment(id).await?.ok_or(Code::PaymentNotFound)?;
    let body = json!({
        "id": id.get(),
        "status": payment.status.code(),
        "refunded": payment.refunded(),
        "queries": queries,
    });
    Ok(Response::json(&body)?.about(id))
}

fn shown(queried: &Queried) -> Value {
    let Queried { provider, query, state, applied } = queried;
    let query = match query {
        Query::Payment { txn: None, .. } => "payment by our reference",
        Query::Payment { txn: Some(_), .. } => "payment by its transaction",
        Query::Checkout { .. } => "checkout",
        Query::Refunds { .. } => "refunds",
        Query::Refund { .. } => "refund",
        Query::Object(_) => "object",
    };
    let reports: Vec<_> = applied.iter().map(|(sent, applied)| report(sent, applied)).collect();
    json!({
        "provider": provider.as_str(),
        "query": query,
        "state": state.as_ref().ok().map(|state| state.as_str()),
        "reason": state.as_ref().err().map(|error: &QueryError| chain(error)),
        "reports": reports,
    })
}

fn report(sent: &Notification, applied: &Result<Applied, ApplyError>) -> Value {
    let (verdict, reason) = match applied {
        Ok(applied) => (Some(applied.verdict.as_str()), None),
        Err(ApplyError::Mismatch(mismatch)) => (Some("quarantined"), Some(mismatch.to_string())),
        Err(ApplyError::NotOurs) => (Some("ignored"), Some(Ignored::NotOurs.text().to_owned())),
        Err(ApplyError::Failed(failure)) => (None, Some(chain(failure))),
    };
    json!({
        "event_id": sent.event_id.as_str(),
        "outcome": sent.report.outcome.map(pay_core::domain::Outcome::as_str),
        "verdict": verdict,
        "reason": reason,
    })
}
