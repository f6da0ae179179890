//! Writes whose outcome is unknown, and deliveries in every order.

use super::*;

#[test]
fn an_update_with_unknown_outcome_is_decided_again() {
    for fate in [Fate::Lost, Fate::After, Fate::Late] {
        let (world, id) = World::with_payment();
        world.fail(Call::Update, fate);
        let applied = world.apply(&a_notification(id, PAID, 1)).unwrap();
        assert!(matches!(applied.order_notification, OrderNotification::Done), "{fate:?}");
        world.store.edit(Table::land_late);
        let payment = world.payment(id);
        assert_eq!((payment.status, payment.version, payment.due), (Status::Paid, 2, None));
        assert_eq!((logged(&world), times_notified(&world)), (vec![Verdict::Applied], 1));
    }
    let (world, id) = World::with_payment();
    world.gate.always(Call::Update, Fate::Lost);
    let error = world.apply(&a_notification(id, PAID, 1)).unwrap_err();
    assert!(matches!(error, ApplyError::Failed(Failure::Unavailable(_))), "{error:?}");
    let attempts = world.gate.passed().iter().filter(|call| **call == Call::Update).count();
    assert_eq!((attempts, times_notified(&world)), (3, 0));
}

#[test]
fn a_quarantine_with_unknown_outcome_is_repeated() {
    for fate in [Fate::Lost, Fate::After] {
        let (world, id) = World::with_payment();
        world.fail(Call::Append, fate);
        let wrong = reporting(a_notification(id, PAID, 1), |report| report.amount_minor = Some(99));
        assert_eq!(mismatch(world.apply(&wrong)), MismatchField::Amount);
        assert_eq!(logged(&world), [Verdict::Quarantined], "{fate:?}");
    }
    // Nobody hears that it is kept before it is.
    let (world, id) = World::with_payment();
    world.gate.always(Call::Append, Fate::Lost);
    let wrong = reporting(a_notification(id, PAID, 1), |report| report.amount_minor = Some(99));
    assert!(matches!(world.apply(&wrong), Err(ApplyError::Failed(Failure::Unavailable(_)))));
}

#[test]
fn a_version_conflict_is_decided_again() {
    let (world, id) = World::with_payment();
    let store = world.store.clone();
    world.gate.hook(move |call, asked| {
        store.edit(|table| {
            let payment = table.payments.get_mut(&id).unwrap();
            if call == Call::Update && asked == 0 && payment.version == 1 {
                payment.version = 2;
                payment.status = Status::Failed;
            }
        });
        std::task::Poll::Ready(Fate::Responded)
    });
    assert_eq!(verdict(world.apply(&a_notification(id, PAID, 1))), Verdict::Applied);
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.version), (Status::Paid, 3));
    let event = world.store.table().events[0].clone();
    assert_eq!(event.status, Some((Status::Failed, Status::Paid)));
}

#[test]
fn the_hops_are_a_read_a_transaction_an_order_notification_and_its_clearing() {
    let (world, id) = World::with_payment();
    let made = world.gate.passed().len();
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let hops = [Call::Payment, Call::Update, Call::NotifyPaid, Call::MarkNotified];
    assert_eq!(world.gate.passed()[made..], hops);
}

#[test]
fn every_order_of_delivery_ends_in_the_same_record() {
    let outcomes = [Outcome::Failed, Outcome::Closed, Outcome::Paid, Outcome::Refunded];
    let mut ends = Vec::new();
    for first in 0..4 {
        for second in (0..4).filter(|second| *second != first) {
            for third in (0..4).filter(|third| ![first, second].contains(third)) {
                let fourth = 6 - first - second - third;
                let (world, id) = World::with_payment();
                for index in [first, second, third, fourth, second, first] {
                    let name = u8::try_from(index).unwrap();
                    let report = Some(outcomes[index]);
                    world.apply(&a_notification(id, report, name)).unwrap();
                }
                let payment = world.payment(id);
                ends.push((payment.status, payment.reference, payment.due));
            }
        }
    }
    assert_eq!(ends.len(), 24);
    assert!(ends.iter().all(|end| *end == (Status::Refunded, stripe("pi_1"), None)));
}

#[test]
fn a_reference_may_be_completed_after_the_refund() {
    let (world, id) = World::with_payment();
    let refund = Some(Outcome::Refunded);
    let unknown = ProviderRef { source: Provider::Stripe.source(), txn: None };
    world.apply(&referring(a_notification(id, refund, 1), unknown)).unwrap();
    assert_eq!(verdict(world.apply(&a_notification(id, PAID, 2))), Verdict::Stale);
    let txn = ProviderTxn::new("pi_1").unwrap();
    assert_eq!(world.payment(id).reference.txn, Some(txn));
}

#[test]
fn only_a_notification_of_money_notifies_the_order_service() {
    let (world, id) = World::with_payment();
    world.fail(Call::NotifyPaid, Fate::Before);
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    for (name, report) in [(2, Some(Outcome::Failed)), (3, Some(Outcome::Closed)), (4, None)] {
        let applied = world.apply(&a_notification(id, report, name)).unwrap();
        assert!(matches!(applied.order_notification, OrderNotification::NotDue), "{report:?}");
    }
    assert_eq!(times_notified(&world), 0);
    assert!(world.payment(id).due.is_some());
}
