//! Keys that are stored in AWS Secrets Manager and rotate there.
//!
//! This translates one read; `rotation` decides when to read. Nothing of a secret's value is ever
//! logged.

mod rotation;

use std::{fmt, sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use pay_core::{
    domain::Timestamp,
    ports::{Cause, Keys, NoKeys, SecretKeys},
};

use crate::limits::SECRET_READ_MS;
use rotation::{Rotation, SecretStage, SecretVersion, SecretVersions};

/// A secret's keys, cached for the life of the environment and read again when they are old.
pub struct RotatingSecret<K> {
    stored: StoredSecret,
    rotation: Rotation<K>,
}

impl<K: SecretKeys> RotatingSecret<K> {
    /// The secret with this name or ARN. `overlap` is how long the previous version is accepted after
    /// the current one was created.
    #[must_use]
    pub fn new(client: Client, id: String, overlap: Duration) -> Self {
        Self {
            stored: StoredSecret { client, id, deadline: Duration::from_millis(SECRET_READ_MS) },
            rotation: Rotation::new(overlap),
        }
    }

    /// Reads the current keys ahead of the first request. A failure is only logged: that request reads
    /// again.
    pub async fn warm(&self, now: Timestamp) {
        if let Err(error) = self.current(now).await {
            let cause = &error.0;
            tracing::warn!(secret.id = self.stored.id, %cause, "no keys at start");
        }
    }
}

impl<K: SecretKeys> Keys<K> for RotatingSecret<K> {
    async fn current(&self, now: Timestamp) -> Result<Arc<K>, NoKeys> {
        self.rotation.current(&self.stored, now).await
    }

    async fn previous(&self, now: Timestamp) -> Result<Option<Arc<K>>, NoKeys> {
        self.rotation.previous(&self.stored, now).await
    }

    async fn reread(&self, now: Timestamp) -> Option<Arc<K>> {
        self.rotation.reread(&self.stored, now).await
    }
}

impl<K> fmt::Debug for RotatingSecret<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RotatingSecret").field(&self.stored.id).finish()
    }
}

/// The secret in Secrets Manager.
struct StoredSecret {
    client: Client,
    id: String,
    deadline: Duration,
}

/// Why a version could not be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("Secrets Manager did not respond in time")]
    Deadline,
    #[error("Secrets Manager gave no value: {0}")]
    Call(String),
    #[error("the secret's version has no text, no id or no date")]
    Shape,
}

impl SecretVersions for StoredSecret {
    async fn read(&self, stage: SecretStage) -> Result<Option<SecretVersion>, Cause> {
        let call = self
            .client
            .get_secret_value()
            .secret_id(&self.id)
            .version_stage(match stage {
                SecretStage::Current => "AWSCURRENT",
                SecretStage::Previous => "AWSPREVIOUS",
            })
            .send();
        // Boxed: the SDK's futures are kilobytes large, and every caller's future holds this one.
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
        match (output.version_id, output.secret_string, created) {
            (Some(id), Some(text), Some(created)) => Ok(Some(SecretVersion { id, text, created })),
            (None, ..) | (_, None, _) | (.., None) => Err(ReadError::Shape.into()),
        }
    }
}

/// Whether there is no such secret or no such version of it. Secrets Manager reports a secret that is
/// marked for deletion, and one without a version of that stage, as an invalid request.
fn is_absent(error: &SdkError<GetSecretValueError>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_resource_not_found_exception() || error.is_invalid_request_exception()
    })
}

/// The service's error code, or what failed before there was a response.
fn reason(error: &SdkError<GetSecretValueError>) -> String {
    error.code().map_or_else(|| error.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
