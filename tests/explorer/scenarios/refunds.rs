//! Refunds of a paid payment: one by one, as totals, and both.

use pay_core::{
    domain::{Notification, RefundState},
    testing::{a_refund, a_total, reporting},
};

use super::{PAID, paid, with_a_payment};
use crate::{
    scenario::{Scenario, after, delivering, payment_of},
    world::World,
};
use RefundState::{Failed, Succeeded};

/// What a notification of a refund can get that is not the first of its kind.
const REFUNDED: &str = "applied | duplicate | unavailable";

pub(super) fn all() -> Vec<Scenario> {
    [named(), by_transaction()].concat()
}

/// Refunds that name their payment.
fn named() -> Vec<Scenario> {
    vec![
        at_once(
            "25 and 75, one of them twice",
            [one("re_1", 25, 2), one("re_1", 25, 2), one("re_2", 75, 3)],
        )
        .expecting(&[REFUNDED], "refunded 3/pi_1"),
        at_once("totals 25, 50, 100", [25, 50, 100].map(|sum| a_total(payment_of(0), sum, 2)))
            .expecting(&[REFUNDED, "stale"], "refunded 3/pi_1"),
        at_once(
            "one of 25, total 50 x2",
            [one("re_1", 25, 2), a_total(payment_of(0), 50, 3), a_total(payment_of(0), 50, 3)],
        )
        .expecting(&[REFUNDED], "paid 3/pi_1 -50"),
        at_once(
            "one of 40, failed, one of 50",
            [one("re_1", 40, 2), failed("re_1", 40, 3), one("re_2", 50, 4)],
        )
        .expecting(&[REFUNDED, "stale"], "paid 3/pi_1 -50"),
        at_once("60 and 60", [one("re_1", 60, 2), one("re_2", 60, 3)])
            .expecting(&[REFUNDED, "quarantined: refunded"], "paid 3/pi_1 -60"),
        Scenario::new(
            "paid, 25, 75",
            with_a_payment(),
            [
                delivering(1, paid(1)),
                delivering(2, one("re_1", 25, 2)),
                delivering(3, one("re_2", 75, 3)),
            ],
        )
        .with_faults(1)
        .expecting(&[PAID, "applied | duplicate | stale"], "refunded 3/pi_1"),
    ]
}

/// Refunds that name the provider's transaction alone; the index of it lags.
fn by_transaction() -> Vec<Scenario> {
    let unnamed = || unnamed(one("re_1", 40, 2));
    vec![
        Scenario::new(
            "paid, 40 by its transaction",
            with_a_payment(),
            [delivering(1, paid(1)), delivering(2, unnamed())],
        )
        .expecting(
            &[PAID, "applied | duplicate | quarantined: payment"],
            "paid 3/pi_1 | paid 3/pi_1 -40",
        ),
        Scenario::new(
            "40 by its transaction x2, one of 40",
            paid_and_unlisted(),
            [delivering(1, unnamed()), delivering(2, unnamed()), delivering(3, one("re_1", 40, 3))],
        )
        .expecting(&[REFUNDED, "quarantined: payment"], "paid 3/pi_1 -40"),
    ]
}

/// Actors 1 and up, who deliver these notifications of a payment that is paid.
fn at_once<const N: usize>(name: &'static str, notifications: [Notification; N]) -> Scenario {
    let numbered = (1..).zip(notifications);
    let actors = numbered.map(|(number, notification)| delivering(number, notification));
    Scenario::new(name, paid_before(), actors)
}

/// A payment that is paid, and its order service notified.
pub(crate) fn paid_before() -> World {
    after(with_a_payment(), &[delivering(9, paid(90))])
}

/// The same, and the index by transaction does not list it yet.
pub(crate) fn paid_and_unlisted() -> World {
    let mut world = paid_before();
    world.table.transactions.clear();
    world
}

/// The same notification, which names the provider's transaction alone.
pub(crate) fn unnamed(notification: Notification) -> Notification {
    let silent = reporting(notification, |report| report.amount_minor = None);
    Notification { payment: None, ..silent }
}

/// That a refund succeeded.
pub(crate) fn one(name: &str, amount: u64, number: u8) -> Notification {
    a_refund(payment_of(0), (name, amount, Succeeded), number)
}

fn failed(name: &str, amount: u64, number: u8) -> Notification {
    a_refund(payment_of(0), (name, amount, Failed), number)
}
