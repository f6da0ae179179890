//! What a failed call means, and the one loop that retries writes.

use std::{error::Error, time::Duration};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use aws_smithy_runtime_api::client::result::DispatchFailure;
use pay_core::ports::{Cause, StoreError, chain};
use tokio::time::{Instant, sleep};

use crate::{
    adapters::{aws::NotSent, ids::random_u64},
    limits::{STORE_ATTEMPTS_MAX, STORE_BACKOFF_FIRST_MS, STORE_BACKOFF_MAX_MS, STORE_RETRIES_MS},
};

/// Why one attempt gave no result.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// Another request was changing the same items. This attempt wrote nothing, and never will.
    Conflict(Cause),
    /// Throttled, or not even sent: nothing was written.
    Throttled(Cause),
    /// It may have been carried out, or may be yet.
    Unknown(Cause),
    /// Rejected, and would be again.
    Fault(Cause),
}

impl AttemptError {
    /// What it means for a read, which the SDK has retried already.
    pub(super) fn of_read(self) -> StoreError {
        match self {
            Self::Conflict(cause) | Self::Throttled(cause) | Self::Unknown(cause) => {
                StoreError::Unavailable(cause)
            }
            Self::Fault(cause) => StoreError::Fault(cause),
        }
    }
}

/// Makes a write, with retries, until it has a result.
///
/// `attempt` gets the idempotency token to send. It stays the same while an earlier attempt may have
/// been carried out, so that the retry succeeds if it was. It changes after a conflict, because a token
/// stands for one transaction with one end.
///
/// # Errors
///
/// [`StoreError::Unknown`] once the outcome of one attempt is unknown, however the last one failed;
/// else [`StoreError::Unavailable`] when attempts or time are used up, and [`StoreError::Fault`].
pub(super) async fn write<T, F>(mut attempt: impl FnMut(String) -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, AttemptError>>,
{
    let mut backoff = Backoff::start();
    let mut token = new_token();
    let mut unknown = false;
    loop {
        let cause = match attempt(token.clone()).await {
            Ok(result) => return Ok(result),
            Err(AttemptError::Fault(cause)) if unknown => return Err(StoreError::Unknown(cause)),
            Err(AttemptError::Fault(cause)) => return Err(StoreError::Fault(cause)),
            Err(AttemptError::Throttled(cause)) => cause,
            Err(AttemptError::Conflict(cause)) => {
                token = new_token();
                cause
            }
            Err(AttemptError::Unknown(cause)) => {
                unknown = true;
                cause
            }
        };
        match backoff.next_delay() {
            Some(delay) => sleep(delay).await,
            None if unknown => return Err(StoreError::Unknown(cause)),
            None => return Err(StoreError::Unavailable(cause)),
        }
    }
}

/// 32 hexadecimal digits; the API allows up to 36 characters.
fn new_token() -> String {
    format!("{:016x}{:016x}", random_u64(), random_u64())
}

/// Growing, jittered delays, until attempts or time are used up.
#[derive(Debug)]
pub(super) struct Backoff {
    started: Instant,
    attempts: u32,
    ceiling_ms: u64,
}

impl Backoff {
    /// The first attempt starts now.
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), attempts: 1, ceiling_ms: STORE_BACKOFF_FIRST_MS }
    }

    /// How long to wait before the next attempt; `None` if there is none.
    pub(super) fn next_delay(&mut self) -> Option<Duration> {
        // Half of it is random: writers that collided must not collide again.
        let half_ms = self.ceiling_ms / 2;
        let jitter_ms = random_u64().checked_rem(half_ms.saturating_add(1))?;
        let delay = Duration::from_millis(half_ms.saturating_add(jitter_ms));
        let retries = Duration::from_millis(STORE_RETRIES_MS);
        let is_late = self.started.elapsed().saturating_add(delay) > retries;
        if self.attempts >= STORE_ATTEMPTS_MAX || is_late {
            return None;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.ceiling_ms = self.ceiling_ms.saturating_mul(2).min(STORE_BACKOFF_MAX_MS);
        Some(delay)
    }
}

/// What an error of the SDK means.
pub(super) fn classify<E>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> AttemptError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let cause = Cause::from(describe(operation, error));
    match error {
        // Not sent, and never will be: the request or our settings are wrong.
        SdkError::ConstructionFailure(_) => AttemptError::Fault(cause),
        SdkError::DispatchFailure(failure) if failure.is_user() => AttemptError::Fault(cause),
        SdkError::DispatchFailure(failure) if was_not_sent(failure) => {
            AttemptError::Throttled(cause)
        }
        SdkError::ServiceError(response) => {
            by_response(response.err().code(), response.raw().status().as_u16(), cause)
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            AttemptError::Unknown(cause)
        }
        _ => AttemptError::Unknown(cause),
    }
}

fn was_not_sent(failure: &DispatchFailure) -> bool {
    failure.as_connector_error().and_then(Error::source).is_some_and(<dyn Error>::is::<NotSent>)
}

/// Source: Amazon DynamoDB Developer Guide, "Error handling with DynamoDB".
fn by_response(code: Option<&str>, http_status: u16, cause: Cause) -> AttemptError {
    match (code.unwrap_or_default(), http_status) {
        ("TransactionConflictException" | "ReplicatedWriteConflictException", _) => {
            AttemptError::Conflict(cause)
        }
        (
            "ThrottlingException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded",
            _,
        )
        | (_, 429) => AttemptError::Throttled(cause),
        // Both say that another attempt with this token was made or is being made.
        ("TransactionInProgressException" | "IdempotentParameterMismatchException", _) => {
            AttemptError::Unknown(cause)
        }
        (_, 400..=499) => AttemptError::Fault(cause),
        _ => AttemptError::Unknown(cause),
    }
}

/// For the log. Never the SDK's own debug text: that holds whole responses, with buyers' data.
fn describe<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(response) = error {
        return format!(
            "{operation}: {} (HTTP {}, request {}): {}",
            response.err().code().unwrap_or("no code"),
            response.raw().status().as_u16(),
            error.request_id().unwrap_or("unnamed"),
            response.err().message().unwrap_or("no message"),
        );
    }
    format!("{operation}: {}", chain(error))
}
