//! Apply: what an authentic notification does to the payment that it names.
//!
//! The record decides, never the event log: an event that exists says that the notification was
//! received before, not that all of its work was done.

mod decide;

pub(super) use decide::{Plan, given_back, has_unended, known_refund, plan, read_again, update};

use futures_util::future;

use super::Failure;
use crate::{
    domain::{
        CheckoutNumber, Claims, Due, Mismatch, MismatchField, Notification, Outcome, Payment,
        Refund, RefundState, Report, Timestamp, Verdict,
    },
    ports::{Orders, Outbox, Payments, ShopError, StoreError, TraceParent, Users},
};

/// What a notification did.
#[derive(Debug)]
pub struct Applied {
    /// The record before it.
    pub before: Payment,
    /// The record after it.
    pub record: Payment,
    /// What it did to the record.
    pub verdict: Verdict,
    /// The refund that it was about, after it; `None` if it changed none.
    pub refund: Option<Refund>,
    /// Whether the order service was notified because of it, that the payment is paid.
    pub order_notification: OrderNotification,
    /// The same of the refund.
    pub refund_notification: OrderNotification,
}

impl Applied {
    /// What changed nothing.
    #[must_use]
    pub fn unchanged(record: Payment, verdict: Verdict) -> Self {
        Self::of(record.clone(), record, verdict, None)
    }

    /// What was written, and of which the order service is not notified yet.
    const fn of(
        before: Payment,
        record: Payment,
        verdict: Verdict,
        refund: Option<Refund>,
    ) -> Self {
        let (order_notification, refund_notification) =
            (OrderNotification::NotDue, OrderNotification::NotDue);
        Self { before, record, verdict, refund, order_notification, refund_notification }
    }
}

/// Whether the order service was notified.
#[derive(Debug)]
pub enum OrderNotification {
    /// Nothing was due.
    NotDue,
    /// It was, and `due` is cleared.
    Done,
    /// It was, and the sweep will repeat it: `due` could not be cleared.
    NotCleared(StoreError),
    /// It was not. The payment stays due, and the sweep will notify it.
    Failed(ShopError),
}

/// Why a notification was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It is quarantined, durably: a person looks at it, and sending it again changes nothing.
    #[error("the notification does not match: {0}")]
    Mismatch(Mismatch),
    /// It may be about something of others, and names no payment of ours: it has no effect.
    #[error("the notification names no payment, and the account is shared")]
    NotOurs,
    /// It was not handled; sending it again helps where the failure is temporary.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for ApplyError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Applies an authentic notification: changes the record, notifies the order service, or
/// quarantines the notification.
///
/// # Errors
///
/// [`ApplyError`]. After [`ApplyError::Mismatch`] and [`ApplyError::NotOurs`], as after every success, what the notification did
/// is durable: the sender may get its success response.
pub async fn apply(
    (users, orders): (&impl Users, &impl Orders),
    store: &(impl Payments + Outbox),
    notification: &Notification,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Applied, ApplyError> {
    let record = record(store, notification);
    let (record, absent) = future::join(record, absent(users, orders, notification, trace)).await;
    let Some(record) = record? else {
        if notification.is_shared && notification.review.is_none() {
            return Err(ApplyError::NotOurs);
        }
        let named = || Mismatch::absent(MismatchField::Payment, notification.payment);
        let mismatch = absent.or_else(|| notification.review.clone()).unwrap_or_else(named);
        return decide::quarantine(store, notification, None, mismatch, now).await;
    };
    let outside = decide::known_outside(store, &record, &notification.report).await?;
    let mismatch = || notification.mismatch(&record, outside.as_ref());
    if let Some(mismatch) = absent.or_else(mismatch) {
        return decide::quarantine(store, notification, Some(&record), mismatch, now).await;
    }
    let hears_of_refunds = orders.hears_of_refunds();
    let mut applied = decide::decide(store, notification, record, hears_of_refunds, now).await?;
    if notification.report.outcome.is_some_and(Outcome::moves_money) {
        // The sweep ends the checkouts that did not pay.
        let next = applied.record.due.filter(|_| !is_only_checkout(&applied.record, notification));
        applied.order_notification = notify(orders, store, &applied.record, next, now, trace).await;
        if matches!(applied.order_notification, OrderNotification::Done) {
            applied.record.notified_time = Some(now);
            applied.record.due = next;
        }
    }
    if let Some(refund) = applied.refund.as_ref().filter(|refund| refund.due.is_some()) {
        applied.refund_notification =
            notify_refund(orders, store, (&applied.record, refund), trace).await;
        if matches!(applied.refund_notification, OrderNotification::Done) {
            applied.refund = Some(Refund { due: None, ..refund.clone() });
        }
    }
    Ok(applied)
}

/// Whether no checkout of the payment can be left that somebody may still pay: it has none, or one, which the
/// notification is about.
fn is_only_checkout(record: &Payment, notification: &Notification) -> bool {
    let number = notification.checkout.map_or(0, CheckoutNumber::get);
    record.checkouts == 0 || (record.checkouts == 1 && number == 1)
}

/// The record of the payment that a notification names. One about a refund may name the provider's
/// transaction alone: where the index knows it, and the record has it, it names that payment.
async fn record(
    store: &impl Payments,
    notification: &Notification,
) -> Result<Option<Payment>, StoreError> {
    if let Some(id) = notification.payment {
        return store.payment(id).await;
    }
    let Report { outcome, reference, .. } = &notification.report;
    if *outcome != Some(Outcome::Refunded) {
        return Ok(None);
    }
    // Two payments of one transaction: neither is certain.
    let [id] = store.of_transaction(reference).await?[..] else { return Ok(None) };
    let record = store.payment(id).await?;
    Ok(record.filter(|record| record.reference.is_same(reference)))
}

/// The user or order that a native notification claims and the shop definitely does not know. A
/// service that is down does not hold up a notification that matches the record.
async fn absent(
    users: &impl Users,
    orders: &impl Orders,
    notification: &Notification,
    trace: &TraceParent,
) -> Option<Mismatch> {
    let Claims { uid, oid } = notification.claims?;
    match future::join(users.exists(uid, trace), orders.find(oid, uid, trace)).await {
        (Ok(false), _) => Some(Mismatch::absent(MismatchField::User, Some(uid))),
        (_, Ok(None)) => Some(Mismatch::absent(MismatchField::Order, Some(oid))),
        (Ok(true) | Err(_), Ok(Some(_)) | Err(_)) => None,
    }
}

/// Notifies the order service of a paid payment, if that is still due; `next` is when else is to be looked at
/// the payment.
pub(super) async fn notify(
    orders: &impl Orders,
    store: &impl Outbox,
    record: &Payment,
    next: Option<Due>,
    now: Timestamp,
    trace: &TraceParent,
) -> OrderNotification {
    if !record.needs_notification() {
        return OrderNotification::NotDue;
    }
    if let Err(error) = orders.notify_paid(record, trace).await {
        return OrderNotification::Failed(error);
    }
    // If this fails the sweep notifies again, which the order service takes as the same notification.
    match store.mark_notified(record, now, next).await {
        Ok(()) => OrderNotification::Done,
        Err(error) => OrderNotification::NotCleared(error),
    }
}

/// Notifies the order service of a refund that succeeded, if that is still due and it knows that the
/// payment was paid.
pub(super) async fn notify_refund(
    orders: &impl Orders,
    store: &impl Outbox,
    (record, refund): (&Payment, &Refund),
    trace: &TraceParent,
) -> OrderNotification {
    if refund.due.is_none() || refund.state != RefundState::Succeeded {
        return OrderNotification::NotDue;
    }
    if record.notified_time.is_none() {
        return OrderNotification::NotDue;
    }
    if let Err(error) = orders.notify_refunded(record, refund, trace).await {
        return OrderNotification::Failed(error);
    }
    match store.reschedule_refund(refund, None).await {
        Ok(()) => OrderNotification::Done,
        Err(error) => OrderNotification::NotCleared(error),
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
