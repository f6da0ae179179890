//! Two callers whose reads and writes overlap.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::Poll,
};

use super::*;
use crate::{
    domain::Provider,
    ports::ProviderState,
    testing::{Call, Fate, block_on},
    usecases::{
        create::CreatePayment,
        query::QueryPorts,
        sweep::{Run, Sweep, Swept, sweep},
        world::{World, later, now, request, uid},
    },
};

fn asked(id: PaymentId, method: CheckoutMethod) -> CheckoutPayment {
    let asked =
        AskedCheckout { method, description: None, return_url: None, openid: None, payer_ip: None };
    CheckoutPayment {
        id,
        payer: Some(uid(1)),
        asked,
        notify_url: WebUrl::new("https://pay.example/api/pay/callback/wechat").ok(),
        time_to_live: None,
        sender: Sender::Native,
        body: RawBody::empty(),
    }
}

fn start(
    ports: &impl AnyQueryPorts,
    request: &CheckoutPayment,
    at: Timestamp,
) -> Result<u32, String> {
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    let started = block_on(checkout(ports, request, how, at, &TraceParent::start(1, 1)));
    started.map(|of| of.checkout.reference.number.get()).map_err(|error| {
        if let CheckoutError::Failed(Failure::Unavailable(cause)) = error {
            return cause.to_string();
        }
        error.to_string()
    })
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
            assert_eq!(start(&ports, &request, at), Ok(number));
        }
        Poll::Ready(Fate::Responded)
    });
}

/// The first one has read the checkouts, and not yet the record.
#[test]
fn another_caller_between_the_two_reads_makes_no_second_checkout() {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    let request = asked(id, CheckoutMethod::WeChatNative);
    while_another_starts(&world, (Call::Payment, 1), &request, (now(), 1));
    assert_eq!(start(&world.ports(), &request, later(5_000)), Ok(1));
    assert_eq!(world.payment(id).checkouts, 1);
    assert_eq!(world.providers.edit(|held| held.checkouts.len()), 1);
}

/// The first one was refused, and has not written that yet.
#[test]
fn what_another_caller_was_given_is_not_refused_any_more() {
    for (method, is_absent) in
        [(CheckoutMethod::StripeCheckout, true), (CheckoutMethod::WeChatNative, false)]
    {
        let (world, id) = World::with_payment();
        world.give_keys(Provider::ALL);
        world.providers.edit(|held| held.refuse_checkouts = Some(is_absent));
        let request = asked(id, method);
        while_another_starts(&world, (Call::ChangeCheckout, 0), &request, (later(5_000), 1));
        let error = start(&world.ports(), &request, now()).unwrap_err();
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
    let request = asked(id, CheckoutMethod::WeChatNative);
    assert_eq!(start(&world.ports(), &request, now()), Ok(1));
    world.providers.edit(|held| {
        held.checkouts.values_mut().for_each(|of| of.state = ProviderState::Closed);
    });
    let why = "a provider was called for the payment less than 3 seconds ago";
    assert_eq!(start(&world.ports(), &request, later(5_000)), Err(why.to_owned()));
    let states: Vec<_> = world.store.table().checkouts.values().map(|of| of.state).collect();
    assert_eq!(states, [CheckoutState::Ended]);
    assert_eq!(start(&world.ports(), &request, later(10_000)), Ok(2));
}

fn swept(world: &World, at: Timestamp) -> Swept {
    let (go_on, observe, trace) = (|| Some(at), |_: &_, _: &_| (), &world.trace);
    let run = Run { now: at, go_on: &go_on, observe: &observe, time_to_live: None, trace };
    block_on(sweep(&world.ports(), Sweep::new(10, true).unwrap(), &run)).unwrap()
}

/// A sweep has read the checkouts before the first was ended for the second.
#[test]
fn a_sweep_leaves_a_payment_due_for_a_checkout_that_it_has_not_seen() {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    let first = asked(id, CheckoutMethod::WeChatNative);
    assert_eq!(start(&world.ports(), &first, now()), Ok(1));
    let mut second = first;
    second.asked.description = Description::new("another").ok();
    while_another_starts(&world, (Call::Query, 0), &second, (later(5_000), 2));
    let swept = swept(&world, later(6_000));
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
    world.give_keys(&[Provider::WeChat]);
    world.hold(Provider::WeChat, id, ProviderState::Open);
    let three_days = 3 * 24 * 60 * 60_000;
    let asked = asked(id, CheckoutMethod::WeChatNative);
    while_another_starts(&world, (Call::Query, 0), &asked, (later(three_days + 1_000), 1));
    let swept = swept(&world, later(three_days + 2_000));
    assert_eq!((swept.queried, swept.abandoned.len()), (1, 0), "{swept:?}");
    assert!(world.payment(id).due.is_some());
}
