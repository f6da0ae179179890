//! Refunds, in part and in full, reported one by one and as totals.

use super::*;
use crate::{
    domain::{Due, RefundReport},
    usecases::create::CreatePayment,
};
use RefundState::{Failed, Pending, Succeeded};

/// A world whose payment is paid, and its order service notified.
fn paid() -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.apply(&a_notification(id, PAID, 100)).unwrap();
    (world, id)
}

/// The refunds that are kept: id, amount and state.
fn kept(world: &World) -> Vec<(String, u64, RefundState)> {
    let refunds = world.store.table().refunds.into_values();
    refunds.map(|one| (one.id.as_str().to_owned(), one.amount_minor, one.state)).collect()
}

/// Every order of these, once.
fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    for item in items {
        let longer = all.into_iter().flat_map(|order| {
            (0..=order.len()).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, item.clone());
                longer
            })
        });
        all = longer.collect();
    }
    all
}

/// Refunds of 25, 25 and 50, one by one.
fn ones(id: PaymentId) -> [Notification; 3] {
    [("re_1", 25), ("re_2", 25), ("re_3", 50)]
        .map(|(name, amount)| a_refund(id, (name, amount, Succeeded), name.as_bytes()[3]))
}

/// The totals after each of them.
fn totals(id: PaymentId) -> [Notification; 3] {
    [25, 50, 100].map(|total| a_total(id, total, u8::try_from(total).unwrap()))
}

#[test]
fn refunds_of_25_25_and_50_in_any_order_and_twice_each_refund_100() {
    let end = |order: Vec<Notification>| {
        let (world, id) = paid();
        // The second time after all of the others.
        for delivery in [&order[..], &order[..]].concat() {
            let before = world.payment(id).refunded();
            world.apply(&delivery).unwrap();
            assert!(world.payment(id).refunded() >= before);
        }
        let payment = world.payment(id);
        assert_eq!(
            (payment.status, payment.refunded(), payment.due),
            (Status::Refunded, 100, None)
        );
        kept(&world)
    };
    let (_, id) = paid();
    let all_ones = [("re_1", 25), ("re_2", 25), ("re_3", 50)]
        .map(|(name, amount)| (format!("stripe.{name}"), amount, Succeeded));
    for order in orders(&ones(id)) {
        assert_eq!(end(order), all_ones);
    }
    for order in orders(&totals(id)) {
        // Of the totals those are kept that were the highest so far.
        let items = end(order);
        assert_eq!(items.iter().map(|(_, amount, _)| amount).sum::<u64>(), 100, "{items:?}");
        assert!(items.iter().any(|(id, ..)| id == "total-100"), "{items:?}");
    }
    let mixed = [&ones(id)[..], &totals(id)[..]].concat();
    for order in orders(&mixed) {
        let items = end(order);
        assert!(items.len() > 3 && items[..3] == all_ones, "{items:?}");
    }
}

#[test]
fn a_refund_of_a_part_leaves_the_payment_paid_and_says_how_much() {
    let (world, id) = paid();
    let applied = world.apply(&a_refund(id, ("re_1", 40, Succeeded), 1)).unwrap();
    assert_eq!((applied.verdict, applied.before.refunded()), (Verdict::Applied, 0));
    assert_eq!((applied.record.refunded(), applied.record.status), (40, Status::Paid));
    assert_eq!(applied.record, world.payment(id));
    let event = world.store.table().events.last().unwrap().clone();
    assert_eq!(event.status, Some((Status::Paid, Status::Paid)));
    let id = crate::domain::ProviderRefund::new("re_1").unwrap();
    let one = RefundReport::One { id, reference: None, amount_minor: 40, state: Succeeded };
    assert_eq!(event.report.refund, Some(one));
    assert_eq!(times_notified(&world), 1);
}

/// It proves that the payment was paid.
#[test]
fn a_refund_of_a_part_of_a_payment_that_is_not_paid_makes_it_paid_and_notifies() {
    let reports: [(Reported, _); 5] = [
        (|id, name| a_refund(id, ("re_1", 40, Pending), name), 0),
        (|id, name| a_refund(id, ("re_1", 40, Succeeded), name), 40),
        (|id, name| a_refund(id, ("re_1", 40, Failed), name), 0),
        (|id, name| a_total(id, 40, name), 40),
        (|id, name| a_total(id, 0, name), 0),
    ];
    for (reported, refunded) in reports {
        for before in [None, Some(Outcome::Failed), Some(Outcome::Closed)] {
            let (world, id) = World::with_payment();
            if before.is_some() {
                world.apply(&a_notification(id, before, 1)).unwrap();
            }
            let applied = world.apply(&reported(id, 2)).unwrap();
            assert_eq!(applied.verdict, Verdict::Applied);
            assert!(matches!(applied.order_notification, OrderNotification::Done));
            let payment = world.payment(id).coherent().unwrap();
            assert_eq!((payment.status, payment.refunded()), (Status::Paid, refunded));
            assert_eq!((payment.reference, payment.due), (stripe("pi_1"), None));
            assert_eq!(times_notified(&world), 1, "{before:?}");
        }
    }
}

/// A payment that was replaced is not paid by a refund of a part of it.
#[test]
fn a_refund_of_a_part_of_a_replaced_payment_is_quarantined() {
    let (world, id) = World::with_payment();
    world.apply(&a_notification(id, Some(Outcome::Closed), 1)).unwrap();
    world.create(request(100, Some(2))).unwrap();
    for (name, state) in [(2, Pending), (3, Succeeded), (4, Failed)] {
        let refund = a_refund(id, ("re_1", 40, state), name);
        assert_eq!(mismatch(world.apply(&refund)), MismatchField::LivePayment);
    }
    assert_eq!((world.payment(id).status, kept(&world)), (Status::Closed, vec![]));
}

#[test]
fn an_order_service_that_was_not_notified_is_notified_after_a_refund_of_a_part() {
    let (world, id) = World::with_payment();
    world.fail(Call::NotifyPaid, Fate::Before);
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let applied = world.apply(&a_refund(id, ("re_1", 40, Succeeded), 2)).unwrap();
    assert!(matches!(applied.order_notification, OrderNotification::Done));
    assert_eq!((times_notified(&world), world.payment(id).due), (1, None));
}

#[test]
fn a_refund_that_fails_is_final_and_leaves_the_sum() {
    for order in orders(&[(Pending, 1), (Succeeded, 2), (Failed, 3)]) {
        let (world, id) = paid();
        world.apply(&a_refund(id, ("re_1", 30, Succeeded), 9)).unwrap();
        for (state, name) in &order {
            world.apply(&a_refund(id, ("re_2", 40, *state), *name)).unwrap();
        }
        let payment = world.payment(id).coherent().unwrap();
        assert_eq!((payment.status, payment.refunded()), (Status::Paid, 30), "{order:?}");
        let items = [("stripe.re_1", 30, Succeeded), ("stripe.re_2", 40, Failed)];
        assert_eq!(kept(&world), items.map(|(id, amount, state)| (id.to_owned(), amount, state)));
        // It can be made again, with another id.
        world.apply(&a_refund(id, ("re_3", 70, Succeeded), 8)).unwrap();
        assert_eq!(world.payment(id).status, Status::Refunded);
    }
}

#[test]
fn a_refund_that_fails_after_it_may_have_counted_is_for_a_person() {
    // All of it went back.
    let (world, id) = paid();
    world.apply(&a_refund(id, ("re_1", 100, Succeeded), 1)).unwrap();
    let before = world.payment(id);
    let failed = a_refund(id, ("re_1", 100, Failed), 2);
    assert_eq!(mismatch(world.apply(&failed)), MismatchField::Refunded);
    assert_eq!(mismatch(world.apply(&failed)), MismatchField::Refunded);
    assert_eq!(world.payment(id), before);
    assert_eq!(logged(&world), [Verdict::Applied, Verdict::Applied, Verdict::Quarantined]);
    // A total may count it.
    let (world, id) = paid();
    world.apply(&a_total(id, 40, 1)).unwrap();
    let failed = a_refund(id, ("re_1", 40, Failed), 2);
    assert_eq!(mismatch(world.apply(&failed)), MismatchField::Refunded);
    assert_eq!(world.payment(id).refunded(), 40);
}

#[test]
fn more_than_was_paid_is_quarantined_whichever_comes_last() {
    for order in orders(&[("re_1", 60), ("re_2", 60)]) {
        let (world, id) = paid();
        let [first, second] = [0, 1].map(|index| {
            let (name, amount) = order[index];
            a_refund(id, (name, amount, Succeeded), u8::try_from(index).unwrap())
        });
        world.apply(&first).unwrap();
        let over = world.apply(&second);
        let Err(ApplyError::Mismatch(over)) = over else { panic!("{over:?}") };
        assert_eq!(over, Mismatch::new(MismatchField::Refunded, Some(100), Some(120)));
        assert_eq!((world.payment(id).refunded(), kept(&world).len()), (60, 1));
    }
    let (world, id) = paid();
    assert_eq!(mismatch(world.apply(&a_total(id, 101, 1))), MismatchField::Refunded);
    assert_eq!((world.payment(id).refunded(), kept(&world)), (0, vec![]));
}

/// A refund that Stripe's console made names no payment of ours and no amount of one.
fn by_transaction(txn: &str, name: u8) -> Notification {
    let refund = a_refund(PaymentId::new(1).unwrap(), ("re_1", 40, Succeeded), name);
    let refund = referring(refund, stripe(txn));
    Notification { payment: None, ..reporting(refund, |report| report.amount_minor = None) }
}

#[test]
fn a_refund_without_our_reference_is_found_by_its_transaction() {
    let (world, id) = paid();
    let applied = world.apply(&by_transaction("pi_1", 1)).unwrap();
    assert_eq!((applied.verdict, applied.record.id), (Verdict::Applied, id));
    assert_eq!(world.payment(id).refunded(), 40);
    assert_eq!(verdict(world.apply(&by_transaction("pi_1", 1))), Verdict::Duplicate);
    // Its event is under the payment.
    assert!(world.store.table().events.iter().all(|event| event.payment == Some(id)));
}

#[test]
fn a_refund_of_a_transaction_that_is_not_certain_is_unmatched() {
    // None has it; only its source is known; the index has not caught up.
    let (world, _) = paid();
    assert_eq!(mismatch(world.apply(&by_transaction("pi_2", 1))), MismatchField::Payment);
    let unknown = reporting(by_transaction("pi_1", 2), |report| report.reference.txn = None);
    assert_eq!(mismatch(world.apply(&unknown)), MismatchField::Payment);
    world.store.edit(|table| table.transactions.clear());
    assert_eq!(mismatch(world.apply(&by_transaction("pi_1", 3))), MismatchField::Payment);
    // The index names one that has another by now.
    let (world, id) = paid();
    world.store.edit(|table| table.transactions.insert(id, "stripe#pi_2".into()));
    assert_eq!(mismatch(world.apply(&by_transaction("pi_2", 1))), MismatchField::Payment);
    // Two payments have it.
    let (world, id) = paid();
    world.shop.sells(uid(1), oid(2), 100);
    let second = world.create(CreatePayment { oid: oid(2), ..request(100, None) }).unwrap().id;
    world.apply(&a_notification(second, PAID, 2)).unwrap();
    assert_eq!(mismatch(world.apply(&by_transaction("pi_1", 1))), MismatchField::Payment);
    assert_eq!([id, second].map(|id| world.payment(id).refunded()), [0, 0]);
    // It reports that money came, which no transaction alone says whose it is.
    let (world, _) = paid();
    let paid = Notification { payment: None, ..a_notification(second, PAID, 3) };
    assert_eq!(mismatch(world.apply(&paid)), MismatchField::Payment);
}

#[test]
fn an_index_that_cannot_be_read_makes_the_sender_repeat() {
    let (world, id) = paid();
    world.fail(Call::OfTransaction, Fate::Before);
    let refund = by_transaction("pi_1", 1);
    assert!(matches!(world.apply(&refund), Err(ApplyError::Failed(Failure::Unavailable(_)))));
    world.fail(Call::RefundNamed, Fate::Before);
    assert!(matches!(world.apply(&refund), Err(ApplyError::Failed(Failure::Unavailable(_)))));
    assert_eq!(verdict(world.apply(&refund)), Verdict::Applied);
    assert_eq!(world.payment(id).refunded(), 40);
}

/// Another one that names it must say how much was paid, of what.
#[test]
fn a_refund_of_other_money_is_quarantined() {
    let (world, id) = paid();
    let silent = |name, edit: fn(&mut Report)| {
        let refund = a_refund(id, ("re_1", 40, Succeeded), name);
        reporting(reporting(refund, |report| report.amount_minor = None), edit)
    };
    let unknown = silent(1, |report| report.reference.txn = None);
    assert_eq!(mismatch(world.apply(&unknown)), MismatchField::Amount);
    let currency = silent(2, |report| report.currency = Some("USD".into()));
    assert_eq!(mismatch(world.apply(&currency)), MismatchField::Currency);
    let total = reporting(a_total(id, 40, 3), |report| report.amount_minor = None);
    assert_eq!(mismatch(world.apply(&total)), MismatchField::Amount);
    assert_eq!(verdict(world.apply(&silent(4, |_| {}))), Verdict::Applied);
}

#[test]
fn a_refund_with_unknown_outcome_is_counted_once() {
    for fate in [Fate::Lost, Fate::After, Fate::Late] {
        let (world, id) = paid();
        world.fail(Call::Update, fate);
        world.apply(&a_refund(id, ("re_1", 40, Succeeded), 1)).unwrap();
        world.store.edit(Table::land_late);
        assert_eq!((world.payment(id).refunded(), kept(&world).len()), (40, 1), "{fate:?}");
    }
}

/// Another notification of it is applied between the read of the record and the write.
#[test]
fn of_two_notifications_of_a_refund_at_once_one_counts() {
    let (world, id) = paid();
    let refund = a_refund(id, ("re_1", 40, Succeeded), 1);
    let other = a_refund(id, ("re_1", 40, Succeeded), 2);
    let (store, shop, trace) = (world.store.clone(), world.shop.clone(), world.trace.clone());
    let first = std::sync::atomic::AtomicBool::new(true);
    world.gate.hook(move |call, _| {
        if call == Call::Update && first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            let applied =
                apply((&shop, &shop), &store, &other, crate::usecases::world::now(), &trace);
            crate::testing::block_on(applied).unwrap();
        }
        std::task::Poll::Ready(Fate::Responded)
    });
    assert_eq!(verdict(world.apply(&refund)), Verdict::Duplicate);
    assert_eq!((world.payment(id).refunded(), kept(&world).len()), (40, 1));
}

/// The sweep still has to notify the order service.
#[test]
fn a_refund_of_a_part_leaves_due_as_it_is() {
    let (world, id) = World::with_payment();
    world.gate.always(Call::NotifyPaid, Fate::Before);
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let due: Option<Due> = world.payment(id).due;
    assert!(due.is_some());
    world.apply(&a_refund(id, ("re_1", 40, Succeeded), 2)).unwrap();
    assert_eq!(world.payment(id).due, due);
    world.apply(&a_refund(id, ("re_2", 60, Succeeded), 3)).unwrap();
    assert_eq!((world.payment(id).status, world.payment(id).due), (Status::Refunded, None));
}
