//! Checkouts: made once whoever repeats what, paid, refused, and ended.

use pay_core::{
    domain::{CheckoutMethod, Notification, Outcome, Provider, ProviderRefund, RefundState},
    testing::{Call, HeldRefund, a_notification, a_reference, a_refund, reporting},
};

use super::{PAID, SWEPT, queries::ASKED, queries::MOVED, queries::WAITS, with_a_payment};
use crate::{
    actor::{Actor, When},
    scenario::{
        Scenario, after, asking_all, checking_out, delivering, delivering_early, payment_of,
        perhaps_delivering,
    },
    world::{Happening, World, checkout_of},
};
use CheckoutMethod::{AlipayPage, StripeIntent, WeChatNative};
use Happening::{Accepts, ClosesCheckout, Expires, PaysAtLast, PaysCheckout};

/// The providers of these scenarios.
pub(crate) const ALL: [Provider; 3] = [Provider::Stripe, Provider::WeChat, Provider::Alipay];

/// What a checkout can get while its payment can be paid.
pub(super) const CHECKOUT: &str = "checkout | checkout: unavailable";

/// What a sweep can do beside another, or beside a webhook.
pub(super) const BESIDE: &str =
    "sweep: 1 moved, 1 unknown | sweep: 1 notified | sweep: 1 rescheduled | sweep: 1 stale";

pub(super) fn all() -> Vec<Scenario> {
    [alone(), at_once(), refused(), paid(), expired(), two()].concat()
}

/// A pending payment, the keys of every provider, and what is still to happen there.
pub(crate) fn payable(to_happen: &[Happening]) -> World {
    let mut world = with_a_payment();
    world.providers.keys = ALL.to_vec();
    world.to_happen = to_happen.iter().map(|next| (payment_of(0), *next)).collect();
    world
}

/// The same, where a page is at its provider only once the payer has begun to pay.
pub(crate) fn payable_by_page(to_happen: &[Happening]) -> World {
    let mut world = payable(to_happen);
    world.providers.are_pages = true;
    world
}

/// The same after these checkouts were started, the first one by actor 5.
pub(crate) fn started(mut world: World, methods: &[CheckoutMethod]) -> World {
    let to_happen = std::mem::take(&mut world.to_happen);
    let numbered = (5..).zip(methods);
    let actors: Vec<_> = numbered.map(|(number, method)| checking_out(number, *method)).collect();
    World { to_happen, ..after(world, &actors) }
}

/// The webhook that the checkout of this number has come to this end.
pub(crate) fn webhook(provider: Provider, number: u32, outcome: Outcome) -> Notification {
    let name = u8::try_from(number).unwrap().saturating_add(40);
    let reference = checkout_of(payment_of(0), number);
    let sent = reporting(a_notification(payment_of(0), outcome, name), |report| {
        let txn = format!("pi_{reference}");
        report.reference = a_reference(provider, if outcome == Outcome::Paid { &txn } else { "" });
    });
    Notification { sender: provider.into(), checkout: Some(reference.number), ..sent }
}

pub(crate) fn all_asking(number: u64) -> Actor {
    asking_all(number, &ALL)
}

/// The same, where providers refuse every checkout at first; whether that proves that they have nothing of it.
pub(crate) fn refusing(is_absent: bool) -> World {
    let mut world = payable(&[Accepts, PaysCheckout(1)]);
    world.providers.refuse_checkouts = Some(is_absent);
    world
}

fn alone() -> Vec<Scenario> {
    vec![
        Scenario::new("checkout", payable(&[PaysCheckout(1)]), [checking_out(1, WeChatNative)])
            .expecting(&[CHECKOUT], "paid 2/pi_000010_1 | pending"),
        Scenario::new(
            "checkout at Stripe",
            payable(&[PaysCheckout(1)]),
            [checking_out(1, StripeIntent)],
        )
        .expecting(&[CHECKOUT], "paid 3/pi_000010_1 | pending"),
        Scenario::new(
            "checkout on a page",
            payable_by_page(&[PaysCheckout(1)]),
            [checking_out(1, AlipayPage)],
        )
        .expecting(&[CHECKOUT], "paid 1/pi_000010_1 | pending"),
    ]
}

fn at_once() -> Vec<Scenario> {
    let both = |method| [1, 2].map(|number| checking_out(number, method));
    vec![
        Scenario::new("checkout x2", payable(&[]), both(WeChatNative))
            .expecting(&[CHECKOUT], "pending"),
        Scenario::new("checkout x2 at Stripe", payable(&[]), both(StripeIntent))
            .with_faults(1)
            .expecting(&[CHECKOUT], "pending"),
        Scenario::new(
            "checkout x2, two descriptions",
            payable(&[]),
            [checking_out(1, StripeIntent), checking_out(2, StripeIntent).described("other")],
        )
        .with_faults(1)
        .expecting(&[CHECKOUT], "pending"),
        Scenario::new(
            "checkout x2, two providers",
            payable(&[]),
            [checking_out(1, StripeIntent), checking_out(2, WeChatNative)],
        )
        .with_faults(1)
        .expecting(&[CHECKOUT], "pending"),
    ]
}

fn refused() -> Vec<Scenario> {
    let both = |method| [1, 2].map(|number| checking_out(number, method));
    vec![
        Scenario::new("checkout x2, refused at first", refusing(false), both(WeChatNative))
            .with_faults(1)
            .expecting(
                &[CHECKOUT, "checkout: refused | not payable: it is paid"],
                "paid 2/pi_000010_1 | pending",
            ),
        Scenario::new(
            "checkout, refused by Stripe",
            refusing(true),
            [checking_out(1, StripeIntent)],
        )
        .expecting(&[CHECKOUT, "checkout: refused"], "paid 3/pi_000010_1 | pending"),
    ]
}

fn paid() -> Vec<Scenario> {
    let by_wechat = || perhaps_delivering(2, webhook(Provider::WeChat, 1, Outcome::Paid));
    vec![
        Scenario::new(
            "checkout, paid or lost",
            payable(&[PaysCheckout(1)]),
            [checking_out(1, WeChatNative), by_wechat()],
        )
        .expecting(&[CHECKOUT, PAID], "paid 2/pi_000010_1 | pending"),
        Scenario::new(
            "checkout, asked",
            payable(&[PaysCheckout(1)]),
            [checking_out(1, WeChatNative), all_asking(2)],
        )
        .expecting(
            &[CHECKOUT, ASKED, MOVED, WAITS, "sweep: nothing"],
            "paid 2/pi_000010_1 | pending",
        ),
        Scenario::new(
            "checkout at Stripe, asked",
            payable(&[PaysCheckout(1)]),
            [checking_out(1, StripeIntent), all_asking(2)],
        )
        .expecting(
            &[CHECKOUT, ASKED, MOVED, WAITS, "sweep: nothing"],
            "paid 3/pi_000010_1 | pending",
        ),
        Scenario::new(
            "checkout again, paid or lost",
            started(payable(&[PaysCheckout(1)]), &[WeChatNative]),
            [checking_out(7, WeChatNative), by_wechat()],
        )
        .with_faults(1)
        .expecting(
            &[CHECKOUT, PAID, "duplicate | not payable: it is paid"],
            "paid 2/pi_000010_1 | pending",
        ),
        Scenario::new(
            "checkout open, another description, asked",
            started(payable(&[PaysCheckout(1)]), &[WeChatNative]),
            [checking_out(7, WeChatNative).described("other"), all_asking(2)],
        )
        .with_faults(0)
        .expecting(
            &[
                "checkout | not payable: it is paid | sweep: nothing",
                "sweep: 1 moved | sweep: 1 notified | sweep: 1 queried | sweep: 1 stale",
            ],
            "paid 2/pi_000010_1 | pending",
        ),
        Scenario::new(
            "checkout, closed by its provider",
            started(payable(&[ClosesCheckout(1)]), &[WeChatNative]),
            [
                checking_out(7, WeChatNative),
                delivering(2, webhook(Provider::WeChat, 1, Outcome::Closed)),
            ],
        )
        .with_faults(1)
        .expecting(&[CHECKOUT, "noted | unavailable"], "pending"),
    ]
}

fn expired() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "page, paid at last, asked",
            started(payable_by_page(&[Expires, PaysAtLast(1)]), &[AlipayPage]),
            [all_asking(1).at(When::Expired), all_asking(2).at(When::Last)],
        )
        .expecting(&[SWEPT, ASKED, MOVED, WAITS], "paid 1/pi_000010_1 | pending"),
    ]
}

fn two() -> Vec<Scenario> {
    let both = started(payable(&[PaysCheckout(1), PaysCheckout(2)]), &[WeChatNative, StripeIntent]);
    let one = started(payable(&[PaysCheckout(1)]), &[StripeIntent, WeChatNative]);
    let mut paid = one.clone();
    paid.happen();
    let by_stripe = || webhook(Provider::Stripe, 1, Outcome::Paid);
    let mut paid = after(paid, &[delivering(8, by_stripe())]);
    let of_all = HeldRefund::new(ProviderRefund::new("re_1").unwrap(), 100, RefundState::Succeeded);
    let held = paid.providers.checkouts.get_mut(&checkout_of(payment_of(0), 1)).unwrap();
    held.refunds.push(of_all);
    let refunded = a_refund(payment_of(0), ("re_1", 100, RefundState::Succeeded), 60);
    let refunded = reporting(refunded, |report| report.reference = by_stripe().report.reference);
    vec![
        Scenario::new(
            "two checkouts, both paid, asked",
            both,
            [all_asking(1), perhaps_delivering(2, webhook(Provider::WeChat, 1, Outcome::Paid))],
        )
        .with_faults(1)
        .expecting(
            &[ASKED, MOVED, WAITS, BESIDE, PAID, "duplicate | quarantined: reference"],
            "paid 2/pi_000010_1 | paid 3/pi_000010_2 | pending",
        ),
        Scenario::new(
            "two checkouts, paid, the order service fails",
            one,
            [delivering(1, by_stripe()), all_asking(2)],
        )
        .with_faults(1)
        .with_down(Call::NotifyPaid)
        .expecting(
            &[ASKED, MOVED, WAITS, BESIDE, PAID, "duplicate"],
            "paid 3/pi_000010_1 | pending",
        ),
        Scenario::new(
            "two checkouts, refunded, asked",
            paid,
            [delivering_early(1, refunded), all_asking(2)],
        )
        .with_faults(1)
        .expecting(
            &[ASKED, "sweep: 1 stale | applied | duplicate | unavailable"],
            "refunded 3/pi_000010_1",
        ),
    ]
}
