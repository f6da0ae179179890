//! How each function starts: the only place that reads the process environment and the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use lambda_runtime::{Error, service_fn};
use pay_core::{domain::Timestamp, ports::Cause};
use tracing::level_filters::LevelFilter;

use crate::{
    http::{Answer, Door, Invocation, Refusal, serve},
    telemetry,
};

/// A variable of the process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one lookup that is handed to config")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one clock that is handed to the edge")]
pub fn clock() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since_1970.as_millis()).unwrap_or(Timestamp::MAX_MILLIS);
    Timestamp::EPOCH.plus_millis(millis)
}

/// Serves invocations until the platform ends the process.
///
/// # Errors
///
/// When the Lambda runtime itself fails.
pub async fn run<F>(body_max: usize, handle: impl Fn(Door, Invocation) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<Answer, Refusal>>,
{
    let serve = service_fn(|event| serve(event, clock, body_max, &handle));
    // Boxed once, for the life of the process: it holds the largest request's state.
    Box::pin(lambda_runtime::run(serve)).await
}

/// Serves a function that could not be wired: every caller is told to come back, the log is told
/// why.
///
/// # Errors
///
/// When the Lambda runtime itself fails.
pub async fn out_of_order(error: Cause) -> Result<(), Error> {
    telemetry::init(LevelFilter::INFO, environment);
    let cause = error.to_string();
    tracing::error!(cause, "not started: every request is answered `unavailable`");
    let cause = cause.as_str();
    run(usize::MAX, move |_door, _invocation| async move {
        Err(Refusal::unavailable(format!("not started: {cause}")))
    })
    .await
}
