//! The notifications that a person must look at.

use super::StoreError;
use crate::domain::{EventKey, Quarantined};

/// The notifications that a person must look at.
pub trait Quarantine {
    /// A quarantined notification, read consistently; `None` if there is no such event, or it never
    /// was quarantined.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Fault`].
    fn quarantined(
        &self,
        key: &EventKey,
    ) -> impl Future<Output = Result<Option<Quarantined>, StoreError>> + Send;

    /// Takes a notification off the review list and changes nothing else of it. One that is not
    /// listed is no error.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn resolve(&self, key: &EventKey) -> impl Future<Output = Result<(), StoreError>> + Send;
}
