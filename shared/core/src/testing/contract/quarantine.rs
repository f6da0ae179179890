//! Notifications that a person has to decide on.

use super::{
    fresh::{Fresh, amount_mismatch, at, create, has, refunding, stripe},
    refunds::{one, reports},
    requested::requested,
};
use crate::{
    domain::{
        Change, Decided, Decision, Event, EventKey, Operator, OperatorDecision, Outcome, Payment,
        PaymentId, Quarantined, Refund, RefundEffect, RefundRequest, RefundState, Refunds, Report,
        Sender, Status, Verdict,
    },
    ports::{DueItem, Resolved},
    testing::{Inspect, LoggedEvent, contract::Store},
};

fn a_mismatch(fresh: &Fresh, payment: &Payment) -> Event {
    let report = Report {
        outcome: Some(Outcome::Paid),
        refund: None,
        reference: stripe("pi_7"),
        amount_minor: Some(99),
        currency: Some("EUR".to_owned()),
    };
    let mismatch = Some(amount_mismatch());
    Event { verdict: Verdict::Quarantined, report, mismatch, ..fresh.event(payment) }
}

/// A notification that waits, of a payment with this status.
async fn quarantined(store: &impl Store, fresh: &Fresh, status: Status) -> (Payment, Event) {
    let payment = fresh.stored_as(store, status).await;
    let event = a_mismatch(fresh, &payment);
    store.append(&event).await.unwrap();
    (payment, event)
}

/// The event of a decision, and the decision.
fn decision(
    fresh: &Fresh,
    payment: &Payment,
    about: &Event,
    by: &str,
    decision: Decision,
) -> (Event, Decided) {
    let by = Operator::new(by).unwrap();
    let event = Event {
        sender: Sender::Operator,
        verdict: Verdict::Ignored,
        decision: Some(OperatorDecision { by: by.clone(), about: about.key().to_string() }),
        ..fresh.event(payment)
    };
    let decided = Decided { decision, by, at: at(50), event: event.key() };
    (event, decided)
}

fn to_paid(payment: &Payment) -> Change {
    payment.change_to(Status::Paid, &stripe("pi_7"), true, at(50))
}

/// Checks that a notification still waits, and that nothing else of the decision was written.
async fn waits(store: &impl Store, log: &impl Inspect, about: &Event, undone: &Event) {
    assert_eq!(store.quarantined(&about.key()).await.unwrap().unwrap().decided, None);
    assert_eq!(log.listed().await.iter().filter(|one| one.queue == "review").count(), 1);
    let kept = log.events(undone.payment, undone.sender).await;
    assert!(!kept.contains(&LoggedEvent::of(undone)), "{kept:?}");
}

/// What it reports, and why it did not match.
pub async fn reads_what_was_put_there(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let (payment, event) = quarantined(&store, &fresh, Status::Pending).await;
    let want = Quarantined {
        checkout: event.checkout,
        report: event.report.clone(),
        mismatch: event.mismatch.clone(),
        decided: None,
    };
    assert_eq!(store.quarantined(&event.key()).await.unwrap(), Some(want));
    let unmatched = Event {
        payment: None,
        report: Report { reference: stripe(""), ..Report::NONE },
        ..a_mismatch(&fresh, &payment)
    };
    let unmatched = unmatched.suffixed_by_body();
    store.append(&unmatched).await.unwrap();
    let found = store.quarantined(&unmatched.key()).await.unwrap().unwrap();
    assert_eq!(found.report, unmatched.report);
    for report in reports() {
        let of_a_refund = Event { report, ..a_mismatch(&fresh, &payment) };
        store.append(&of_a_refund).await.unwrap();
        let found = store.quarantined(&of_a_refund.key()).await.unwrap().unwrap();
        assert_eq!(found.report, of_a_refund.report);
    }
}

/// Other events never were quarantined, and nothing can be decided on them.
pub async fn finds_no_other_event(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Pending).await;
    let event = fresh.event(&payment);
    store.append(&event).await.unwrap();
    let missing = EventKey::parse("7/stripe/evt_7").unwrap();
    let (own, decided) = decision(&fresh, &payment, &event, "ada", Decision::Dismiss);
    for key in [event.key(), missing] {
        assert_eq!(store.quarantined(&key).await.unwrap(), None);
        let resolved = store.resolve(&key, &decided, None, &own).await.unwrap();
        assert_eq!(resolved, Resolved::NotOpen);
        assert_eq!(store.quarantined(&key).await.unwrap(), None);
    }
}

/// The notification keeps who decided what; its event keeps the note. The second finds it decided.
pub async fn is_resolved_once_and_for_all(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let (paid, event) = quarantined(&store, &fresh, Status::Paid).await;
    assert_eq!(log.listed().await.len(), 2);
    let (own, first) = decision(&fresh, &paid, &event, "ada", Decision::Dismiss);
    let (other, second) = decision(&fresh, &paid, &event, "bob", Decision::Accept);
    let resolved = store.resolve(&event.key(), &first, None, &own).await.unwrap();
    assert_eq!(resolved, Resolved::Done);
    for change in [None, Some(&to_paid(&paid))] {
        let late = store.resolve(&event.key(), &second, change, &other).await.unwrap();
        assert_eq!(late, Resolved::NotOpen);
    }
    let found = store.quarantined(&event.key()).await.unwrap().unwrap();
    assert_eq!((found.decided.as_ref(), found.report), (Some(&first), event.report.clone()));
    has(&store, &paid).await;
    assert_eq!(log.listed().await.len(), 1);
    let mut row = LoggedEvent::of(&event);
    row.resolved(&first);
    let kept = log.events(Some(paid.id), event.sender).await;
    assert!(kept.contains(&row) && kept.contains(&LoggedEvent::of(&own)), "{kept:?}");
    assert!(!kept.contains(&LoggedEvent::of(&other)), "{kept:?}");
}

/// The change of the record is in the same transaction.
pub async fn an_accepted_one_changes_the_record(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let (pending, event) = quarantined(&store, &fresh, Status::Pending).await;
    let change = to_paid(&pending);
    let (own, decided) = decision(&fresh, &pending, &event, "ada", Decision::Accept);
    let own = Event { verdict: Verdict::Applied, version: Some(change.version()), ..own };
    let resolved = store.resolve(&event.key(), &decided, Some(&change), &own).await.unwrap();
    assert_eq!(resolved, Resolved::Done);
    has(&store, &change.applied_to(pending.clone())).await;
    let kept = log.events(Some(pending.id), Sender::Operator).await;
    assert!(kept.contains(&LoggedEvent::of(&own)), "{kept:?}");
    assert_eq!(store.quarantined(&event.key()).await.unwrap().unwrap().decided, Some(decided));
    // The payment is due; nothing waits for a person.
    let queues: Vec<_> = log.listed().await.into_iter().map(|entry| entry.queue).collect();
    assert!(queues.len() == 1 && queues[0].starts_with("sweep#"), "{queues:?}");
}

/// The event of the decision is under the payment that it is accepted onto.
pub async fn an_unmatched_one_may_change_a_record(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let pending = fresh.stored(&store).await;
    let unmatched =
        Event { payment: None, status: None, version: None, ..a_mismatch(&fresh, &pending) };
    store.append(&unmatched).await.unwrap();
    let change = to_paid(&pending);
    let (own, decided) = decision(&fresh, &pending, &unmatched, "ada", Decision::Accept);
    let resolved = store.resolve(&unmatched.key(), &decided, Some(&change), &own).await.unwrap();
    assert_eq!(resolved, Resolved::Done);
    has(&store, &change.applied_to(pending.clone())).await;
    let mut row = LoggedEvent::of(&unmatched);
    row.resolved(&decided);
    assert_eq!(log.events(None, unmatched.sender).await, [row]);
    assert!(log.events(Some(pending.id), own.sender).await.contains(&LoggedEvent::of(&own)));
}

/// Whatever is not as expected, all of it stays as it was. The notification counts before the record
/// before the guard before the key.
pub async fn a_decision_is_written_whole_or_not_at_all(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let (closed, event) = quarantined(&store, &fresh, Status::Closed).await;
    let (own, decided) = decision(&fresh, &closed, &event, "ada", Decision::Accept);
    let taken = Event { id: fresh.event(&closed).id, ..own.clone() };
    store.append(&taken).await.unwrap();
    let change = to_paid(&closed);
    let stale = Change { from_version: change.from_version + 1, ..change.clone() };
    let resolve = async |change: Option<&Change>, own: &Event| {
        store.resolve(&event.key(), &decided, change, own).await.unwrap()
    };
    for change in [None, Some(&change)] {
        assert_eq!(resolve(change, &taken).await, Resolved::KeyTaken);
    }
    assert_eq!(resolve(Some(&stale), &own).await, Resolved::RecordChanged);
    waits(&store, &log, &event, &own).await;
    // Another payment has the order by now.
    let new = fresh.payment_of(closed.uid, closed.oid);
    create(&store, &new, Some(closed.id)).await;
    for own in [&own, &taken] {
        assert_eq!(resolve(Some(&change), own).await, Resolved::NotLive(Some(new.id)));
    }
    assert_eq!(resolve(Some(&stale), &taken).await, Resolved::RecordChanged);
    waits(&store, &log, &event, &own).await;
    has(&store, &closed).await;
    let unknown = Change { id: PaymentId::new(7).unwrap(), ..change };
    assert_eq!(resolve(Some(&unknown), &own).await, Resolved::RecordChanged);
    waits(&store, &log, &event, &own).await;
}

/// With its reference, in the transaction of the decision; where it has changed, nothing is written.
pub async fn an_accepted_refund_is_kept(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let (paid, event) = quarantined(&store, &fresh, Status::Paid).await;
    let (own, decided) = decision(&fresh, &paid, &event, "ada", Decision::Accept);
    let refund = refunding(&store, &paid, &one("re_1", 25, RefundState::Succeeded), at(50)).await;
    let mut outdated = refund.clone();
    outdated.refund.as_mut().unwrap().from = Some(RefundState::Pending);
    let resolve =
        async |change| store.resolve(&event.key(), &decided, Some(change), &own).await.unwrap();
    assert_eq!(resolve(&outdated).await, Resolved::RecordChanged);
    waits(&store, &log, &event, &own).await;
    let item = &refund.refund.as_ref().unwrap().item;
    assert_eq!(store.refund(paid.id, &item.id).await.unwrap(), None);
    assert_eq!(resolve(&refund).await, Resolved::Done);
    assert_eq!(store.refund(paid.id, &item.id).await.unwrap().as_ref(), Some(item));
    assert_eq!(log.refund_references(paid.id).await.len(), 1);
    has(&store, &refund.applied_to(paid.clone())).await;
}

/// With what it gives back, and the event of the decision: one write, which touches no amount of the payment.
pub async fn a_refund_of_its_money_is_kept_whole(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let (pending, event) = quarantined(&store, &fresh, Status::Pending).await;
    let (own, decided) = decision(&fresh, &pending, &event, "ada", Decision::Refund);
    let own = Event { verdict: Verdict::Noted, ..own };
    let base = requested(&fresh, &pending, 99, 50);
    let request = base.request.clone().map(|of| RefundRequest {
        quarantined: Some(event.key()),
        reason: None,
        ..of
    });
    let refund = Refund { request, taken_from: event.report.reference.clone(), ..base };
    let change = pending.keeping(refund.clone(), at(50));
    let stale = Change { from_version: change.from_version + 1, ..change.clone() };
    let resolve =
        async |change| store.resolve(&event.key(), &decided, Some(change), &own).await.unwrap();
    assert_eq!(resolve(&stale).await, Resolved::RecordChanged);
    waits(&store, &log, &event, &own).await;
    assert_eq!(store.refund(pending.id, &refund.id).await.unwrap(), None);

    assert_eq!(resolve(&change).await, Resolved::Done);
    assert_eq!(store.refund(pending.id, &refund.id).await.unwrap().as_ref(), Some(&refund));
    let after = change.applied_to(pending.clone());
    assert_eq!((after.status, after.refunds), (Status::Pending, Refunds::NONE));
    has(&store, &after).await;
    let found = store.quarantined(&event.key()).await.unwrap().unwrap();
    assert_eq!(found.decided.as_ref(), Some(&decided));
    let kept = log.events(Some(pending.id), Sender::Operator).await;
    assert!(kept.contains(&LoggedEvent::of(&own)), "{kept:?}");
    assert!(log.listed().await.iter().all(|entry| entry.queue != "review"));
    let due = store.due_items(None, 9).await.unwrap();
    assert!(due.contains(&DueItem::Refund(pending.id, refund.id.clone())), "{due:?}");

    // It comes to its end, and the payment stays as it is.
    let reported =
        Report { reference: refund.taken_from.clone(), ..one("re_1", 99, RefundState::Succeeded) };
    let effect = RefundEffect::of(&reported, &after, Some(&refund), true, at(60));
    let RefundEffect::Counts(succeeded) = effect else { panic!("{effect:?}") };
    let change = after.with_outside(*succeeded, at(60));
    let after = fresh.changed(&store, &after, &change).await;
    assert_eq!((after.status, after.refunds), (Status::Pending, Refunds::NONE));
    has(&store, &after).await;
    let item = change.refund.unwrap().item;
    assert_eq!((item.state, item.due), (RefundState::Succeeded, None));
    assert!(item.is_outside() && item.taken_from == refund.taken_from);
    assert_eq!(store.refund(pending.id, &refund.id).await.unwrap(), Some(item));
}
