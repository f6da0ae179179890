//! When a secret is read, and how long its keys are cached. Knows no AWS; time comes in as a value.

mod rereads;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pay_core::{
    domain::Timestamp,
    ports::{Cause, Generations, NoKeys, SecretKeys},
};

use crate::{
    limits::{SECRET_AGE_MAX_MS, SECRET_REFRESH_MS, SECRET_RETRY_MS},
    metrics,
};
use rereads::Rereads;

/// Which version of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretStage {
    Current,
    Previous,
}

/// A version of a secret.
pub(super) struct SecretVersion {
    /// What Secrets Manager calls it.
    pub(super) id: String,
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
    overlap_ms: u64,
    // Never held over an await.
    cache: Mutex<Cache<K>>,
}

struct Cache<K> {
    keys: Option<CachedKeys<K>>,
    /// When a refresh was last attempted.
    attempted: Option<Timestamp>,
    /// What unknown signatures may still make it read.
    rereads: Rereads,
}

struct CachedKeys<K> {
    keys: Arc<Generations<K>>,
    /// The current version's id.
    version: String,
    /// When the keys were read.
    at: Timestamp,
    /// At which age they are read again.
    refresh_after_ms: u64,
    /// From when on they do not count any more.
    until: Timestamp,
    /// When all parts of the current version were last usable, if some are not now.
    whole_at: Option<Timestamp>,
}

/// A version that was read into keys.
struct ReadVersion<K> {
    keys: K,
    id: String,
    created: Timestamp,
}

/// Why a refresh gave no keys.
struct RefreshError {
    cause: Cause,
    /// When the current version was created, if it was read and makes no keys.
    unusable: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
#[error("the secret has no current version")]
struct NoCurrent;

impl<K: SecretKeys> Rotation<K> {
    pub(super) fn new(overlap: Duration) -> Self {
        Self {
            overlap_ms: u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX),
            cache: Mutex::new(Cache { keys: None, attempted: None, rereads: Rereads::new() }),
        }
    }

    /// The keys: cached ones while they are young, or while reading them again fails or gives none.
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
            (Err(cause), Some(keys)) => {
                tracing::warn!(%cause, "no keys from a secret; its cached keys are used");
                Ok(keys)
            }
            (Err(cause), None) => Err(NoKeys(cause)),
        }
    }

    /// The keys read now; `None` if unknown signatures made them be read as often as is allowed, or if
    /// the read fails.
    pub(super) async fn reread(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Option<Arc<Generations<K>>> {
        if !self.cache().rereads.take(now) {
            return None;
        }
        match self.refresh(secret, now).await {
            Ok(keys) => Some(keys),
            Err(cause) => {
                tracing::warn!(%cause, "no keys from a secret after an unknown signature");
                None
            }
        }
    }

    /// Reads both versions. Without a usable current one, cached keys stay as they are; if there are
    /// none, the previous version stands for it.
    async fn refresh(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Result<Arc<Generations<K>>, Cause> {
        // In sequence, on one connection: a second handshake would cost a cold start more than the
        // wait for one more response.
        let current = current(secret.read(SecretStage::Current).await);
        let failed = match current {
            Ok(current) => {
                let previous = secret.read(SecretStage::Previous).await;
                return Ok(self.store(|before| self.combined(current, previous, before, now), now));
            }
            Err(failed) => failed,
        };
        metrics::SECRET_FAILURES.count();
        let Some(created) = failed.unusable.filter(|_| self.cache().usable(now).is_none()) else {
            return Err(failed.cause);
        };
        // As long as an instance would use it that had read it before.
        let until = created.plus_millis(self.overlap_ms.min(SECRET_AGE_MAX_MS));
        match secret.read(SecretStage::Previous).await {
            Ok(Some(version)) if now < until => match K::read(&version.text) {
                Ok(keys) => {
                    let cause = failed.cause;
                    tracing::warn!(%cause, "no keys from a secret; its previous version is used");
                    Ok(self.store(|_| stand_in(keys, version.id, until, now), now))
                }
                Err(_also_unusable) => Err(failed.cause),
            },
            Ok(_) | Err(_) => Err(failed.cause),
        }
    }

    /// Caches keys that are made with those cached before, if those still count.
    fn store(
        &self,
        read: impl FnOnce(Option<&CachedKeys<K>>) -> CachedKeys<K>,
        now: Timestamp,
    ) -> Arc<Generations<K>> {
        let mut cache = self.cache();
        let fresh = read(cache.usable(now));
        let keys = Arc::clone(&fresh.keys);
        cache.keys = Some(fresh);
        keys
    }

    /// Both generations. A previous one that cannot be read does not invalidate the current one: what
    /// is cached of it stays, and it is read again soon.
    fn combined(
        &self,
        ReadVersion { keys: mut current, id, created }: ReadVersion<K>,
        previous: Result<Option<SecretVersion>, Cause>,
        before: Option<&CachedKeys<K>>,
        now: Timestamp,
    ) -> CachedKeys<K> {
        let whole_at = fill(&mut current, before, now);
        let until = created.plus_millis(self.overlap_ms);
        let is_same = before.is_some_and(|before| before.version == id);
        let cached = before.and_then(CachedKeys::previous).filter(|_| is_same);
        let (previous, refresh_after_ms) = match previous {
            Ok(version) => {
                // What was used before the current version came, read or not.
                let used = if is_same { cached } else { before.map(|before| before.known(now)) };
                (version.and_then(|version| previous_keys(&version, used)), SECRET_REFRESH_MS)
            }
            Err(cause) => {
                metrics::SECRET_FAILURES.count();
                tracing::warn!(%cause, "the previous version of a secret could not be read");
                (cached, SECRET_RETRY_MS)
            }
        };
        CachedKeys {
            keys: Arc::new(Generations { current, previous: previous.map(|key| (key, until)) }),
            version: id,
            at: now,
            refresh_after_ms: if whole_at.is_some() { SECRET_RETRY_MS } else { refresh_after_ms },
            until: now.plus_millis(SECRET_AGE_MAX_MS),
            whole_at,
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache<K>> {
        // Every change is one assignment: a panic elsewhere leaves nothing half done.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The current version, read into keys.
fn current<K: SecretKeys>(
    read: Result<Option<SecretVersion>, Cause>,
) -> Result<ReadVersion<K>, RefreshError> {
    let version = read
        .and_then(|version| version.ok_or_else(|| NoCurrent.into()))
        .map_err(|cause| RefreshError { cause, unusable: None })?;
    match K::read(&version.text) {
        Ok(keys) => Ok(ReadVersion { keys, id: version.id, created: version.created }),
        Err(bad) => Err(RefreshError { cause: bad.into(), unusable: Some(version.created) }),
    }
}

/// Fills unusable parts of the current version from the keys used before, for as long as those would
/// be used if nothing could be read. Returns when all parts were last usable, if some are not.
fn fill<K: SecretKeys>(
    current: &mut K,
    before: Option<&CachedKeys<K>>,
    now: Timestamp,
) -> Option<Timestamp> {
    let unusable = current.unusable();
    if unusable.is_empty() {
        return None;
    }
    metrics::SECRET_FAILURES.count();
    for (entry, cause) in unusable {
        tracing::warn!(entry, %cause, "an entry of a secret is unusable");
    }
    // Without keys from before there is nothing to wait for the end of.
    let Some(before) = before else { return Some(now) };
    let whole_at = before.whole_at.unwrap_or(before.at);
    if is_within(Some(whole_at), SECRET_AGE_MAX_MS, now) {
        current.fill_from(&before.known(now));
    }
    Some(whole_at)
}

/// The keys of the previous version; what is unusable of it is taken from the keys that were used, so
/// that a bad version between two good ones does not end the overlap of the first.
fn previous_keys<K: SecretKeys>(version: &SecretVersion, used: Option<K>) -> Option<K> {
    match K::read(&version.text) {
        Ok(mut keys) => {
            if let Some(used) = used {
                keys.fill_from(&used);
            }
            Some(keys)
        }
        Err(bad) => {
            // Before its first real value, a secret may hold a placeholder.
            tracing::warn!(cause = %bad, "the previous version of a secret is unusable");
            used
        }
    }
}

/// The previous version in place of the current one.
fn stand_in<K>(keys: K, version: String, until: Timestamp, now: Timestamp) -> CachedKeys<K> {
    CachedKeys {
        keys: Arc::new(Generations { current: keys, previous: None }),
        version,
        at: now,
        refresh_after_ms: SECRET_RETRY_MS,
        until,
        whole_at: None,
    }
}

impl<K> Cache<K> {
    /// The cached keys, unless they are too old.
    fn usable(&self, now: Timestamp) -> Option<&CachedKeys<K>> {
        self.keys.as_ref().filter(|cached| now < cached.until)
    }
}

impl<K: SecretKeys> CachedKeys<K> {
    fn previous(&self) -> Option<K> {
        self.keys.previous.as_ref().map(|(key, _)| key.clone())
    }

    /// The newest keys of each part that are accepted.
    fn known(&self, now: Timestamp) -> K {
        let mut known = self.keys.current.clone();
        self.keys.accepted(now).for_each(|older| known.fill_from(older));
        known
    }
}

/// Whether `then` is less than `ms` ago. A clock that was set back makes nothing older.
fn is_within(then: Option<Timestamp>, ms: u64, now: Timestamp) -> bool {
    then.is_some_and(|then| now.millis().saturating_sub(then.millis()) < ms)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod text_keys;
