//! When a secret is read, and how long its keys are cached. Knows no AWS; time comes in as a value.

mod previous;
mod rereads;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pay_core::{
    domain::Timestamp,
    ports::{Cause, NoKeys, SecretKeys},
};

use crate::{
    limits::{SECRET_AGE_MAX_MS, SECRET_REFRESH_MS, SECRET_RETRY_MS},
    metrics,
};
use previous::PreviousKeys;
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
    keys: Arc<K>,
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
    previous: PreviousKeys<K>,
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

    /// The current keys: cached ones while they are young, or while reading them again fails or gives
    /// none.
    ///
    /// Without cached keys every call reads: a failure is not cached.
    pub(super) async fn current(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Result<Arc<K>, NoKeys> {
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

    /// The keys before the current ones, while those are accepted: cached ones while they are young.
    pub(super) async fn previous(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Result<Option<Arc<K>>, NoKeys> {
        let (version, previous) = {
            let cache = self.cache();
            let Some(cached) = cache.usable(now) else { return Ok(None) };
            if let Some(found) = cached.previous.cached(now) {
                return found;
            }
            (cached.version.clone(), cached.previous.clone())
        };
        let read = secret.read(SecretStage::Previous).await;
        let previous = previous.after(read, &version, now);
        let found = previous.found(now);
        // Not those of another current version that was read meanwhile.
        if let Some(cached) = self.cache().keys.as_mut().filter(|cached| cached.version == version)
        {
            cached.previous = previous;
        }
        found
    }

    /// The current keys read now; `None` if unknown signatures made them be read as often as is allowed,
    /// or if the read fails.
    pub(super) async fn reread(
        &self,
        secret: &impl SecretVersions,
        now: Timestamp,
    ) -> Option<Arc<K>> {
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

    /// Reads the current version. Without a usable one, cached keys stay as they are; if there are none,
    /// the previous version stands for it.
    async fn refresh(&self, secret: &impl SecretVersions, now: Timestamp) -> Result<Arc<K>, Cause> {
        let failed = match usable(secret.read(SecretStage::Current).await) {
            Ok(read) => {
                let (keys, is_whole) = self.store(|before| self.fresh(read, before, now), now);
                if !is_whole {
                    // A later version may lack the same part, and the keys for it are there now.
                    match self.previous(secret, now).await {
                        Ok(_) | Err(_) => {}
                    }
                }
                return Ok(keys);
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
                    let (keys, _) = self.store(|_| stand_in(keys, version.id, until, now), now);
                    Ok(keys)
                }
                Err(_also_unusable) => Err(failed.cause),
            },
            Ok(_) | Err(_) => Err(failed.cause),
        }
    }

    /// Caches keys that are made with those cached before, if those still count. Returns them, and
    /// whether all parts of them are usable.
    fn store(
        &self,
        read: impl FnOnce(Option<&CachedKeys<K>>) -> CachedKeys<K>,
        now: Timestamp,
    ) -> (Arc<K>, bool) {
        let mut cache = self.cache();
        let fresh = read(cache.usable(now));
        let stored = (Arc::clone(&fresh.keys), fresh.whole_at.is_none());
        cache.keys = Some(fresh);
        stored
    }

    /// The current version that was read, and what is known of the one before it.
    fn fresh(
        &self,
        ReadVersion { mut keys, id, created }: ReadVersion<K>,
        before: Option<&CachedKeys<K>>,
        now: Timestamp,
    ) -> CachedKeys<K> {
        let whole_at = fill(&mut keys, before, now);
        let end = created.plus_millis(self.overlap_ms);
        let previous = match before {
            Some(before) if before.version == id => before.previous.ending(end),
            before => {
                PreviousKeys::unread(end, before.map(|before| (before.known(now), before.until)))
            }
        };
        CachedKeys {
            keys: Arc::new(keys),
            version: id,
            at: now,
            refresh_after_ms: if whole_at.is_some() { SECRET_RETRY_MS } else { SECRET_REFRESH_MS },
            until: now.plus_millis(SECRET_AGE_MAX_MS),
            whole_at,
            previous,
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache<K>> {
        // Every change is one assignment: a panic elsewhere leaves nothing half done.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The current version, read into keys.
fn usable<K: SecretKeys>(
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

/// The previous version in place of the current one. There is none before it.
fn stand_in<K>(keys: K, version: String, until: Timestamp, now: Timestamp) -> CachedKeys<K> {
    CachedKeys {
        keys: Arc::new(keys),
        version,
        at: now,
        refresh_after_ms: SECRET_RETRY_MS,
        until,
        whole_at: None,
        previous: PreviousKeys::unread(now, None),
    }
}

impl<K> Cache<K> {
    /// The cached keys, unless they are too old.
    fn usable(&self, now: Timestamp) -> Option<&CachedKeys<K>> {
        self.keys.as_ref().filter(|cached| now < cached.until)
    }
}

impl<K: SecretKeys> CachedKeys<K> {
    /// The newest keys of each part that are accepted.
    fn known(&self, now: Timestamp) -> K {
        let mut known = K::clone(&self.keys);
        if let Some(older) = self.previous.accepted(now) {
            known.fill_from(older);
        }
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
