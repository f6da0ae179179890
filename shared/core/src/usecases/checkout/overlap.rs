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
        query::QueryPorts,
        world::{World, later, now, uid},
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

/// Has another caller start the same checkout at this time, once a call of the first one of this kind has been
/// polled so often; the providers take it.
fn while_another_starts(
    world: &World,
    (during, polled): (Call, u32),
    request: &CheckoutPayment,
    at: Timestamp,
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
            assert_eq!(start(&ports, &request, at), Ok(1));
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
    while_another_starts(&world, (Call::Payment, 1), &request, now());
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
        while_another_starts(&world, (Call::ChangeCheckout, 0), &request, later(5_000));
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
