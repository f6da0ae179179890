//! The payments, their guards and their event log.

use super::Cause;
use crate::domain::{
    Change, Checkout, CheckoutReference, CheckoutState, Digest, Event, Guard, OrderId, Payment,
    PaymentId, Provider, ProviderRef, ProviderRefund, Refund, RefundId, Timestamp, UserId,
};

/// Why the store gave no result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing happened: throttled, in conflict for longer than the retries last, or not reached.
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// The write may have happened, may still happen, or not: only reading it back tells.
    #[error("the outcome of a write is unknown")]
    Unknown(#[source] Cause),
    /// Stored data is invalid, or the store rejected the request for good.
    #[error("stored data is invalid, or the store rejected the request")]
    Fault(#[source] Cause),
}

/// The result of creating a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The payment and its guard were written.
    Done,
    /// The order's guard is not as expected, and nothing was written. The guard as it is; `None`
    /// if it is gone.
    Guarded(Option<Guard>),
    /// The guard is as expected, but the payment to replace is no longer replaceable.
    NotReplaceable,
    /// Another payment has this id.
    IdTaken,
}

/// The result of changing a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The change and its event were written.
    Done,
    /// The record has another version, status or `due` by now, its refund another state, or its checkout
    /// is there already, whatever else was wrong.
    RecordChanged,
    /// The record is as expected; the order's guard names this payment instead, or none.
    NotLive(Option<PaymentId>),
    /// Record and guard are as expected; the event's key is taken.
    KeyTaken,
}

/// The result of appending an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The event was written.
    Done,
    /// Its key is taken, by an event with this body digest; `None` if that event cannot be read.
    KeyTaken(Option<Digest>),
}

/// The payments, their guards and their event log.
///
/// Reads are consistent but for [`Self::newest_of_order`] and [`Self::of_transaction`]. Errors of reads are
/// [`StoreError::Unavailable`] or [`StoreError::Fault`]; a write may also be
/// [`StoreError::Unknown`].
pub trait Payments {
    /// The newest payment of an order, from an index that lags: a hint, which decides nothing.
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

    /// The payments with this provider's transaction, at most two, from an index that lags: a hint. None
    /// unless both are known.
    fn of_transaction(
        &self,
        reference: &ProviderRef,
    ) -> impl Future<Output = Result<Vec<PaymentId>, StoreError>> + Send;

    /// A refund of a payment.
    fn refund(
        &self,
        payment: PaymentId,
        id: &RefundId,
    ) -> impl Future<Output = Result<Option<Refund>, StoreError>> + Send;

    /// The refund that a provider's id stands for, once it was counted.
    fn refund_named(
        &self,
        payment: PaymentId,
        provider: Provider,
        id: &ProviderRefund,
    ) -> impl Future<Output = Result<Option<RefundId>, StoreError>> + Send;

    /// The refunds of a payment, in no order. One that cannot be read is left out.
    fn refunds(
        &self,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Refund>, StoreError>> + Send;

    /// The checkouts of a payment, oldest first.
    fn checkouts(
        &self,
        payment: PaymentId,
    ) -> impl Future<Output = Result<Vec<Checkout>, StoreError>> + Send;

    /// Writes a checkout as it is now, while it is as it was read: `false` if it is not. It raises no
    /// version: a checkout decides nothing about its payment.
    fn change_checkout(
        &self,
        read: &Checkout,
        next: &Checkout,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Moves a checkout that is unended to an end, [`CheckoutState::Ended`] or [`CheckoutState::Refused`].
    /// One that has come to an end, or was never made, stays as it is.
    fn end_checkout(
        &self,
        checkout: CheckoutReference,
        end: CheckoutState,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Creates a payment and its guard in one transaction.
    ///
    /// With `replacing`: only while the guard names that payment and it is replaceable. Without:
    /// only while there is no guard.
    fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send;

    /// Changes a record, keeps the refund or the new checkout of the change and appends its event, in one
    /// transaction.
    fn update(
        &self,
        change: &Change,
        event: &Event,
    ) -> impl Future<Output = Result<Updated, StoreError>> + Send;

    /// Appends an event that changes no record. A quarantined one is listed for review.
    fn append(&self, event: &Event) -> impl Future<Output = Result<Appended, StoreError>> + Send;
}

/// A page of a user's payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentPage {
    /// Newest first.
    pub payments: Vec<Payment>,
    /// Where the next page starts: below this id. `None` on the last page.
    pub cursor: Option<PaymentId>,
}

/// Lists of payments.
pub trait PaymentLists {
    /// A user's payments with ids below `before`, newest first, at most `limit` of them. A payment
    /// created a moment ago may be missing; the records themselves are read consistently.
    ///
    /// An item that cannot be read is counted, logged and left out: the page is shorter then, and its
    /// cursor is beyond that item.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Fault`].
    fn list_by_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> impl Future<Output = Result<PaymentPage, StoreError>> + Send;
}

/// Where new ids come from.
pub trait PaymentIds {
    /// An id that is most likely not taken.
    fn next(&self, now: Timestamp) -> PaymentId;
}
