//! One invocation, from event to reply: entry point, deadline, catch of panics, log line.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;
use lambda_runtime::{Context, LambdaEvent};
use pay_core::{
    domain::{PaymentId, Timestamp},
    limits::SWEEP_ENTRY_MS,
    ports::{self, TraceParent},
};
use serde_json::value::RawValue;
use tokio::time;

use super::{ApiRequest, Code, FunctionError, Problem, Reply, Response, api::EventKind};
use crate::{
    limits::{API_RESPONSE_MS, RESPONSE_RESERVE_MS},
    metrics,
    usage::{self, Usage},
};

/// Whether no invocation has come to this process yet.
static COLD: AtomicBool = AtomicBool::new(true);

/// A request, by the entry point that it came through.
#[derive(Debug)]
pub enum EntryPoint {
    /// Through API Gateway: from anybody.
    HttpApi(ApiRequest),
    /// By direct invoke, which IAM authenticated: the bare request.
    Direct(Box<RawValue>),
}

/// What a handler needs to know of the invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// When it came.
    pub now: Timestamp,
    /// When the response must be sent, by the same clock.
    pub until: Timestamp,
    /// The trace its calls are part of.
    pub trace: TraceParent,
}

impl Invocation {
    /// Whether there is still time for a call of a provider and for what its response writes, asked at any
    /// moment from now on.
    pub fn may_call_provider(&self) -> impl Fn() -> bool + use<> {
        let left = Duration::from_millis(self.until.millis().saturating_sub(self.now.millis()));
        let (begun, call) = (time::Instant::now(), Duration::from_millis(SWEEP_ENTRY_MS));
        move || left.saturating_sub(begun.elapsed()) >= call
    }
}

/// Serves one invocation: reads the event, has `handle` make the response, and replies through the same entry point.
///
/// Bodies and bare requests may be `body_max` bytes long. Whatever `handle` does, there is a reply
/// half a second before the deadline, through the API within 9.5 seconds; a panic in it is a
/// [`Code::Internal`].
///
/// # Errors
///
/// [`FunctionError`], only for a direct call.
pub async fn serve<F>(
    event: LambdaEvent<Box<RawValue>>,
    clock: impl Fn() -> Timestamp,
    body_max: usize,
    handle: impl FnOnce(EntryPoint, Invocation) -> F,
) -> Result<Reply, FunctionError>
where
    F: Future<Output = Result<Response, Problem>>,
{
    let LambdaEvent { payload, context } = event;
    let now = clock();
    let cold = COLD.swap(false, Ordering::Relaxed);
    let kind = EventKind::of(&payload);
    let opened = open(payload, kind, body_max);
    let trace = trace(opened.as_ref().ok(), &context);
    let (outcome, used) = match opened {
        Ok(entry_point) => {
            let left_ms = left_ms(&entry_point, context.deadline, now);
            let until = now.plus_millis(left_ms);
            let invocation = Invocation { now, until, trace: trace.clone() };
            let work = async { handle(entry_point, invocation).await };
            // Boxed: each layer around it would else hold it once more.
            usage::of(Box::pin(respond_in_time(work, left_ms))).await
        }
        Err(problem) => (Err(problem), Usage::default()),
    };
    let duration_ms = clock().millis().saturating_sub(now.millis());
    let entry_point = match kind {
        EventKind::Direct => "direct",
        EventKind::HttpApi | EventKind::Other(_) => "http-api",
    };
    log(
        &outcome,
        &Served { request_id: &context.request_id, entry_point, duration_ms, cold, trace, used },
    );
    count(&outcome);
    metrics::flush();
    match kind {
        EventKind::Direct => Reply::direct(outcome, &context.request_id),
        EventKind::HttpApi => Ok(Reply::api(outcome, &context.request_id)),
        EventKind::Other(form) => Ok(Reply::other(outcome, &context.request_id, form)),
    }
}

fn left_ms(entry_point: &EntryPoint, deadline_ms: u64, now: Timestamp) -> u64 {
    let left_ms = deadline_ms.saturating_sub(now.millis()).saturating_sub(RESPONSE_RESERVE_MS);
    match entry_point {
        EntryPoint::HttpApi(_) => left_ms.min(API_RESPONSE_MS),
        EntryPoint::Direct(_) => left_ms,
    }
}

fn open(event: Box<RawValue>, kind: EventKind, body_max: usize) -> Result<EntryPoint, Problem> {
    match kind {
        EventKind::HttpApi => ApiRequest::read(&event, body_max).map(EntryPoint::HttpApi),
        EventKind::Other(_) => {
            tracing::warn!("request of another kind of API or of a load balancer");
            Err(Problem::other_event())
        }
        EventKind::Direct if event.get().len() > body_max => Err(Code::BodyTooLarge.into()),
        EventKind::Direct => Ok(EntryPoint::Direct(event)),
    }
}

async fn respond_in_time(
    work: impl Future<Output = Result<Response, Problem>>,
    left_ms: u64,
) -> Result<Response, Problem> {
    // Nothing is shared with a later request but what its owner keeps consistent at every await.
    let caught = AssertUnwindSafe(work).catch_unwind();
    match time::timeout(Duration::from_millis(left_ms), caught).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err(Problem::internal("a panic; its place was logged")),
        Err(_elapsed) => Err(Problem::unavailable("the deadline came first")),
    }
}

/// The caller's trace, else the platform's, else one of our own named after the invocation.
fn trace(entry_point: Option<&EntryPoint>, context: &Context) -> TraceParent {
    let callers = match entry_point {
        Some(EntryPoint::HttpApi(request)) => request.header("traceparent").ok().flatten(),
        Some(EntryPoint::Direct(_)) | None => None,
    };
    let platforms = || context.xray_trace_id.as_deref().and_then(from_xray);
    callers.and_then(TraceParent::parse).or_else(platforms).unwrap_or_else(|| {
        let digits: String = context.request_id.chars().filter(char::is_ascii_hexdigit).collect();
        let trace = u128::from_str_radix(&digits, 16).unwrap_or_default();
        TraceParent::start(trace, u64::try_from(trace & u128::from(u64::MAX)).unwrap_or_default())
    })
}

/// `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=<0|1>` as a `traceparent`.
///
/// Source: AWS X-Ray Developer Guide, "Tracing header".
fn from_xray(header: &str) -> Option<TraceParent> {
    let part = |name: &str| header.split(';').find_map(|part| part.trim().strip_prefix(name));
    let root = part("Root=1-")?.replace('-', "");
    let flags = if part("Sampled=") == Some("1") { "01" } else { "00" };
    TraceParent::parse(&format!("00-{root}-{}-{flags}", part("Parent=")?))
}

fn count(outcome: &Result<Response, Problem>) {
    match outcome {
        Err(Problem { code: Code::Unavailable, .. }) => metrics::UNAVAILABLE.count(),
        Err(Problem { code: Code::Internal, .. }) => metrics::FAULTS.count(),
        Ok(_) | Err(_) => {}
    }
}

/// What the line of an invocation has beside the outcome.
struct Served<'a> {
    request_id: &'a str,
    entry_point: &'static str,
    duration_ms: u64,
    cold: bool,
    trace: TraceParent,
    used: Usage,
}

/// The one line of an invocation. Never a body, a token, a signature.
fn log(outcome: &Result<Response, Problem>, served: &Served<'_>) {
    let Served { request_id, entry_point, duration_ms, cold, trace, used } = served;
    let trace_id = trace.trace_id();
    let problem = outcome.as_ref().err();
    let payment_id =
        outcome.as_ref().ok().and_then(|response| response.payment).map(PaymentId::get);
    let cause =
        problem.and_then(|problem| problem.cause.as_deref()).map(|cause| ports::chain(cause));
    let (message, code) = match (problem, &cause) {
        (None, _) => ("succeeded", "ok"),
        (Some(problem), None) => ("rejected", problem.code.as_str()),
        (Some(problem), Some(_)) => ("failed", problem.code.as_str()),
    };
    let [dynamodb, secrets, shop] = [used.dynamodb, used.secrets_manager, used.shop];
    // Most invocations make no such call, and their lines do not mention it.
    let providers = (used.providers.count > 0).then_some(used.providers);
    // A level is fixed where a line is written.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id,
                entry_point,
                outcome = code,
                payment_id,
                cause,
                duration_ms,
                cold,
                trace_id,
                dynamodb_calls = dynamodb.count,
                dynamodb_ms = millis(dynamodb.time),
                read_units = used.read_units,
                write_units = used.write_units,
                shop_calls = shop.count,
                shop_ms = millis(shop.time),
                secrets_calls = secrets.count,
                secrets_ms = millis(secrets.time),
                provider_calls = providers.map(|calls| calls.count),
                provider_ms = providers.map(|calls| millis(calls.time)),
                "{message}"
            )
        };
    }
    if cause.is_some() {
        line!(error);
    } else {
        line!(info);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
