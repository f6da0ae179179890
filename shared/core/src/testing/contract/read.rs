//! Finding payments.

use super::fresh::{Fresh, create};
use crate::{
    domain::{Payment, PaymentId, Status, UserId},
    ports::StoreError,
    testing::{Inspect, contract::Store},
};

async fn page(
    store: &impl Store,
    uid: UserId,
    before: Option<PaymentId>,
    limit: usize,
) -> Vec<Payment> {
    store.list_by_user(uid, before, limit).await.unwrap().payments
}

/// Every page of this size, from the newest on.
async fn pages(store: &impl Store, uid: UserId, limit: usize) -> Vec<Vec<Payment>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list_by_user(uid, cursor, limit).await.unwrap();
        pages.push(page.payments);
        cursor = page.cursor;
        if cursor.is_none() {
            return pages;
        }
    }
}

async fn stored(store: &impl Store, fresh: &Fresh, uid: UserId) -> Payment {
    let payment = fresh.payment_of(uid, fresh.payment().oid);
    create(store, &payment, None).await;
    payment
}

/// Absence is a result, not an error.
pub async fn finds_nothing_where_nothing_is(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    assert_eq!(store.payment(payment.id).await.unwrap(), None);
    assert_eq!(store.guard(payment.oid).await.unwrap(), None);
    assert_eq!(store.newest_of_order(payment.oid).await.unwrap(), None);
    assert_eq!(page(&store, payment.uid, None, 10).await, []);
}

/// Not the guard's, nor another order's.
pub async fn the_newest_of_an_order_is_the_last_made(
    store: impl Store,
    _log: impl Inspect,
    fresh: Fresh,
) {
    let old = fresh.stored_as(&store, Status::Closed).await;
    assert_eq!(store.newest_of_order(old.oid).await.unwrap(), Some(old.id));
    let new = fresh.payment_of(old.uid, old.oid);
    create(&store, &new, Some(old.id)).await;
    let other = fresh.stored(&store).await;
    assert_eq!(store.newest_of_order(old.oid).await.unwrap(), Some(new.id));
    let newest = store.newest_of_order(other.oid).await.unwrap();
    assert_eq!(newest, Some(other.id));
}

/// Guards and events carry users and payments too, and are not payments.
pub async fn lists_a_users_own_newest_first(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let (uid, other) = (fresh.user(), fresh.user());
    let one = stored(&store, &fresh, uid).await;
    let others = stored(&store, &fresh, other).await;
    let two = stored(&store, &fresh, uid).await;
    store.append(&fresh.event(&one)).await.unwrap();
    assert_eq!(page(&store, uid, None, 10).await, [two, one]);
    assert_eq!(page(&store, other, None, 10).await, [others]);
    assert_eq!(page(&store, fresh.user(), None, 10).await, []);
}

/// The last id of a page is where the next one starts.
pub async fn pages_without_gap_or_repeat(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let uid = fresh.user();
    let mut all = Vec::new();
    for _ in 0..5 {
        all.insert(0, stored(&store, &fresh, uid).await);
    }
    assert_eq!(page(&store, uid, None, 2).await, all[..2]);
    assert_eq!(page(&store, uid, Some(all[1].id), 2).await, all[2..4]);
    assert_eq!(page(&store, uid, Some(all[3].id), 2).await, all[4..]);
    assert_eq!(page(&store, uid, Some(all[4].id), 2).await, []);
    assert_eq!(page(&store, uid, None, 0).await, []);
}

/// Only its order comes from an index.
pub async fn a_page_is_as_current_as_the_records(
    store: impl Store,
    _log: impl Inspect,
    fresh: Fresh,
) {
    let uid = fresh.user();
    let one = stored(&store, &fresh, uid).await;
    let two = stored(&store, &fresh, uid).await;
    let one = fresh.moved(&store, &one, Status::Paid).await;
    assert_eq!(page(&store, uid, None, 2).await, [two, one]);
}

/// One more than the largest page of the API, which tells whether there is another.
pub async fn a_long_page_comes_whole(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let uid = fresh.user();
    let mut all = Vec::new();
    for _ in 0..103 {
        let payment = stored(&store, &fresh, uid).await;
        all.insert(0, payment);
    }
    assert_eq!(page(&store, uid, None, 101).await, all[..101]);
    assert_eq!(page(&store, uid, None, 100).await, all[..100]);
}

/// The last page has none, also if it is full.
pub async fn a_cursor_says_that_more_is_there(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let uid = fresh.user();
    let mut all = Vec::new();
    for _ in 0..4 {
        all.insert(0, stored(&store, &fresh, uid).await);
    }
    let page = store.list_by_user(uid, None, 3).await.unwrap();
    assert_eq!(page.cursor, Some(all[2].id));
    assert_eq!(pages(&store, uid, 3).await, [&all[..3], &all[3..]]);
    assert_eq!(pages(&store, uid, 2).await, [&all[..2], &all[2..]]);
    assert_eq!(pages(&store, uid, 4).await, [&all[..]]);
}

/// By its id it is a fault. In a list it is left out, wherever it stands on its page, and the cursor
/// goes past it.
pub async fn an_unreadable_record_takes_no_other_along(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let uid = fresh.user();
    let mut all = Vec::new();
    for _ in 0..6 {
        all.insert(0, stored(&store, &fresh, uid).await);
    }
    for spoilt in [0, 2, 3, 5] {
        log.spoil(all[spoilt].id).await;
        let read = store.payment(all[spoilt].id).await;
        assert!(matches!(read, Err(StoreError::Fault(_))), "{read:?}");
    }
    let rest = [all[1].clone(), all[4].clone()];
    assert_eq!(pages(&store, uid, 6).await, [&rest[..]]);
    assert_eq!(pages(&store, uid, 2).await, [&rest[..1], &[], &rest[1..]]);
    assert_eq!(pages(&store, uid, 1).await.concat(), rest);
    // The order of one of them is found as before: the index only names its record.
    assert_eq!(store.newest_of_order(all[0].oid).await.unwrap(), Some(all[0].id));
    assert_eq!(store.guard(all[0].oid).await.unwrap().unwrap().payment, all[0].id);
}
