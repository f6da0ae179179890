//! One invocation, from event to reply: the door, the deadline, the last catch, the log line.

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;
use lambda_runtime::{Context, LambdaEvent};
use pay_core::{
    domain::{PaymentId, Timestamp},
    ports::{self, TraceParent},
};
use serde_json::value::RawValue;
use tokio::time;

use super::{Answer, ApiRequest, Code, FunctionError, Refusal, Reply, api};
use crate::{
    metrics,
    usage::{self, Usage},
};

/// What is kept of an invocation's time for the answer itself.
const ANSWER_RESERVE_MS: u64 = 500;

/// The most that a caller through the API waits: the API gives up after 30 s, payment providers
/// after 5 or more. A function may have longer, for work that nobody waits for.
const API_MAX_MS: u64 = 9_500;

/// Whether no invocation has come to this process yet.
static COLD: AtomicBool = AtomicBool::new(true);

/// A request, and the door it came by.
#[derive(Debug)]
pub enum Door {
    /// Through API Gateway: anybody.
    Api(ApiRequest),
    /// By direct invoke, which IAM allowed: the bare request.
    Direct(Box<RawValue>),
}

/// What a request needs to know of the invocation it came with.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// When it came.
    pub now: Timestamp,
    /// By when it must be answered, by the same clock.
    pub until: Timestamp,
    /// The trace its calls are part of.
    pub trace: TraceParent,
}

/// Serves one invocation: reads the event, has `handle` answer it, and replies by the same door.
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
    handle: impl FnOnce(Door, Invocation) -> F,
) -> Result<Reply, FunctionError>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    let LambdaEvent { payload, context } = event;
    let now = clock();
    let cold = COLD.swap(false, Ordering::Relaxed);
    let through_api = api::is_api(&payload);
    let opened = open(payload, through_api, body_max);
    let trace = trace(opened.as_ref().ok(), &context);
    let (outcome, used) = match opened {
        Ok(door) => {
            let left_ms = left_ms(&door, context.deadline, now);
            let until = now.plus_millis(left_ms);
            let invocation = Invocation { now, until, trace: trace.clone() };
            let work = async { handle(door, invocation).await };
            // Boxed: each layer around it would else hold it once more.
            usage::of(Box::pin(answer_in_time(work, left_ms))).await
        }
        Err(refusal) => (Err(refusal), Usage::default()),
    };
    let duration_ms = clock().millis().saturating_sub(now.millis());
    let door = if through_api { "api" } else { "direct" };
    log(
        &outcome,
        &Served { request_id: &context.request_id, door, duration_ms, cold, trace, used },
    );
    count(&outcome);
    metrics::flush();
    if through_api {
        Ok(Reply::api(outcome, &context.request_id))
    } else {
        Reply::direct(outcome, &context.request_id)
    }
}

fn left_ms(door: &Door, deadline_ms: u64, now: Timestamp) -> u64 {
    let left_ms = deadline_ms.saturating_sub(now.millis()).saturating_sub(ANSWER_RESERVE_MS);
    match door {
        Door::Api(_) => left_ms.min(API_MAX_MS),
        Door::Direct(_) => left_ms,
    }
}

fn open(event: Box<RawValue>, through_api: bool, body_max: usize) -> Result<Door, Refusal> {
    if through_api {
        ApiRequest::read(&event, body_max).map(Door::Api)
    } else if event.get().len() > body_max {
        Err(Code::BodyTooLarge.into())
    } else {
        Ok(Door::Direct(event))
    }
}

async fn answer_in_time(
    work: impl Future<Output = Result<Answer, Refusal>>,
    left_ms: u64,
) -> Result<Answer, Refusal> {
    // Nothing is shared with a later request but what its owner keeps consistent at every await.
    let caught = AssertUnwindSafe(work).catch_unwind();
    match time::timeout(Duration::from_millis(left_ms), caught).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => Err(Refusal::internal("a panic; its place was logged")),
        Err(_elapsed) => Err(Refusal::unavailable("the deadline came first")),
    }
}

/// The caller's trace, else the platform's, else one of our own named after the invocation.
fn trace(door: Option<&Door>, context: &Context) -> TraceParent {
    let callers = match door {
        Some(Door::Api(request)) => request.header("traceparent").ok().flatten(),
        Some(Door::Direct(_)) | None => None,
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

fn count(outcome: &Result<Answer, Refusal>) {
    match outcome {
        Err(Refusal { code: Code::Unavailable, .. }) => metrics::UNAVAILABLE.count(),
        Err(Refusal { code: Code::Internal, .. }) => metrics::FAULTS.count(),
        Ok(_) | Err(_) => {}
    }
}

/// What the line of an invocation says beside the outcome.
struct Served<'a> {
    request_id: &'a str,
    door: &'static str,
    duration_ms: u64,
    cold: bool,
    trace: TraceParent,
    used: Usage,
}

/// The one line of an invocation. Never a body, a token, a signature.
fn log(outcome: &Result<Answer, Refusal>, served: &Served<'_>) {
    let Served { request_id, door, duration_ms, cold, trace, used } = served;
    let trace_id = trace.trace_id();
    let refusal = outcome.as_ref().err();
    let payment_id = outcome.as_ref().ok().and_then(|answer| answer.payment).map(PaymentId::get);
    let cause =
        refusal.and_then(|refusal| refusal.cause.as_deref()).map(|cause| ports::chain(cause));
    let (said, code) = match (refusal, &cause) {
        (None, _) => ("answered", "ok"),
        (Some(refusal), None) => ("refused", refusal.code.as_str()),
        (Some(refusal), Some(_)) => ("failed", refusal.code.as_str()),
    };
    let [dynamodb, secrets, shop] = [used.dynamodb, used.secrets_manager, used.shop];
    // A level is fixed where a line is written.
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id,
                door,
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
                "{said}"
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
