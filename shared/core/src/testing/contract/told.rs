//! Tellings that are done.

use super::fresh::{Fresh, at, has};
use crate::{
    domain::{Payment, Status, Work},
    ports::PaymentStore,
    testing::Inspect,
};

/// The record notes when, and keeps its version and all else.
pub async fn takes_the_telling_off_the_list(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    assert_eq!(store.listed().await.len(), 1);
    let work = payment.work.unwrap();
    store.told(payment.id, work, at(99)).await.unwrap();
    let told = Payment { told_at: Some(at(99)), work: None, ..payment };
    has(&store, &told).await;
    assert_eq!(store.listed().await, []);
    let refunded = fresh.moved(&store, &told, Status::Refunded).await;
    has(&store, &refunded).await;
}

/// Somebody rescheduled it: theirs stands.
pub async fn leaves_any_other_telling(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let work = payment.work.unwrap();
    let outdated =
        [Work { due: work.due.plus_millis(1), ..work }, Work { tries: work.tries + 1, ..work }];
    for outdated in outdated {
        store.told(payment.id, outdated, at(99)).await.unwrap();
        has(&store, &payment).await;
    }
    assert_eq!(store.listed().await.len(), 1);
}

/// The first time stays.
pub async fn happens_once(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let work = payment.work.unwrap();
    store.told(payment.id, work, at(99)).await.unwrap();
    store.told(payment.id, work, at(100)).await.unwrap();
    let told = Payment { told_at: Some(at(99)), work: None, ..payment };
    has(&store, &told).await;
}

/// Nor does it make one.
pub async fn no_payment_is_no_error(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let missing = fresh.payment();
    let work = paid.work.unwrap();
    store.told(missing.id, work, at(99)).await.unwrap();
    assert_eq!(store.payment(missing.id).await.unwrap(), None);
    has(&store, &paid).await;
}
