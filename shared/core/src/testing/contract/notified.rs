//! Order notifications that are done.

use super::fresh::{Fresh, at, has};
use crate::{
    domain::{Due, Payment, Status},
    testing::{Inspect, contract::Store},
};

/// The record gets the time, and keeps its version and all else.
pub async fn clears_due(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    assert_eq!(log.listed().await.len(), 1);
    store.mark_notified(&payment, at(99), None).await.unwrap();
    let notified = Payment { notified_time: Some(at(99)), due: None, ..payment };
    has(&store, &notified).await;
    assert_eq!(log.listed().await, []);
    let refunded = fresh.moved(&store, &notified, Status::Refunded).await;
    has(&store, &refunded).await;
}

/// Somebody rescheduled or changed it: that stands.
pub async fn leaves_any_other_due(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let due = payment.due.unwrap();
    let outdated =
        [Due { at: due.at.plus_millis(1), ..due }, Due { attempts: due.attempts + 1, ..due }];
    for outdated in outdated {
        let read = Payment { due: Some(outdated), ..payment.clone() };
        store.mark_notified(&read, at(99), None).await.unwrap();
        store.clear(&read).await.unwrap();
        has(&store, &payment).await;
    }
    let read = Payment { version: payment.version - 1, ..payment.clone() };
    store.mark_notified(&read, at(99), None).await.unwrap();
    store.clear(&read).await.unwrap();
    store.reschedule(&read, Due { attempts: 9, ..due }).await.unwrap();
    has(&store, &payment).await;
    assert_eq!(log.listed().await.len(), 1);
}

/// The first time stays.
pub async fn happens_once(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    store.mark_notified(&payment, at(99), None).await.unwrap();
    store.mark_notified(&payment, at(100), None).await.unwrap();
    let notified = Payment { notified_time: Some(at(99)), due: None, ..payment };
    has(&store, &notified).await;
}

/// Nor does it create one.
pub async fn no_payment_is_no_error(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let missing = Payment { due: paid.due, ..fresh.payment() };
    store.mark_notified(&missing, at(99), None).await.unwrap();
    store.clear(&missing).await.unwrap();
    assert_eq!(store.payment(missing.id).await.unwrap(), None);
    has(&store, &paid).await;
}
