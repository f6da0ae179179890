//! Changing records: all of the change and its event, or nothing.

use super::fresh::{Fresh, at, create, has, stripe};
use crate::{
    domain::{Change, Event, Money, Payment, Provider, RawBody, Source, Status},
    ports::{Applied, PaymentStore},
    testing::{Inspect, Listed, LoggedEvent},
};

fn listing(payment: &Payment) -> Vec<Listed> {
    let entry = payment.work.map(|work| Listed {
        work: format!("order#{}", payment.id.get() % 4),
        due: work.due.millis(),
        pk: format!("pay#{}", payment.id),
        sk: "record".to_owned(),
    });
    entry.into_iter().collect()
}

/// Every way along the chain, with and without a transaction, and taught on the way.
pub async fn every_change_reads_back_as_the_domain_makes_it(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    use Status::{Closed, Failed, Paid, Refunded};
    let ways: &[&[Status]] = &[
        &[Failed, Closed, Paid, Refunded],
        &[Failed, Paid, Refunded],
        &[Failed, Refunded],
        &[Closed, Refunded],
        &[Paid, Refunded],
        &[Refunded],
    ];
    let unknown = Money::NONE;
    let moneys = [stripe("pi_1"), stripe(""), unknown];
    for (way, money) in ways.iter().flat_map(|way| moneys.iter().map(move |money| (way, money))) {
        let mut payment = fresh.stored(&store).await;
        for (to, after) in way.iter().zip(20..) {
            let change = payment.change_to(*to, money, false, at(after));
            payment = fresh.changed(&store, &payment, &change).await;
            has(&store, &payment).await;
            assert_eq!(store.listed().await, listing(&payment), "{payment:?}");
        }
        if let Some(change) = payment.change_taught_by(&stripe("pi_1"), at(50)) {
            payment = fresh.changed(&store, &payment, &change).await;
            assert_eq!(payment.money, stripe("pi_1"));
            has(&store, &payment).await;
        }
    }
}

/// What is stored is the message's money, not a mixture.
pub async fn money_with_no_transaction_removes_the_stored_one(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let change = Change {
        money: Some(Money { source: Source::WECHAT, txn: None }),
        ..payment.change_to(Status::Refunded, &stripe("pi_1"), false, at(20))
    };
    let payment = fresh.changed(&store, &payment, &change).await;
    assert_eq!(payment.money.txn, None);
    has(&store, &payment).await;
}

/// A telling that ended meanwhile is not brought back, nor forgotten that it happened.
pub async fn a_change_names_what_it_sets(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let change = payment.change_to(Status::Paid, &stripe(""), false, at(20));
    let payment = fresh.changed(&store, &payment, &change).await;
    let taught = payment.change_taught_by(&stripe("pi_1"), at(40)).unwrap();
    store.told(payment.id, payment.work.unwrap(), at(30)).await.unwrap();
    let event = fresh.event_of(&payment, &taught);
    let applied = store.apply(&taught, &event).await;
    assert_eq!(applied.unwrap(), Applied::Done);
    let told = Payment { told_at: Some(at(30)), work: None, ..taught.applied_to(payment) };
    has(&store, &told).await;
    assert_eq!(store.listed().await, []);
}

/// Attribute by attribute.
pub async fn the_event_is_kept_whole(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(20));
    let event = fresh.event_of(&payment, &change);
    let applied = store.apply(&change, &event).await;
    assert_eq!(applied.unwrap(), Applied::Done);
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event)]);
}

/// Its length and digest are the whole message's.
pub async fn a_long_message_is_kept_in_part(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let mut event = fresh.event(&payment);
    event.body = RawBody::new(&vec![0xfe; 1_000_000], fresh.digest());
    let change = payment.change_to(Status::Failed, &stripe(""), false, at(20));
    let applied = store.apply(&change, &event).await;
    assert_eq!(applied.unwrap(), Applied::Done);
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event)]);
    assert_eq!((kept[0].len, kept[0].body.len()), (1_000_000, RawBody::KEPT_MAX));
}

/// Each of the two is compared; nothing is written.
pub async fn another_version_or_status_is_a_changed_record(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let change = payment.change_to(Status::Refunded, &stripe("pi_1"), false, at(20));
    let wrong = [
        Change { from_version: change.from_version - 1, ..change.clone() },
        Change { from_version: change.from_version + 1, ..change.clone() },
        Change { from: Status::Closed, ..change },
    ];
    let before = store.events(Some(payment.id), Provider::Native).await;
    for change in wrong {
        let event = fresh.event_of(&payment, &change);
        let applied = store.apply(&change, &event).await;
        assert_eq!(applied.unwrap(), Applied::RecordChanged, "{change:?}");
        has(&store, &payment).await;
    }
    let after = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(after, before);
}

/// A change never makes a record.
pub async fn no_record_is_a_changed_record(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(20));
    let event = fresh.event_of(&payment, &change);
    let applied = store.apply(&change, &event).await;
    assert_eq!(applied.unwrap(), Applied::RecordChanged);
    assert_eq!(store.payment(payment.id).await.unwrap(), None);
    assert_eq!(store.events(Some(payment.id), Provider::Native).await, []);
}

/// Of several reasons the first that the caller must know is told; nothing is written.
pub async fn the_record_counts_before_the_guard_before_the_key(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Closed).await;
    let new = fresh.payment_of(payment.uid, payment.oid);
    create(&store, &new, Some(payment.id)).await;
    let taken = fresh.event(&payment);
    store.log(&taken).await.unwrap();

    let change = payment.change_to(Status::Paid, &stripe("pi_1"), true, at(20));
    let outdated = Change { from_version: 1, ..change.clone() };
    let unguarded = Change { guarded: false, ..change.clone() };
    for (change, want) in [
        (&outdated, Applied::RecordChanged),
        (&change, Applied::NotLive),
        (&unguarded, Applied::KeyTaken),
    ] {
        let applied = store.apply(change, &taken).await;
        assert_eq!(applied.unwrap(), want, "{change:?}");
        has(&store, &payment).await;
    }
    let applied = store.apply(&change, &fresh.event(&payment)).await;
    assert_eq!(applied.unwrap(), Applied::NotLive);
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept.len(), 2, "the move to closed, and the key taken: {kept:?}");
    assert_eq!(store.listed().await, []);
}

/// A closed payment moves on while its order's guard names it; without a guard it does not.
pub async fn only_a_live_payment_passes_the_guard(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Closed).await;
    let guard = store.guard(payment.oid).await.unwrap();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), true, at(20));
    let elsewhere = Change { oid: fresh.payment().oid, ..change.clone() };
    let event = fresh.event_of(&payment, &elsewhere);
    let applied = store.apply(&elsewhere, &event).await;
    assert_eq!(applied.unwrap(), Applied::NotLive);
    let payment = fresh.changed(&store, &payment, &change).await;
    has(&store, &payment).await;
    assert_eq!(store.guard(payment.oid).await.unwrap(), guard);
}

/// What is there stays as it is.
pub async fn a_suffix_finds_a_key_of_its_own(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let first = fresh.event(&payment);
    store.log(&first).await.unwrap();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(20));
    let event = Event { id: first.id.clone(), ..fresh.event_of(&payment, &change) };
    let applied = store.apply(&change, &event).await;
    assert_eq!(applied.unwrap(), Applied::KeyTaken);
    has(&store, &payment).await;

    let event = event.suffixed_by_version(&change);
    let applied = store.apply(&change, &event).await;
    assert_eq!(applied.unwrap(), Applied::Done);
    has(&store, &change.applied_to(payment.clone())).await;
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&first), LoggedEvent::of(&event)]);
    assert!(kept[1].sk.ends_with("#2"), "{}", kept[1].sk);
}
