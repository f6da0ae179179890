//! Two callers whose reads and writes overlap.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::Poll,
};

use super::*;
use crate::usecases::{create::CreatePayment, query::QueryPorts, world::request};

/// What these ports say to a request at this time.
fn started_by(
    ports: &impl AnyQueryPorts,
    request: &CheckoutPayment,
    at: Timestamp,
) -> Result<u32, String> {
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    outcome(block_on(checkout(ports, request, how, at, &TraceParent::start(1, 1))))
}

/// Has another caller start a checkout at this time, which is of this number, once a call of the first one of
/// this kind has been polled so often; the providers take it.
fn while_another_starts(
    world: &World,
    (during, polled): (Call, u32),
    request: &CheckoutPayment,
    (at, number): (Timestamp, u32),
) {
    let (store, shop, providers) =
        (world.store.clone(), world.shop.clone(), world.providers.clone());
    let (request, has_come) = (request.clone(), AtomicBool::new(false));
    world.gate.hook(move |call, asked| {
        if call == during && !has_come.load(Relaxed) {
            if asked < polled {
                return Poll::Pending;
            }
            has_come.store(true, Relaxed);
            providers.edit(|held| held.refuse_checkouts = None);
            let ports =
                QueryPorts { users: &shop, orders: &shop, store: &store, providers: &providers };
            assert_eq!(started_by(&ports, &request, at), Ok(number));
        }
        Poll::Ready(Fate::Responded)
    });
}

/// The first one has read the checkouts, and not yet the record.
#[test]
fn another_caller_between_the_two_reads_makes_no_second_checkout() {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    let request = checking_out(id, WeChatNative);
    while_another_starts(&world, (Call::Payment, 1), &request, (now(), 1));
    assert_eq!(outcome(start_at(&world, &request, later(5_000))), Ok(1));
    assert_eq!(world.payment(id).checkouts, 1);
    assert_eq!(world.providers.edit(|held| held.checkouts.len()), 1);
}

/// The first one was refused, and has not written that yet.
#[test]
fn what_another_caller_was_given_is_not_refused_any_more() {
    for (method, is_absent) in [(StripeCheckout, true), (WeChatNative, false)] {
        let (world, id) = World::with_payment();
        world.give_keys(Provider::ALL);
        world.providers.edit(|held| held.refuse_checkouts = Some(is_absent));
        let request = checking_out(id, method);
        while_another_starts(&world, (Call::ChangeCheckout, 0), &request, (later(5_000), 1));
        let error = outcome(start_at(&world, &request, now())).unwrap_err();
        assert!(!error.contains("CHECKOUT_REFUSED"), "{error}");
        let states: Vec<_> = world.store.table().checkouts.values().map(|of| of.state).collect();
        assert_eq!(states, [CheckoutState::Open], "{method:?}");
    }
}

/// The provider closed it, and refuses a repeat: that says nothing of the next one.
#[test]
fn what_its_provider_closed_is_ended_and_not_refused() {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    let request = checking_out(id, WeChatNative);
    assert_eq!(outcome(start_at(&world, &request, now())), Ok(1));
    world.providers.edit(|held| {
        held.checkouts.values_mut().for_each(|of| of.state = ProviderState::Closed);
    });
    let why = "a provider was called for the payment less than 3 seconds ago";
    assert_eq!(outcome(start_at(&world, &request, later(5_000))), Err(why.to_owned()));
    let states: Vec<_> = world.store.table().checkouts.values().map(|of| of.state).collect();
    assert_eq!(states, [CheckoutState::Ended]);
    assert_eq!(outcome(start_at(&world, &request, later(10_000))), Ok(2));
}

/// A sweep has read the checkouts before the first was ended for the second.
#[test]
fn a_sweep_leaves_a_payment_due_for_a_checkout_that_it_has_not_seen() {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    let first = checking_out(id, WeChatNative);
    assert_eq!(outcome(start_at(&world, &first, now())), Ok(1));
    let mut second = first;
    second.asked.description = Description::new("another").ok();
    while_another_starts(&world, (Call::Query, 0), &second, (later(5_000), 2));
    let swept = world.swept(later(6_000), true, None);
    assert_eq!((swept.queried, swept.failed.len()), (1, 0), "{swept:?}");
    let states: Vec<_> = world.store.table().checkouts.values().map(|of| of.state).collect();
    assert_eq!(states, [CheckoutState::Ended, CheckoutState::Open]);
    assert!(world.payment(id).due.is_some());
}

/// Nobody has paid for three days, and somebody wants to now.
#[test]
fn a_sweep_does_not_give_up_on_a_payment_of_which_a_checkout_was_requested_meanwhile() {
    let world = World::new();
    let id = world.create(CreatePayment { queried: true, ..request(100, None) }).unwrap().id;
    world.give_keys(&[WeChat]);
    world.hold(WeChat, id, ProviderState::Open);
    let three_days = 3 * 24 * 60 * 60_000;
    let asked = checking_out(id, WeChatNative);
    while_another_starts(&world, (Call::Query, 0), &asked, (later(three_days + 1_000), 1));
    let swept = world.swept(later(three_days + 2_000), true, None);
    assert_eq!((swept.queried, swept.abandoned.len()), (1, 0), "{swept:?}");
    assert!(world.payment(id).due.is_some());
}
