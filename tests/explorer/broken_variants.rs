//! Broken variants of the service: each is caught by the invariant that it breaks.

use pay_core::{
    domain::{Notification, Outcome},
    testing::OrderPaidCall,
    usecases::create::{CreatePayment, CreatedPayment},
};

use super::{
    actor::{Actor, ClientResponse},
    bugs::{
        Bug, StoreBug, clears_the_outbox, creates_unguarded, overwrites_events, overwrites_records,
        replaces_any_payment, writes_due_back,
    },
    explore::Explorer,
    invariants::{check_response, check_world},
    scenario::{
        Scenario, after, creating, delivering, id, notification, oid, payment_of, request, shop,
        sweeping,
    },
    scenarios::{paid, with_a_closed_payment, with_a_payment, with_two_due},
    schedule,
    world::World,
};

/// Finds the schedule with the fewest faults that breaks the invariant, and breaks it again by a
/// replay. Without the bug nothing is broken.
fn assert_breaks(invariant: &str, broken_variant: &Scenario) {
    let name = broken_variant.name;
    let actors = broken_variant.actors.iter().map(|actor| Actor { bug: None, ..actor.clone() });
    let sound = Scenario { store_bug: None, actors: actors.collect(), ..broken_variant.clone() };
    let explored = Explorer::new(&sound, 1).explore();
    assert!(explored.is_ok(), "{name}: {explored:?}");

    let found = (0..=2).find_map(|faults| Explorer::new(broken_variant, faults).explore().err());
    let (broken, path) = found.unwrap_or_else(|| panic!("{name}: not caught"));
    assert_eq!(broken.invariant, invariant, "{name}: {broken}");
    let text = schedule::text(&path);
    println!("{name}: {invariant} by {text}");
    let again = Explorer::new(broken_variant, 2).follow(&text, &mut |_| {});
    assert_eq!(again, Err(broken), "{name}");
}

fn with_store_bug<const N: usize>(
    name: &'static str,
    bug: StoreBug,
    world: World,
    actors: [Actor; N],
) -> Scenario {
    Scenario { store_bug: Some(bug), ..Scenario::new(name, world, actors) }
}

/// A failed payment with the event id of [`paid`].
fn failed_with_its_event_id() -> Notification {
    let failed = notification(payment_of(0), Outcome::Failed, 2);
    Notification { event_id: paid(1).event_id, ..failed }
}

#[test]
fn paying_a_closed_payment_without_the_guard() {
    let late = delivering(2, paid(1)).with_bug(Bug::SkipsGuard);
    let actors = [creating(1, request(100, None)), late];
    assert_breaks("I1", &Scenario::new("skips the guard", with_a_closed_payment(), actors));
}

#[test]
fn replacing_a_payment_that_is_not_replaceable() {
    let (world, bug) = (with_a_closed_payment(), replaces_any_payment);
    let actors = [creating(1, request(100, None)), delivering(2, paid(1))];
    assert_breaks("I1", &with_store_bug("replaces any payment", bug, world, actors));
}

#[test]
fn creating_without_the_guard() {
    let actors = [creating(1, request(100, None)), creating(2, request(100, None))];
    assert_breaks("I1", &with_store_bug("creates unguarded", creates_unguarded, shop(), actors));
}

#[test]
fn replacing_a_payment_with_the_same_key() {
    let keyed = request(100, Some(1));
    let closed = delivering(9, notification(payment_of(0), Outcome::Closed, 90));
    let world = after(shop(), &[creating(0, keyed), closed]);
    let actor = creating(1, keyed).with_bug(Bug::IgnoresKeys);
    assert_breaks("I2", &Scenario::new("ignores keys", world, [actor]));
}

#[test]
fn overwriting_records() {
    let other = CreatePayment { oid: oid(2), ..request(100, None) };
    let actors = [creating(1, request(100, None)), creating(2, other)];
    let actors = actors.map(|actor| actor.with_first_id(id(7)));
    assert_breaks("I3", &with_store_bug("overwrites records", overwrites_records, shop(), actors));
}

#[test]
fn assuming_success() {
    let actor = creating(1, request(100, None)).with_bug(Bug::AssumesSuccess);
    assert_breaks("I4", &Scenario::new("assumes success", shop(), [actor]));
}

#[test]
fn trusting_the_event_log() {
    let second = delivering(2, paid(1)).with_bug(Bug::TrustsTheEventLog);
    let actors = [delivering(1, failed_with_its_event_id()), second];
    assert_breaks("I4", &Scenario::new("trusts the event log", with_a_payment(), actors));
}

#[test]
fn rejecting_before_the_guard_is_read() {
    let create = creating(1, request(100, Some(1))).with_bug(Bug::RejectsBeforeTheGuard);
    let paid = delivering(2, notification(payment_of(1), Outcome::Paid, 1));
    assert_breaks("I5", &Scenario::new("rejects before the guard", shop(), [create, paid]));
}

#[test]
fn overwriting_events() {
    let (world, bug) = (with_a_payment(), overwrites_events);
    let actors = [delivering(1, failed_with_its_event_id()), delivering(2, paid(1))];
    assert_breaks("I6", &with_store_bug("overwrites events", bug, world, actors));
}

#[test]
fn a_sweep_that_writes_due_back() {
    let refunded = notification(payment_of(0), Outcome::Refunded, 2);
    let actors = [delivering(1, paid(1)), delivering(2, refunded), sweeping(3)];
    let world = with_a_payment();
    assert_breaks("I6", &with_store_bug("writes due back", writes_due_back, world, actors));
}

#[test]
fn notifying_before_the_move_to_paid() {
    let actor = delivering(1, paid(1)).with_bug(Bug::NotifiesFirst);
    assert_breaks("I7", &Scenario::new("notifies first", with_a_payment(), [actor]));
}

#[test]
fn clearing_due_after_a_failed_order_notification() {
    let actor = delivering(1, paid(1)).with_bug(Bug::IgnoresFailedNotification);
    assert_breaks("I8", &Scenario::new("ignores failed notification", with_a_payment(), [actor]));
}

#[test]
fn clearing_due_of_other_payments() {
    let (world, bug) = (with_two_due(), clears_the_outbox);
    assert_breaks("I8", &with_store_bug("clears the outbox", bug, world, [sweeping(1)]));
}

#[test]
fn a_duplicate_that_does_not_notify() {
    let actor = delivering(1, paid(1)).with_bug(Bug::DuplicateIsSilent);
    assert_breaks("I9", &Scenario::new("duplicate is silent", with_a_payment(), [actor]));
}

/// No single bug leads there, since it breaks another invariant first.
#[test]
fn an_order_paid_by_two_payments() {
    let mut world = shop();
    for number in [1, 2] {
        let CreatePayment { uid, oid, amount, .. } = request(100, None);
        world.shop.notify(OrderPaidCall { payment: id(number), oid, uid, amount });
    }
    assert_eq!(check_world(&world).unwrap_err().invariant, "I10");
}

#[test]
fn one_payment_created_for_two_requests_and_two_for_one_key() {
    let second = CreatePayment { oid: oid(2), ..request(100, Some(1)) };
    let world = after(with_a_payment(), &[creating(1, second)]);
    let checked = |first, second, replayed| {
        let [first, second] = [first, second].map(|id| {
            let oid = world.table.payments[&id].oid;
            let request = CreatePayment { oid, ..request(100, Some(1)) };
            ClientResponse::Create(request, Ok(CreatedPayment { id, replayed }))
        });
        check_response(&world, &second, [&first].into_iter())
    };
    let (one, other) = (payment_of(0), payment_of(1));
    assert_eq!(checked(one, one, true), Ok(()));
    assert_eq!(checked(one, other, false), Ok(()));
    assert_eq!(checked(one, one, false).unwrap_err().invariant, "I2");
}
