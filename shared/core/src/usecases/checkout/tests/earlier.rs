//! Earlier checkouts of the same provider, with other parameters.

use super::*;
use crate::testing::HeldPayment;

#[test]
fn an_earlier_one_of_the_provider_is_ended_first() {
    let (world, id) = world();
    assert_eq!(start(&world, id, StripeCheckout, 0), Ok(1));
    assert_eq!(start(&world, id, StripeIntent, 5_000), Ok(2));
    assert_eq!(states(&world), [CheckoutState::Ended, CheckoutState::Open]);
    let state = world.providers.edit(|held| held.checkouts[&a_checkout_reference(id, 1)].state);
    assert_eq!(state, ProviderState::Closed);
    // Of another provider it stays: whoever pays first pays.
    assert_eq!(start(&world, id, AlipayQr, 10_000), Ok(3));
    assert_eq!(states(&world)[1..], [CheckoutState::Open; 2]);

    // One that cannot be ended now could be paid as well.
    for (fail, why) in
        [(Call::Close, "the provider is unavailable"), (Call::Query, "the provider is unavailable")]
    {
        let (world, id) = world_with(StripeCheckout);
        world.fail(fail, Fate::Before);
        assert_eq!(start(&world, id, StripeIntent, 5_000), Err(why.to_owned()), "{fail:?}");
        assert_eq!(states(&world), [CheckoutState::Open]);
    }
}

/// A world with so many pages of Alipay's that nobody has opened, each of which comes back to another one of the
/// shop's.
fn world_with_pages(count: u32) -> (World, PaymentId) {
    let (world, id) = world();
    world.providers.edit(|providers| providers.are_pages = true);
    for number in 1..=count {
        assert_eq!(outcome(page(&world, id, number)), Ok(number));
    }
    (world, id)
}

/// Asks for the page that comes back to this one of the shop's.
fn page(world: &World, id: PaymentId, number: u32) -> Result<StartedPayment, CheckoutError> {
    let mut request = checking_out(id, AlipayPage);
    request.asked.return_url = WebUrl::new(&format!("https://shop.example/{number}")).ok();
    start_at(world, &request, later(u64::from(number) * 5_000))
}

#[test]
fn one_that_its_provider_has_nothing_of_stays_and_counts() {
    let (world, id) = world_with_pages(5);
    let why =
        "the payment cannot be paid so: the most checkouts that can be open at a time are open";
    assert_eq!(outcome(page(&world, id, 6)), Err(why.to_owned()));
    assert_eq!(states(&world), [CheckoutState::Open; 5]);
}

/// The payer has opened these pages since the later ones were started.
#[test]
fn each_earlier_one_that_can_be_paid_by_now_is_ended_first() {
    let open = |world: &World, id, number| {
        let held = HeldPayment::new(ProviderState::Open, None, 100);
        let reference = a_checkout_reference(id, number);
        world.providers.edit(|providers| providers.checkouts.insert(reference, held));
    };
    let (world, id) = world_with_pages(4);
    open(&world, id, 1);
    open(&world, id, 3);
    assert_eq!(outcome(page(&world, id, 5)), Ok(5));
    let (ended, stays) = (CheckoutState::Ended, CheckoutState::Open);
    assert_eq!(states(&world), [ended, stays, ended, stays, stays]);
    for number in [1, 3] {
        let reference = a_checkout_reference(id, number);
        let state = world.providers.edit(|held| held.checkouts[&reference].state);
        assert_eq!(state, ProviderState::Closed, "{number}");
    }

    // One that cannot be ended now could be paid as well, whichever it is.
    for number in [1, 2, 3] {
        let (world, id) = world_with_pages(3);
        open(&world, id, number);
        world.fail(Call::Close, Fate::Before);
        let why = "the provider is unavailable".to_owned();
        assert_eq!(outcome(page(&world, id, 4)), Err(why), "{number}");
        assert_eq!((world.payment(id).checkouts, states(&world)), (3, vec![stays; 3]));
    }

    // The first was paid.
    let (world, id) = world_with_pages(3);
    assert!(world.providers.edit(|held| held.pay(a_checkout_reference(id, 1), 100)));
    let why = "the payment cannot be paid so: it is paid";
    assert_eq!(outcome(page(&world, id, 4)), Err(why.to_owned()));
    assert_eq!((world.payment(id).status, world.payment(id).checkouts), (Status::Paid, 3));
}

/// Without time for each, nothing is started.
#[test]
fn no_call_about_an_earlier_one_starts_without_time_for_it() {
    let (world, id) = world_with_pages(3);
    let queries = || world.passed(Call::Query);
    let before = queries();
    let may_start = || queries() < before + 2;
    let mut request = checking_out(id, AlipayPage);
    request.asked.return_url = None;
    let how: (Observe<'_>, &dyn Fn() -> bool) = (&|_, _| (), &may_start);
    let started = block_on(checkout(&world.ports(), &request, how, later(60_000), &world.trace));
    let why = "an earlier checkout can still be paid";
    assert_eq!(outcome(started), Err(why.to_owned()));
    assert_eq!((queries(), world.payment(id).checkouts), (before + 2, 3));
}
