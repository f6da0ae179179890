use super::*;
use crate::{
    domain::Status,
    testing::{Call, Fate, block_on},
    usecases::{
        list::{PageSize, list},
        world::{World, oid, request, uid},
    },
};

fn by_order(world: &World) -> Result<Payment, DetailError> {
    block_on(detail(&world.store, Wanted::Order(oid(1)), Some(uid(1))))
}

#[test]
fn a_payment_is_shown_to_its_owner_and_to_nobody_else() {
    let (world, id) = World::with_payment();
    let show = |wanted, viewer| block_on(detail(&world.store, wanted, viewer));
    for wanted in [Wanted::Id(id), Wanted::Order(oid(1))] {
        for viewer in [Some(uid(1)), None] {
            assert_eq!(show(wanted, viewer).unwrap().id, id);
        }
        assert!(matches!(show(wanted, Some(uid(2))), Err(DetailError::NotFound)));
    }
    let absent = PaymentId::new(id.get() + 1).unwrap();
    assert!(matches!(show(Wanted::Id(absent), None), Err(DetailError::NotFound)));
    assert!(matches!(show(Wanted::Order(oid(9)), None), Err(DetailError::NotFound)));
}

#[test]
fn an_order_is_two_reads_and_three_through_the_guard() {
    let (world, _) = World::with_payment();
    let made = world.gate.passed().len();
    by_order(&world).unwrap();
    assert_eq!(world.gate.passed()[made..], [Call::NewestOfOrder, Call::Payment]);
    world.store.edit(|table| table.indexed.clear());
    by_order(&world).unwrap();
    let through_guard = [Call::NewestOfOrder, Call::Guard, Call::Payment];
    assert_eq!(world.gate.passed()[made + 2..], through_guard);
    // A closed one may have been replaced; where it was not, it is not read again.
    let (world, id) = World::with_payment();
    world.set_status(id, Status::Closed);
    let made = world.gate.passed().len();
    by_order(&world).unwrap();
    let closed = [Call::NewestOfOrder, Call::Payment, Call::Guard];
    assert_eq!(world.gate.passed()[made..], closed);
}

/// How long a response takes must not say which status another user's payment has.
#[test]
fn another_users_payment_takes_the_same_reads_whatever_its_status() {
    for status in Status::ALL {
        let (world, id) = World::with_payment();
        world.set_status(id, status);
        for (wanted, reads) in [
            (Wanted::Order(oid(1)), &[Call::NewestOfOrder, Call::Payment][..]),
            (Wanted::Id(id), &[Call::Payment]),
        ] {
            let made = world.gate.passed().len();
            let shown = block_on(detail(&world.store, wanted, Some(uid(2))));
            assert!(matches!(shown, Err(DetailError::NotFound)), "{status:?}");
            assert_eq!(world.gate.passed()[made..], *reads, "{status:?} {wanted:?}");
        }
    }
}

#[test]
fn an_index_that_has_not_heard_or_fails_hides_no_payment() {
    let world = World::new();
    world.store.edit(|table| table.lagging = true);
    let id = world.create(request(100, None)).unwrap().id;
    assert_eq!(by_order(&world).unwrap().id, id);
    world.fail(Call::NewestOfOrder, Fate::Before);
    assert_eq!(by_order(&world).unwrap().id, id);
}

#[test]
fn a_replaced_payment_is_not_shown_for_its_successor() {
    let (world, old) = World::with_payment();
    world.set_status(old, Status::Closed);
    assert_eq!(by_order(&world).unwrap().id, old);
    world.store.edit(|table| table.lagging = true);
    let new = world.create(request(100, Some(2))).unwrap().id;
    assert_eq!(by_order(&world).unwrap().id, new);
}

#[test]
fn a_store_that_is_down_is_not_an_absent_payment() {
    let (world, id) = World::with_payment();
    world.fail(Call::Payment, Fate::Before);
    let outcome = block_on(detail(&world.store, Wanted::Id(id), None));
    assert!(matches!(outcome, Err(DetailError::Failed(Failure::Unavailable(_)))));
    world.store.edit(|table| table.payments.clear());
    assert!(matches!(by_order(&world), Err(DetailError::Failed(Failure::Unavailable(_)))));
}

#[test]
fn a_list_is_the_users_own_newest_first_page_by_page() {
    let world = World::new();
    for order in 2..=6 {
        world.shop.sells(uid(1), oid(order), 100);
        let request =
            crate::usecases::create::CreatePayment { oid: oid(order), ..request(100, None) };
        world.create(request).unwrap();
    }
    let page = |cursor, size| {
        let size = PageSize::new(size).unwrap();
        block_on(list(&world.store, uid(1), cursor, size)).unwrap()
    };
    let all = page(None, 100);
    assert_eq!((all.payments.len(), all.cursor), (5, None));
    assert!(all.payments.is_sorted_by(|newer, older| newer.id > older.id));
    let first = page(None, 2);
    let second = page(first.cursor, 2);
    let last = page(second.cursor, 2);
    assert_eq!(last.cursor, None);
    let pages = [first.payments, second.payments, last.payments].concat();
    assert_eq!(pages, all.payments);
    // A page that just fits is the last one.
    assert_eq!(page(None, 5).cursor, None);
    assert!(
        block_on(list(&world.store, uid(2), None, PageSize::DEFAULT)).unwrap().payments.is_empty()
    );
}

#[test]
fn a_page_holds_1_to_100() {
    for (size, fits) in [(0, false), (1, true), (100, true), (101, false), (u64::MAX, false)] {
        assert_eq!(PageSize::new(size).is_ok(), fits, "{size}");
    }
}

#[test]
fn an_unreadable_payment_does_not_hide_the_one_that_the_guard_names() {
    let (world, id) = World::with_payment();
    let newer = PaymentId::new(id.get() + 1).unwrap();
    world.store.edit(|table| {
        let payment = Payment { id: newer, ..table.payments.get(&id).unwrap().clone() };
        table.payments.insert(newer, payment);
        table.catch_up();
        table.unreadable.insert(newer);
    });
    assert_eq!(by_order(&world).unwrap().id, id);
    // The order's own payment is none of the others.
    world.store.edit(|table| table.unreadable.insert(id));
    assert!(matches!(by_order(&world), Err(DetailError::Failed(Failure::Fault(_)))));
    world.store.edit(|table| table.guards.clear());
    assert!(matches!(by_order(&world), Err(DetailError::Failed(Failure::Fault(_)))));
}
