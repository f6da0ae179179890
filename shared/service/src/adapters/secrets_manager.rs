//! Keys that live in AWS Secrets Manager and rotate there.
//!
//! Here is the translation of one read; when to read is `rotation`'s. Nothing of a secret's value
//! is ever logged.

mod rotation;

use std::{fmt, sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use pay_core::{
    domain::Timestamp,
    ports::{BadSecret, Cause, Generations, Keys, NoKeys},
};

use rotation::{Rotation, Source, Stage, Version};

/// How long one read may take, whatever the client is set to. A request that has to wait for keys
/// still has to be answered, so this is a part of its time, not all of it.
const READ_DEADLINE: Duration = Duration::from_secs(1);

/// How long the previous version counts after the current one was made, unless configured: the
/// longest life of a token that was signed with it.
pub const DEFAULT_OVERLAP: Duration = Duration::from_hours(24);

/// A secret's keys, kept for the life of the environment and read again on age.
pub struct RotatingSecret<K> {
    stored: Stored,
    rotation: Rotation<K>,
}

impl<K: Clone + Send + Sync> RotatingSecret<K> {
    /// The secret of this name or ARN. `read` makes keys of its text.
    #[must_use]
    pub fn new(
        client: Client,
        id: String,
        read: fn(&str) -> Result<K, BadSecret>,
        overlap: Duration,
    ) -> Self {
        Self {
            stored: Stored { client, id, deadline: READ_DEADLINE },
            rotation: Rotation::new(read, overlap),
        }
    }

    /// Reads the keys ahead of the first request. A failure is logged and left to that request.
    pub async fn warm(&self, now: Timestamp) {
        if let Err(error) = self.keys(now).await {
            let cause = &error.0;
            tracing::warn!(secret.id = self.stored.id, %cause, "no keys at start");
        }
    }
}

impl<K: Clone + Send + Sync> Keys<K> for RotatingSecret<K> {
    async fn keys(&self, now: Timestamp) -> Result<Arc<Generations<K>>, NoKeys> {
        self.rotation.keys(&self.stored, now).await
    }

    async fn reread(&self, now: Timestamp) -> Option<Arc<Generations<K>>> {
        self.rotation.reread(&self.stored, now).await
    }
}

impl<K> fmt::Debug for RotatingSecret<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RotatingSecret").field(&self.stored.id).finish()
    }
}

/// The secret itself, as Secrets Manager stores it.
struct Stored {
    client: Client,
    id: String,
    deadline: Duration,
}

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("Secrets Manager did not answer in time")]
    Deadline,
    #[error("Secrets Manager gave no value: {0}")]
    Call(String),
    #[error("the secret's version has no text or no date")]
    Shape,
}

impl Source for Stored {
    async fn read(&self, stage: Stage) -> Result<Option<Version>, Cause> {
        let call = self
            .client
            .get_secret_value()
            .secret_id(&self.id)
            .version_stage(match stage {
                Stage::Current => "AWSCURRENT",
                Stage::Previous => "AWSPREVIOUS",
            })
            .send();
        // Boxed: the SDK's futures are kilobytes large, and this one is held by every caller's.
        let output = match tokio::time::timeout(self.deadline, Box::pin(call)).await {
            Err(_elapsed) => return Err(ReadError::Deadline.into()),
            Ok(Err(error)) if is_absent(&error) => return Ok(None),
            Ok(Err(error)) => return Err(ReadError::Call(reason(&error)).into()),
            Ok(Ok(output)) => output,
        };
        let created = output
            .created_date()
            .and_then(|date| date.to_millis().ok())
            .and_then(|millis| u64::try_from(millis).ok())
            .and_then(|millis| Timestamp::from_millis(millis).ok());
        match (output.secret_string(), created) {
            (Some(text), Some(created)) => Ok(Some(Version { text: text.to_owned(), created })),
            (None, _) | (_, None) => Err(ReadError::Shape.into()),
        }
    }
}

/// Whether there is no such secret or no such version of it. A secret that is marked for deletion,
/// or one with no version of that stage, is an invalid request.
fn is_absent(error: &SdkError<GetSecretValueError>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_resource_not_found_exception() || error.is_invalid_request_exception()
    })
}

/// The service's error code, or what went wrong before it answered.
fn reason(error: &SdkError<GetSecretValueError>) -> String {
    error.code().map_or_else(|| error.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
