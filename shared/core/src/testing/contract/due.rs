//! What is due: from its creation on, where a provider can be queried.

use super::fresh::{Fresh, at, create, has, moving, stripe};
use crate::{
    domain::{Due, DueChange, Payment, Status},
    limits::{NOTIFY_GRACE_MS, QUERY_FIRST_MS},
    ports::{DueItem, Updated},
    testing::{Inspect, contract::Store},
};

/// Checks that the index lists just this payment, at this time.
async fn lists(store: &impl Store, log: &impl Inspect, payment: &Payment) {
    has(store, payment).await;
    let listed: Vec<_> = log.listed().await.into_iter().map(|one| (one.pk, one.due)).collect();
    let due = payment.due.map(|due| (format!("pay#{}", payment.id), due.at.millis()));
    assert_eq!(listed, due.into_iter().collect::<Vec<_>>(), "{payment:?}");
}

/// It is listed at once; without it is not.
pub async fn a_new_payment_may_be_due(store: impl Store, log: impl Inspect, fresh: Fresh) {
    fresh.stored(&store).await;
    let due = fresh.due_after(QUERY_FIRST_MS);
    create(&store, &due, None).await;
    lists(&store, &log, &due).await;
    assert_eq!(store.due_items(None, 9).await.unwrap(), [DueItem::Payment(due.id)]);
    let before = at(QUERY_FIRST_MS - 1);
    assert_eq!(store.due_items(Some(before), 9).await.unwrap(), []);
    let failed = fresh.moved(&store, &due, Status::Failed).await;
    lists(&store, &log, &failed).await;
}

/// The entry of the index stays where it is; attempts begin anew.
pub async fn the_move_to_paid_leaves_a_near_time(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let due = fresh.due_after(QUERY_FIRST_MS);
    create(&store, &due, None).await;
    let again = Due { at: at(QUERY_FIRST_MS + 5), attempts: 3 };
    store.reschedule(&due, again).await.unwrap();
    let due = Payment { due: Some(again), ..due };
    let change = due.change_to(Status::Paid, &stripe("pi_1"), false, at(10));
    let paid = fresh.changed(&store, &due, &change).await;
    assert_eq!(paid.due, Some(Due { attempts: 0, ..again }));
    lists(&store, &log, &paid).await;
    store.mark_notified(&paid, at(99), None).await.unwrap();
    let notified = Payment { due: None, notified_time: Some(at(99)), ..paid };
    lists(&store, &log, &notified).await;
}

/// The order service would wait too long.
pub async fn the_move_to_paid_brings_a_far_time_near(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let due = fresh.due_after(QUERY_FIRST_MS + 11);
    create(&store, &due, None).await;
    let change = due.change_to(Status::Paid, &stripe("pi_1"), false, at(10));
    let paid = fresh.changed(&store, &due, &change).await;
    assert_eq!(paid.due, Some(Due { at: at(10 + NOTIFY_GRACE_MS), attempts: 0 }));
    lists(&store, &log, &paid).await;
    assert_eq!(store.due_items(None, 9).await.unwrap(), [DueItem::Payment(paid.id)]);
}

/// Nor is one that was refunded before it was seen paid.
pub async fn a_final_payment_is_not_due(store: impl Store, log: impl Inspect, fresh: Fresh) {
    for to in [Status::Closed, Status::Refunded] {
        let due = fresh.due_after(QUERY_FIRST_MS);
        create(&store, &due, None).await;
        let change = moving(&due, to, &stripe("pi_1"), at(10));
        let ended = fresh.changed(&store, &due, &change).await;
        lists(&store, &log, &ended).await;
        assert_eq!(ended.due, None);
    }
}

/// A sweep rescheduled or cleared it meanwhile, which raises no version; nothing is written.
pub async fn another_due_than_read_is_a_changed_record(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let read = fresh.due_after(QUERY_FIRST_MS);
    create(&store, &read, None).await;
    let next = Due { at: at(QUERY_FIRST_MS), attempts: 1 };
    store.reschedule(&read, next).await.unwrap();
    let rescheduled = Payment { due: Some(next), ..read.clone() };
    let change = read.change_to(Status::Paid, &stripe("pi_1"), false, at(10));
    let DueChange::Set { after, .. } = change.due else { panic!("{change:?}") };
    let mut absent = change.clone();
    absent.due = DueChange::Set { before: None, after };
    for change in [&change, &absent] {
        let updated = store.update(change, &fresh.event_of(&read, change)).await;
        assert_eq!(updated.unwrap(), Updated::RecordChanged, "{change:?}");
        lists(&store, &log, &rescheduled).await;
    }
    store.clear(&rescheduled).await.unwrap();
    let updated = store.update(&change, &fresh.event_of(&read, &change)).await;
    assert_eq!(updated.unwrap(), Updated::RecordChanged);
    let cleared = Payment { due: None, ..read };
    lists(&store, &log, &cleared).await;
    let paid = fresh.changed(&store, &cleared, &absent).await;
    lists(&store, &log, &paid).await;
}
