//! Making payments: one live payment an order, whatever is tried.

use super::fresh::{Fresh, at, create, has, stripe};
use crate::{
    domain::{Guard, Sender, Status},
    ports::Created,
    testing::{Inspect, contract::Store},
};

/// Both are there, as they were given, and nothing else is.
pub async fn makes_the_payment_and_its_guard(store: impl Store, log: impl Inspect, fresh: Fresh) {
    for key in [None, Some(fresh.digest())] {
        let payment = fresh.payment();
        let guard = Guard::of(&payment, key);
        assert_eq!(store.create(&payment, &guard, None).await.unwrap(), Created::Done);
        has(&store, &payment).await;
        assert_eq!(store.guard(payment.oid).await.unwrap(), Some(guard));
        assert_eq!(log.events(Some(payment.id), Sender::Native).await, []);
    }
    assert_eq!(log.listed().await, []);
}

/// It learns whose order it is, and writes nothing.
pub async fn a_second_payment_meets_the_guard(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let first = fresh.payment();
    let guard = Guard::of(&first, Some(fresh.digest()));
    assert_eq!(store.create(&first, &guard, None).await.unwrap(), Created::Done);

    let second = fresh.payment_of(first.uid, first.oid);
    let own = Guard::of(&second, Some(fresh.digest()));
    assert_eq!(
        store.create(&second, &own, None).await.unwrap(),
        Created::Guarded(Some(guard.clone()))
    );
    assert_eq!(store.payment(second.id).await.unwrap(), None);
    assert_eq!(store.guard(first.oid).await.unwrap(), Some(guard));
    has(&store, &first).await;
}

/// Whoever does not know whether its payment was made finds out by making it again.
pub async fn a_repeat_meets_its_own_guard(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let guard = Guard::of(&payment, None);
    assert_eq!(store.create(&payment, &guard, None).await.unwrap(), Created::Guarded(Some(guard)));
}

/// Another order's payment of the same id is rejected with its guard.
pub async fn an_id_is_taken_once(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let first = fresh.stored(&store).await;
    let mut second = fresh.payment();
    second.id = first.id;
    assert_eq!(
        store.create(&second, &Guard::of(&second, None), None).await.unwrap(),
        Created::IdTaken
    );
    assert_eq!(store.guard(second.oid).await.unwrap(), None);
    has(&store, &first).await;
}

/// A closed payment, and one refunded without ever having been paid here.
pub async fn replaces_what_is_replaceable(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    for status in [Status::Closed, Status::Refunded] {
        let old = fresh.stored_as(&store, status).await;
        assert!(old.is_replaceable());
        let new = fresh.payment_of(old.uid, old.oid);
        let guard = Guard::of(&new, Some(fresh.digest()));
        assert_eq!(
            store.create(&new, &guard, Some(old.id)).await.unwrap(),
            Created::Done,
            "{status:?}"
        );
        assert_eq!(store.guard(old.oid).await.unwrap(), Some(guard));
        has(&store, &old).await;
        has(&store, &new).await;
    }
}

/// Any other payment stays its order's own, also one refunded after it was paid.
pub async fn keeps_what_is_not_replaceable(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let kept = [
        fresh.stored(&store).await,
        fresh.stored_as(&store, Status::Failed).await,
        fresh.stored_as(&store, Status::Paid).await,
        fresh.moved(&store, &paid, Status::Refunded).await,
    ];
    for old in kept {
        let new = fresh.payment_of(old.uid, old.oid);
        assert_eq!(
            store.create(&new, &Guard::of(&new, None), Some(old.id)).await.unwrap(),
            Created::NotReplaceable,
            "{old:?}"
        );
        let guard = store.guard(old.oid).await.unwrap();
        assert_eq!(guard, Some(Guard::of(&old, None)));
        assert_eq!(store.payment(new.id).await.unwrap(), None);
        has(&store, &old).await;
    }
}

/// Two replacements of one payment: the second learns of the first.
pub async fn replacing_meets_another_guard(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let old = fresh.stored_as(&store, Status::Closed).await;
    let [one, other] = [(); 2].map(|()| fresh.payment_of(old.uid, old.oid));
    create(&store, &one, Some(old.id)).await;
    let created = store.create(&other, &Guard::of(&other, None), Some(old.id)).await;
    let guard = Guard::of(&one, None);
    assert_eq!(created.unwrap(), Created::Guarded(Some(guard)));
    assert_eq!(store.payment(other.id).await.unwrap(), None);
}

/// There is nothing to replace.
pub async fn replacing_without_a_guard(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let old = fresh.stored_as(&store, Status::Closed).await;
    let elsewhere = fresh.payment();
    let guard = Guard::of(&elsewhere, None);
    assert_eq!(
        store.create(&elsewhere, &guard, Some(old.id)).await.unwrap(),
        Created::Guarded(None)
    );
    assert_eq!(store.guard(elsewhere.oid).await.unwrap(), None);
    assert_eq!(store.payment(elsewhere.id).await.unwrap(), None);
}

/// The guard still names the old payment afterwards.
pub async fn replacing_takes_no_taken_id(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let old = fresh.stored_as(&store, Status::Closed).await;
    let other = fresh.stored(&store).await;
    let mut new = fresh.payment_of(old.uid, old.oid);
    new.id = other.id;
    assert_eq!(
        store.create(&new, &Guard::of(&new, None), Some(old.id)).await.unwrap(),
        Created::IdTaken
    );
    let guard = store.guard(old.oid).await.unwrap();
    assert_eq!(guard, Some(Guard::of(&old, None)));
    has(&store, &other).await;
}

/// Of several reasons the first that the caller must know is returned.
pub async fn the_guard_counts_before_the_record_before_the_id(
    store: impl Store,
    _log: impl Inspect,
    fresh: Fresh,
) {
    let old = fresh.stored_as(&store, Status::Closed).await;
    let new = fresh.payment_of(old.uid, old.oid);
    create(&store, &new, Some(old.id)).await;
    // Paid after all, though no longer live: not replaceable, nor named by the guard.
    let change = old.change_to(Status::Paid, &stripe("pi_9"), false, at(20));
    fresh.changed(&store, &old, &change).await;

    let mut third = fresh.payment_of(old.uid, old.oid);
    third.id = fresh.stored(&store).await.id;
    let guard = Guard::of(&third, None);
    let created = store.create(&third, &guard, Some(old.id)).await;
    let live = Guard::of(&new, None);
    assert_eq!(created.unwrap(), Created::Guarded(Some(live.clone())));
    assert_eq!(store.create(&third, &guard, None).await.unwrap(), Created::Guarded(Some(live)));
    assert_eq!(store.create(&third, &guard, Some(new.id)).await.unwrap(), Created::NotReplaceable);
}
