//! Broken variants of the service: each must be caught by the promise that it breaks.

use pay_core::{
    domain::Outcome,
    testing::Telling,
    usecases::{
        callback::Notice,
        create::{CreatePayment, CreatedPayment},
    },
};

use super::{
    actor::{Actor, Final, Role},
    bent::{
        Bend, Bent, check_then_insert, clears_the_list, overwrites_events, overwrites_records,
        replaces_blindly, writes_work_back,
    },
    explore::Explorer,
    promises::{of_a_world, of_an_answer},
    scenario::{
        Scenario, after, creating, creating_first, creating_on, delivering, delivering_on, id,
        message, oid, payment_of, reconciling, request, shop,
    },
    scenarios::{paid, with_a_closed_payment, with_a_payment, with_two_untold},
    schedule,
    world::{Breakage, World},
};

fn bent_message(number: u64, notice: Notice, bend: Bend) -> Actor {
    delivering_on(number, notice, move |probe| Bent::new(probe, bend))
}

fn bent_create(number: u64, request: CreatePayment, bend: Bend) -> Actor {
    creating_on(number, request, None, move |probe| Bent::new(probe, bend))
}

fn refunded(name: u8) -> Notice {
    message(payment_of(0), Outcome::Refunded, name)
}

/// Finds the schedule with the fewest faults that breaks a promise, and the same by replaying it.
fn assert_breaks(promise: &str, scenario: &Scenario) {
    let found = (0..=2).find_map(|faults| Explorer::new(scenario, faults).explore().err());
    let (broken, path) = found.unwrap_or_else(|| panic!("{}: not caught", scenario.name));
    assert_eq!(broken.promise, promise, "{}: {broken}", scenario.name);
    let text = schedule::text(&path);
    println!("{}: {promise} by {text}", scenario.name);
    let again = Explorer::new(scenario, 2).follow(&schedule::parse(&text), &mut |_| {});
    assert_eq!(again, Err(broken), "{}", scenario.name);
}

/// Actors whose ports are bent.
fn assert_bend_breaks(promise: &str, name: &'static str, world: World, actors: Vec<Actor>) {
    assert_breaks(promise, &Scenario::new(name, world, actors));
}

/// Sound actors on a broken store, which they are not caught on if it is sound.
fn assert_store_breaks(
    promise: &str,
    name: &'static str,
    breakage: Breakage,
    world: World,
    actors: Vec<Actor>,
) {
    let sound = Scenario::new(name, world, actors);
    let explored = Explorer::new(&sound, 1).explore();
    assert!(explored.is_ok(), "{name}: {explored:?}");
    assert_breaks(promise, &Scenario { breakage: Some(breakage), ..sound });
}

#[test]
fn a_closed_payment_paid_without_a_look_at_the_guard() {
    let late = bent_message(2, paid(1), Bend::Unguarded);
    let actors = vec![creating(1, request(100, None)), late];
    assert_bend_breaks("I1", "unguarded", with_a_closed_payment(), actors);
}

#[test]
fn replacing_without_a_look_at_what_is_replaced() {
    let actors = vec![creating(1, request(100, None)), delivering(2, paid(1))];
    let world = with_a_closed_payment();
    assert_store_breaks("I1", "replaces blindly", replaces_blindly, world, actors);
}

#[test]
fn the_hint_deciding() {
    let actors = vec![creating(1, request(100, None)), creating(2, request(100, None))];
    assert_store_breaks("I1", "check, then insert", check_then_insert, shop(), actors);
}

#[test]
fn replacing_without_a_look_at_the_key() {
    let keyed = request(100, Some(1));
    let closed = delivering(9, message(payment_of(0), Outcome::Closed, 90));
    let world = after(shop(), &[creating(0, keyed), closed]);
    let actors = vec![bent_create(1, keyed, Bend::ForgetsKeys)];
    assert_bend_breaks("I2", "forgets keys", world, actors);
}

#[test]
fn overwriting_records() {
    let other = CreatePayment { oid: oid(2), ..request(100, None) };
    let first = Some(id(7));
    let actors =
        vec![creating_first(1, request(100, None), first), creating_first(2, other, first)];
    assert_store_breaks("I3", "overwrites records", overwrites_records, shop(), actors);
}

#[test]
fn hoping_for_the_best() {
    let actors = vec![bent_create(1, request(100, None), Bend::Hopes)];
    assert_bend_breaks("I4", "hopes", shop(), actors);
}

#[test]
fn an_event_that_is_there_counting_as_handled() {
    let collides =
        Notice { event_id: paid(1).event_id, ..message(payment_of(0), Outcome::Failed, 2) };
    let actors = vec![delivering(1, collides), bent_message(2, paid(1), Bend::Handled)];
    assert_bend_breaks("I4", "handled", with_a_payment(), actors);
}

#[test]
fn refusing_before_the_guard_is_asked() {
    let create = bent_create(1, request(100, Some(1)), Bend::RefusesFirst);
    let new = message(payment_of(1), Outcome::Paid, 1);
    assert_bend_breaks("I5", "refuses first", shop(), vec![create, delivering(2, new)]);
}

#[test]
fn overwriting_event_items() {
    let collides =
        Notice { event_id: paid(1).event_id, ..message(payment_of(0), Outcome::Failed, 2) };
    let actors = vec![delivering(1, collides), delivering(2, paid(1))];
    let world = with_a_payment();
    assert_store_breaks("I6", "overwrites events", overwrites_events, world, actors);
}

#[test]
fn reconcile_writing_work_back() {
    let actors = vec![delivering(1, paid(1)), delivering(2, refunded(2)), reconciling(3)];
    let world = with_a_payment();
    assert_store_breaks("I6", "writes work back", writes_work_back, world, actors);
}

#[test]
fn telling_before_the_move() {
    let actors = vec![bent_message(1, paid(1), Bend::TellsFirst)];
    assert_bend_breaks("I7", "tells first", with_a_payment(), actors);
}

#[test]
fn clearing_after_a_failed_telling() {
    let actors = vec![bent_message(1, paid(1), Bend::ClearsAnyway)];
    assert_bend_breaks("I8", "clears anyway", with_a_payment(), actors);
}

#[test]
fn clearing_more_than_was_told() {
    let world = with_two_untold();
    assert_store_breaks("I8", "clears the list", clears_the_list, world, vec![reconciling(1)]);
}

#[test]
fn a_repeat_that_does_not_tell() {
    let actors = vec![bent_message(1, paid(1), Bend::SilentRepeat)];
    assert_bend_breaks("I9", "silent repeat", with_a_payment(), actors);
}

/// What no single mistake leads to, since another promise is broken first.
#[test]
fn an_order_paid_by_two_payments() {
    let mut world = shop();
    for number in [1, 2] {
        let CreatePayment { uid, oid, amount, .. } = request(100, None);
        world.shop.tell(Telling { payment: id(number), oid, uid, amount });
    }
    assert_eq!(of_a_world(&world).unwrap_err().promise, "I10");
}

#[test]
fn one_payment_made_for_two_requests_and_two_for_one_key() {
    let world = after(
        with_a_payment(),
        &[creating(1, CreatePayment { oid: oid(2), ..request(100, Some(1)) })],
    );
    let answers = |id, other, replayed| {
        let answer = |id| {
            let made = CreatedPayment { id, replayed };
            let request =
                CreatePayment { oid: world.table.payments[&id].oid, ..request(100, Some(1)) };
            (Role::Create(request), Final::Create(Ok(made)))
        };
        let (first, (role, end)) = (answer(id), answer(other));
        of_an_answer(&world, (&role, &end), [(&first.0, &first.1)].into_iter())
    };
    let (one, other) = (payment_of(0), payment_of(1));
    assert_eq!(answers(one, one, true), Ok(()));
    assert_eq!(answers(one, other, false), Ok(()));
    assert_eq!(answers(one, one, false).unwrap_err().promise, "I2");
}
