//! The outbox: what is due, and what is rescheduled.

use super::fresh::{Fresh, at, create, has};
use crate::{
    domain::{Due, Event, Payment, Status, Verdict},
    ports::DueItem,
    testing::{Inspect, contract::Store},
};

fn ids(payments: &[&Payment]) -> Vec<DueItem> {
    payments.iter().map(|payment| DueItem::Payment(payment.id)).collect()
}

/// Longest overdue first, whichever queue an id is in; only so many, and only those due by then.
pub async fn the_longest_overdue_comes_first(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    assert_eq!(store.due_items(None, 9).await.unwrap(), []);
    let mut paid = Vec::new();
    for _ in 0..6 {
        paid.push(fresh.stored_as(&store, Status::Paid).await);
    }
    fresh.stored_as(&store, Status::Closed).await;
    // Due later the earlier it was created.
    for (after, payment) in paid.iter_mut().rev().enumerate() {
        let due = payment.due.unwrap();
        let after_ms = u64::try_from(after).unwrap() * 10;
        let next = Due { at: due.at.plus_millis(100_000 + after_ms), ..due };
        store.reschedule(payment, next).await.unwrap();
        payment.due = Some(next);
    }
    let order: Vec<_> = paid.iter().rev().collect();
    assert_eq!(store.due_items(None, 9).await.unwrap(), ids(&order));
    assert_eq!(store.due_items(None, 2).await.unwrap(), ids(&order[..2]));
    assert_eq!(store.due_items(None, 0).await.unwrap(), []);
    let third = order[2].due.unwrap().at;
    assert_eq!(store.due_items(Some(third), 9).await.unwrap(), ids(&order[..3]));
    let before = at(0);
    assert_eq!(store.due_items(Some(before), 9).await.unwrap(), []);
}

/// A quarantined notification is for a person, not for the sweep.
pub async fn what_waits_for_review_is_not_due(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Pending).await;
    let quarantined = Event { verdict: Verdict::Quarantined, ..fresh.event(&payment) };
    store.append(&quarantined).await.unwrap();
    assert_eq!(log.listed().await.len(), 1);
    assert_eq!(store.due_items(None, 9).await.unwrap(), []);
}

/// The record keeps its version and all else.
pub async fn rescheduling_changes_due_alone(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let due = payment.due.unwrap();
    let next = Due { at: due.at.plus_millis(7), attempts: due.attempts + 1 };
    store.reschedule(&payment, next).await.unwrap();
    let rescheduled = Payment { due: Some(next), ..payment.clone() };
    has(&store, &rescheduled).await;
    assert_eq!(log.listed().await.len(), 1);
    // What was read before is outdated by now.
    store.reschedule(&payment, Due { attempts: 9, ..next }).await.unwrap();
    store.mark_notified(&payment, at(99), None).await.unwrap();
    store.clear(&payment).await.unwrap();
    has(&store, &rescheduled).await;
}

/// It makes nothing due again, and creates no payment.
pub async fn rescheduling_what_is_done_does_nothing(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let due = payment.due.unwrap();
    store.mark_notified(&payment, at(99), None).await.unwrap();
    let next = Due { at: due.at.plus_millis(7), attempts: 1 };
    store.reschedule(&payment, next).await.unwrap();
    has(&store, &Payment { notified_time: Some(at(99)), due: None, ..payment }).await;
    let missing = Payment { due: Some(due), ..fresh.payment() };
    store.reschedule(&missing, next).await.unwrap();
    assert_eq!(store.payment(missing.id).await.unwrap(), None);
    assert_eq!(log.listed().await, []);
}

/// The record keeps its version and all else; what was read before changes nothing after it.
pub async fn clearing_changes_due_alone(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let pending = fresh.due_after(300_000);
    create(&store, &pending, None).await;
    for outdated in [
        Payment { version: 2, ..pending.clone() },
        Payment { due: Some(Due { at: at(300_001), attempts: 0 }), ..pending.clone() },
        Payment { due: Some(Due { at: at(300_000), attempts: 1 }), ..pending.clone() },
        Payment { due: None, ..pending.clone() },
    ] {
        store.clear(&outdated).await.unwrap();
        store.mark_notified(&outdated, at(99), None).await.unwrap();
        has(&store, &pending).await;
    }
    store.clear(&pending).await.unwrap();
    let cleared = Payment { due: None, ..pending.clone() };
    has(&store, &cleared).await;
    assert_eq!(log.listed().await, []);
    for read in [&pending, &cleared] {
        store.clear(read).await.unwrap();
        store.reschedule(read, Due { at: at(9), attempts: 1 }).await.unwrap();
        store.mark_notified(read, at(99), None).await.unwrap();
        has(&store, &cleared).await;
    }
    assert_eq!(log.listed().await, []);
}
