//! Reconcile, as the schedule and operators invoke it: `{"reconcile":{"limit":n,"all":false}}`.

use std::time::Duration;

use pay_core::{
    json::Json,
    ports::{Orders, PaymentStore, chain},
    usecases::reconcile::{Reconcile, Reconciled, begins_for_ms, reconcile},
};
use pay_service::{
    http::{Answer, Fields, Invocation, Refusal},
    metrics,
};
use serde_json::json;
use tokio::time::Instant;

use super::App;

/// What a request that names no limit gets.
const LIMIT: u64 = 200;

/// The request that a bare event makes, if it makes one.
///
/// # Errors
///
/// [`pay_service::http::Code::InvalidRequest`].
pub(crate) fn requested(event: &Fields) -> Option<Result<Reconcile, Refusal>> {
    event.get("reconcile").map(|request| {
        let request = request.as_object().ok_or_else(|| Refusal::bad_field("reconcile"))?;
        let all = match request.get("all") {
            None => false,
            Some(all) => all.as_bool().ok_or_else(|| Refusal::bad_field("all"))?,
        };
        let limit = match request.get("limit") {
            None => Some(LIMIT),
            Some(limit) => Json::as_integer(limit),
        };
        limit
            .and_then(|limit| Reconcile::new(limit, all).ok())
            .ok_or_else(|| Refusal::bad_field("limit"))
    })
}

/// Tells the orders on the work list, for as long as what is begun can end in the time there is.
///
/// # Errors
///
/// As the store.
pub(crate) async fn run<S: PaymentStore, U, O: Orders, K, W>(
    app: &App<S, U, O, K, W>,
    request: Reconcile,
    Invocation { now, until, trace }: &Invocation,
) -> Result<Answer, Refusal> {
    let left_ms = until.millis().saturating_sub(now.millis());
    let (started, begins_for) = (Instant::now(), Duration::from_millis(begins_for_ms(left_ms)));
    let go_on = || {
        let passed = started.elapsed();
        let passed_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        (passed < begins_for).then(|| now.plus_millis(passed_ms))
    };
    let done = reconcile(&app.orders, &app.store, request, *now, &go_on, trace).await?;
    let waited = |paid: pay_core::domain::Timestamp| now.secs().saturating_sub(paid.secs());
    let oldest_secs = done.oldest_paid.map(waited);
    log(&done, oldest_secs);
    count(&done, oldest_secs);
    Answer::json(&json!({
        "told": done.told,
        "put_off": done.put_off.len(),
        "failed": done.failed.len(),
        "stale": done.stale,
        "left": done.left,
        "oldest_untold_seconds": oldest_secs,
    }))
}

fn log(done: &Reconciled, oldest_untold_seconds: Option<u64>) {
    for (payment, error) in &done.put_off {
        let (payment_id, cause) = (payment.get(), chain(error));
        tracing::warn!(payment_id, cause, "order not told yet");
    }
    for (payment, error) in &done.failed {
        let (payment_id, cause) = (payment.get(), chain(error));
        tracing::error!(payment_id, cause, "work list entry failed");
    }
    let (put_off, failed) = (done.put_off.len(), done.failed.len());
    let Reconciled { told, stale, left, .. } = done;
    tracing::info!(told, put_off, failed, stale, left, oldest_untold_seconds, "reconciled");
}

fn count(done: &Reconciled, oldest_untold_secs: Option<u64>) {
    let untold = done.put_off.len().saturating_add(done.failed.len()).saturating_add(done.left);
    metrics::ORDERS_UNTOLD.note(u64::try_from(untold).unwrap_or(u64::MAX));
    metrics::OLDEST_UNTOLD.note(oldest_untold_secs.unwrap_or_default());
    for _ in &done.put_off {
        metrics::TELLINGS_FAILED.count();
    }
}
