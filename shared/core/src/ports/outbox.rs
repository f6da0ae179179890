//! The outbox: payments about which something is still to be done.

use super::StoreError;
use crate::domain::{Due, Payment, PaymentId, Refund, RefundId, Timestamp};

/// What is still to be done something about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueItem {
    /// A payment.
    Payment(PaymentId),
    /// A refund that we were asked for, or of which the order service is to be notified.
    Refund(PaymentId, RefundId),
}

impl DueItem {
    /// The payment that it is about.
    #[must_use]
    pub const fn payment(&self) -> PaymentId {
        match self {
            Self::Payment(id) | Self::Refund(id, _) => *id,
        }
    }
}

/// What is still to be done, and when.
///
/// No write raises a record's version: they change nothing that a notification depends on. Each is
/// conditioned on `version` and `due` as they were read, since the record says what is to be done: a
/// sweep that read a pending payment must not clear what a webhook made paid meanwhile. Another one by now
/// is no error: whoever changed it has done so with what is to be done in mind.
pub trait Outbox {
    /// What is due, from an index that lags: longest overdue first, at most `limit`.
    /// With `until` only those due by then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Fault`].
    fn due_items(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<DueItem>, StoreError>> + Send;

    /// Sets the time at which the order service was notified, and `due` to `next`: `None` where nothing else
    /// is to be done.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn mark_notified(
        &self,
        read: &Payment,
        at: Timestamp,
        next: Option<Due>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Clears `due`: nothing is left to do.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn clear(&self, read: &Payment) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sets `due` to `next`. Without a `due` that was read it does nothing.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn reschedule(
        &self,
        read: &Payment,
        next: Due,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sets `due` of a refund to `next`, or clears it, while its state and `due` are those that were read.
    /// Without a `due` that was read it does nothing.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn reschedule_refund(
        &self,
        read: &Refund,
        next: Option<Due>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
