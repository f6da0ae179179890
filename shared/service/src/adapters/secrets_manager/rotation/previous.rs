//! The keys of the previous version: read when the current ones do not verify something, cached like
//! those.

use std::sync::Arc;

use pay_core::{
    domain::Timestamp,
    ports::{Cause, NoKeys, SecretKeys},
};

use super::{SecretVersion, is_within};
use crate::{
    limits::{SECRET_AGE_MAX_MS, SECRET_REFRESH_MS, SECRET_RETRY_MS},
    metrics,
};

/// What is known of the keys before those of the current version.
pub(super) struct PreviousKeys<K> {
    /// From when on they are not accepted, and not read.
    pub(super) end: Timestamp,
    /// What was read or, until then, what was in use when the current version came.
    keys: Option<Arc<K>>,
    /// From when on `keys` does not count any more.
    until: Timestamp,
    /// When they were last read or not to be read.
    read_at: Option<Timestamp>,
    /// At which age they are read again.
    refresh_after_ms: u64,
}

/// Why there are none to check with.
#[derive(Debug, thiserror::Error)]
#[error("the previous version of the secret cannot be read")]
struct Unread;

impl<K> PreviousKeys<K> {
    /// Those of a current version that is new here. `used` is what was in use before it, and how long
    /// that counts if nothing can be read.
    pub(super) fn unread(end: Timestamp, used: Option<(K, Timestamp)>) -> Self {
        let (keys, until) = match used {
            Some((keys, until)) => (Some(Arc::new(keys)), until),
            None => (None, Timestamp::EPOCH),
        };
        Self { end, keys, until, read_at: None, refresh_after_ms: SECRET_REFRESH_MS }
    }

    /// The same of a current version that was read again.
    pub(super) fn ending(&self, end: Timestamp) -> Self {
        Self { end, ..self.clone() }
    }

    /// The keys, if they are accepted and known.
    pub(super) fn accepted(&self, now: Timestamp) -> Option<&K> {
        self.keys.as_deref().filter(|_| now < self.end)
    }

    /// What was found, unless it must be read first.
    pub(super) fn cached(&self, now: Timestamp) -> Option<Result<Option<Arc<K>>, NoKeys>> {
        if now >= self.end {
            return Some(Ok(None));
        }
        is_within(self.read_at, self.refresh_after_ms, now).then(|| self.found(now))
    }

    /// The keys; an error if nobody knows whether there are any.
    pub(super) fn found(&self, now: Timestamp) -> Result<Option<Arc<K>>, NoKeys> {
        if now < self.until { Ok(self.keys.clone()) } else { Err(NoKeys(Unread.into())) }
    }
}

impl<K: SecretKeys> PreviousKeys<K> {
    /// What is known after a read. `current` is the id of the current version.
    pub(super) fn after(
        self,
        read: Result<Option<SecretVersion>, Cause>,
        current: &str,
        now: Timestamp,
    ) -> Self {
        match read {
            Ok(version) => Self {
                keys: version.and_then(|version| self.keys_of(&version, current)),
                until: now.plus_millis(SECRET_AGE_MAX_MS),
                read_at: Some(now),
                refresh_after_ms: SECRET_REFRESH_MS,
                ..self
            },
            Err(cause) => {
                metrics::SECRET_FAILURES.count();
                tracing::warn!(%cause, "the previous version of a secret could not be read");
                Self { read_at: Some(now), refresh_after_ms: SECRET_RETRY_MS, ..self }
            }
        }
    }

    /// The keys of the previous version; what is unusable of it is taken from the keys that were used, so
    /// that a bad version between two good ones does not end the overlap of the first.
    fn keys_of(&self, version: &SecretVersion, current: &str) -> Option<Arc<K>> {
        // Another value was put since the current version was read, and it may be unusable.
        if version.id == current {
            return self.keys.clone();
        }
        match K::read(&version.text) {
            Ok(mut keys) => {
                if let Some(used) = &self.keys {
                    keys.fill_from(used);
                }
                Some(Arc::new(keys))
            }
            Err(bad) => {
                // Before its first real value, a secret may hold a placeholder.
                tracing::warn!(cause = %bad, "the previous version of a secret is unusable");
                self.keys.clone()
            }
        }
    }
}

impl<K> Clone for PreviousKeys<K> {
    fn clone(&self) -> Self {
        Self { keys: self.keys.clone(), ..*self }
    }
}
