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

/// A secret's two generations, read into keys.
#[derive(Clone, Debug)]
pub struct Generations<K> {
    /// Signs, and is accepted.
    pub current: K,
    /// The generation before, and the time until which it is accepted.
    pub previous: Option<(K, Timestamp)>,
}

impl<K> Generations<K> {
    /// The keys that are accepted at this time, newest first.
    pub fn accepted(&self, now: Timestamp) -> impl Iterator<Item = &K> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(key, _)| key);
        std::iter::once(&self.current).chain(previous)
    }
}

/// Keys that rotate.
pub trait Keys<K> {
    /// The keys, not older than their maximum age.
    ///
    /// # Errors
    ///
    /// [`NoKeys`] when none can be read and none are remembered that are young enough.
    fn keys(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Arc<Generations<K>>, NoKeys>> + Send;

    /// The keys read anew, because something was signed with one that is not known here; `None`
    /// when they were read so lately that asking again is not allowed, or cannot be read.
    fn reread(&self, now: Timestamp) -> impl Future<Output = Option<Arc<Generations<K>>>> + Send;
}

impl<K, T: Keys<K> + Send + Sync> Keys<K> for Arc<T> {
    fn keys(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Arc<Generations<K>>, NoKeys>> + Send {
        (**self).keys(now)
    }

    fn reread(&self, now: Timestamp) -> impl Future<Output = Option<Arc<Generations<K>>>> + Send {
        (**self).reread(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_previous_generation_counts_until_its_time() {
        let at = |ms| Timestamp::from_millis(ms).unwrap();
        let generations = Generations { current: 2, previous: Some((1, at(1000))) };
        let accepted = |now| generations.accepted(now).copied().collect::<Vec<_>>();
        assert_eq!(accepted(at(999)), [2, 1]);
        assert_eq!(accepted(at(1000)), [2]);
    }
}
