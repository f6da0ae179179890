//! The work list: what is still to be told, and what is put off.

use super::fresh::{Fresh, at, has};
use crate::{
    domain::{Event, Payment, PaymentId, Status, Verdict, Work},
    ports::PaymentStore,
    testing::Inspect,
};

fn ids(payments: &[&Payment]) -> Vec<PaymentId> {
    payments.iter().map(|payment| payment.id).collect()
}

/// The longest due first, whichever list an id is on; only so many, and only those due by then.
pub async fn the_longest_due_comes_first(store: impl PaymentStore + Inspect, fresh: Fresh) {
    assert_eq!(store.to_tell(None, 9).await.unwrap(), []);
    let mut paid = Vec::new();
    for _ in 0..6 {
        paid.push(fresh.stored_as(&store, Status::Paid).await);
    }
    fresh.stored_as(&store, Status::Closed).await;
    // Due later the earlier it was made.
    for (after, payment) in paid.iter_mut().rev().enumerate() {
        let work = payment.work.unwrap();
        let after_ms = u64::try_from(after).unwrap() * 10;
        let next = Work { due: work.due.plus_millis(100_000 + after_ms), ..work };
        store.put_off(payment.id, work, next).await.unwrap();
        payment.work = Some(next);
    }
    let order: Vec<_> = paid.iter().rev().collect();
    assert_eq!(store.to_tell(None, 9).await.unwrap(), ids(&order));
    assert_eq!(store.to_tell(None, 2).await.unwrap(), ids(&order[..2]));
    assert_eq!(store.to_tell(None, 0).await.unwrap(), []);
    let third = order[2].work.unwrap().due;
    assert_eq!(store.to_tell(Some(third), 9).await.unwrap(), ids(&order[..3]));
    let before = at(0);
    assert_eq!(store.to_tell(Some(before), 9).await.unwrap(), []);
}

/// Only tellings: a message in quarantine is for a person.
pub async fn messages_are_no_tellings(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Pending).await;
    let quarantined = Event { verdict: Verdict::Quarantined, ..fresh.event(&payment) };
    store.log(&quarantined).await.unwrap();
    assert_eq!(store.listed().await.len(), 1);
    assert_eq!(store.to_tell(None, 9).await.unwrap(), []);
}

/// The record keeps its version and all else.
pub async fn putting_off_changes_the_telling_alone(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let work = payment.work.unwrap();
    let next = Work { due: work.due.plus_millis(7), tries: work.tries + 1 };
    store.put_off(payment.id, work, next).await.unwrap();
    let off = Payment { work: Some(next), ..payment.clone() };
    has(&store, &off).await;
    assert_eq!(store.listed().await.len(), 1);
    // What was read before is outdated by now.
    store.put_off(payment.id, work, Work { tries: 9, ..next }).await.unwrap();
    store.told(payment.id, work, at(99)).await.unwrap();
    has(&store, &off).await;
}

/// Nor does it bring one back, or make one.
pub async fn putting_off_what_is_done_does_nothing(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let work = payment.work.unwrap();
    store.told(payment.id, work, at(99)).await.unwrap();
    let next = Work { due: work.due.plus_millis(7), tries: 1 };
    store.put_off(payment.id, work, next).await.unwrap();
    has(&store, &Payment { told_at: Some(at(99)), work: None, ..payment }).await;
    let missing = fresh.payment();
    store.put_off(missing.id, work, next).await.unwrap();
    assert_eq!(store.payment(missing.id).await.unwrap(), None);
    assert_eq!(store.listed().await, []);
}
