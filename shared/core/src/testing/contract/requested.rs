//! Refunds that were requested: reserved, named by the provider once, and due until they have come to an end.

use super::{
    fresh::{Fresh, at, create, has, stripe},
    refunds::one,
};
use crate::{
    domain::{
        Change, Due, Payment, Provider, ProviderRefund, Refund, RefundEffect, RefundId,
        RefundReason, RefundReference, RefundReport, RefundRequest, RefundState, Refunds, Status,
    },
    ports::{DueItem, Updated},
    testing::{Inspect, Listed, contract::Store},
};

/// A refund that is requested of a payment now, due a minute later.
#[must_use]
pub fn requested(fresh: &Fresh, payment: &Payment, amount_minor: u64, after: u64) -> Refund {
    let key = fresh.digest();
    Refund {
        payment: payment.id,
        id: RefundId::requested(RefundReference::new(payment.id, key)),
        taken_from: payment.reference.clone(),
        provider_refund: None,
        reference: None,
        amount_minor,
        state: RefundState::Requested,
        request: Some(RefundRequest {
            key,
            reason: RefundReason::new("b. \u{e9}").ok(),
            quarantined: None,
        }),
        due: Some(Due::after_grace(at(after))),
        create_time: at(after),
        update_time: at(after),
    }
}

/// Reserves a refund, and gives the payment as it must be then.
async fn reserved(
    store: &impl Store,
    fresh: &Fresh,
    payment: &Payment,
    refund: &Refund,
) -> Payment {
    let change = payment.reserving(refund, refund.create_time);
    let reserved = fresh.changed(store, payment, &change).await;
    has(store, &reserved).await;
    keeps(store, refund).await;
    reserved
}

/// What a provider that calls a requested refund `id` says of it.
fn said(
    payment: &Payment,
    refund: &Refund,
    (id, state): (&str, RefundState),
    after: u64,
) -> Change {
    let mut report = one(id, refund.amount_minor, state);
    if let Some(RefundReport::One { reference, .. }) = &mut report.refund {
        *reference = ProviderRefund::new(refund.id.as_str()).ok();
    }
    let effect = RefundEffect::of(&report, payment, Some(refund), true, at(after));
    let RefundEffect::Counts(change) = effect else { panic!("{effect:?}") };
    payment.refunded_by(change, &report.reference, false, at(after))
}

fn kept(change: &Change) -> Refund {
    change.refund.as_ref().unwrap().item.clone()
}

async fn keeps(store: &impl Store, refund: &Refund) {
    let found = store.refund(refund.payment, &refund.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(refund));
}

fn item(refund: &Refund) -> DueItem {
    DueItem::Refund(refund.payment, refund.id.clone())
}

fn named(id: &str, refund: &Refund) -> (String, String) {
    (format!("refund-ref#stripe#{id}"), refund.id.as_str().to_owned())
}

async fn of_name(store: &impl Store, payment: &Payment, id: &str) -> Option<RefundId> {
    let id = ProviderRefund::new(id).unwrap();
    store.refund_named(payment.id, Provider::Stripe, &id).await.unwrap()
}

/// With its key and its reason, and what it reserves; no provider has named it.
pub async fn a_reservation_is_kept_whole(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let first = requested(&fresh, &paid, 30, 20);
    let after = reserved(&store, &fresh, &paid, &first).await;
    let bare = requested(&fresh, &after, 12, 30);
    let request = bare.request.clone().map(|of| RefundRequest { reason: None, ..of });
    let second = Refund { request, ..bare };
    let after = reserved(&store, &fresh, &after, &second).await;
    assert_eq!(after.refunds, Refunds { pending: 42, ..Refunds::NONE });
    assert_eq!((after.status, after.due, after.version), (Status::Paid, paid.due, 4));
    assert_eq!(log.refund_references(paid.id).await, []);
    // The same again counts nothing, whatever the version is.
    let again = Change { from_version: after.version, ..paid.reserving(&first, at(40)) };
    let updated = store.update(&again, &fresh.event_of(&after, &again)).await;
    assert_eq!(updated.unwrap(), Updated::RecordChanged);
    has(&store, &after).await;
    // Nor does another one that was computed from the record as it was.
    let outdated = paid.reserving(&requested(&fresh, &paid, 1, 40), at(40));
    let updated = store.update(&outdated, &fresh.event_of(&paid, &outdated)).await;
    assert_eq!(updated.unwrap(), Updated::RecordChanged);
    has(&store, &after).await;
    assert_eq!(store.refund(paid.id, &kept(&outdated).id).await.unwrap(), None);
}

/// By the first response that has the provider's id; what it reserved becomes what went back.
pub async fn a_requested_refund_is_named_once(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let refund = requested(&fresh, &paid, 30, 20);
    let payment = reserved(&store, &fresh, &paid, &refund).await;
    assert_eq!(of_name(&store, &paid, "re_1").await, None);

    let pending = said(&payment, &refund, ("re_1", RefundState::Pending), 30);
    let payment = fresh.changed(&store, &payment, &pending).await;
    has(&store, &payment).await;
    keeps(&store, &kept(&pending)).await;
    assert_eq!(payment.refunds, Refunds { pending: 30, ..Refunds::NONE });
    assert_eq!(log.refund_references(paid.id).await, [named("re_1", &refund)]);
    assert_eq!(of_name(&store, &paid, "re_1").await, Some(refund.id.clone()));

    let succeeded = said(&payment, &kept(&pending), ("re_1", RefundState::Succeeded), 40);
    let payment = fresh.changed(&store, &payment, &succeeded).await;
    has(&store, &payment).await;
    keeps(&store, &kept(&succeeded)).await;
    assert_eq!(payment.refunds, Refunds { sum: 30, ..Refunds::NONE });
    let Refund { request, provider_refund, .. } = kept(&succeeded);
    assert_eq!(
        (request, provider_refund),
        (refund.request.clone(), ProviderRefund::new("re_1").ok())
    );
    assert_eq!(log.refund_references(paid.id).await, [named("re_1", &refund)]);
}

/// Another refund of the payment, requested or not, cannot have it too. Of another payment, or at another
/// provider, it is another one's.
pub async fn a_name_stands_for_one_requested_refund(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let other = fresh.stored_as(&store, Status::Paid).await;
    let (first, second) = (requested(&fresh, &paid, 30, 20), requested(&fresh, &paid, 40, 30));
    let payment = reserved(&store, &fresh, &paid, &first).await;
    let payment = reserved(&store, &fresh, &payment, &second).await;
    let change = said(&payment, &first, ("re_1", RefundState::Succeeded), 40);
    let payment = fresh.changed(&store, &payment, &change).await;
    for state in [RefundState::Pending, RefundState::Succeeded, RefundState::Failed] {
        let change = said(&payment, &second, ("re_1", state), 50);
        let updated = store.update(&change, &fresh.event_of(&payment, &change)).await;
        assert_eq!(updated.unwrap(), Updated::RecordChanged, "{state:?}");
        has(&store, &payment).await;
        keeps(&store, &second).await;
    }
    assert_eq!(log.refund_references(paid.id).await, [named("re_1", &first)]);
    assert_eq!(of_name(&store, &paid, "re_1").await, Some(first.id.clone()));
    assert_eq!(of_name(&store, &paid, "re_2").await, None);
    let id = ProviderRefund::new("re_1").unwrap();
    let elsewhere = store.refund_named(paid.id, Provider::WeChat, &id).await;
    assert_eq!(elsewhere.unwrap(), None);

    assert_eq!(of_name(&store, &other, "re_1").await, None);
    let own = requested(&fresh, &other, 5, 20);
    let other = reserved(&store, &fresh, &other, &own).await;
    let change = said(&other, &own, ("re_1", RefundState::Pending), 30);
    let other = fresh.changed(&store, &other, &change).await;
    assert_eq!(of_name(&store, &other, "re_1").await, Some(own.id));
}

/// Its provider never named it: it has our own reference, which stands for nothing else.
pub async fn a_refused_refund_releases_what_it_reserved(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let refund = requested(&fresh, &paid, 30, 20);
    let payment = reserved(&store, &fresh, &paid, &refund).await;
    let refused = said(&payment, &refund, (refund.id.as_str(), RefundState::Failed), 30);
    let payment = fresh.changed(&store, &payment, &refused).await;
    has(&store, &payment).await;
    assert_eq!((payment.refunds, kept(&refused).due), (Refunds::NONE, None));
    keeps(&store, &kept(&refused)).await;
    assert_eq!(log.refund_references(paid.id).await, []);
    assert!(log.listed().await.iter().all(|listed| listed.sk == "record"));
}

/// In the queue of its payment, whatever that is due; after it has succeeded, for the order service.
pub async fn due_refunds_are_listed_among_the_payments(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let waiting = fresh.due_after(60_025);
    create(&store, &waiting, None).await;
    let paid = fresh.stored_as(&store, Status::Paid).await;
    store.mark_notified(&paid, at(12), None).await.unwrap();
    let paid = Payment { due: None, notified_time: Some(at(12)), ..paid };
    let (first, second) = (requested(&fresh, &paid, 30, 20), requested(&fresh, &paid, 40, 30));
    let payment = reserved(&store, &fresh, &paid, &first).await;
    let payment = reserved(&store, &fresh, &payment, &second).await;
    let all = [item(&first), DueItem::Payment(waiting.id), item(&second)];
    assert_eq!(store.due_items(None, 9).await.unwrap(), all);
    assert_eq!(store.due_items(None, 2).await.unwrap(), all[..2]);
    let by_then = |millis| store.due_items(Some(at(millis)), 9);
    assert_eq!(by_then(60_020).await.unwrap(), all[..1]);
    assert_eq!(by_then(60_019).await.unwrap(), []);

    let queue =
        |payment: &Payment| format!("sweep#{}", payment.id.get() % crate::limits::SWEEP_QUEUES);
    let listed = |refund: &Refund, due: u64| Listed {
        queue: queue(&paid),
        due: at(due).millis(),
        pk: format!("pay#{}", paid.id),
        sk: format!("refund#{}", refund.id.as_str()),
    };
    assert!(log.listed().await.contains(&listed(&first, 60_020)));

    let succeeded = said(&payment, &first, ("re_1", RefundState::Succeeded), 50);
    fresh.changed(&store, &payment, &succeeded).await;
    let all = [DueItem::Payment(waiting.id), item(&second), item(&first)];
    assert_eq!(store.due_items(None, 9).await.unwrap(), all);
    assert!(log.listed().await.contains(&listed(&first, 60_050)));
}

/// All else stays; what was read before changes nothing after it.
pub async fn a_refund_is_rescheduled_and_cleared_as_read(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    store.mark_notified(&paid, at(12), None).await.unwrap();
    let paid = Payment { due: None, notified_time: Some(at(12)), ..paid };
    let read = requested(&fresh, &paid, 30, 20);
    let payment = reserved(&store, &fresh, &paid, &read).await;
    let due = read.due.unwrap();
    let next = Due { at: due.at.plus_millis(7), attempts: 1 };
    let unlike = |change: &dyn Fn(&mut Refund)| {
        let mut refund = read.clone();
        change(&mut refund);
        refund
    };
    for outdated in [
        unlike(&|of| of.state = RefundState::Pending),
        unlike(&|of| of.due = Some(Due { at: due.at.plus_millis(1), ..due })),
        unlike(&|of| of.due = Some(Due { attempts: 1, ..due })),
        unlike(&|of| of.due = None),
        // There is none: it makes none.
        unlike(&|of| of.id = RefundId::of_total(9)),
        unlike(&|of| of.payment = fresh.payment().id),
    ] {
        for next in [Some(next), None] {
            store.reschedule_refund(&outdated, next).await.unwrap();
            keeps(&store, &read).await;
        }
    }
    assert_eq!(store.refund(paid.id, &RefundId::of_total(9)).await.unwrap(), None);
    assert_eq!(log.listed().await.len(), 1);

    store.reschedule_refund(&read, Some(next)).await.unwrap();
    let rescheduled = Refund { due: Some(next), ..read.clone() };
    keeps(&store, &rescheduled).await;
    store.reschedule_refund(&read, None).await.unwrap();
    keeps(&store, &rescheduled).await;
    store.reschedule_refund(&rescheduled, None).await.unwrap();
    let cleared = Refund { due: None, ..read.clone() };
    keeps(&store, &cleared).await;
    assert_eq!(log.listed().await, []);
    for read in [&rescheduled, &cleared] {
        store.reschedule_refund(read, Some(next)).await.unwrap();
        keeps(&store, &cleared).await;
    }
    // None of it concerns the record.
    has(&store, &payment).await;
    assert_eq!(payment.reference, stripe("pi_1"));
}
