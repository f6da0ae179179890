//! Changing records: all of the change and its event, or nothing.

use super::fresh::{Fresh, at, create, has, moving, stripe};
use crate::{
    domain::{Change, Event, Payment, Provider, ProviderRef, RawBody, Sender, Status},
    limits::SWEEP_QUEUES,
    ports::Updated,
    testing::{Inspect, Listed, LoggedEvent, contract::Store},
};

fn listing(payment: &Payment) -> Vec<Listed> {
    let entry = payment.due.map(|due| Listed {
        queue: format!("sweep#{}", payment.id.get() % SWEEP_QUEUES),
        due: due.at.millis(),
        pk: format!("pay#{}", payment.id),
        sk: "record".to_owned(),
    });
    entry.into_iter().collect()
}

/// Every way along the chain, with and without a transaction, and completed on the way.
pub async fn every_change_reads_back_as_the_domain_makes_it(
    store: impl Store,
    log: impl Inspect,
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
    let unknown = ProviderRef::NONE;
    let references = [stripe("pi_1"), stripe(""), unknown];
    for (way, reference) in
        ways.iter().flat_map(|way| references.iter().map(move |reference| (way, reference)))
    {
        let mut payment = fresh.stored(&store).await;
        for (to, after) in way.iter().zip(20..) {
            let change = moving(&payment, *to, reference, at(after));
            payment = fresh.changed(&store, &payment, &change).await;
            has(&store, &payment).await;
            assert_eq!(log.listed().await, listing(&payment), "{payment:?}");
        }
        if let Some(change) = payment.completion(&stripe("pi_1"), at(50)) {
            payment = fresh.changed(&store, &payment, &change).await;
            assert_eq!(payment.reference, stripe("pi_1"));
            has(&store, &payment).await;
        }
    }
}

/// What is stored is the notification's reference, not a mixture.
pub async fn a_reference_without_transaction_removes_the_stored_one(
    store: impl Store,
    _log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let change = Change {
        reference: Some(ProviderRef { source: Provider::WeChat.source(), txn: None }),
        ..moving(&payment, Status::Refunded, &stripe("pi_1"), at(20))
    };
    let payment = fresh.changed(&store, &payment, &change).await;
    assert_eq!(payment.reference.txn, None);
    has(&store, &payment).await;
    assert_eq!(store.of_transaction(&stripe("pi_1")).await.unwrap(), []);
}

/// `due` that was cleared meanwhile is not set again, and `notified_time` stays.
pub async fn a_change_names_what_it_sets(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let change = payment.change_to(Status::Paid, &stripe(""), false, at(20));
    let payment = fresh.changed(&store, &payment, &change).await;
    let completed = payment.completion(&stripe("pi_1"), at(40)).unwrap();
    store.mark_notified(&payment, at(30), None).await.unwrap();
    let event = fresh.event_of(&payment, &completed);
    assert_eq!(store.update(&completed, &event).await.unwrap(), Updated::Done);
    let notified =
        Payment { notified_time: Some(at(30)), due: None, ..completed.applied_to(payment) };
    has(&store, &notified).await;
    assert_eq!(log.listed().await, []);
}

/// Attribute by attribute.
pub async fn the_event_is_kept_whole(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(20));
    let event = fresh.event_of(&payment, &change);
    assert_eq!(store.update(&change, &event).await.unwrap(), Updated::Done);
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event)]);
}

/// Its length and digest are those of the whole body.
pub async fn a_long_body_is_kept_in_part(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let mut event = fresh.event(&payment);
    event.body = RawBody::new(&vec![0xfe; 1_000_000], fresh.digest());
    let change = payment.change_to(Status::Failed, &stripe(""), false, at(20));
    assert_eq!(store.update(&change, &event).await.unwrap(), Updated::Done);
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event)]);
    assert_eq!((kept[0].len, kept[0].body.len()), (1_000_000, RawBody::KEPT_MAX));
}

/// Each of the two is compared; nothing is written.
pub async fn another_version_or_status_is_a_changed_record(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Paid).await;
    let change = moving(&payment, Status::Refunded, &stripe("pi_1"), at(20));
    let wrong = [
        Change { from_version: change.from_version - 1, ..change.clone() },
        Change { from_version: change.from_version + 1, ..change.clone() },
        Change { from: Status::Closed, ..change },
    ];
    let before = log.events(Some(payment.id), Sender::Native).await;
    for change in wrong {
        let event = fresh.event_of(&payment, &change);
        assert_eq!(
            store.update(&change, &event).await.unwrap(),
            Updated::RecordChanged,
            "{change:?}"
        );
        has(&store, &payment).await;
    }
    let after = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(after, before);
}

/// A change never creates a record.
pub async fn no_record_is_a_changed_record(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(20));
    let event = fresh.event_of(&payment, &change);
    assert_eq!(store.update(&change, &event).await.unwrap(), Updated::RecordChanged);
    assert_eq!(store.payment(payment.id).await.unwrap(), None);
    assert_eq!(log.events(Some(payment.id), Sender::Native).await, []);
}

/// Of several reasons the first that the caller must know is returned; nothing is written.
pub async fn the_record_counts_before_the_guard_before_the_key(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Closed).await;
    let new = fresh.payment_of(payment.uid, payment.oid);
    create(&store, &new, Some(payment.id)).await;
    let taken = fresh.event(&payment);
    store.append(&taken).await.unwrap();

    let change = payment.change_to(Status::Paid, &stripe("pi_1"), true, at(20));
    let outdated = Change { from_version: 1, ..change.clone() };
    let unguarded = Change { guarded: false, ..change.clone() };
    for (change, want) in [
        (&outdated, Updated::RecordChanged),
        (&change, Updated::NotLive(Some(new.id))),
        (&unguarded, Updated::KeyTaken),
    ] {
        assert_eq!(store.update(change, &taken).await.unwrap(), want, "{change:?}");
        has(&store, &payment).await;
    }
    assert_eq!(
        store.update(&change, &fresh.event(&payment)).await.unwrap(),
        Updated::NotLive(Some(new.id))
    );
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept.len(), 2, "the move to closed, and the key taken: {kept:?}");
    assert_eq!(log.listed().await, []);
}

/// A closed payment moves on while its order's guard names it; without a guard it does not.
pub async fn only_a_live_payment_passes_the_guard(
    store: impl Store,
    _log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Closed).await;
    let guard = store.guard(payment.oid).await.unwrap();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), true, at(20));
    let elsewhere = Change { oid: fresh.payment().oid, ..change.clone() };
    let event = fresh.event_of(&payment, &elsewhere);
    assert_eq!(store.update(&elsewhere, &event).await.unwrap(), Updated::NotLive(None));
    let payment = fresh.changed(&store, &payment, &change).await;
    has(&store, &payment).await;
    assert_eq!(store.guard(payment.oid).await.unwrap(), guard);
}

/// What is there stays as it is.
pub async fn a_suffix_finds_a_key_of_its_own(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let first = fresh.event(&payment);
    store.append(&first).await.unwrap();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), false, at(20));
    let event = Event { id: first.id.clone(), ..fresh.event_of(&payment, &change) };
    assert_eq!(store.update(&change, &event).await.unwrap(), Updated::KeyTaken);
    has(&store, &payment).await;

    let event = event.suffixed_by_version(&change);
    assert_eq!(store.update(&change, &event).await.unwrap(), Updated::Done);
    has(&store, &change.applied_to(payment.clone())).await;
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&first), LoggedEvent::of(&event)]);
    assert!(kept[1].sk.ends_with("#2"), "{}", kept[1].sk);
}
