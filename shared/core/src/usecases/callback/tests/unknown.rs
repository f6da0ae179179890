//! Writes that did not say whether they happened, and deliveries in every order.

use super::*;

#[test]
fn a_move_that_did_not_say_whether_it_happened_is_decided_again() {
    for fate in [Fate::Lost, Fate::After, Fate::Late] {
        let (world, id) = World::with_payment();
        world.fail(Call::Apply, fate);
        let received = world.callback(&a_notice(id, PAID, 1)).unwrap();
        assert!(matches!(received.telling, Telling::Done), "{fate:?}");
        world.store.edit(Table::land_late);
        let payment = world.payment(id);
        assert_eq!((payment.status, payment.version, payment.work), (Status::Paid, 2, None));
        assert_eq!((logged(&world), times_told(&world)), (vec![Verdict::Applied], 1));
    }
    let (world, id) = World::with_payment();
    world.gate.always(Call::Apply, Fate::Lost);
    let error = world.callback(&a_notice(id, PAID, 1)).unwrap_err();
    assert!(matches!(error, CallbackError::Unavailable(_)), "{error:?}");
    let tries = world.gate.passed().iter().filter(|call| **call == Call::Apply).count();
    assert_eq!((tries, times_told(&world)), (3, 0));
}

#[test]
fn parking_that_did_not_say_whether_it_happened_is_tried_again() {
    for fate in [Fate::Lost, Fate::After] {
        let (world, id) = World::with_payment();
        world.fail(Call::Log, fate);
        let wrong = Notice { amount_minor: Some(99), ..a_notice(id, PAID, 1) };
        assert_eq!(misfit(world.callback(&wrong)), Misfit::AmountMismatch);
        assert_eq!(logged(&world), [Verdict::Quarantined], "{fate:?}");
    }
    // Nobody is told that it is kept before it is.
    let (world, id) = World::with_payment();
    world.gate.always(Call::Log, Fate::Lost);
    let wrong = Notice { amount_minor: Some(99), ..a_notice(id, PAID, 1) };
    assert!(matches!(world.callback(&wrong), Err(CallbackError::Unavailable(_))));
}

#[test]
fn a_record_that_moved_meanwhile_is_decided_anew() {
    let (world, id) = World::with_payment();
    let store = world.store.clone();
    world.gate.hook(move |call, asked| {
        store.edit(|table| {
            let payment = table.payments.get_mut(&id).unwrap();
            if call == Call::Apply && asked == 0 && payment.version == 1 {
                payment.version = 2;
                payment.status = Status::Failed;
            }
        });
        std::task::Poll::Ready(Fate::Answered)
    });
    assert_eq!(verdict(world.callback(&a_notice(id, PAID, 1))), Verdict::Applied);
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.version), (Status::Paid, 3));
    let event = world.store.table().events[0].clone();
    assert_eq!(event.status, Some((Status::Failed, Status::Paid)));
}

#[test]
fn the_hops_are_a_read_a_transaction_a_telling_and_its_clearing() {
    let (world, id) = World::with_payment();
    let made = world.gate.passed().len();
    world.callback(&a_notice(id, PAID, 1)).unwrap();
    let hops = [Call::Payment, Call::Apply, Call::TellPaid, Call::Told];
    assert_eq!(world.gate.passed()[made..], hops);
}

#[test]
fn every_order_of_delivery_of_one_payments_money_ends_in_the_same_record() {
    let outcomes = Outcome::ALL;
    let mut ends = Vec::new();
    for first in 0..4 {
        for second in (0..4).filter(|second| *second != first) {
            for third in (0..4).filter(|third| ![first, second].contains(third)) {
                let fourth = 6 - first - second - third;
                let (world, id) = World::with_payment();
                for index in [first, second, third, fourth, second, first] {
                    let name = u8::try_from(index).unwrap();
                    let report = Report::Outcome(outcomes[index]);
                    world.callback(&a_notice(id, report, name)).unwrap();
                }
                let payment = world.payment(id);
                ends.push((payment.status, payment.money, payment.work));
            }
        }
    }
    assert_eq!(ends.len(), 24);
    assert!(ends.iter().all(|end| *end == (Status::Refunded, stripe("pi_1"), None)));
}

#[test]
fn a_transaction_may_be_learnt_after_the_refund() {
    let (world, id) = World::with_payment();
    let refund = Report::Outcome(Outcome::Refunded);
    let unknown = Money { source: Source::STRIPE, txn: None };
    world.callback(&Notice { money: unknown, ..a_notice(id, refund, 1) }).unwrap();
    assert_eq!(verdict(world.callback(&a_notice(id, PAID, 2))), Verdict::Stale);
    let txn = ProviderTxn::new("pi_1").unwrap();
    assert_eq!(world.payment(id).money.txn, Some(txn));
}

#[test]
fn only_a_message_of_paid_money_does_the_telling() {
    let (world, id) = World::with_payment();
    world.fail(Call::TellPaid, Fate::Before);
    world.callback(&a_notice(id, PAID, 1)).unwrap();
    for (name, report) in [
        (2, Report::Outcome(Outcome::Failed)),
        (3, Report::Outcome(Outcome::Closed)),
        (4, Report::PartialRefund),
        (5, Report::Nothing),
    ] {
        let received = world.callback(&a_notice(id, report, name)).unwrap();
        assert!(matches!(received.telling, Telling::None), "{report:?}");
    }
    assert_eq!(times_told(&world), 0);
    assert!(world.payment(id).work.is_some());
}
