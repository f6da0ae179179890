//! The sweep, as the schedule and operators invoke it: `{"operation":"sweep","limit":n,"all":false}`, and of one
//! payment `{"operation":"sweep","id":n}`.

use std::time::Duration;

use pay_core::{
    domain::{PaymentId, TimeToLive, Timestamp},
    json::Json,
    ports::{Payments, chain},
    usecases::{
        query::AnyQueryPorts,
        sweep::{Run, Sweep, Swept, starts_for_ms, sweep},
    },
};
use pay_service::{
    http::{Code, Fields, Invocation, Problem, Response},
    limits::SWEEP_LIMIT_DEFAULT,
    metrics, outcome,
};
use serde_json::json;
use tokio::time::Instant;

/// Reads a request.
///
/// # Errors
///
/// [`Code::InvalidRequest`]: `id`, `all`, then `limit`; one payment has neither of the two.
pub(crate) fn read(fields: &Fields) -> Result<Sweep, Problem> {
    if let Some(id) = fields.optional_number("id", PaymentId::new)? {
        let other = ["all", "limit"].into_iter().find(|name| fields.get(name).is_some());
        return other.map_or(Ok(Sweep::of(id)), |name| Err(Problem::bad_field(name)));
    }
    let all = match fields.get("all") {
        None => false,
        Some(all) => all.as_bool().ok_or_else(|| Problem::bad_field("all"))?,
    };
    let limit = match fields.get("limit") {
        None => Some(SWEEP_LIMIT_DEFAULT),
        Some(limit) => Json::as_integer(limit),
    };
    let sweep = limit.and_then(|limit| Sweep::new(limit, all).ok());
    sweep.ok_or_else(|| Problem::bad_field("limit"))
}

/// Sweeps for as long as what it starts can end within the time of the invocation.
///
/// # Errors
///
/// [`Code::PaymentNotFound`], where it is one payment; those of the store.
pub(crate) async fn run(
    ports: &impl AnyQueryPorts,
    (request, time_to_live): (Sweep, Option<TimeToLive>),
    Invocation { now, until, trace }: &Invocation,
) -> Result<Response, Problem> {
    let left_ms = until.millis().saturating_sub(now.millis());
    if let Some(id) = request.only() {
        ports.store().payment(id).await?.ok_or(Code::PaymentNotFound)?;
    }
    let (started, starts_for) = (Instant::now(), Duration::from_millis(starts_for_ms(left_ms)));
    let go_on = || {
        let passed = started.elapsed();
        let passed_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        (passed < starts_for).then(|| now.plus_millis(passed_ms))
    };
    let run = Run { now: *now, go_on: &go_on, observe: &outcome::record, time_to_live, trace };
    let swept = sweep(ports, request, &run).await?;
    let waited = |since: Timestamp| now.secs().saturating_sub(since.secs());
    let oldest_secs = swept.oldest_paid.map(waited);
    let oldest_refund_secs = swept.oldest_refund.map(waited);
    log(&swept, oldest_secs, oldest_refund_secs);
    count_entries(&swept);
    // What one payment says nothing about.
    if request.only().is_none() {
        note_backlog(&swept, oldest_secs, oldest_refund_secs);
    }
    let response = Response::json(&json!({
        "notified": swept.notified,
        "queried": swept.queried,
        "moved": swept.moved,
        "rescheduled": swept.rescheduled.len(),
        "abandoned": swept.abandoned.len(),
        "failed": swept.failed.len(),
        "stale": swept.stale,
        "left": swept.left,
        "oldest_due_seconds": oldest_secs,
        "oldest_refund_seconds": oldest_refund_secs,
    }))?;
    Ok(match request.only() {
        Some(id) => response.about(id),
        None => response,
    })
}

fn log(swept: &Swept, oldest_due_seconds: Option<u64>, oldest_refund_seconds: Option<u64>) {
    for (payment, error) in &swept.rescheduled {
        let (payment_id, cause) = (payment.get(), chain(error));
        tracing::warn!(payment_id, cause, "order service not notified yet");
    }
    for (payment, error) in &swept.failed {
        let (payment_id, cause) = (payment.get(), chain(error));
        tracing::error!(payment_id, cause, "sweep entry failed");
    }
    for payment in &swept.abandoned {
        let payment_id = payment.get();
        tracing::warn!(payment_id, "nobody paid it in time: it is not asked about any more");
    }
    let (rescheduled, failed) = (swept.rescheduled.len(), swept.failed.len());
    let (unknown, abandoned) = (swept.unknown.len(), swept.abandoned.len());
    let Swept { notified, queried, moved, stale, left, .. } = swept;
    tracing::info!(
        notified,
        queried,
        moved,
        unknown,
        rescheduled,
        abandoned,
        failed,
        stale,
        left,
        oldest_due_seconds,
        oldest_refund_seconds,
        "swept"
    );
}

/// How much waits, as the alarms watch it.
fn note_backlog(swept: &Swept, oldest_due_secs: Option<u64>, oldest_refund_secs: Option<u64>) {
    let due = swept.rescheduled.len().saturating_add(swept.failed.len()).saturating_add(swept.left);
    metrics::ORDER_NOTIFICATIONS_DUE.note(u64::try_from(due).unwrap_or(u64::MAX));
    metrics::OLDEST_DUE.note(oldest_due_secs.unwrap_or_default());
    metrics::OLDEST_REFUND.note(oldest_refund_secs.unwrap_or_default());
}

fn count_entries(swept: &Swept) {
    for _ in &swept.rescheduled {
        metrics::ORDER_NOTIFICATIONS_FAILED.count();
    }
    for _ in &swept.abandoned {
        metrics::PAYMENTS_ABANDONED.count();
    }
    for _ in 0..swept.closed {
        metrics::PAYMENTS_CLOSED.count();
    }
}
