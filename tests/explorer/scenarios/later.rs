//! Checkouts that a service looks at that is configured anew, or a day later: with the keys of another merchant
//! account, and once Stripe has forgotten the keys of what was requested.

use pay_core::{
    domain::{CheckoutMethod, ProviderRefund, RefundState, Timestamp},
    ports::ProviderState,
    testing::{Call, HeldPayment, HeldRefund},
};

use super::{
    SWEPT,
    checkouts::{ALL, CHECKOUT, all_asking, payable, started},
    queries::{ASKED, MOVED, WAITS},
    requested::refundable,
};
use crate::{
    actor::When,
    scenario::{
        Scenario, after_with, asking, checking_out, closing, payment_of, reference, refunding, time,
    },
    world::{Happening, World, checkout_of},
};
use CheckoutMethod::{StripeIntent, WeChatNative};
use Happening::{Expires, PaysCheckout};

pub(super) fn all() -> Vec<Scenario> {
    [of_another_account(), forgotten()].concat()
}

/// A checkout was started; since then the service has the keys of another merchant account.
fn of_another_account() -> Vec<Scenario> {
    let open = |to_happen: &[Happening]| started(payable(to_happen), &[WeChatNative]);
    let asked = |number, when| all_asking(number).of_another_account().at(when);
    vec![
        Scenario::new(
            "checkout of another account, asked",
            open(&[PaysCheckout(1), Expires]),
            [asked(2, When::Expired), asked(3, When::Last)],
        )
        .expecting(&[ASKED], "paid 2/pi_000010_1 | pending"),
        Scenario::new(
            "checkout of another account, close, again",
            open(&[PaysCheckout(1)]),
            [
                closing(1, &ALL).of_another_account(),
                checking_out(7, WeChatNative).of_another_account(),
            ],
        )
        .with_faults(1)
        .expecting(
            &[
                "checkout: unavailable | close: pending | close: unavailable",
                "not payable: it is being closed",
            ],
            "closed | paid 2/pi_000010_1",
        ),
    ]
}

/// When Stripe forgets keys: 24 hours after they were used, which is an hour after we send nothing again.
fn forget_time() -> Timestamp {
    time(0, 0).plus_millis(24 * 3_600_000)
}

/// A payable payment, at a time from which Stripe forgets what it was sent before.
pub(crate) fn forgetting(to_happen: &[Happening]) -> World {
    let mut world = payable(to_happen);
    world.providers.forget_time = Some(forget_time());
    world
}

/// The same with a checkout that was requested at Stripe and made there, and whose response was lost.
pub(crate) fn requested_and_made(to_happen: &[Happening]) -> World {
    let world = forgetting(&[]);
    let mut world = after_with(world, &[checking_out(5, StripeIntent)], Some(Call::MakeCheckout));
    let held = HeldPayment::new(ProviderState::Open, None, 100);
    world.providers.checkouts.insert(checkout_of(payment_of(0), 1), held);
    world.to_happen = to_happen.iter().map(|next| (payment_of(0), *next)).collect();
    world
}

/// A refund of 40 that Stripe made, whose response was lost, a day later.
pub(crate) fn refunded_and_lost() -> World {
    let mut world = after_with(refundable(), &[refunding(8, 40, 1)], Some(Call::MakeRefund));
    let (id, ours) = (ProviderRefund::new("re_1"), reference(1).to_string());
    let made = HeldRefund {
        reference: ProviderRefund::new(&ours).ok(),
        ..HeldRefund::new(id.unwrap(), 40, RefundState::Succeeded)
    };
    world.providers.held.values_mut().for_each(|held| held.refunds.push(made.clone()));
    world.providers.forget_time = Some(forget_time());
    world.providers.are_expired = true;
    world
}

fn forgotten() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "refund made, asked a day later",
            refunded_and_lost(),
            [asking(1).at(When::Forgotten), asking(2).at(When::Forgotten)],
        )
        .expecting(&[ASKED, MOVED, SWEPT], "paid 3/pi_1 -40"),
        Scenario::new(
            "checkout at Stripe, asked a day later",
            forgetting(&[PaysCheckout(1), Expires]),
            [checking_out(1, StripeIntent), all_asking(2).at(When::Forgotten)],
        )
        .with_faults(1)
        .expecting(
            &[
                CHECKOUT,
                "checkout: refused",
                ASKED,
                MOVED,
                WAITS,
                "sweep: 1 stale | sweep: nothing",
            ],
            "paid 3/pi_000010_1 | pending",
        ),
        Scenario::new(
            "checkout at Stripe, again a day later, asked",
            requested_and_made(&[Expires, PaysCheckout(1), PaysCheckout(2)]),
            [checking_out(7, StripeIntent).at(When::Forgotten), all_asking(2).at(When::Forgotten)],
        )
        .with_faults(1)
        .expecting(
            &[CHECKOUT, ASKED, MOVED, WAITS, "sweep: 1 stale"],
            "paid 3/pi_000010_2 | pending",
        ),
    ]
}
