//! Refunds: each is kept once, with the amounts that it makes.

use super::fresh::{Fresh, at, has, refunding, stripe};
use crate::{
    domain::{
        Change, Event, Outcome, Payment, ProviderRefund, Refund, RefundId, RefundReport,
        RefundState, Refunds, Report, Status,
    },
    ports::Updated,
    testing::{Inspect, contract::Store},
};

/// A report about a refund of Stripe's.
#[must_use]
pub fn one(id: &str, amount_minor: u64, state: RefundState) -> Report {
    let refund = RefundReport::One {
        id: ProviderRefund::new(id).unwrap(),
        reference: Some(ProviderRefund::new(&format!("ours_{id}")).unwrap()),
        amount_minor,
        state,
    };
    Report { refund: Some(refund), ..total(0) }
}

/// A report about what went back so far.
#[must_use]
pub fn total(minor: u64) -> Report {
    Report {
        outcome: Some(Outcome::Refunded),
        refund: Some(RefundReport::Total(minor)),
        reference: stripe("pi_1"),
        amount_minor: Some(100),
        currency: Some("EUR".to_owned()),
    }
}

/// Every form of a report about a refund.
#[must_use]
pub fn reports() -> [Report; 3] {
    let mut bare = one("re_2", 0, RefundState::Failed);
    if let Some(RefundReport::One { reference, .. }) = &mut bare.refund {
        *reference = None;
    }
    [one("re_1", 25, RefundState::Pending), bare, total(70)]
}

/// Makes the change of a report, and checks that refund and record are kept as they must be.
async fn refunded(
    store: &impl Store,
    fresh: &Fresh,
    payment: &Payment,
    report: &Report,
    after: u64,
) -> Payment {
    let change = refunding(store, payment, report, at(after)).await;
    let refunded = fresh.changed(store, payment, &change).await;
    has(store, &refunded).await;
    keeps(store, kept(&change)).await;
    refunded
}

fn kept(change: &Change) -> &Refund {
    &change.refund.as_ref().unwrap().item
}

async fn keeps(store: &impl Store, refund: &Refund) {
    let found = store.refund(refund.payment, &refund.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(refund));
}

fn reference(id: &str) -> (String, String) {
    (format!("refund-ref#stripe#{id}"), format!("stripe.{id}"))
}

/// Attribute by attribute, with its reference; of no other payment.
pub async fn one_refund_is_kept_whole(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let other = fresh.stored_as(&store, Status::Paid).await;
    let report = one("re_1", 25, RefundState::Succeeded);
    let after = refunded(&store, &fresh, &paid, &report, 20).await;
    assert_eq!(
        (after.refunds, after.status),
        (Refunds { sum: 25, total: 0, ..Refunds::NONE }, Status::Paid)
    );
    assert_eq!(after.due, paid.due);
    let id = report.refund_id().unwrap();
    let found = store.refund(paid.id, &id).await.unwrap().unwrap();
    assert_eq!((found.amount_minor, found.taken_from), (25, stripe("pi_1")));
    assert_eq!(found.reference.unwrap().as_str(), "ours_re_1");
    assert_eq!(log.refund_references(paid.id).await, [reference("re_1")]);

    assert_eq!(store.refund(other.id, &id).await.unwrap(), None);
    assert_eq!(store.refund(fresh.payment().id, &id).await.unwrap(), None);
    assert_eq!(log.refund_references(other.id).await, []);
    has(&store, &other).await;
    // The same id is another refund of another payment.
    refunded(&store, &fresh, &other, &report, 30).await;
    assert_eq!(log.refund_references(other.id).await, [reference("re_1")]);
}

/// No provider named it, so it has no reference.
pub async fn a_total_is_kept_whole(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let after = refunded(&store, &fresh, &paid, &total(30), 20).await;
    let after = refunded(&store, &fresh, &after, &total(70), 30).await;
    assert_eq!(after.refunds, Refunds { sum: 0, total: 70, ..Refunds::NONE });
    let id = RefundId::of_total(70);
    let found = store.refund(paid.id, &id).await.unwrap().unwrap();
    assert_eq!((found.amount_minor, found.provider_refund), (40, None));
    assert_eq!(log.refund_references(paid.id).await, []);
}

/// They are never added.
pub async fn sum_and_total_are_kept_apart(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let after = refunded(&store, &fresh, &paid, &total(70), 20).await;
    let report = one("re_1", 25, RefundState::Succeeded);
    let after = refunded(&store, &fresh, &after, &report, 30).await;
    assert_eq!(after.refunds, Refunds { sum: 25, total: 70, ..Refunds::NONE });
    let report = one("re_2", 55, RefundState::Succeeded);
    let after = refunded(&store, &fresh, &after, &report, 40).await;
    assert_eq!(
        (after.refunds, after.refunded()),
        (Refunds { sum: 80, total: 70, ..Refunds::NONE }, 80)
    );
}

/// The last part moves the payment to refunded, which is not due any more.
pub async fn parts_make_the_whole(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let mut payment = fresh.stored_as(&store, Status::Paid).await;
    let rest = payment.amount.minor() - 50;
    for (id, amount, after) in [("re_1", 25, 20), ("re_2", 25, 30), ("re_3", rest, 40)] {
        assert_eq!(log.listed().await.len(), 1);
        let report = one(id, amount, RefundState::Succeeded);
        payment = refunded(&store, &fresh, &payment, &report, after).await;
    }
    assert_eq!((payment.status, payment.due), (Status::Refunded, None));
    assert_eq!(log.listed().await, []);
    let references = log.refund_references(payment.id).await;
    assert_eq!(references, ["re_1", "re_2", "re_3"].map(reference));
    assert_eq!(payment.refunded(), payment.amount.minor());
}

/// What is 0 again reads back so.
pub async fn a_failure_leaves_the_sum(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let succeeded = one("re_1", 25, RefundState::Succeeded);
    let after = refunded(&store, &fresh, &paid, &succeeded, 20).await;
    let failed = one("re_1", 25, RefundState::Failed);
    let after = refunded(&store, &fresh, &after, &failed, 30).await;
    assert_eq!(after.refunds, Refunds::NONE);
    let found = store.refund(paid.id, &succeeded.refund_id().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.state, RefundState::Failed);
    assert_eq!((found.create_time, found.update_time), (at(20), at(30)));
    assert_eq!(log.refund_references(paid.id).await, [reference("re_1")]);
    // One whose failure is the first that is heard of it.
    let first = one("re_2", 25, RefundState::Failed);
    let after = refunded(&store, &fresh, &after, &first, 40).await;
    assert_eq!(after.refunds, Refunds::NONE);
    assert_eq!(log.refund_references(paid.id).await, ["re_1", "re_2"].map(reference));
}

/// Checks that a change finds the record changed, and writes nothing.
async fn is_rejected(store: &impl Store, fresh: &Fresh, payment: &Payment, change: &Change) {
    let found = store.refund(payment.id, &kept(change).id).await.unwrap();
    let updated = store.update(change, &fresh.event_of(payment, change)).await;
    assert_eq!(updated.unwrap(), Updated::RecordChanged, "{change:?}");
    has(store, payment).await;
    assert_eq!(store.refund(payment.id, &kept(change).id).await.unwrap(), found);
}

/// A second put of it counts nothing, also with the version that the record has by now.
pub async fn a_refund_is_new_once(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    for report in [one("re_1", 25, RefundState::Succeeded), total(70)] {
        let first = refunding(&store, &paid, &report, at(20)).await;
        let now = store.payment(paid.id).await.unwrap().unwrap();
        let first = Change { from_version: now.version, ..first };
        let after = fresh.changed(&store, &now, &first).await;
        let again = Change { from_version: after.version, ..first.clone() };
        for change in [&first, &again] {
            is_rejected(&store, &fresh, &after, change).await;
        }
    }
    assert_eq!(log.refund_references(paid.id).await, [reference("re_1")]);
}

/// Also one that was read, and is not there.
pub async fn another_state_than_read_is_a_changed_record(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let report = one("re_1", 25, RefundState::Succeeded);
    let new = refunding(&store, &paid, &report, at(20)).await;
    let from = |change: &Change, from| {
        let mut change = change.clone();
        change.refund.as_mut().unwrap().from = from;
        change
    };
    for state in RefundState::ALL {
        is_rejected(&store, &fresh, &paid, &from(&new, Some(state))).await;
    }
    let after = fresh.changed(&store, &paid, &new).await;
    let failed = one("re_1", 25, RefundState::Failed);
    let failed = refunding(&store, &after, &failed, at(30)).await;
    for state in [None, Some(RefundState::Pending), Some(RefundState::Failed)] {
        // Whatever the guard and the key of the event are.
        let unlike = Change { guarded: true, oid: fresh.payment().oid, ..from(&failed, state) };
        is_rejected(&store, &fresh, &after, &unlike).await;
    }
    let outdated = Change { from_version: paid.version, ..failed.clone() };
    is_rejected(&store, &fresh, &after, &outdated).await;
    let after = fresh.changed(&store, &after, &failed).await;
    has(&store, &after).await;
    assert_eq!(log.refund_references(paid.id).await, [reference("re_1")]);
}

/// Another refund of the payment with the same id of the provider's counts nothing.
pub async fn a_reference_stands_for_one_refund(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let report = one("re_1", 25, RefundState::Succeeded);
    let after = refunded(&store, &fresh, &paid, &report, 20).await;
    let mut other =
        refunding(&store, &after, &one("re_2", 25, RefundState::Succeeded), at(30)).await;
    let item = &mut other.refund.as_mut().unwrap().item;
    item.provider_refund = Some(ProviderRefund::new("re_1").unwrap());
    is_rejected(&store, &fresh, &after, &other).await;
    assert_eq!(log.refund_references(paid.id).await, [reference("re_1")]);
}

/// Of this payment, however many they are, and nothing else that is kept of it.
pub async fn all_refunds_of_a_payment_are_listed(
    store: impl Store,
    _log: impl Inspect,
    fresh: Fresh,
) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    assert_eq!(store.refunds(paid.id).await.unwrap(), []);
    let first = one("re_1", 25, RefundState::Succeeded);
    let after = refunded(&store, &fresh, &paid, &first, 20).await;
    let after = refunded(&store, &fresh, &after, &total(70), 30).await;
    let other = fresh.stored_as(&store, Status::Paid).await;
    refunded(&store, &fresh, &other, &first, 20).await;
    let mut listed = store.refunds(after.id).await.unwrap();
    listed.sort_unstable_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
    let ids: Vec<_> = listed.iter().map(|refund| refund.id.as_str()).collect();
    assert_eq!(ids, ["stripe.re_1", "total-70"]);
    for refund in listed {
        assert_eq!(store.refund(after.id, &refund.id).await.unwrap(), Some(refund));
    }
}

/// The event's key is taken, or the guard names another payment.
pub async fn a_refund_is_kept_with_its_event_or_not_at_all(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let taken = fresh.event(&paid);
    store.append(&taken).await.unwrap();
    let report = one("re_1", 25, RefundState::Succeeded);
    let change = refunding(&store, &paid, &report, at(20)).await;
    let own = Event { id: taken.id, ..fresh.event_of(&paid, &change) };
    assert_eq!(store.update(&change, &own).await.unwrap(), Updated::KeyTaken);
    let elsewhere = Change { guarded: true, oid: fresh.payment().oid, ..change.clone() };
    let event = fresh.event_of(&paid, &elsewhere);
    assert_eq!(store.update(&elsewhere, &event).await.unwrap(), Updated::NotLive(None));
    has(&store, &paid).await;
    assert_eq!(store.refund(paid.id, &kept(&change).id).await.unwrap(), None);
    assert_eq!(log.refund_references(paid.id).await, []);
    fresh.changed(&store, &paid, &change).await;
    keeps(&store, kept(&change)).await;
}
