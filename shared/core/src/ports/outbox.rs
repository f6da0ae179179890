//! The outbox: payments whose order service is still to be notified.

use super::StoreError;
use crate::domain::{Due, PaymentId, Timestamp};

/// What is still to be done, and when.
///
/// Neither write raises a record's version: they change nothing that a notification depends on. Each is
/// conditioned on `due` as it was read; another `due` by now is no error, because somebody else has
/// notified or rescheduled meanwhile.
pub trait Outbox {
    /// The payments that are due, from an index that lags: longest overdue first, at most `limit`.
    /// With `until` only those due by then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Fault`].
    fn due_payments(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<PaymentId>, StoreError>> + Send;

    /// Clears `due` and sets the time at which the order service was notified.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn mark_notified(
        &self,
        id: PaymentId,
        due: Due,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sets `due` to `next`.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn reschedule(
        &self,
        id: PaymentId,
        due: Due,
        next: Due,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
