//! Closes: by the payer, by the shop, and at the end of the time to live, while checkouts can be paid.

use pay_core::{
    domain::{CheckoutMethod, Notification, Outcome, Provider, ProviderRef, Sender},
    testing::{a_notification, reporting},
};

use super::{
    CREATED, PAID, SWEPT,
    checkouts::{ALL, CHECKOUT, all_asking, payable, payable_by_page, started, webhook},
    queries::{ASKED, MOVED, WAITS},
};
use crate::{
    actor::{Actor, When},
    scenario::{
        Scenario, checking_out, closing, creating, delivering_early, payment_of,
        perhaps_delivering, request,
    },
    world::Happening,
};
use CheckoutMethod::{AlipayPage, StripeIntent, WeChatNative};
use Happening::{Expires, PaysCheckout};

/// What a close can get.
const CLOSE: &str = "close: closed | close: pending | close: unavailable";

pub(super) fn all() -> Vec<Scenario> {
    [by_the_payer(), beside_a_checkout(), by_others()].concat()
}

fn close(number: u64) -> Actor {
    closing(number, &ALL)
}

fn by_wechat(number: u64) -> Actor {
    perhaps_delivering(number, webhook(Provider::WeChat, 1, Outcome::Paid))
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
    vec![
        Scenario::new("close x2", payable(&[]), [close(1), close(2)]).expecting(&[CLOSE], "closed"),
        Scenario::new(
            "checkout open, close, paid or lost",
            open(WeChatNative),
            [close(1), by_wechat(2)],
        )
        .with_faults(1)
        .expecting(&[CLOSE, "close: paid", PAID], "closed | paid 2/pay_000010_1"),
        Scenario::new("checkout open at Stripe, close", open(StripeIntent), [close(1)])
            .expecting(&[CLOSE, "close: paid"], "closed | paid 3/pay_000010_1"),
        Scenario::new("checkout open, close, asked", open(WeChatNative), [close(1), all_asking(2)])
            .with_faults(1)
            .expecting(
                &[CLOSE, "close: paid", SWEPT, ASKED, MOVED, WAITS],
                "closed | paid 2/pay_000010_1",
            ),
        Scenario::new(
            "page open, close, asked",
            started(payable_by_page(&[PaysCheckout(1), Expires]), &[AlipayPage]),
            [close(1), all_asking(2).at(When::Expired), all_asking(3).at(When::Last)],
        )
        .with_faults(0)
        .expecting(
            &[CLOSE, "close: paid", SWEPT, ASKED, MOVED, WAITS],
            "closed | paid 1/pay_000010_1",
        ),
        Scenario::new(
            "checkout open, close, create",
            open(WeChatNative),
            [close(1), creating(2, request(100, None))],
        )
        .with_faults(1)
        .expecting(
            &[CLOSE, "close: paid", CREATED, "payment-exists"],
            "closed | paid 2/pay_000010_1",
        ),
    ]
}

fn beside_a_checkout() -> Vec<Scenario> {
    let beside = |name, method| {
        Scenario::new(name, payable(&[PaysCheckout(1)]), [checking_out(1, method), close(2)])
            .with_faults(1)
    };
    vec![
        beside("checkout, close", WeChatNative).expecting(&[CHECKOUT, CLOSE], "closed"),
        beside("checkout at Stripe, close", StripeIntent).expecting(&[CHECKOUT, CLOSE], "closed"),
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
        .expecting(&[SWEPT, ASKED, MOVED, WAITS], "closed"),
        Scenario::new(
            "checkout open, its time to live over, asked",
            open(),
            [all_asking(9).with_time_to_live(60), by_wechat(2)],
        )
        .with_faults(1)
        .expecting(&[SWEPT, ASKED, MOVED, WAITS, PAID], "closed"),
    ]
}
