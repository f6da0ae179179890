//! Where payments are kept.

use super::Cause;
use crate::domain::{
    Change, Digest, Event, EventKey, Guard, OrderId, Payment, PaymentId, Quarantined, Timestamp,
    UserId, Work,
};

/// Why the store gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing happened: throttled, in conflict for longer than the retries last, or not reached.
    #[error("the store cannot be used now")]
    Unavailable(#[source] Cause),
    /// The write may have happened, may still happen, or not: only reading it back tells.
    #[error("the store did not say whether it wrote")]
    Unknown(#[source] Cause),
    /// Ours to repair: a row that cannot be read, or a request that the store refuses for good.
    #[error("the store holds or was sent what it should not")]
    Fault(#[source] Cause),
}

/// What became of an attempt to make a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The payment and its guard are there.
    Done,
    /// The order's guard is not as expected, and nothing was written. The guard as it is; `None`
    /// if it is gone.
    Guarded(Option<Guard>),
    /// The guard is as expected, but the payment to replace is no longer replaceable.
    NotReplaceable,
    /// Another payment has this id.
    IdTaken,
}

/// What became of an attempt to change a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The change and its event are there.
    Done,
    /// The record has another version or status by now, whatever else was wrong.
    RecordChanged,
    /// The record is as expected; the order's guard does not name this payment.
    NotLive,
    /// Record and guard are as expected; the event's key is taken.
    KeyTaken,
}

/// What became of an attempt to log an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    /// It is there.
    Done,
    /// Its key is taken, by an event with this body digest.
    KeyTaken(Digest),
}

/// The payments, their guards and their event log.
///
/// Reads are consistent but for [`Self::newest_of_order`], [`Self::to_tell`] and the *order* of
/// [`Self::of_user`].
/// Errors of reads are [`StoreError::Unavailable`] or [`StoreError::Fault`]; a write may also be
/// [`StoreError::Unknown`].
pub trait PaymentStore {
    /// A hint, from an index that lags: the order's newest payment.
    fn newest_of_order(
        &self,
        oid: OrderId,
    ) -> impl Future<Output = Result<Option<PaymentId>, StoreError>> + Send;

    /// The order's guard.
    fn guard(&self, oid: OrderId)
    -> impl Future<Output = Result<Option<Guard>, StoreError>> + Send;

    /// A payment's record.
    fn payment(
        &self,
        id: PaymentId,
    ) -> impl Future<Output = Result<Option<Payment>, StoreError>> + Send;

    /// A user's payments with ids below `before`, newest first, at most `limit` of them. A payment
    /// made a moment ago may be missing; what is there is as current as [`Self::payment`].
    fn of_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Payment>, StoreError>> + Send;

    /// Makes a payment and its guard in one transaction.
    ///
    /// With `replacing`: only while the guard names that payment and it is replaceable. Without:
    /// only while there is no guard.
    fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send;

    /// Makes a change and logs its event in one transaction.
    fn apply(
        &self,
        change: &Change,
        event: &Event,
    ) -> impl Future<Output = Result<Applied, StoreError>> + Send;

    /// Logs an event that changes no record. One that is quarantined is listed for a person.
    fn log(&self, event: &Event) -> impl Future<Output = Result<Logged, StoreError>> + Send;

    /// Takes a telling off the list, if it is still the `work` that was read, and notes when.
    ///
    /// The record's version stays. Another `work` by now is no error: somebody else was here.
    fn told(
        &self,
        id: PaymentId,
        work: Work,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The payments whose order is still to be told, from an index that lags: the longest due
    /// first, at most `limit` of them, with `until` only those due by then.
    fn to_tell(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<PaymentId>, StoreError>> + Send;

    /// Lists a telling as `next` from now on, if it is still the `work` that was read.
    ///
    /// The record's version stays. Another `work` by now, or none, is no error: somebody else was
    /// here.
    fn put_off(
        &self,
        id: PaymentId,
        work: Work,
        next: Work,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The messages that a person has to look at.
pub trait Quarantine {
    /// A message that was put in quarantine, read consistently; `None` if no such entry is there,
    /// or it never was in quarantine.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Fault`].
    fn quarantined(
        &self,
        key: &EventKey,
    ) -> impl Future<Output = Result<Option<Quarantined>, StoreError>> + Send;

    /// Takes a message off the list and changes nothing else of it. One that is off it is no error.
    ///
    /// # Errors
    ///
    /// Any [`StoreError`].
    fn resolved(&self, key: &EventKey) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Where new ids come from.
pub trait PaymentIds {
    /// An id that is most likely not taken.
    fn next(&self, now: Timestamp) -> PaymentId;
}
