//! Close: no payment is closed while a checkout of it can be paid, and *paid* wins.

mod swept;

use super::*;
use crate::{
    domain::{CheckoutMethod, CheckoutState, Decision, Digest, Operator, TimeToLive},
    ports::{CheckoutAction, ProviderState},
    testing::{Call, Fate, a_checkout_reference, block_on},
    usecases::{
        checkout::checkout,
        create::CreateError,
        quarantine::{Resolve, ResolveError, resolve},
        sweep::Swept,
        world::{World, a_notification, checking_out, later, now, request, uid},
    },
};
use CheckoutMethod::{AlipayPage, AlipayQr, StripeCheckout, StripeIntent, WeChatNative};
use CheckoutState::{Ended, Open};
use Provider::{Alipay, Stripe};

const MINUTE_MS: u64 = 60_000;

/// A world with a payment of 100, keys of all providers, and these checkouts, one every five seconds.
fn world(methods: &[CheckoutMethod]) -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    for (ms, method) in (0..).step_by(5_000).zip(methods) {
        start(&world, id, *method, ms).unwrap();
    }
    (world, id)
}

fn start(
    world: &World,
    id: PaymentId,
    method: CheckoutMethod,
    ms: u64,
) -> Result<CheckoutAction, String> {
    let request = checking_out(id, method);
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    let started = block_on(checkout(&world.ports(), &request, how, later(ms), &world.trace));
    started.map(|started| started.action).map_err(|error| error.to_string())
}

fn try_close(world: &World, id: PaymentId, ms: u64) -> Result<ClosedPayment, CloseError> {
    let request =
        ClosePayment { id, payer: Some(uid(1)), sender: Sender::Native, body: RawBody::empty() };
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    block_on(close(&world.ports(), &request, how, later(ms), &world.trace))
}

/// What the caller gets, which is what is kept.
fn closed(world: &World, id: PaymentId, ms: u64) -> Status {
    let was_open = world.payment(id).is_open();
    let ClosedPayment { payment, is_new } = try_close(world, id, ms).unwrap();
    assert_eq!(payment, world.payment(id));
    // A provider's notification closes none of those.
    assert_eq!(is_new, was_open && payment.status == Status::Closed);
    payment.status
}

fn swept(world: &World, ms: u64, time_to_live: Option<TimeToLive>) -> Swept {
    world.swept(later(ms), false, time_to_live)
}

fn states(world: &World) -> Vec<CheckoutState> {
    world.store.table().checkouts.values().map(|checkout| checkout.state).collect()
}

fn at_provider(world: &World, id: PaymentId, number: u32) -> Option<ProviderState> {
    let reference = a_checkout_reference(id, number);
    world.providers.edit(|held| held.checkouts.get(&reference).map(|held| held.state))
}

fn pay(world: &World, id: PaymentId, number: u32) -> bool {
    world.providers.edit(|held| held.pay(a_checkout_reference(id, number), 100))
}

#[test]
fn every_checkout_is_closed_there_and_then_the_payment_here() {
    let (world, id) = world(&[StripeCheckout, WeChatNative, AlipayQr]);
    let before = world.payment(id);
    assert_eq!(closed(&world, id, 20_000), Status::Closed);
    for number in 1..=3 {
        assert_eq!(at_provider(&world, id, number), Some(ProviderState::Closed));
    }
    assert_eq!(states(&world), [Ended; 3]);
    let record = world.payment(id);
    assert_eq!((record.closing, record.due), (false, None));
    assert_eq!(record.version, before.version + 2);
    let events = world.store.table().events;
    let ours = events.iter().filter(|event| event.id.as_str().starts_with("close"));
    let ours: Vec<_> = ours.map(|event| (event.id.as_str(), event.verdict, event.status)).collect();
    let (pending, closed) = (Status::Pending, Status::Closed);
    let want = [
        ("close", Verdict::Noted, Some((pending, pending))),
        ("close.ended", Verdict::Applied, Some((pending, closed))),
    ];
    assert_eq!(ours, want);
    // Its order takes another one.
    let other = world.create(request(100, Some(9))).unwrap();
    assert_ne!(other.id, id);
}

/// Also of one without checkouts.
#[test]
fn what_is_over_stays_as_it_is() {
    let (world, id) = world(&[]);
    assert_eq!(closed(&world, id, 0), Status::Closed);
    let before = world.store.table();
    assert_eq!(closed(&world, id, 1), Status::Closed);
    for status in [Status::Paid, Status::Refunded] {
        world.set_status(id, status);
        assert_eq!(closed(&world, id, 2), status);
    }
    assert_eq!(world.store.table().events, before.events);

    let (world, id) = self::world(&[]);
    let other =
        ClosePayment { id, payer: Some(uid(2)), sender: Sender::Native, body: RawBody::empty() };
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    let result = block_on(close(&world.ports(), &other, how, now(), &world.trace));
    assert!(matches!(result, Err(CloseError::PaymentNotFound)));
    assert!(!world.payment(id).closing);
}

#[test]
fn that_it_is_paid_wins() {
    let (world, id) = world(&[StripeCheckout, WeChatNative]);
    assert!(pay(&world, id, 2));
    assert_eq!(closed(&world, id, 20_000), Status::Paid);
    let record = world.payment(id);
    assert!(!record.closing && record.notified_time.is_some());
    assert_eq!(states(&world), [Ended, Ended]);
    assert_eq!(at_provider(&world, id, 1), Some(ProviderState::Closed));
    // The sweep sees that all are ended.
    assert!(record.due.is_some());
    swept(&world, 20 * MINUTE_MS, None);
    assert_eq!(world.payment(id).due, None);

    // Without checkouts each provider is asked by our id: the shop may have started it there.
    let (world, id) = self::world(&[]);
    world.hold(Stripe, id, ProviderState::Paid);
    assert_eq!(closed(&world, id, 0), Status::Paid);
}

#[test]
fn it_is_closing_until_all_have_ended() {
    for (fail, calls) in [(Call::Close, 1), (Call::Query, 1), (Call::Query, 2)] {
        for fate in [Fate::Before, Fate::Lost, Fate::After] {
            let (world, id) = world(&[StripeCheckout]);
            let responded = (1..calls).map(|_| Fate::Responded);
            world.gate.script(fail, responded.chain([fate]));
            assert_eq!(closed(&world, id, 5_000), Status::Pending, "{fail:?} {calls}");
            let record = world.payment(id);
            assert!(record.closing && record.due.is_some());
            assert_eq!(states(&world), [Open]);
            // Its order takes no other one, and it no other checkout.
            let exists = world.create(request(100, Some(9)));
            assert!(matches!(exists, Err(CreateError::PaymentExists(_))));
            let why = "the payment cannot be paid so: it is being closed";
            assert_eq!(start(&world, id, WeChatNative, 9_000), Err(why.to_owned()));
            assert_eq!(swept(&world, 6 * MINUTE_MS, None).moved, 1, "{fail:?} {calls} {fate:?}");
            assert_eq!(world.payment(id).status, Status::Closed);
        }
    }
}

/// Scenario: closed there says 204, and the query still says that it can be paid.
#[test]
fn an_accepted_close_proves_nothing() {
    let (world, id) = world(&[WeChatNative]);
    // Nothing happens there, and the response does not say so.
    world.gate.script(Call::Close, [Fate::Before]);
    assert_eq!(closed(&world, id, 5_000), Status::Pending);
    assert_eq!(
        (at_provider(&world, id, 1), states(&world)),
        (Some(ProviderState::Open), vec![Open])
    );
}

#[test]
fn absent_ends_a_checkout_late_and_on_two_queries_alone() {
    let (world, id) = world(&[]);
    world.providers.edit(|providers| providers.are_pages = true);
    start(&world, id, AlipayPage, 0).unwrap();
    assert_eq!(closed(&world, id, 5_000), Status::Pending);
    assert_eq!(world.passed(Call::Close), 0);
    // Before its expiry and five minutes it may still be begun.
    for ms in [MINUTE_MS, 10 * MINUTE_MS, 35 * MINUTE_MS - 1] {
        assert_eq!(closed(&world, id, ms), Status::Pending);
        let absent = world.store.table().checkouts[&a_checkout_reference(id, 1)].absent_time;
        assert_eq!(absent, None, "{ms}");
    }
    assert_eq!(closed(&world, id, 35 * MINUTE_MS), Status::Pending);
    assert_eq!(closed(&world, id, 36 * MINUTE_MS - 1), Status::Pending);
    assert_eq!((closed(&world, id, 36 * MINUTE_MS), states(&world)), (Status::Closed, vec![Ended]));

    // Who has begun meanwhile pays.
    let (world, id) = self::world(&[]);
    world.providers.edit(|providers| providers.are_pages = true);
    start(&world, id, AlipayPage, 0).unwrap();
    assert_eq!(closed(&world, id, 35 * MINUTE_MS), Status::Pending);
    assert!(pay(&world, id, 1));
    assert_eq!(closed(&world, id, 37 * MINUTE_MS), Status::Paid);
}

/// Nobody knows its id: it is sent again, which makes no second one.
#[test]
fn a_requested_one_is_sent_again_to_be_closed() {
    let (world, id) = world(&[]);
    world.fail(Call::MakeCheckout, Fate::After);
    start(&world, id, StripeIntent, 0).unwrap_err();
    assert_eq!(at_provider(&world, id, 1), Some(ProviderState::Open));
    assert_eq!(closed(&world, id, 5_000), Status::Closed);
    assert_eq!(at_provider(&world, id, 1), Some(ProviderState::Closed));
    assert_eq!(world.passed(Call::MakeCheckout), 2);

    // One that was never made ends as well.
    let (world, id) = self::world(&[]);
    world.fail(Call::MakeCheckout, Fate::Before);
    start(&world, id, StripeIntent, 0).unwrap_err();
    world.providers.edit(|providers| providers.down.insert(Stripe));
    assert_eq!(closed(&world, id, 5_000), Status::Pending);
    assert_eq!(closed(&world, id, 23 * 60 * MINUTE_MS), Status::Closed);
    assert_eq!((states(&world), at_provider(&world, id, 1)), (vec![Ended], None));
}

/// What is paid and does not fit waits for a person: the payment stays.
#[test]
fn another_amount_closes_nothing() {
    let (world, id) = world(&[WeChatNative]);
    let reference = a_checkout_reference(id, 1);
    assert!(world.providers.edit(|held| held.pay(reference, 99)));
    world.providers.edit(|held| held.checkouts.get_mut(&reference).unwrap().amount_minor = 99);
    assert_eq!(closed(&world, id, 5_000), Status::Pending);
    assert!(world.payment(id).closing);
    let events = world.store.table().events;
    let found = events.iter().find(|event| event.verdict == Verdict::Quarantined).unwrap();
    assert_eq!((states(&world), found.checkout), (vec![Open], Some(reference.number)));

    // Once somebody has decided on it, the payment is closed.
    for decision in [Decision::Dismiss, Decision::Refund] {
        let (world, id) = self::world(&[StripeIntent]);
        let reference = a_checkout_reference(id, 1);
        assert!(world.providers.edit(|held| held.pay(reference, 100)));
        world.providers.edit(|held| held.checkouts.get_mut(&reference).unwrap().amount_minor = 99);
        assert_eq!(closed(&world, id, 5_000), Status::Pending);
        let events = world.store.table().events;
        let found = events.iter().find(|event| event.verdict == Verdict::Quarantined).unwrap();
        let request = Resolve {
            key: found.key(),
            decision,
            payment: None,
            by: Operator::new("ada").unwrap(),
            note: RawBody::empty(),
            refund_key: Digest::new([1; 32]),
        };
        let decide = || {
            let (shop, store) = (&world.shop, &world.store);
            block_on(resolve(shop, store, &request, later(6_000), &world.trace))
        };
        // Lost on the way: the same decision again ends it.
        world.fail(Call::EndCheckout, Fate::Before);
        assert!(matches!(decide(), Err(ResolveError::Failed(_))));
        assert_eq!(states(&world), [Open]);
        assert!(matches!(decide(), Err(ResolveError::Decided(_))));
        assert_eq!(states(&world), [Ended]);
        assert_eq!(closed(&world, id, 9_000), Status::Closed, "{decision:?}");
    }
}

#[test]
fn a_write_whose_outcome_is_unknown_is_read_back() {
    for fate in [Fate::Lost, Fate::After, Fate::Late] {
        for before in [0, 1] {
            let (world, id) = world(&[WeChatNative]);
            let responded = (0..before).map(|_| Fate::Responded);
            world.gate.script(Call::Update, responded.chain([fate]));
            assert_eq!(closed(&world, id, 5_000), Status::Closed, "{fate:?} {before}");
            world.store.edit(|table| while table.land_late() {});
            assert_eq!(world.payment(id).status, Status::Closed);
        }
    }
}

/// It is counted as what the notification did.
#[test]
fn what_a_provider_says_that_it_closed_is_not_closed_by_the_request() {
    let (world, id) = world(&[]);
    world.hold(Stripe, id, ProviderState::Closed);
    let ClosedPayment { payment, is_new } = try_close(&world, id, 0).unwrap();
    assert_eq!((payment.status, is_new), (Status::Closed, false));
    // Nor by a sweep.
    let (world, id) = self::world(&[]);
    world.hold(Stripe, id, ProviderState::Closed);
    world.store.edit(|table| table.payments.get_mut(&id).unwrap().closing = true);
    world.store.edit(|table| {
        table.payments.get_mut(&id).unwrap().due = Some(crate::domain::Due::first_query(now()));
    });
    let swept = swept(&world, 5 * MINUTE_MS, None);
    assert_eq!((swept.moved, swept.closed, world.payment(id).status), (1, 0, Status::Closed));
}
