use super::*;
use crate::{
    domain::Status,
    testing::{Call, Fate, Table},
    usecases::world::{NOW_MS, World, amount, now, oid, request, uid},
};

fn error(outcome: Result<CreatedPayment, CreateError>) -> CreateError {
    outcome.expect_err("an error")
}

#[track_caller]
fn assert_unavailable(outcome: Result<CreatedPayment, CreateError>) {
    let error = error(outcome);
    assert!(matches!(error, CreateError::Failed(Failure::Unavailable(_))), "{error:?}");
}

#[test]
fn a_payment_and_its_guard_are_made() {
    let (world, id) = World::with_payment();
    let payment = world.payment(id);
    assert_eq!((payment.uid, payment.oid, payment.amount), (uid(1), oid(1), amount(100)));
    assert_eq!((payment.status, payment.create_time.millis()), (Status::Pending, NOW_MS));
    let guard = world.store.table().guards.get(&oid(1)).unwrap().clone();
    assert_eq!(guard, Guard::of(&payment, request(100, Some(1)).key));
}

#[test]
fn the_happy_path_is_two_hops_deep() {
    let (world, _) = World::with_payment();
    let mut calls = world.gate.passed();
    assert_eq!(calls.pop(), Some(Call::Create));
    calls.sort_unstable();
    assert_eq!(calls, [Call::NewestOfOrder, Call::UserExists, Call::FindOrder]);
}

#[test]
fn user_then_order_must_exist_and_the_order_be_the_payers() {
    let world = World::new();
    let stranger = CreatePayment { uid: uid(2), ..request(100, None) };
    assert!(matches!(error(world.create(stranger)), CreateError::UserNotFound));
    world.shop.edit(|shop| shop.users.insert(uid(2)));
    assert!(matches!(error(world.create(stranger)), CreateError::OrderNotFound));
    let no_order = CreatePayment { oid: oid(9), ..request(100, None) };
    assert!(matches!(error(world.create(no_order)), CreateError::OrderNotFound));
    assert_eq!(world.payments(), 0);
}

#[test]
fn an_order_that_is_paid_or_costs_another_amount_gets_none() {
    let world = World::new();
    assert!(matches!(error(world.create(request(99, None))), CreateError::AmountMismatch));
    world.edit_order(|order| order.paid = true);
    // Paid comes before the amount.
    assert!(matches!(error(world.create(request(99, None))), CreateError::OrderPaid));
    assert!(matches!(error(world.create(request(100, None))), CreateError::OrderPaid));
    assert_eq!(world.payments(), 0);
}

#[test]
fn a_service_that_is_down_is_not_an_absent_thing() {
    for call in [Call::UserExists, Call::FindOrder] {
        let world = World::new();
        world.fail(call, Fate::Before);
        assert_unavailable(world.create(request(100, None)));
        assert_eq!(world.payments(), 0);
    }
}

#[test]
fn a_duplicate_without_the_key_is_rejected_and_names_the_payment() {
    for other_key in [None, Some(2)] {
        let (world, id) = World::with_payment();
        let error = error(world.create(request(100, other_key)));
        assert!(matches!(error, CreateError::PaymentExists(Some(found)) if found == id));
    }
}

#[test]
fn the_same_key_and_request_gets_the_same_payment() {
    let (world, id) = World::with_payment();
    let again = CreatedPayment { id, replayed: true };
    assert_eq!(world.create(request(100, Some(1))).unwrap(), again);
    // Also once the order is paid, costs another amount, or the payment is closed.
    world.edit_order(|order| order.paid = true);
    assert_eq!(world.create(request(100, Some(1))).unwrap(), again);
    world.edit_order(|order| order.amount_minor = 5);
    assert_eq!(world.create(request(100, Some(1))).unwrap(), again);
    world.set_status(id, Status::Closed);
    assert_eq!(world.create(request(100, Some(1))).unwrap(), again);
}

#[test]
fn the_same_key_with_another_request_is_rejected_while_the_payment_lives() {
    let (world, id) = World::with_payment();
    assert!(matches!(error(world.create(request(99, Some(1)))), CreateError::KeyReused));
    // A closed one is replaced, by the checks of the order.
    world.set_status(id, Status::Closed);
    assert!(matches!(error(world.create(request(99, Some(1)))), CreateError::AmountMismatch));
    world.edit_order(|order| order.amount_minor = 99);
    assert!(!world.create(request(99, Some(1))).unwrap().replayed);
}

#[test]
fn the_guard_is_read_before_any_rejection() {
    // The index has not heard of the payment, and the order is paid by now.
    let world = World::new();
    world.store.edit(|table| table.lagging = true);
    let id = world.create(request(100, Some(1))).unwrap().id;
    world.edit_order(|order| order.paid = true);
    assert_eq!(world.create(request(100, Some(1))).unwrap(), CreatedPayment { id, replayed: true });
    let error = error(world.create(request(100, None)));
    assert!(matches!(error, CreateError::PaymentExists(Some(_))), "{error:?}");
}

#[test]
fn an_index_that_lags_or_fails_decides_nothing() {
    let world = World::new();
    world.store.edit(|table| table.lagging = true);
    let id = world.create(request(100, None)).unwrap().id;
    for fate in [Fate::Responded, Fate::Before] {
        world.fail(Call::NewestOfOrder, fate);
        let error = error(world.create(request(100, None)));
        assert!(matches!(error, CreateError::PaymentExists(Some(found)) if found == id));
    }
    assert_eq!(world.payments(), 1);
}

#[test]
fn only_a_payment_without_a_future_is_replaced() {
    for (status, paid_time, replaced) in [
        (Status::Pending, None, false),
        (Status::Failed, None, false),
        (Status::Closed, None, true),
        (Status::Paid, Some(now()), false),
        (Status::Refunded, None, true),
        (Status::Refunded, Some(now()), false),
    ] {
        let (world, id) = World::with_payment();
        world.set_status(id, status);
        world.store.edit(|table| table.payments.get_mut(&id).unwrap().paid_time = paid_time);
        let outcome = world.create(request(100, Some(2)));
        assert_eq!(outcome.is_ok(), replaced, "{status:?} {paid_time:?}: {outcome:?}");
        let live = world.store.table().guards.get(&oid(1)).unwrap().payment;
        assert_eq!(live != id, replaced, "{status:?} {paid_time:?}");
    }
}

#[test]
fn a_replacement_is_subject_to_the_order() {
    let (world, id) = World::with_payment();
    world.set_status(id, Status::Closed);
    world.edit_order(|order| order.paid = true);
    assert!(matches!(error(world.create(request(100, None))), CreateError::OrderPaid));
    assert_eq!(world.payments(), 1);
}

#[test]
fn a_write_that_did_not_say_whether_it_happened_is_read_back() {
    // It happened: success, with the id that is there.
    let world = World::new();
    world.fail(Call::Create, Fate::After);
    let created = world.create(request(100, None)).unwrap();
    assert_eq!(created, CreatedPayment { id: world.payment(created.id).id, replayed: false });
    // It did not, or not yet: nobody knows, and the repeat finds out.
    for fate in [Fate::Lost, Fate::Late] {
        let world = World::new();
        world.fail(Call::Create, fate);
        assert_unavailable(world.create(request(100, None)));
        let landed = world.store.edit(Table::land_late);
        assert_eq!(world.create(request(100, None)).is_err(), landed);
        assert_eq!(world.payments(), 1);
    }
}

#[test]
fn a_replacement_that_did_not_say_whether_it_happened_is_decided_again() {
    for fate in [Fate::Lost, Fate::After, Fate::Late] {
        let (world, old) = World::with_payment();
        world.set_status(old, Status::Closed);
        world.fail(Call::Create, fate);
        let new = world.create(request(100, Some(2))).unwrap();
        assert_ne!(new.id, old);
        world.store.edit(Table::land_late);
        assert_eq!(world.store.table().guards.get(&oid(1)).unwrap().payment, new.id);
        assert_eq!(world.payments(), 2, "{fate:?}");
    }
    // Three times at most.
    let (world, old) = World::with_payment();
    world.set_status(old, Status::Closed);
    world.gate.always(Call::Create, Fate::Lost);
    let error = error(world.create(request(100, Some(2))));
    assert!(matches!(error, CreateError::Failed(Failure::Unavailable(_))), "{error:?}");
    let attempts = world.gate.passed().iter().filter(|call| **call == Call::Create).count();
    assert_eq!(attempts, 1 + 3);
}

#[test]
fn an_id_that_is_taken_is_not_used_twice() {
    let (world, taken) = World::with_payment();
    world.shop.sells(uid(1), oid(2), 100);
    world.ids.first([taken]);
    let other = CreatePayment { oid: oid(2), ..request(100, None) };
    let created = world.create(other).unwrap();
    assert_ne!(created.id, taken);
    assert_eq!(world.payment(taken).oid, oid(1));
}

#[test]
fn no_response_names_a_payment_that_does_not_exist() {
    let (world, id) = World::with_payment();
    world.store.edit(|table| table.payments.remove(&id));
    for key in [None, Some(1)] {
        assert_unavailable(world.create(request(100, key)));
    }
}

#[test]
fn a_payment_that_was_paid_while_it_was_being_replaced_is_kept() {
    let (world, id) = World::with_payment();
    // The decision saw it closed; the transaction finds it paid.
    world.set_status(id, Status::Closed);
    let store = world.store.clone();
    world.gate.hook(move |call, asked| {
        if call == Call::Create && asked == 0 {
            store.edit(|table| table.payments.get_mut(&id).unwrap().status = Status::Paid);
        }
        std::task::Poll::Ready(Fate::Responded)
    });
    let error = error(world.create(request(100, Some(2))));
    assert!(matches!(error, CreateError::PaymentExists(Some(found)) if found == id));
    assert_eq!(world.payments(), 1);
}

#[test]
fn another_users_payment_of_the_order_is_not_named() {
    let (world, _) = World::with_payment();
    world.shop.edit(|shop| shop.users.insert(uid(2)));
    world.edit_order(|order| order.uid = uid(2));
    let heir = CreatePayment { uid: uid(2), ..request(100, None) };
    assert!(matches!(error(world.create(heir)), CreateError::PaymentExists(None)));
}
