mod refund;

use super::*;
use crate::{
    domain::{
        Digest, MismatchField, Notification, Outcome, ProviderRefund, RefundReport, RefundState,
        Status,
    },
    testing::{Call, Fate, block_on},
    usecases::world::{
        World, a_notification, a_refund, now, oid, referring, reporting, request, stripe,
    },
};

const PAID: Option<Outcome> = Some(Outcome::Paid);

fn note(byte: u8) -> RawBody {
    RawBody::new(b"asked the provider", Digest::new([byte; 32]))
}

fn by(name: &str) -> Operator {
    Operator::new(name).unwrap()
}

/// A decision of Ada's.
fn a_decision(key: &EventKey, decision: Decision) -> Resolve {
    let (key, refund_key) = (key.clone(), Digest::new([8; 32]));
    Resolve { key, decision, payment: None, by: by("ada"), note: note(9), refund_key }
}

fn carry_out(world: &World, request: &Resolve) -> Result<(), ResolveError> {
    block_on(resolve(&world.shop, &world.store, request, now(), &world.trace))
}

fn decide(world: &World, key: &EventKey, decision: Decision) -> Result<(), ResolveError> {
    carry_out(world, &a_decision(key, decision))
}

/// The keys of what is quarantined.
fn open(world: &World) -> Vec<EventKey> {
    let table = world.store.table();
    let quarantined = table.events.iter().filter(|event| event.verdict == Verdict::Quarantined);
    quarantined.map(Event::key).filter(|key| !table.resolved.contains_key(key)).collect()
}

/// A world with a payment, and a notification about it with another amount.
fn short(outcome: Option<Outcome>) -> (World, PaymentId, EventKey) {
    let (world, id) = World::with_payment();
    let notification =
        reporting(a_notification(id, outcome, 1), |report| report.amount_minor = Some(99));
    world.apply(&notification).unwrap_err();
    let [key] = &open(&world)[..] else { panic!() };
    let key = key.clone();
    (world, id, key)
}

fn operators(world: &World) -> Vec<Event> {
    let events = world.store.table().events;
    events.into_iter().filter(|event| event.sender == Sender::Operator).collect()
}

#[test]
fn an_accepted_notification_moves_the_record_with_its_own_amount() {
    let (world, id, key) = short(PAID);
    let amount = world.payment(id).amount;
    decide(&world, &key, Decision::Accept).unwrap();
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.amount, payment.due), (Status::Paid, amount, None));
    assert_eq!(payment.reference, stripe("pi_1"));
    assert_eq!(world.shop.state().effects.len(), 1);
    assert_eq!(open(&world), []);
    let [event] = &operators(&world)[..] else { panic!() };
    assert_eq!((event.verdict, event.body.kept()), (Verdict::Applied, &b"asked the provider"[..]));
    assert_eq!(event.key().to_string(), format!("{id}/operator/stripe.evt_1.09090909"));
    assert_eq!(
        event.decision,
        Some(OperatorDecision { by: by("ada"), about: format!("{id}/stripe/evt_1") })
    );
    for again in Decision::ALL {
        let Err(ResolveError::Decided(found)) = decide(&world, &key, again) else { panic!() };
        let want =
            Decided { decision: Decision::Accept, by: by("ada"), at: now(), event: event.key() };
        assert_eq!(found, want);
    }
}

/// Whatever its status is: only a mistaken hand leaves such a pending payment, and a person may pay it twice.
#[test]
fn a_payment_that_is_not_the_live_one_is_not_paid_by_a_person() {
    let (world, id, key) = short(PAID);
    let other = PaymentId::new(id.get() + 1).unwrap();
    world.store.edit(|table| table.guards.get_mut(&oid(1)).unwrap().payment = other);
    let before = world.payment(id);
    let rejected = decide(&world, &key, Decision::Accept);
    assert!(matches!(rejected, Err(ResolveError::OnlyDismiss(why)) if why.contains("another")));
    assert_eq!((world.payment(id), open(&world).len()), (before, 1));
}

#[test]
fn a_failed_order_notification_is_left_to_the_sweep() {
    let (world, id, key) = short(PAID);
    world.fail(Call::NotifyPaid, Fate::Before);
    decide(&world, &key, Decision::Accept).unwrap();
    assert!(world.payment(id).due.is_some());
    assert_eq!(open(&world), []);
}

#[test]
fn a_dismissed_notification_changes_nothing_and_leaves_the_note() {
    let (world, id, key) = short(PAID);
    let before = world.payment(id);
    decide(&world, &key, Decision::Dismiss).unwrap();
    assert_eq!(world.payment(id), before);
    assert_eq!(open(&world), []);
    let [event] = &operators(&world)[..] else { panic!() };
    assert_eq!(
        (event.verdict, event.mismatch.as_ref().map(|mismatch| mismatch.field)),
        (Verdict::Ignored, Some(MismatchField::Amount))
    );
    assert_eq!(world.shop.state().calls.len(), 0);
}

#[test]
fn only_what_the_table_still_allows_can_be_accepted() {
    let only_dismissed = |world: &World, key: &EventKey| {
        let rejected = decide(world, key, Decision::Accept);
        assert!(
            matches!(rejected, Err(ResolveError::OnlyDismiss(_) | ResolveError::NoPayment)),
            "{key}: {rejected:?}"
        );
        assert_eq!(operators(world).len(), 0);
        decide(world, key, Decision::Dismiss).unwrap();
        assert_eq!(open(world), []);
    };
    // Another reference for a paid payment.
    let (world, id) = World::with_payment();
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    world.apply(&referring(a_notification(id, PAID, 2), stripe("pi_2"))).unwrap_err();
    only_dismissed(&world, &open(&world)[0]);
    // Duplicate; stale; reports nothing that changes a status.
    for report in [PAID, Some(Outcome::Failed), None] {
        let (world, id, key) = short(report);
        world.apply(&a_notification(id, PAID, 2)).unwrap();
        only_dismissed(&world, &key);
    }
    // A refund from which nothing went back yet.
    let (world, id) = World::with_payment();
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let pending = a_refund(id, ("re_1", 40, RefundState::Pending), 2);
    world.apply(&reporting(pending, |report| report.amount_minor = Some(99))).unwrap_err();
    only_dismissed(&world, &open(&world)[0]);
    // A payment that was replaced.
    let (world, id, key) = short(PAID);
    world.apply(&a_notification(id, Some(Outcome::Closed), 2)).unwrap();
    world.create(request(100, Some(2))).unwrap();
    only_dismissed(&world, &key);
    assert_eq!(world.payment(id).status, Status::Closed);
    // No payment of ours.
    let world = World::new();
    world.apply(&a_notification(PaymentId::new(77).unwrap(), PAID, 1)).unwrap_err();
    let key = open(&world)[0].clone();
    assert_eq!(key.payment, None);
    only_dismissed(&world, &key);
}

/// Between the read of the record and the write another create took the order.
#[test]
fn a_decision_that_comes_too_late_leaves_the_notification_to_be_dismissed() {
    let (world, id, key) = short(PAID);
    world.apply(&a_notification(id, Some(Outcome::Closed), 2)).unwrap();
    let store = world.store.clone();
    world.gate.hook(move |call, _| {
        if call == Call::Resolve {
            store.edit(|table| {
                let guard = table.guards.values_mut().next().unwrap();
                guard.payment = PaymentId::new(7).unwrap();
            });
        }
        std::task::Poll::Ready(Fate::Responded)
    });
    assert!(matches!(decide(&world, &key, Decision::Accept), Err(ResolveError::OnlyDismiss(_))));
    assert_eq!(open(&world), std::slice::from_ref(&key), "it still waits");
    assert_eq!(world.payment(id).status, Status::Closed);
    assert_eq!(operators(&world).len(), 0);
    decide(&world, &key, Decision::Dismiss).unwrap();
    assert_eq!(open(&world), []);
    assert_eq!(operators(&world).len(), 1);
}

/// Bob decides between Ada's read and her write.
#[test]
fn of_two_who_decide_at_once_one_learns_what_the_other_decided() {
    for (adas, bobs) in [
        (Decision::Accept, Decision::Dismiss),
        (Decision::Dismiss, Decision::Accept),
        (Decision::Accept, Decision::Accept),
        (Decision::Dismiss, Decision::Dismiss),
    ] {
        let (world, id, key) = short(PAID);
        let other = Resolve { by: by("bob"), ..a_decision(&key, bobs) };
        let (store, shop, trace) = (world.store.clone(), world.shop.clone(), world.trace.clone());
        let first = std::sync::atomic::AtomicBool::new(true);
        world.gate.hook(move |call, _| {
            if call == Call::Resolve && first.swap(false, std::sync::atomic::Ordering::Relaxed) {
                block_on(resolve(&shop, &store, &other, now(), &trace)).unwrap();
            }
            std::task::Poll::Ready(Fate::Responded)
        });
        let Err(ResolveError::Decided(found)) = decide(&world, &key, adas) else {
            panic!("{adas:?} {bobs:?}: both read that it is done");
        };
        assert_eq!((found.decision, found.by, found.at), (bobs, by("bob"), now()));
        let paid = world.payment(id).status == Status::Paid;
        assert_eq!(paid, bobs == Decision::Accept, "{adas:?} {bobs:?}");
        let [event] = &operators(&world)[..] else { panic!("{adas:?} {bobs:?}") };
        assert_eq!(event.decision.as_ref().unwrap().by, by("bob"));
    }
}

/// A notification that lost its reference to the payment.
fn unmatched(change: impl FnOnce(&mut Report)) -> (World, PaymentId, EventKey) {
    let (world, id) = World::with_payment();
    let lost = Notification { payment: None, ..a_notification(id, PAID, 1) };
    world.apply(&reporting(lost, change)).unwrap_err();
    let key = open(&world)[0].clone();
    (world, id, key)
}

#[test]
fn an_unmatched_notification_is_accepted_onto_the_payment_that_is_named() {
    let (world, id, key) = unmatched(|_| {});
    let onto = |payment| Resolve { payment, ..a_decision(&key, Decision::Accept) };
    assert!(matches!(carry_out(&world, &onto(None)), Err(ResolveError::NoPayment)));
    let absent = PaymentId::new(id.get() + 1).unwrap();
    let rejected = carry_out(&world, &onto(Some(absent)));
    assert!(matches!(rejected, Err(ResolveError::PaymentNotFound(of)) if of == absent));
    assert_eq!(operators(&world).len(), 0);
    carry_out(&world, &onto(Some(id))).unwrap();
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.reference), (Status::Paid, stripe("pi_1")));
    assert_eq!(world.shop.state().effects.len(), 1);
    assert_eq!(open(&world), []);
    let [event] = &operators(&world)[..] else { panic!() };
    assert_eq!((event.payment, event.verdict), (Some(id), Verdict::Applied));
    assert_eq!(event.decision.as_ref().unwrap().about, "unmatched/stripe/evt_1");
    let found = world.store.table().resolved[&key].clone();
    assert_eq!((found.by, found.event), (by("ada"), event.key()));
}

#[test]
fn an_unmatched_notification_that_does_not_fit_is_accepted_onto_no_payment() {
    type Edit = fn(&mut Report);
    let table: [(Edit, &str); 5] = [
        (|report| report.amount_minor = Some(99), "amount: expected 100, received 99"),
        (|report| report.amount_minor = None, "amount: expected 100, received nothing"),
        (|report| report.currency = Some("USD".into()), "currency: expected CNY, received USD"),
        (|report| report.currency = None, "currency: expected CNY, received nothing"),
        (|report| report.outcome = None, "it reports nothing that changes a status"),
    ];
    for (edit, why) in table {
        let (world, id, key) = unmatched(edit);
        let before = world.payment(id);
        let onto = Resolve { payment: Some(id), ..a_decision(&key, Decision::Accept) };
        let rejected = carry_out(&world, &onto).unwrap_err().to_string();
        assert!(rejected.contains(why), "{rejected}");
        assert_eq!((world.payment(id), open(&world)), (before, vec![key]));
    }
    // A payment that was paid with other money.
    let (world, id, key) = unmatched(|report| report.reference = stripe("pi_2"));
    world.apply(&a_notification(id, PAID, 3)).unwrap();
    let onto = Resolve { payment: Some(id), ..a_decision(&key, Decision::Accept) };
    assert!(matches!(carry_out(&world, &onto), Err(ResolveError::OnlyDismiss(_))));
    // A refund of it from which nothing went back yet.
    let (world, id, key) = unmatched(|report| refunds(report, RefundState::Pending));
    world.apply(&a_notification(id, PAID, 3)).unwrap();
    let onto = Resolve { payment: Some(id), ..a_decision(&key, Decision::Accept) };
    let rejected = carry_out(&world, &onto).unwrap_err().to_string();
    assert!(rejected.contains("it reports nothing that changes a status"), "{rejected}");
    assert_eq!(open(&world), [key]);
    // A refund without its reference takes back just what was paid.
    let (world, id, key) = unmatched(|report| report.outcome = Some(Outcome::Refunded));
    world.apply(&a_notification(id, PAID, 3)).unwrap();
    let onto = Resolve { payment: Some(id), ..a_decision(&key, Decision::Accept) };
    carry_out(&world, &onto).unwrap();
    assert_eq!(world.payment(id).status, Status::Refunded);
}

/// Makes it the report of a refund of 40, which need not say how much was paid.
fn refunds(report: &mut Report, state: RefundState) {
    report.outcome = Some(Outcome::Refunded);
    report.amount_minor = None;
    let id = ProviderRefund::new("re_1").unwrap();
    report.refund = Some(RefundReport::One { id, reference: None, amount_minor: 40, state });
}

#[test]
fn a_refund_of_a_part_is_accepted_and_counts_once() {
    let (world, id, key) = unmatched(|report| refunds(report, RefundState::Succeeded));
    let onto = Resolve { payment: Some(id), ..a_decision(&key, Decision::Accept) };
    // Of a payment that no money is known of it must say how much was paid.
    assert!(matches!(carry_out(&world, &onto), Err(ResolveError::Mismatch(..))));
    world.apply(&a_notification(id, PAID, 3)).unwrap();
    carry_out(&world, &onto).unwrap();
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.refunded()), (Status::Paid, 40));
    let [event] = &operators(&world)[..] else { panic!() };
    assert_eq!((event.verdict, event.report.amount_minor), (Verdict::Applied, Some(100)));
    let again = a_refund(id, ("re_1", 40, RefundState::Succeeded), 4);
    assert_eq!(world.apply(&again).unwrap().verdict, Verdict::Duplicate);
    assert_eq!(world.payment(id).refunded(), 40);
}

/// More than was paid went back, as it seems.
#[test]
fn a_refund_that_does_not_fit_can_only_be_dismissed() {
    let (world, id) = World::with_payment();
    for (name, refund) in [(1, "re_1"), (2, "re_2")] {
        drop(world.apply(&a_refund(id, (refund, 60, RefundState::Succeeded), name)));
    }
    let [key] = &open(&world)[..] else { panic!() };
    let rejected = decide(&world, key, Decision::Accept);
    assert!(matches!(rejected, Err(ResolveError::OnlyDismiss(_))), "{rejected:?}");
    decide(&world, key, Decision::Dismiss).unwrap();
    assert_eq!((world.payment(id).refunded(), open(&world)), (60, vec![]));
}

#[test]
fn a_notification_of_a_payment_is_not_accepted_onto_another() {
    let (world, id, key) = short(PAID);
    let other = PaymentId::new(id.get() + 1).unwrap();
    let onto = |payment| Resolve { payment: Some(payment), ..a_decision(&key, Decision::Accept) };
    let rejected = carry_out(&world, &onto(other));
    assert!(matches!(rejected, Err(ResolveError::OtherPayment(own)) if own == id));
    assert_eq!(world.payment(id).status, Status::Pending);
    // Its own may be said.
    carry_out(&world, &onto(id)).unwrap();
    assert_eq!(world.payment(id).status, Status::Paid);
}

#[test]
fn an_unreadable_payment_stops_no_dismissal() {
    let (world, id, key) = short(PAID);
    world.store.edit(|table| table.unreadable.insert(id));
    let fault = decide(&world, &key, Decision::Accept);
    assert!(matches!(fault, Err(ResolveError::Failed(Failure::Fault(_)))));
    decide(&world, &key, Decision::Dismiss).unwrap();
    assert_eq!(open(&world), []);
}

#[test]
fn what_is_not_in_quarantine_is_not_found() {
    let (world, id) = World::with_payment();
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let applied = world.store.table().events[0].key();
    let missing = EventKey::parse("7/stripe/evt_7").unwrap();
    for key in [applied, missing] {
        let rejected = decide(&world, &key, Decision::Dismiss);
        assert!(matches!(rejected, Err(ResolveError::NotFound)), "{key}");
    }
}

#[test]
fn a_decision_that_was_cut_short_is_made_once() {
    for (decision, call) in [
        (Decision::Accept, Call::Quarantined),
        (Decision::Accept, Call::Payment),
        (Decision::Accept, Call::Resolve),
        (Decision::Dismiss, Call::Quarantined),
        (Decision::Dismiss, Call::Payment),
        (Decision::Dismiss, Call::Resolve),
    ] {
        for fate in [Fate::Before, Fate::Lost, Fate::After] {
            let (world, id, key) = short(PAID);
            world.fail(call, fate);
            let first = decide(&world, &key, decision);
            // A write whose outcome is unknown is found out about.
            let known = fate == Fate::Before || call != Call::Resolve;
            assert_eq!(first.is_err(), known, "{call:?} {fate:?}: {first:?}");
            if first.is_err() {
                decide(&world, &key, decision).unwrap();
            }
            assert_eq!(open(&world), [], "{call:?} {fate:?}");
            let paid = world.payment(id).status == Status::Paid;
            assert_eq!(paid, decision == Decision::Accept, "{call:?} {fate:?}");
            assert_eq!(operators(&world).len(), 1);
        }
    }
    // A decision that may still be written is neither made nor given up.
    let (world, _, key) = short(PAID);
    world.gate.script(Call::Resolve, [Fate::Late; 3]);
    let failed = decide(&world, &key, Decision::Accept);
    assert!(matches!(failed, Err(ResolveError::Failed(Failure::Unavailable(_)))), "{failed:?}");
    while world.store.edit(crate::testing::Table::land_late) {}
    assert_eq!((open(&world), operators(&world).len()), (vec![], 1));
}
