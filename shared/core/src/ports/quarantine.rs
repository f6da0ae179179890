//! The notifications that a person must look at.

use super::StoreError;
use crate::domain::{Change, Decided, Event, EventKey, PaymentId, Quarantined};

/// The result of writing a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The decision, its event and the change were written.
    Done,
    /// The notification waits for no decision: somebody has decided, or it never was quarantined.
    NotOpen,
    /// The notification waits; the record has another version or status by now.
    RecordChanged,
    /// The record is as expected; the order's guard names this payment instead, or none.
    NotLive(Option<PaymentId>),
    /// All of them are as expected; the event's key is taken.
    KeyTaken,
}

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

    /// Keeps a decision on a notification that waits for one, takes it off the review list, appends
    /// the event of the decision and makes its change of a record: all in one transaction, or nothing.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn resolve(
        &self,
        key: &EventKey,
        decided: &Decided,
        change: Option<&Change>,
        event: &Event,
    ) -> impl Future<Output = Result<Resolved, StoreError>> + Send;
}
