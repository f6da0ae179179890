//! When a secret is read, and what of it is remembered. Knows no AWS; time comes in as a value.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pay_core::{
    domain::Timestamp,
    ports::{BadSecret, Cause, Generations, NoKeys},
};

use crate::metrics;

/// Remembered keys of this age are read again by the next request: at the latest then a revoked one
/// is forgotten.
const REFRESH_AFTER_MS: u64 = 5 * 60 * 1000;

/// Remembered keys of this age are forgotten: a secret that cannot be read for so long may have
/// been revoked.
const MAX_AGE_MS: u64 = 60 * 60 * 1000;

/// While keys are remembered, a refresh that failed is tried again no sooner than this.
const RETRY_AFTER_MS: u64 = 30 * 1000;

/// Unknown signatures make the secret be read at most this often. Anybody can send one; and a
/// genuine one that comes within this time after a forged one is refused, so it is short.
const REREAD_EVERY_MS: u64 = 10 * 1000;

/// Which version of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Current,
    Previous,
}

/// A version's value.
pub(super) struct Version {
    pub(super) text: String,
    pub(super) created: Timestamp,
}

/// Where versions come from.
pub(super) trait Source: Sync {
    /// Reads one; `None` if there is none. Bounded in time.
    fn read(&self, stage: Stage) -> impl Future<Output = Result<Option<Version>, Cause>> + Send;
}

/// Keys read from a secret, remembered as long as they may be.
pub(super) struct Rotation<K> {
    read: fn(&str) -> Result<K, BadSecret>,
    overlap_ms: u64,
    // Never held over an await.
    memory: Mutex<Memory<K>>,
}

struct Memory<K> {
    keys: Option<Remembered<K>>,
    tried: Option<Timestamp>,
    reread: Option<Timestamp>,
}

struct Remembered<K> {
    keys: Arc<Generations<K>>,
    /// When the current version was made: names it.
    created: Timestamp,
    at: Timestamp,
    /// When it is to be read again.
    refresh_after_ms: u64,
}

/// Why a read gave no keys.
enum Failure {
    /// The secret as it is makes no keys, and remembered ones are no longer its.
    Unusable(Cause),
    /// The secret as it is is not known.
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
            memory: Mutex::new(Memory { keys: None, tried: None, reread: None }),
        }
    }

    /// The keys: remembered ones while they are young, or while reading them again fails.
    ///
    /// Without remembered keys every call reads: a failure is not remembered.
    pub(super) async fn keys(
        &self,
        source: &impl Source,
        now: Timestamp,
    ) -> Result<Arc<Generations<K>>, NoKeys> {
        let remembered = {
            let mut memory = self.memory();
            let remembered = memory.remembered(now);
            let fresh = remembered.is_some_and(|known| {
                is_within(Some(known.at), known.refresh_after_ms, now)
                    || is_within(memory.tried, RETRY_AFTER_MS, now)
            });
            let remembered = remembered.map(|known| Arc::clone(&known.keys));
            match remembered {
                Some(keys) if fresh => return Ok(keys),
                remembered => {
                    memory.tried = Some(now);
                    remembered
                }
            }
        };
        match (self.refresh(source, now).await, remembered) {
            (Ok(keys), _) => Ok(keys),
            (Err(Failure::Unread(cause)), Some(keys)) => {
                tracing::warn!(%cause, "a secret could not be read again; remembered keys serve");
                Ok(keys)
            }
            (Err(Failure::Unread(cause) | Failure::Unusable(cause)), _) => Err(NoKeys(cause)),
        }
    }

    /// The keys read now; `None` if that was done just now, or fails.
    pub(super) async fn reread(
        &self,
        source: &impl Source,
        now: Timestamp,
    ) -> Option<Arc<Generations<K>>> {
        {
            let mut memory = self.memory();
            if is_within(memory.reread, REREAD_EVERY_MS, now) {
                return None;
            }
            memory.reread = Some(now);
        }
        match self.refresh(source, now).await {
            Ok(keys) => Some(keys),
            Err(Failure::Unread(cause) | Failure::Unusable(cause)) => {
                tracing::warn!(%cause, "a secret could not be read for an unknown signature");
                None
            }
        }
    }

    async fn refresh(
        &self,
        source: &impl Source,
        now: Timestamp,
    ) -> Result<Arc<Generations<K>>, Failure> {
        // One after the other, on one connection: a second handshake would cost a cold start more
        // than the wait for one more answer.
        let current = self.current(source.read(Stage::Current).await);
        match current {
            Ok((key, created)) => {
                let previous = source.read(Stage::Previous).await;
                let mut memory = self.memory();
                let known = memory.keys.take();
                let read = self.remember((key, created), previous, known.as_ref(), now);
                let keys = Arc::clone(&read.keys);
                memory.keys = Some(read);
                Ok(keys)
            }
            Err(failure) => {
                metrics::SECRET_FAILURES.count();
                if matches!(failure, Failure::Unusable(_)) {
                    self.memory().keys = None;
                }
                Err(failure)
            }
        }
    }

    fn current(&self, read: Result<Option<Version>, Cause>) -> Result<(K, Timestamp), Failure> {
        let version =
            read.map_err(Failure::Unread)?.ok_or_else(|| Failure::Unusable(NoCurrent.into()))?;
        let key = (self.read)(&version.text).map_err(|bad| Failure::Unusable(bad.into()))?;
        Ok((key, version.created))
    }

    /// Puts two generations together. A previous one that cannot be read is no reason to refuse the
    /// current: what is known of it stays, and it is read again soon.
    fn remember(
        &self,
        (current, created): (K, Timestamp),
        previous: Result<Option<Version>, Cause>,
        known: Option<&Remembered<K>>,
        now: Timestamp,
    ) -> Remembered<K> {
        let until = created.plus_millis(self.overlap_ms);
        let (previous, refresh_after_ms) = match previous {
            Ok(version) => (self.previous(version), REFRESH_AFTER_MS),
            Err(cause) => {
                metrics::SECRET_FAILURES.count();
                tracing::warn!(%cause, "the previous version of a secret could not be read");
                let known = known.filter(|known| known.created == created);
                (known.and_then(Remembered::previous), RETRY_AFTER_MS)
            }
        };
        Remembered {
            keys: Arc::new(Generations { current, previous: previous.map(|key| (key, until)) }),
            created,
            at: now,
            refresh_after_ms,
        }
    }

    fn previous(&self, version: Option<Version>) -> Option<K> {
        match (self.read)(&version?.text) {
            Ok(key) => Some(key),
            Err(bad) => {
                // A placeholder may have been there before the first real value.
                tracing::warn!(cause = %bad, "the previous version of a secret is ignored");
                None
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory<K>> {
        // Every change is one assignment: a panic elsewhere leaves nothing half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Memory<K> {
    /// What is remembered, if it may still be used.
    fn remembered(&self, now: Timestamp) -> Option<&Remembered<K>> {
        self.keys.as_ref().filter(|known| is_within(Some(known.at), MAX_AGE_MS, now))
    }
}

impl<K: Clone> Remembered<K> {
    fn previous(&self) -> Option<K> {
        self.keys.previous.as_ref().map(|(key, _)| key.clone())
    }
}

/// Whether `then` is less than so long ago. A clock set back does not count as long ago.
fn is_within(then: Option<Timestamp>, ms: u64, now: Timestamp) -> bool {
    then.is_some_and(|then| now.millis().saturating_sub(then.millis()) < ms)
}

#[cfg(test)]
mod tests;
