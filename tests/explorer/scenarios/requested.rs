//! Refunds that clients request of us: alone, repeated, beside each other, and beside sweeps, webhooks and
//! refunds that somebody makes in the provider's console.

use pay_core::{
    domain::{Notification, Provider, ProviderRefund, RefundReport, RefundState},
    ports::ProviderState,
    testing::{Call, HeldPayment, a_total, reporting},
};

use super::{
    SWEPT, paid,
    queries::{ASKED, MOVED, WAITS, held},
    refunds::{one, paid_before},
    with_a_payment,
};
use crate::{
    actor::Actor,
    scenario::{
        Scenario, after_with, asking, delivering, payment_of, perhaps_delivering, reference,
        refunding,
    },
    world::{Happening, World, console_refund},
};
use RefundState::{Failed, Pending, Succeeded};

/// What a webhook of a refund can get.
const HEARD: &str = "applied | duplicate | unavailable";

/// What a request to refund can get beside others.
const REFUND: &str = "refund: requested | refund: succeeded | refund: unavailable";

pub(super) fn all() -> Vec<Scenario> {
    [requests(), not_notified(), with_webhooks(), pending(), refused(), with_totals()].concat()
}

/// What a sweep can do that finds a payment and its refund due.
const SWEPT_BOTH: &str = "sweep: 2 notified | sweep: 1 notified, 1 failed \
     | sweep: 1 notified, 1 rescheduled | sweep: 1 notified, 1 stale \
     | sweep: 1 rescheduled, 1 failed | sweep: 1 stale, 1 failed \
     | sweep: 1 stale, 1 rescheduled | sweep: unavailable";

/// A payment of 100 that is paid at Stripe, of which the order service was notified, and which is notified of
/// refunds too.
pub(crate) fn refundable() -> World {
    at_stripe(paid_before(), held(ProviderState::Paid, 100))
}

fn at_stripe(mut world: World, held: HeldPayment) -> World {
    world.providers.keys = vec![Provider::Stripe];
    world.providers.held.insert((Provider::Stripe, payment_of(0)), held);
    world.shop.hears_of_refunds = true;
    world
}

/// The same, and what is still to happen at Stripe.
fn before(to_happen: &[Happening]) -> World {
    let to_happen = to_happen.iter().map(|next| (payment_of(0), *next)).collect();
    World { to_happen, ..refundable() }
}

/// The same, with a payment that Stripe holds with this difference.
pub(crate) fn refundable_with(change: impl Fn(&mut HeldPayment)) -> World {
    let mut world = refundable();
    world.providers.held.values_mut().for_each(change);
    world
}

/// The same, and the order service could not be notified that it is paid.
pub(crate) fn refundable_and_due() -> World {
    let world = after_with(with_a_payment(), &[delivering(9, paid(90))], Some(Call::NotifyPaid));
    at_stripe(world, held(ProviderState::Paid, 100))
}

/// The webhook of the first refund that was requested, by our reference of it.
pub(crate) fn webhook(number: u8, amount: u64, state: RefundState) -> Notification {
    reporting(one("re_1", amount, number), |report| {
        let id = ProviderRefund::new("re_1").unwrap();
        let reference = ProviderRefund::new(&reference(1).to_string()).ok();
        report.refund = Some(RefundReport::One { id, reference, amount_minor: amount, state });
    })
}

fn of_60(number: u64) -> Actor {
    refunding(number, 60, 1)
}

/// Nothing but requests, and sweeps.
fn requests() -> Vec<Scenario> {
    vec![
        Scenario::new("refund", refundable(), [of_60(1)]).expecting(&[REFUND], "paid 3/pi_1 -60"),
        Scenario::new("refund x2, one key", refundable(), [of_60(1), of_60(2)])
            .expecting(&[REFUND], "paid 3/pi_1 -60"),
        Scenario::new("refund 60 and 60", refundable(), [of_60(1), refunding(2, 60, 2)])
            .expecting(&[REFUND, "refund: exceeds"], "paid 3/pi_1 -60"),
        Scenario::new("refund, asked", refundable(), [of_60(1), asking(2)])
            .expecting(&[REFUND, SWEPT, ASKED, MOVED], "paid 3/pi_1 -60"),
        Scenario::new("two refunds due, asked", one_of_each(), [asking(1)])
            .with_faults(0)
            .expecting(&["sweep: 1 notified, 1 moved"], "refunded 3/pi_1"),
        Scenario::new("refund x2, repeats refused", repeats_refused(), [of_60(1), of_60(2)])
            .with_faults(1)
            .expecting(&[REFUND], "paid 3/pi_1 -60"),
    ]
}

/// Stripe did not respond to a request to refund 60, nor the order service to that 40 were refunded.
fn one_of_each() -> World {
    let requested = after_with(refundable(), &[of_60(8)], Some(Call::MakeRefund));
    after_with(requested, &[refunding(9, 40, 2)], Some(Call::NotifyRefunded))
}

/// The order service could not be notified of the payment before.
fn not_notified() -> Vec<Scenario> {
    let refunded = after_with(refundable_and_due(), &[of_60(8)], Some(Call::NotifyPaid));
    vec![
        Scenario::new("refund of all, not notified", refundable_and_due(), [refunding(1, 100, 1)])
            .with_down(Call::NotifyPaid)
            .expecting(&[REFUND], "refunded 3/pi_1"),
        Scenario::new("refund, not notified", refundable_and_due(), [of_60(1)])
            .with_down(Call::NotifyPaid)
            .expecting(&[REFUND], "paid 3/pi_1 -60"),
        Scenario::new("refunded, not notified, swept", refunded.clone(), [asking(1)])
            .with_down(Call::NotifyPaid)
            .expecting(&[SWEPT_BOTH, "sweep: 2 failed"], "paid 3/pi_1 -60"),
        Scenario::new(
            "refunded, not notified, swept, paid",
            refunded,
            [asking(1), delivering(2, paid(1))],
        )
        .with_faults(1)
        .with_down(Call::NotifyPaid)
        .expecting(
            &[
                SWEPT_BOTH,
                "sweep: 1 failed | sweep: 1 notified | sweep: 1 rescheduled | sweep: 2 stale",
                "sweep: 2 rescheduled",
                "duplicate | duplicate+notified | duplicate+not cleared | not notified",
                "unavailable",
            ],
            "paid 3/pi_1 -60",
        ),
    ]
}

/// Stripe says of a repeated request that it was refunded.
pub(crate) fn repeats_refused() -> World {
    refundable_with(|held| held.refuses_repeats = true)
}

/// Webhooks of the refund, and of others.
fn with_webhooks() -> Vec<Scenario> {
    let console = [Happening::ConsoleRefund(50)];
    vec![
        Scenario::new(
            "refund, its webhook",
            refundable(),
            [of_60(1), delivering(2, webhook(2, 60, Succeeded))],
        )
        .expecting(&[REFUND, HEARD], "paid 3/pi_1 -60"),
        Scenario::new(
            "refund, its webhook or none, asked",
            refundable(),
            [of_60(1), perhaps_delivering(2, webhook(2, 60, Succeeded)), asking(3)],
        )
        .with_faults(1)
        .expecting(&[REFUND, HEARD, SWEPT, ASKED, MOVED], "paid 3/pi_1 -60"),
        Scenario::new(
            "refund, another in the console",
            before(&console),
            [of_60(1), delivering(2, one("re_console", 50, 2))],
        )
        .expecting(
            &[REFUND, HEARD, "refund: exceeds | refund: refused"],
            "paid 3/pi_1 -50 | paid 3/pi_1 -60",
        ),
    ]
}

/// A refund that is pending at first.
fn pending() -> Vec<Scenario> {
    let until = |state| {
        let mut world = before(&[Happening::RefundsEnd(state)]);
        world.providers.held.values_mut().for_each(|held| held.refunds_as = Pending);
        world
    };
    let by_webhook = |name, state| {
        let webhook = delivering(2, webhook(2, 60, state));
        Scenario::new(name, until(state), [of_60(1), webhook])
    };
    vec![
        by_webhook("refund pending, succeeds", Succeeded).expecting(
            &[REFUND, HEARD, "refund: pending"],
            "paid 3/pi_1 -60 | paid 3/pi_1 (60 pending)",
        ),
        by_webhook("refund pending, fails", Failed).expecting(
            &[HEARD, "refund: requested | refund: unavailable | refund: pending | refund: failed"],
            "paid 3/pi_1 | paid 3/pi_1 (60 pending)",
        ),
        Scenario::new("refund pending, asked", until(Succeeded), [of_60(1), asking(2)])
            .with_faults(1)
            .expecting(
                &[REFUND, "refund: pending", SWEPT, ASKED, MOVED, WAITS],
                "paid 3/pi_1 -60 | paid 3/pi_1 (60 pending)",
            ),
    ]
}

/// Somebody gave 60 back in the console before.
fn refused() -> Vec<Scenario> {
    let gone = refundable_with(|held| held.refunds.push(console_refund(60)));
    let fails = [(payment_of(0), Happening::ConsoleRefundFails)];
    let fails = World { to_happen: fails.into(), ..gone.clone() };
    let refused = "refund: failed | refund: refused | refund: requested | refund: unavailable";
    let released = "sweep: nothing | sweep: 1 stale";
    vec![
        Scenario::new("refund refused, asked", gone, [of_60(1), asking(2)])
            .with_faults(1)
            .with_down(Call::Query)
            .expecting(&[refused, ASKED, MOVED, released], "paid 3/pi_1"),
        // The provider makes it after it refused another request for it.
        Scenario::new(
            "refund refused, the console's fails, asked",
            fails,
            [of_60(1), asking(2), delivering(3, webhook(2, 60, Succeeded))],
        )
        .with_faults(1)
        .expecting(&[refused, REFUND, HEARD, SWEPT, ASKED, MOVED], "paid 3/pi_1 | paid 3/pi_1 -60"),
    ]
}

/// A provider that reports what went back in all: with a refund of 40 in the console it is all of it.
fn with_totals() -> Vec<Scenario> {
    let mut world = refundable_with(|held| held.reports_total = true);
    world.to_happen = [(payment_of(0), Happening::ConsoleRefund(40))].into();
    let total = delivering(2, a_total(payment_of(0), 100, 2));
    vec![
        Scenario::new("refund, total 100", world, [of_60(1), total])
            .expecting(&[REFUND, HEARD], "paid 3/pi_1 -60 | refunded 3/pi_1"),
    ]
}
