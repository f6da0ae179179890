//! What a failed call means, and the one loop that repeats writes.

use std::{error::Error, time::Duration};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use aws_smithy_runtime_api::client::result::DispatchFailure;
use pay_core::ports::{Cause, StoreError, chain};
use tokio::time::{Instant, sleep};

use crate::adapters::{aws::NotSent, ids::random_u64};

/// How often a call is made at most.
const MAX_TRIES: u32 = 5;
const FIRST_DELAY_MS: u64 = 25;
const MAX_DELAY_MS: u64 = 200;
/// No try starts later than this after the first. With the timeout of an attempt it is what one
/// write may cost an answer.
const BUDGET: Duration = Duration::from_millis(1_500);

/// Why one attempt gave no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Others were at the same items. Nothing was written, and never will be by this attempt.
    Conflict(Cause),
    /// Throttled, or not even sent: nothing was written.
    Busy(Cause),
    /// It may have been carried out, or may be yet.
    Doubtful(Cause),
    /// Refused, and would be again.
    Fault(Cause),
}

impl Failure {
    /// What it means for a read, which the SDK has repeated already.
    pub(super) fn of_read(self) -> StoreError {
        match self {
            Self::Conflict(cause) | Self::Busy(cause) | Self::Doubtful(cause) => {
                StoreError::Unavailable(cause)
            }
            Self::Fault(cause) => StoreError::Fault(cause),
        }
    }
}

/// Makes a write until it has an answer.
///
/// `attempt` gets the idempotency token to send: the same one while an earlier attempt may have
/// been carried out, so that its repeat succeeds; another after a conflict, since a token stands
/// for one transaction with one end.
///
/// # Errors
///
/// [`StoreError::Unknown`] as soon as one of the attempts was in doubt, however the last one
/// failed; else [`StoreError::Unavailable`] when tries or time are used up, and
/// [`StoreError::Fault`].
pub(super) async fn write<T, F>(mut attempt: impl FnMut(String) -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut backoff = Backoff::start();
    let mut token = new_token();
    let mut doubt = false;
    loop {
        let cause = match attempt(token.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(Failure::Fault(cause)) if doubt => return Err(StoreError::Unknown(cause)),
            Err(Failure::Fault(cause)) => return Err(StoreError::Fault(cause)),
            Err(Failure::Busy(cause)) => cause,
            Err(Failure::Conflict(cause)) => {
                token = new_token();
                cause
            }
            Err(Failure::Doubtful(cause)) => {
                doubt = true;
                cause
            }
        };
        match backoff.next_delay() {
            Some(delay) => sleep(delay).await,
            None if doubt => return Err(StoreError::Unknown(cause)),
            None => return Err(StoreError::Unavailable(cause)),
        }
    }
}

/// At most 36 characters, says the API.
fn new_token() -> String {
    format!("{:016x}{:016x}", random_u64(), random_u64())
}

/// Growing, jittered delays, until tries or time are used up.
#[derive(Debug)]
pub(super) struct Backoff {
    started: Instant,
    tries: u32,
    ceiling_ms: u64,
}

impl Backoff {
    /// The first try is being made now.
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), tries: 1, ceiling_ms: FIRST_DELAY_MS }
    }

    /// How long to wait before the next try; `None` if there is none.
    pub(super) fn next_delay(&mut self) -> Option<Duration> {
        // Half of it is random: whoever collided must not meet again.
        let half_ms = self.ceiling_ms / 2;
        let jitter_ms = random_u64().checked_rem(half_ms.saturating_add(1))?;
        let delay = Duration::from_millis(half_ms.saturating_add(jitter_ms));
        let late = self.started.elapsed().saturating_add(delay) > BUDGET;
        if self.tries >= MAX_TRIES || late {
            return None;
        }
        self.tries = self.tries.saturating_add(1);
        self.ceiling_ms = self.ceiling_ms.saturating_mul(2).min(MAX_DELAY_MS);
        Some(delay)
    }
}

/// Judges an error of the SDK.
pub(super) fn classify<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let cause = Cause::from(describe(operation, error));
    match error {
        // Not sent, and never will be: the request or our settings are wrong.
        SdkError::ConstructionFailure(_) => Failure::Fault(cause),
        SdkError::DispatchFailure(failure) if failure.is_user() => Failure::Fault(cause),
        SdkError::DispatchFailure(failure) if was_not_sent(failure) => Failure::Busy(cause),
        SdkError::ServiceError(answer) => {
            by_answer(answer.err().code(), answer.raw().status().as_u16(), cause)
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Failure::Doubtful(cause)
        }
        _ => Failure::Doubtful(cause),
    }
}

fn was_not_sent(failure: &DispatchFailure) -> bool {
    failure.as_connector_error().and_then(Error::source).is_some_and(<dyn Error>::is::<NotSent>)
}

/// Source: Amazon DynamoDB Developer Guide, "Error handling with DynamoDB".
fn by_answer(code: Option<&str>, http_status: u16, cause: Cause) -> Failure {
    match (code.unwrap_or_default(), http_status) {
        ("TransactionConflictException" | "ReplicatedWriteConflictException", _) => {
            Failure::Conflict(cause)
        }
        (
            "ThrottlingException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded",
            _,
        )
        | (_, 429) => Failure::Busy(cause),
        // Both say that another attempt with this token is or was at work.
        ("TransactionInProgressException" | "IdempotentParameterMismatchException", _) => {
            Failure::Doubtful(cause)
        }
        (_, 400..=499) => Failure::Fault(cause),
        _ => Failure::Doubtful(cause),
    }
}

/// For the log. Never the SDK's own debug text: that holds whole answers, with buyers' data.
fn describe<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(answer) = error {
        return format!(
            "{operation}: {} (HTTP {}, request {}): {}",
            answer.err().code().unwrap_or("no code"),
            answer.raw().status().as_u16(),
            error.request_id().unwrap_or("unnamed"),
            answer.err().message().unwrap_or("no message"),
        );
    }
    format!("{operation}: {}", chain(error))
}
