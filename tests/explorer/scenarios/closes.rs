//! Closes: by the payer, by the shop, and at the end of the time to live, while checkouts can be paid.

use pay_core::{
    domain::{CheckoutMethod, Notification, Outcome, Provider, ProviderRef, Sender},
    testing::{a_notification, reporting},
};

use super::{
    CREATED, PAID,
    checkouts::{ALL, BESIDE, CHECKOUT, all_asking, payable, payable_by_page, started, webhook},
    queries::{ASKED, MOVED, WAITS},
};
use crate::{
    actor::{Actor, When},
    scenario::{
        Scenario, after, checking_out, closing, creating, delivering_early, payment_of,
        perhaps_delivering, refunding, request,
    },
    world::{Happening, checkout_of},
};
use CheckoutMethod::{AlipayPage, StripeIntent, WeChatNative};
use Happening::{Expires, PaysCheckout};

/// What a close can get.
const CLOSE: &str = "close: closed | close: pending | close: unavailable";

/// What a refund and a webhook get beside it.
const REFUNDED_BESIDE: &str = "applied+notified | duplicate | duplicate+notified | not refundable \
     | refund: succeeded";

pub(super) fn all() -> Vec<Scenario> {
    [by_the_payer(), beside_a_checkout(), by_others(), beside_a_refund()].concat()
}

fn close(number: u64) -> Actor {
    closing(number, &ALL)
}

fn by_wechat(number: u64) -> Actor {
    perhaps_delivering(number, webhook(Provider::WeChat, 1, Outcome::Paid))
}

fn by_stripe(number: u64) -> Actor {
    perhaps_delivering(number, webhook(Provider::Stripe, 1, Outcome::Paid))
}

/// The shop's own notification that the payment is closed.
fn native() -> Notification {
    let closed = reporting(a_notification(payment_of(0), Outcome::Closed, 3), |report| {
        report.reference = ProviderRef::NONE;
    });
    Notification { sender: Sender::Native, ..closed }
}

fn by_the_payer() -> Vec<Scenario> {
    let open = |method| started(payable(&[PaysCheckout(1)]), &[method]);
    let swept = [ASKED, MOVED, WAITS, BESIDE, "sweep: nothing"].join(" | ").leak();
    vec![
        Scenario::new("close x2", payable(&[]), [close(1), close(2)])
            .with_faults(1)
            .expecting(&[CLOSE], "closed"),
        Scenario::new(
            "checkout open, close, paid or lost",
            open(WeChatNative),
            [close(1), by_wechat(2)],
        )
        .with_faults(1)
        .expecting(&[CLOSE, "close: paid", PAID, "duplicate"], "closed | paid 2/pi_000010_1"),
        Scenario::new("checkout open at Stripe, close", open(StripeIntent), [close(1)])
            .expecting(&[CLOSE, "close: paid"], "closed | paid 3/pi_000010_1"),
        Scenario::new("checkout open, close, asked", open(WeChatNative), [close(1), all_asking(2)])
            .with_faults(1)
            .expecting(&[CLOSE, "close: paid", swept], "closed | paid 2/pi_000010_1"),
        Scenario::new(
            "page open, close, asked",
            started(payable_by_page(&[PaysCheckout(1), Expires]), &[AlipayPage]),
            [close(1), all_asking(2).at(When::Expired), all_asking(3).at(When::Last)],
        )
        .with_faults(0)
        .expecting(
            &[
                "close: paid | close: pending | sweep: 1 moved | sweep: 1 notified",
                "sweep: 1 stale | sweep: nothing",
            ],
            "closed | paid 1/pi_000010_1",
        ),
        Scenario::new(
            "page open, again, close, asked",
            started(payable_by_page(&[PaysCheckout(1), Expires]), &[AlipayPage]),
            [checking_out(7, AlipayPage), close(1), all_asking(2).at(When::Expired)],
        )
        .with_faults(0)
        .expecting(
            &[
                "checkout | not payable: it is being closed | not payable: it is paid",
                "close: paid | close: pending | sweep: 1 moved | sweep: 1 notified",
                "sweep: 1 stale | sweep: nothing",
            ],
            "closed | paid 1/pi_000010_1",
        ),
        Scenario::new(
            "checkout open, close, create, paid or lost",
            open(WeChatNative),
            [close(1), creating(2, request(100, None)), by_wechat(3)],
        )
        .with_faults(1)
        .expecting(
            &[CLOSE, "close: paid", CREATED, "payment-exists", PAID, "duplicate"],
            "closed | closed, pending | paid 2/pi_000010_1",
        ),
    ]
}

fn beside_a_checkout() -> Vec<Scenario> {
    let beside = |name, method| {
        let actors = [checking_out(1, method), close(2)];
        Scenario::new(name, payable(&[PaysCheckout(1)]), actors)
    };
    let closed = "close: paid | not payable: it is being closed | not payable: it is closed";
    vec![
        beside("checkout, close", WeChatNative)
            .expecting(&[CHECKOUT, CLOSE, closed], "closed | paid 2/pi_000010_1"),
        beside("checkout at Stripe, close", StripeIntent)
            .with_faults(1)
            .expecting(&[CHECKOUT, CLOSE, closed], "closed | paid 3/pi_000010_1"),
    ]
}

/// The function that closes payments beside the one that refunds them.
fn beside_a_refund() -> Vec<Scenario> {
    let open = || started(payable(&[PaysCheckout(1)]), &[StripeIntent]);
    let both = started(payable(&[]), &[StripeIntent, WeChatNative]);
    let mut paid = both;
    assert!(paid.providers.pay(checkout_of(payment_of(0), 1), 100));
    let mut paid = after(paid, &[by_stripe(8)]);
    paid.to_happen = [(payment_of(0), PaysCheckout(2))].into();
    vec![
        Scenario::new(
            "checkout open, close, paid, refund",
            open(),
            [close(1), by_stripe(2), refunding(3, 60, 1)],
        )
        .with_faults(0)
        .expecting(
            &["close: closed | close: paid", REFUNDED_BESIDE],
            "closed | paid 3/pi_000010_1 -60",
        ),
        Scenario::new(
            "two checkouts, one paid, close, refund",
            paid,
            [close(1), refunding(2, 100, 1)],
        )
        .with_faults(1)
        .expecting(
            &[
                "close: paid | close: refunded | close: unavailable",
                "refund: requested | refund: succeeded | refund: unavailable",
            ],
            "refunded 3/pi_000010_1",
        ),
    ]
}

fn by_others() -> Vec<Scenario> {
    let open = || started(payable(&[PaysCheckout(1)]), &[WeChatNative]);
    vec![
        Scenario::new(
            "checkout open, closed by the shop, asked",
            open(),
            [delivering_early(1, native()), all_asking(2)],
        )
        .with_faults(1)
        .expecting(
            &[ASKED, MOVED, WAITS, "applied | duplicate | noted | stale | unavailable"],
            "closed | paid 2/pi_000010_1",
        ),
        Scenario::new(
            "checkout open, its time to live over, asked",
            open(),
            [all_asking(9).with_time_to_live(60), by_wechat(2)],
        )
        .with_faults(1)
        .expecting(
            &[PAID, "duplicate", ASKED, MOVED, BESIDE, "sweep: nothing"],
            "closed | paid 2/pi_000010_1",
        ),
        Scenario::new(
            "checkout, its time to live over, asked",
            payable(&[PaysCheckout(1), Expires]),
            [
                checking_out(1, WeChatNative).with_time_to_live(150),
                all_asking(2).at(When::Expired).with_time_to_live(150),
            ],
        )
        .with_faults(1)
        .expecting(
            &[
                CHECKOUT,
                "not payable: it is being closed | not payable: it is closed",
                "checkout: refused",
                ASKED,
                MOVED,
                WAITS,
                "sweep: nothing",
            ],
            "closed | paid 2/pi_000010_1 | pending",
        ),
    ]
}
