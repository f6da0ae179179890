//! The keys that tokens and webhooks are checked with.

use std::sync::Arc;

use super::Cause;
use crate::domain::Timestamp;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
#[error("the secret cannot be read or used")]
pub struct NoKeys(#[source] pub Cause);

/// Why a secret's text makes no keys. Never holds any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is unusable: {0}")]
pub struct BadSecret(pub &'static str);

/// What a secret's text is read into. A text may have parts, each with keys of its own: an unusable
/// part touches no other.
pub trait SecretKeys: Clone + Send + Sync {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// [`BadSecret`] if nothing of it can be used.
    fn read(text: &str) -> Result<Self, BadSecret>;

    /// The name of each part that is there and unusable, and why. Empty where a text has no parts.
    fn unusable(&self) -> Vec<(&'static str, BadSecret)>;

    /// Takes keys for each unusable part that has none from older keys, where those have some. The part
    /// still counts as unusable.
    fn fill_from(&mut self, older: &Self);
}

/// Keys that rotate.
pub trait Keys<K> {
    /// The current keys, not older than their maximum age: they sign, and what they verify counts.
    ///
    /// # Errors
    ///
    /// [`NoKeys`] when none can be read and none are remembered that are young enough.
    fn current(&self, now: Timestamp) -> impl Future<Output = Result<Arc<K>, NoKeys>> + Send;

    /// The keys before the current ones, because the current ones do not verify something; `None` if
    /// there are none, or if they are not accepted any more.
    ///
    /// # Errors
    ///
    /// [`NoKeys`] when it cannot be read which they are.
    fn previous(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Arc<K>>, NoKeys>> + Send;

    /// The current keys read anew, because something was signed with one that is not known here, or
    /// because a provider no longer accepts one; `None` when they were read so lately that asking again
    /// is not allowed, or cannot be read.
    fn reread(&self, now: Timestamp) -> impl Future<Output = Option<Arc<K>>> + Send;
}

impl<K, T: Keys<K> + Send + Sync> Keys<K> for Arc<T> {
    fn current(&self, now: Timestamp) -> impl Future<Output = Result<Arc<K>, NoKeys>> + Send {
        (**self).current(now)
    }

    fn previous(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Arc<K>>, NoKeys>> + Send {
        (**self).previous(now)
    }

    fn reread(&self, now: Timestamp) -> impl Future<Output = Option<Arc<K>>> + Send {
        (**self).reread(now)
    }
}
