use super::*;
use crate::{
    domain::{Digest, MismatchField, Status},
    testing::{Call, Fate, block_on},
    usecases::world::{World, a_notification, now, referring, reporting, request, stripe},
};

const PAID: Option<Outcome> = Some(Outcome::Paid);

fn note(byte: u8) -> RawBody {
    RawBody::new(b"asked the provider", Digest::new([byte; 32]))
}

fn decide(world: &World, key: &EventKey, decision: Decision) -> Result<(), ResolveError> {
    let request = Resolve { key: key.clone(), decision, note: note(9) };
    let shop = (&world.shop, &world.shop);
    block_on(resolve(shop, &world.store, request, now(), &world.trace))
}

/// The keys of what is quarantined.
fn open(world: &World) -> Vec<EventKey> {
    let table = world.store.table();
    let quarantined = table.events.iter().filter(|event| event.verdict == Verdict::Quarantined);
    quarantined.map(Event::key).filter(|key| !table.resolved.contains(key)).collect()
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
    assert_eq!(event.key().to_string(), format!("{id}/operator/native.evt_1.09090909"));
    assert!(matches!(decide(&world, &key, Decision::Accept), Err(ResolveError::Resolved)));
    assert!(matches!(decide(&world, &key, Decision::Dismiss), Err(ResolveError::Resolved)));
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
        assert!(matches!(rejected, Err(ResolveError::OnlyDismiss(_))), "{key}: {rejected:?}");
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
    for report in [PAID, Some(Outcome::Failed), Some(Outcome::PartlyRefunded), None] {
        let (world, id, key) = short(report);
        world.apply(&a_notification(id, PAID, 2)).unwrap();
        only_dismissed(&world, &key);
    }
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

/// Between the read of the guard and the update another create took the order.
#[test]
fn a_decision_that_comes_too_late_leaves_the_notification_to_be_dismissed() {
    let (world, id, key) = short(PAID);
    world.apply(&a_notification(id, Some(Outcome::Closed), 2)).unwrap();
    let store = world.store.clone();
    world.gate.hook(move |call, _| {
        if call == Call::Update {
            store.edit(|table| {
                let guard = table.guards.values_mut().next().unwrap();
                guard.payment = PaymentId::new(7).unwrap();
            });
        }
        std::task::Poll::Ready(Fate::Responded)
    });
    assert!(matches!(decide(&world, &key, Decision::Accept), Err(ResolveError::OnlyDismiss(_))));
    assert_eq!(open(&world), std::slice::from_ref(&key), "nothing else waits for a person");
    assert_eq!(world.payment(id).status, Status::Closed);
    let request = Resolve { key: key.clone(), decision: Decision::Dismiss, note: note(8) };
    let shop = (&world.shop, &world.shop);
    block_on(resolve(shop, &world.store, request, now(), &world.trace)).unwrap();
    assert_eq!(open(&world), []);
    assert_eq!(operators(&world).len(), 2, "both notes are kept");
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
fn a_decision_that_was_cut_short_can_be_taken_again() {
    for (decision, call) in [
        (Decision::Accept, Call::Quarantined),
        (Decision::Accept, Call::Payment),
        (Decision::Accept, Call::Guard),
        (Decision::Accept, Call::Update),
        (Decision::Dismiss, Call::Append),
        (Decision::Dismiss, Call::Resolve),
    ] {
        for fate in [Fate::Before, Fate::Lost, Fate::After] {
            let (world, id, key) = short(PAID);
            world.fail(call, fate);
            if decide(&world, &key, decision).is_err() {
                match decide(&world, &key, decision) {
                    Ok(()) | Err(ResolveError::Resolved) => {}
                    Err(error) => panic!("{call:?} {fate:?}: {error}"),
                }
            }
            assert_eq!(open(&world), [], "{call:?} {fate:?}");
            let paid = world.payment(id).status == Status::Paid;
            assert_eq!(paid, decision == Decision::Accept, "{call:?} {fate:?}");
            assert_eq!(operators(&world).len(), 1);
        }
    }
    // Accepted, and still listed: now a duplicate, it is dismissed.
    let (world, id, key) = short(PAID);
    world.fail(Call::Resolve, Fate::Lost);
    decide(&world, &key, Decision::Accept).unwrap_err();
    assert!(matches!(decide(&world, &key, Decision::Accept), Err(ResolveError::OnlyDismiss(_))));
    decide(&world, &key, Decision::Dismiss).unwrap();
    assert_eq!((world.payment(id).status, open(&world)), (Status::Paid, vec![]));
}
