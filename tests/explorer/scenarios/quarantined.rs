//! Money in quarantine that a person has given back: a second payment of an order, and one of too little.

use pay_core::{
    domain::{
        Notification, Outcome, Provider, ProviderRefund, ProviderTxn, RefundReport, RefundState,
    },
    ports::ProviderState,
    testing::{HeldPayment, a_notification, a_reference, a_refund, reporting},
};

use super::{
    SWEPT, checkouts::all_asking, paid, queries::ASKED, queries::MOVED, requested::refundable,
    with_a_payment,
};
use crate::{
    scenario::{
        QUARANTINED_KEY, Scenario, accepting, after, delivering, giving_back, payment_of, refunding,
    },
    world::World,
};
use Provider::{Stripe, WeChat};

/// The notification in quarantine that reports a second payment.
pub(crate) const SECOND: &str = "10/wechat/evt_80";

/// Another one of the same money.
pub(crate) const SECOND_AGAIN: &str = "10/wechat/evt_81";

/// The two that report a payment of too little.
const SHORT: [&str; 2] = ["10/stripe/evt_80", "10/stripe/evt_81"];

/// What a person gets who has money given back.
const GIVEN_BACK: &str = "given back | accept: unavailable";

/// What one gets where another notification of the same money was decided on.
const DECIDED: &str = "accepted | only dismiss: its money goes back, or went back, by a refund \
     | accept: its money cannot be given back: it is what the payment was paid with: refund the \
     payment";

pub(super) fn all() -> Vec<Scenario> {
    [second(), short()].concat()
}

/// WeChat Pay's notification that the payment was paid there, too.
pub(crate) fn paid_second_by_wechat(name: u8) -> Notification {
    let second = reporting(a_notification(payment_of(0), Outcome::Paid, name), |report| {
        report.reference = a_reference(WeChat, "wx1");
    });
    Notification { sender: WeChat.into(), ..second }
}

/// A payment that Stripe's `pi_1` pays, and 100 more at WeChat Pay, of which these notifications are in quarantine.
pub(crate) fn paid_twice(names: &[u8]) -> World {
    let mut world = refundable();
    world.providers.keys.push(WeChat);
    let txn = ProviderTxn::new("wx1").ok();
    let held = HeldPayment::new(ProviderState::Paid, txn, 100);
    world.providers.held.insert((WeChat, payment_of(0)), held);
    let sent: Vec<_> =
        names.iter().map(|name| delivering(8, paid_second_by_wechat(*name))).collect();
    after(world, &sent)
}

/// The webhook of the refund of that money.
fn webhook(name: u8) -> Notification {
    let one = a_refund(payment_of(0), ("re_1", 100, RefundState::Succeeded), name);
    let one = reporting(one, |report| {
        report.reference = a_reference(WeChat, "wx1");
        let reference = pay_core::domain::RefundReference::new(payment_of(0), QUARANTINED_KEY);
        report.refund = Some(RefundReport::One {
            id: ProviderRefund::new("re_1").unwrap(),
            reference: ProviderRefund::new(&reference.to_string()).ok(),
            amount_minor: 100,
            state: RefundState::Succeeded,
        });
    });
    Notification { sender: WeChat.into(), ..one }
}

/// 100 more than the payment.
fn second() -> Vec<Scenario> {
    let world = || paid_twice(&[80]);
    let ends = "paid 3/pi_1 and 100 of others";
    vec![
        Scenario::new("given back, asked", world(), [giving_back(1, SECOND), all_asking(2)])
            .expecting(&[GIVEN_BACK, ASKED, MOVED, "sweep: nothing"], ends),
        Scenario::new(
            "given back x2, asked",
            paid_twice(&[80, 81]),
            [giving_back(1, SECOND), giving_back(2, SECOND_AGAIN), all_asking(3)],
        )
        .with_faults(1)
        .expecting(
            &[
                GIVEN_BACK,
                "accept: its money cannot be given back: its money was given back already, by a \
                 decision on another of its notifications",
                ASKED,
                MOVED,
                "sweep: nothing",
            ],
            ends,
        ),
        Scenario::new(
            "given back, reported again, asked",
            world(),
            [giving_back(1, SECOND), delivering(2, paid_second_by_wechat(82)), all_asking(3)],
        )
        .with_faults(1)
        .expecting(
            &[
                GIVEN_BACK,
                "noted | quarantined: reference | unavailable",
                ASKED,
                MOVED,
                "sweep: nothing",
            ],
            ends,
        ),
        Scenario::new(
            "given back, its webhook, asked",
            after(world(), &[giving_back(7, SECOND)]),
            [all_asking(1), delivering(2, webhook(3))],
        )
        .expecting(&[ASKED, MOVED, "applied | duplicate | unavailable"], ends),
        Scenario::new(
            "given back, the payment refunded",
            world(),
            [giving_back(1, SECOND), refunding(2, 100, 1)],
        )
        .with_faults(1)
        .expecting(
            &[GIVEN_BACK, "refund: requested | refund: succeeded | refund: unavailable"],
            "refunded 3/pi_1 and 100 of others",
        ),
    ]
}

/// 90 of 100, which two notifications report.
fn with_too_little() -> World {
    let mut world = with_a_payment();
    world.providers.keys = vec![Stripe];
    let txn = ProviderTxn::new("pi_1").ok();
    let held = HeldPayment::new(ProviderState::Paid, txn, 90);
    world.providers.held.insert((Stripe, payment_of(0)), held);
    let sent = [80, 81]
        .map(|name| delivering(8, reporting(paid(name), |report| report.amount_minor = Some(90))));
    after(world, &sent)
}

fn short() -> Vec<Scenario> {
    let [one, other] = SHORT;
    vec![
        Scenario::new(
            "given back, accepted, asked",
            with_too_little(),
            [giving_back(1, one), accepting(2, other), all_asking(3)],
        )
        .with_faults(1)
        .expecting(
            &[GIVEN_BACK, DECIDED, SWEPT, ASKED, MOVED],
            "paid 3/pi_1 | pending and 90 of others",
        ),
        Scenario::new(
            "given back or accepted",
            with_too_little(),
            [giving_back(1, one), accepting(2, one)],
        )
        .expecting(
            &[GIVEN_BACK, DECIDED, "accepted by another | refunded by another"],
            "paid 3/pi_1 | pending and 90 of others",
        ),
    ]
}
