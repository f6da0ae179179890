//! Checkouts: one at the provider for one that is kept, whatever is lost or comes twice.

mod amounts;
mod earlier;
mod overlap;

use std::task::Poll;

use super::*;
use crate::{
    domain::{Outcome, Provider, Status, TimeToLive, Verdict},
    ports::ProviderState,
    testing::{Call, Fate, a_checkout_reference, block_on},
    usecases::world::{World, a_notification, checking_out, later, now, uid},
};
use CheckoutMethod::{AlipayPage, AlipayQr, StripeCheckout, StripeIntent, WeChatNative};
use Provider::{Stripe, WeChat};

/// A world with a payment of 100, and keys of all providers.
fn world() -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.give_keys(Provider::ALL);
    (world, id)
}

fn start_at(
    world: &World,
    request: &CheckoutPayment,
    at: Timestamp,
) -> Result<StartedPayment, CheckoutError> {
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &|| true);
    block_on(checkout(&world.ports(), request, how, at, &world.trace))
}

/// The number of the checkout that can be paid, or why there is none.
fn outcome(started: Result<StartedPayment, CheckoutError>) -> Result<u32, String> {
    started.map(|of| of.checkout.reference.number.get()).map_err(|error| {
        if let CheckoutError::Failed(Failure::Unavailable(cause)) = error {
            return cause.to_string();
        }
        error.to_string()
    })
}

/// What a world says to a request for a method, so many milliseconds after the first.
fn start(world: &World, id: PaymentId, method: CheckoutMethod, ms: u64) -> Result<u32, String> {
    outcome(start_at(world, &checking_out(id, method), later(ms)))
}

fn states(world: &World) -> Vec<CheckoutState> {
    world.store.table().checkouts.values().map(|checkout| checkout.state).collect()
}

fn held(world: &World) -> usize {
    world.providers.edit(|providers| providers.checkouts.len())
}

#[test]
fn a_checkout_is_written_then_made_then_open() {
    let (world, id) = world();
    let before = world.payment(id);
    let started = start_at(&world, &checking_out(id, StripeCheckout), later(1000)).unwrap();
    let CheckoutAction::Redirect { url } = &started.action else { panic!("{started:?}") };
    assert_eq!(url, &format!("https://pay.example/{}", started.checkout.reference));
    assert!(!format!("{started:?}").contains(url.as_str()), "never in a log");

    let record = world.payment(id);
    assert_eq!((record.status, record.checkouts, record.version), (Status::Pending, 1, 2));
    assert!(record.due.is_some() && before.due.is_none());
    let kept = world.store.table().checkouts[&started.checkout.reference].clone();
    assert_eq!(kept, started.checkout);
    assert_eq!(kept.state, CheckoutState::Open);
    assert_eq!(kept.provider_id.unwrap().as_str(), format!("cs_{}", kept.reference));
    assert_eq!(kept.parameters.description.as_str(), "Order 1");
    assert_eq!(kept.expires_time, later(1000 + 31 * 60_000));
    let event = world.store.table().events.last().unwrap().clone();
    let seen = (event.id.as_str(), event.sender, event.verdict, event.version);
    assert_eq!(seen, ("checkout.1", Sender::Native, Verdict::Noted, Some(2)));
    let order = [Call::Update, Call::MakeCheckout, Call::ChangeCheckout]
        .map(|call| world.gate.passed().into_iter().position(|passed| passed == call).unwrap());
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn the_same_request_gives_the_same_checkout() {
    for method in CheckoutMethod::ALL {
        let (world, id) = world();
        assert_eq!(start(&world, id, *method, 0), Ok(1), "{method:?}");
        assert_eq!(start(&world, id, *method, 3_000), Ok(1), "{method:?}");
        assert_eq!((held(&world), world.payment(id).checkouts), (1, 1));
    }
}

/// Two that come at once would both call the provider.
#[test]
fn a_provider_is_called_once_in_three_seconds() {
    let (world, id) = world();
    assert_eq!(start(&world, id, WeChatNative, 0), Ok(1));
    let busy = "a provider was called for the payment less than 3 seconds ago";
    for (method, ms) in [(WeChatNative, 0), (WeChatNative, 2_999), (AlipayQr, 2_999)] {
        assert_eq!(start(&world, id, method, ms), Err(busy.to_owned()), "{method:?} {ms}");
    }
    assert_eq!(world.passed(Call::MakeCheckout), 1);
    assert_eq!(start(&world, id, AlipayQr, 3_000), Ok(2));
}

#[test]
fn what_is_lost_on_the_way_is_found_by_the_same_request() {
    for (call, fate) in [
        (Call::Update, Fate::Lost),
        (Call::Update, Fate::After),
        (Call::Update, Fate::Before),
        (Call::MakeCheckout, Fate::Before),
        (Call::MakeCheckout, Fate::After),
        (Call::ChangeCheckout, Fate::Before),
        (Call::ChangeCheckout, Fate::After),
        (Call::ChangeCheckout, Fate::Lost),
    ] {
        for method in [StripeIntent, WeChatNative] {
            let (world, id) = world();
            world.fail(call, fate);
            let first = start_at(&world, &checking_out(id, method), now());
            let is_found = call == Call::Update && fate == Fate::Lost;
            assert_eq!(first.is_ok(), is_found, "{call:?} {fate:?}");
            assert_eq!(start(&world, id, method, 5_000), Ok(1), "{call:?} {fate:?}");
            assert_eq!((held(&world), states(&world)), (1, vec![CheckoutState::Open]));
        }
    }
}

/// A deploy may change what a description is by default.
#[test]
fn a_repeat_is_sent_with_what_is_kept() {
    let (world, id) = world();
    world.fail(Call::MakeCheckout, Fate::Before);
    let described = Description::new("2 cups").unwrap();
    let mut request = checking_out(id, WeChatNative);
    request.asked.description = Some(described.clone());
    start_at(&world, &request, now()).unwrap_err();
    request.asked.description = None;
    request.notify_url = WebUrl::new("https://new.example/").ok();
    let again = start_at(&world, &request, later(5_000)).unwrap().checkout;
    assert_eq!(again.parameters.description, described);
    assert_eq!(again.parameters.notify_url, checking_out(id, WeChatNative).notify_url);
    assert_eq!(again.expires_time, later(30 * 60_000));
}

/// A world with a checkout that can be paid.
fn world_with(method: CheckoutMethod) -> (World, PaymentId) {
    let (world, id) = world();
    assert_eq!(start(&world, id, method, 0), Ok(1));
    (world, id)
}

/// The payer has paid the first, and asks for another.
#[test]
fn one_that_was_paid_pays_the_payment() {
    for (first, second) in [(StripeCheckout, StripeIntent), (WeChatNative, WeChatNative)] {
        let (world, id) = world_with(first);
        assert!(world.providers.edit(|held| held.pay(a_checkout_reference(id, 1), 100)));
        let why = "the payment cannot be paid so: it is paid";
        assert_eq!(start(&world, id, second, 5_000), Err(why.to_owned()), "{first:?}");
        assert_eq!(world.payment(id).status, Status::Paid);
        assert_eq!(states(&world), [CheckoutState::Ended]);
    }
    // Another amount: a person decides, and no further one is handed out.
    let (world, id) = world_with(StripeCheckout);
    let reference = a_checkout_reference(id, 1);
    world.providers.edit(|held| {
        held.pay(reference, 100);
        held.checkouts.get_mut(&reference).unwrap().amount_minor = 99;
    });
    let why = "the payment cannot be paid so: what was paid waits for a person";
    assert_eq!(start(&world, id, StripeIntent, 5_000), Err(why.to_owned()));
    assert_eq!(
        (world.payment(id).status, states(&world)),
        (Status::Pending, vec![CheckoutState::Open])
    );
    assert_eq!(world.store.table().events.last().unwrap().verdict, Verdict::Quarantined);
}

#[test]
fn a_refusal_counts_where_the_provider_has_nothing() {
    for (is_absent, queries) in [(true, 0), (false, 1)] {
        let (world, id) = world();
        world.providers.edit(|providers| providers.refuse_checkouts = Some(is_absent));
        let why = "the provider refused the checkout: CHECKOUT_REFUSED";
        assert_eq!(start(&world, id, WeChatNative, 0), Err(why.to_owned()));
        assert_eq!(states(&world), [CheckoutState::Refused]);
        assert_eq!(world.passed(Call::Query), queries);
        world.providers.edit(|providers| providers.refuse_checkouts = None);
        assert_eq!(start(&world, id, WeChatNative, 5_000), Ok(2));
    }
    // A repeat that is refused, of one that is there.
    let (world, id) = world_with(WeChatNative);
    world.providers.edit(|providers| providers.refuse_checkouts = Some(false));
    let why = "the provider refuses a checkout that it has";
    assert_eq!(start(&world, id, WeChatNative, 5_000), Err(why.to_owned()));
    assert_eq!(states(&world), [CheckoutState::Open]);
    // One that was handed out can still be scanned, although nobody has begun.
    let (world, id) = world_with(WeChatNative);
    world.providers.edit(|providers| {
        providers.refuse_checkouts = Some(true);
        providers.checkouts.clear();
    });
    assert_eq!(start(&world, id, WeChatNative, 5_000), Err(why.to_owned()));
    assert_eq!(states(&world), [CheckoutState::Open]);
    // Asked in vain.
    let (world, id) = self::world();
    world.providers.edit(|providers| providers.refuse_checkouts = Some(false));
    world.fail(Call::Query, Fate::Before);
    assert_eq!(start(&world, id, WeChatNative, 0), Err("the provider is unavailable".to_owned()));
    assert_eq!(states(&world), [CheckoutState::Requested]);
}

#[test]
fn what_cannot_be_paid_is_refused_without_a_call() {
    let (world, id) = world();
    let not_payable = |why: &str| Err(format!("the payment cannot be paid so: {why}"));
    for (status, why) in [
        (Status::Paid, "it is paid"),
        (Status::Closed, "it is closed"),
        (Status::Refunded, "it is paid"),
    ] {
        world.set_status(id, status);
        assert_eq!(start(&world, id, AlipayPage, 0), not_payable(why), "{status:?}");
    }
    world.set_status(id, Status::Failed);
    let mut request = checking_out(id, AlipayPage);
    request.notify_url = None;
    let why = "no public URL is configured for the provider's notifications";
    assert_eq!(outcome(start_at(&world, &request, now())), not_payable(why));
    // Stripe's is set in its own console.
    request.asked.method = StripeIntent;
    assert_eq!(outcome(start_at(&world, &request, now())), Ok(1));

    let (world, id) = self::world();
    world.give_keys(&[Stripe, WeChat]);
    assert_eq!(start(&world, id, AlipayPage, 0), not_payable("there is no key of its provider"));
    world.fail(Call::Account, Fate::Before);
    assert_eq!(
        start(&world, id, WeChatNative, 0),
        Err("the secret cannot be read or used".to_owned())
    );
    world.store.edit(|table| table.payments.get_mut(&id).unwrap().closing = true);
    assert_eq!(start(&world, id, WeChatNative, 0), not_payable("it is being closed"));
    world.store.edit(|table| {
        let payment = table.payments.get_mut(&id).unwrap();
        (payment.closing, payment.checkouts) = (false, 20);
    });
    let why = "it has had the most checkouts that it can have";
    assert_eq!(start(&world, id, WeChatNative, 0), not_payable(why));
    assert_eq!((held(&world), world.passed(Call::MakeCheckout)), (0, 0));

    // Another's payment is none.
    let mut request = checking_out(id, WeChatNative);
    request.payer = Some(uid(2));
    let error = start_at(&world, &request, now()).unwrap_err();
    assert!(matches!(error, CheckoutError::PaymentNotFound));
    request.id = PaymentId::new(9).unwrap();
    request.payer = None;
    let error = start_at(&world, &request, now()).unwrap_err();
    assert!(matches!(error, CheckoutError::PaymentNotFound));
}

#[test]
fn a_checkout_ends_with_the_payments_time_to_live() {
    let minutes = |count: u64| count * 60_000;
    for (method, ms, want) in [
        (WeChatNative, minutes(0), Ok(minutes(30))),
        (WeChatNative, minutes(40), Ok(minutes(60))),
        (WeChatNative, minutes(58), Ok(minutes(60))),
        (
            WeChatNative,
            minutes(58) + 1,
            Err("too little of its time to live is left for this method"),
        ),
        (WeChatNative, minutes(60), Err("its time to live is over")),
        (StripeCheckout, minutes(29), Ok(minutes(60))),
        (
            StripeCheckout,
            minutes(29) + 1,
            Err("too little of its time to live is left for this method"),
        ),
    ] {
        let (world, id) = world();
        let mut request = checking_out(id, method);
        request.time_to_live = TimeToLive::new(3600).ok();
        let started = start_at(&world, &request, later(ms));
        let want = want.map(later).map_err(|why| format!("the payment cannot be paid so: {why}"));
        let found = started.map(|of| of.checkout.expires_time).map_err(|error| error.to_string());
        assert_eq!(found, want, "{method:?} {ms}");
    }
}

#[test]
fn one_that_expired_is_not_handed_out_again() {
    let (world, id) = world_with(StripeIntent);
    assert_eq!(start(&world, id, StripeIntent, 30 * 60_000 - 1), Ok(1));
    assert_eq!(start(&world, id, StripeIntent, 30 * 60_000 + 5_000), Ok(2));
    assert_eq!(states(&world), [CheckoutState::Ended, CheckoutState::Open]);
}

/// Its key is forgotten at the provider: another object would be made.
#[test]
fn one_that_was_never_named_is_given_up_after_23_hours() {
    let (world, id) = world();
    world.fail(Call::MakeCheckout, Fate::Before);
    start_at(&world, &checking_out(id, StripeIntent), now()).unwrap_err();
    assert_eq!(start(&world, id, StripeIntent, 23 * 3_600_000), Ok(2));
    assert_eq!(states(&world), [CheckoutState::Ended, CheckoutState::Open]);
}

/// A webhook between the two reads.
#[test]
fn a_record_that_keeps_changing_is_read_again() {
    let (world, id) = world();
    world.apply(&a_notification(id, Outcome::Failed, 1)).unwrap();
    assert_eq!(start(&world, id, WeChatNative, 0), Ok(1));
    assert_eq!(world.payment(id).status, Status::Failed);
}

/// It was ended by somebody else while its provider made it.
#[test]
fn one_that_ended_meanwhile_is_closed_and_not_handed_out() {
    let (world, id) = world();
    let store = world.store.clone();
    let reference = a_checkout_reference(id, 1);
    world.gate.hook(move |call, _| {
        if call == Call::ChangeCheckout {
            store.edit(|table| table.end_checkout(reference, CheckoutState::Ended, now()));
        }
        Poll::Ready(Fate::Responded)
    });
    let error = start(&world, id, WeChatNative, 0).unwrap_err();
    assert!(error.contains("less than 3 seconds"), "{error}");
    let state = world.providers.edit(|held| held.checkouts[&reference].state);
    assert_eq!((states(&world), state), (vec![CheckoutState::Ended], ProviderState::Closed));
}
