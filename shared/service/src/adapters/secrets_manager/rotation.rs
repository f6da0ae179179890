//! When a secret is read, and how long its keys are cached. Knows no AWS; time comes in as a value.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pay_core::{
    domain::Timestamp,
    ports::{BadSecret, Cause, Generations, NoKeys},
};

use crate::{
    limits::{SECRET_AGE_MAX_MS, SECRET_REFRESH_MS, SECRET_REREAD_MS, SECRET_RETRY_MS},
    metrics,
};

/// Which version of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretStage {
    Current,
    Previous,
}

/// A version of a secret.
pub(super) struct SecretVersion {
    pub(super) text: String,
    pub(super) created: Timestamp,
}

/// A secret whose versions can be read.
pub(super) trait SecretVersions: Sync {
    /// Reads one; `None` if there is none. Has a deadline.
    fn read(
        &self,
        stage: SecretStage,
    ) -> impl Future<Output = Result<Option<SecretVersion>, Cause>> + Send;
}

/// Keys read from a secret, and cached.
pub(super) struct Rotation<K> {
    read: fn(&str) -> Result<K, BadSecret>,
    overlap_ms: u64,
    // Never held over an await.
    cache: Mutex<Cache<K>>,
}

struct Cache<K> {
    keys: Option<CachedKeys<K>>,
    /// When a refresh was last attempted.
    attempted: Option<Timestamp>,
    /// When the secret was last read because of an unknown signature.
    reread: Option<Timestamp>,
}

struct CachedKeys<K> {
    keys: Arc<Generations<K>>,
    /// When the current version was created, which identifies it.
    created: Timestamp,
    /// When the keys were read.
    at: Timestamp,
    /// At which age they are read again.
    refresh_after_ms: u64,
}

/// Why a refresh gave no keys.
enum RefreshError {
    /// The secret was read and makes no keys: cached keys are outdated.
    Unusable(Cause),
    /// The secret could not be read.
    Unread(Cause),
}

#[derive(Debug, thiserror::Error)]
#[error("the secret has no current version")]
struct NoCurrent;

impl<K: Clone + Send + Sync> Rotation<K> {
    pub(super) fn new(read: fn(&str) -> Result<K, BadSecret>, overlap: Duration) -> Self {
        Self {
            read,
            overlap_ms: u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX),
            cache: Mutex::new(Cache { keys: None, attempted: None, reread: None }),
        }
    }

    /// The keys: cached ones while they are young, or while reading them again fails.
    ///
    /// Without cached keys every call reads: a failure is not cached.
    pub(super) async fn keys(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Result<Arc<Generations<K>>, NoKeys> {
        let cached = {
            let mut cache = self.cache();
            let cached = cache.usable(now);
            let is_fresh = cached.is_some_and(|cached| {
                is_within(Some(cached.at), cached.refresh_after_ms, now)
                    || is_within(cache.attempted, SECRET_RETRY_MS, now)
            });
            let cached = cached.map(|cached| Arc::clone(&cached.keys));
            match cached {
                Some(keys) if is_fresh => return Ok(keys),
                cached => {
                    cache.attempted = Some(now);
                    cached
                }
            }
        };
        match (self.refresh(secret, now).await, cached) {
            (Ok(keys), _) => Ok(keys),
            (Err(RefreshError::Unread(cause)), Some(keys)) => {
                tracing::warn!(%cause, "a secret could not be read again; its cached keys are used");
                Ok(keys)
            }
            (Err(RefreshError::Unread(cause) | RefreshError::Unusable(cause)), _) => {
                Err(NoKeys(cause))
            }
        }
    }

    /// The keys read now; `None` if an unknown signature made them be read just now, or if the read
    /// fails.
    pub(super) async fn reread(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Option<Arc<Generations<K>>> {
        {
            let mut cache = self.cache();
            if is_within(cache.reread, SECRET_REREAD_MS, now) {
                return None;
            }
            cache.reread = Some(now);
        }
        match self.refresh(secret, now).await {
            Ok(keys) => Some(keys),
            Err(RefreshError::Unread(cause) | RefreshError::Unusable(cause)) => {
                tracing::warn!(%cause, "a secret could not be read after an unknown signature");
                None
            }
        }
    }

    async fn refresh(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Result<Arc<Generations<K>>, RefreshError> {
        // In sequence, on one connection: a second handshake would cost a cold start more than the
        // wait for one more response.
        let current = self.current(secret.read(SecretStage::Current).await);
        match current {
            Ok((key, created)) => {
                let previous = secret.read(SecretStage::Previous).await;
                let mut cache = self.cache();
                let before = cache.keys.take();
                let read = self.combined((key, created), previous, before.as_ref(), now);
                let keys = Arc::clone(&read.keys);
                cache.keys = Some(read);
                Ok(keys)
            }
            Err(error) => {
                metrics::SECRET_FAILURES.count();
                if matches!(error, RefreshError::Unusable(_)) {
                    self.cache().keys = None;
                }
                Err(error)
            }
        }
    }

    fn current(
        &self,
        read: Result<Option<SecretVersion>, Cause>,
    ) -> Result<(K, Timestamp), RefreshError> {
        let version = read.map_err(RefreshError::Unread)?;
        let version = version.ok_or_else(|| RefreshError::Unusable(NoCurrent.into()))?;
        let key = (self.read)(&version.text).map_err(|bad| RefreshError::Unusable(bad.into()))?;
        Ok((key, version.created))
    }

    /// Both generations. A previous one that cannot be read does not invalidate the current one: what
    /// is cached of it stays, and it is read again soon.
    fn combined(
        &self,
        (current, created): (K, Timestamp),
        previous: Result<Option<SecretVersion>, Cause>,
        before: Option<&CachedKeys<K>>,
        now: Timestamp,
    ) -> CachedKeys<K> {
        let until = created.plus_millis(self.overlap_ms);
        let (previous, refresh_after_ms) = match previous {
            Ok(version) => (self.previous(version), SECRET_REFRESH_MS),
            Err(cause) => {
                metrics::SECRET_FAILURES.count();
                tracing::warn!(%cause, "the previous version of a secret could not be read");
                let before = before.filter(|before| before.created == created);
                (before.and_then(CachedKeys::previous), SECRET_RETRY_MS)
            }
        };
        CachedKeys {
            keys: Arc::new(Generations { current, previous: previous.map(|key| (key, until)) }),
            created,
            at: now,
            refresh_after_ms,
        }
    }

    fn previous(&self, version: Option<SecretVersion>) -> Option<K> {
        match (self.read)(&version?.text) {
            Ok(key) => Some(key),
            Err(bad) => {
                // Before its first real value, a secret may hold a placeholder.
                tracing::warn!(cause = %bad, "the previous version of a secret is ignored");
                None
            }
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache<K>> {
        // Every change is one assignment: a panic elsewhere leaves nothing half done.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Cache<K> {
    /// The cached keys, unless they are too old.
    fn usable(&self, now: Timestamp) -> Option<&CachedKeys<K>> {
        self.keys.as_ref().filter(|cached| is_within(Some(cached.at), SECRET_AGE_MAX_MS, now))
    }
}

impl<K: Clone> CachedKeys<K> {
    fn previous(&self) -> Option<K> {
        self.keys.previous.as_ref().map(|(key, _)| key.clone())
    }
}

/// Whether `then` is less than `ms` ago. A clock that was set back makes nothing older.
fn is_within(then: Option<Timestamp>, ms: u64, now: Timestamp) -> bool {
    then.is_some_and(|then| now.millis().saturating_sub(then.millis()) < ms)
}

#[cfg(test)]
mod tests;
