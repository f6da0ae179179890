//! Messages about one payment.

use pay_core::{
    domain::{Money, Outcome, Provider, Report, Source},
    testing::Call,
    usecases::callback::Notice,
};

use super::{PAID, paid, with_a_payment};
use crate::scenario::{
    Scenario, delivering, delivering_early, message, money, native, payment_of, shop,
};

pub(super) fn all() -> Vec<Scenario> {
    [of_one_kind(), of_one_money(), of_two_moneys(), that_collide()].into_iter().flatten().collect()
}

/// One thing said more than once.
fn of_one_kind() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "paid x2",
            with_a_payment(),
            vec![delivering(1, paid(1)), delivering(2, paid(1))],
        )
        .seeing(&[PAID, "repeat"], "paid 3/pi_1"),
        Scenario::new(
            "paid x3",
            with_a_payment(),
            vec![delivering(1, paid(1)), delivering(2, paid(1)), delivering(3, paid(1))],
        )
        .seeing(&[PAID, "repeat"], "paid 3/pi_1"),
        Scenario::new(
            "paid x2, native",
            with_a_payment(),
            vec![delivering(1, native(paid(1))), delivering(2, native(paid(1)))],
        )
        .seeing(&[PAID, "repeat"], "paid 3/pi_1"),
        Scenario::new(
            "paid x2, the order service fails",
            with_a_payment(),
            vec![delivering(1, paid(1)), delivering(2, paid(1))],
        )
        .with_down(Call::TellPaid)
        .seeing(&[PAID, "repeat"], "paid 3/pi_1"),
    ]
}

/// Several things said of one sum.
fn of_one_money() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "paid, refunded",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, message(payment_of(0), Outcome::Refunded, 2)),
            ],
        )
        .seeing(&[PAID, "applied | repeat | stale"], "refunded 3/pi_1"),
        Scenario::new(
            "paid, refunded, failed, closed",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, message(payment_of(0), Outcome::Refunded, 2)),
                delivering(3, message(payment_of(0), Outcome::Failed, 3)),
                delivering(4, message(payment_of(0), Outcome::Closed, 4)),
            ],
        )
        .with_faults(1)
        .seeing(
            &[
                "applied | applied+told | applied+uncleared | not told | repeat",
                "repeat+told | stale | unavailable",
            ],
            "refunded 3/pi_1",
        ),
        Scenario::new(
            "paid, refunded in part, nothing",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, Notice { report: Report::PartialRefund, ..paid(2) }),
                delivering(3, Notice { report: Report::Nothing, ..paid(3) }),
            ],
        )
        .seeing(&[PAID, "ignored | noted"], "paid 3/pi_1"),
        Scenario::new(
            "paid, learnt later",
            with_a_payment(),
            vec![
                delivering(1, Notice { money: Money::NONE, ..native(paid(1)) }),
                delivering(2, paid(2)),
            ],
        )
        .seeing(&[PAID, "repeat"], "paid 3/pi_1"),
    ]
}

/// Things said of two sums.
fn of_two_moneys() -> Vec<Scenario> {
    let by = |provider, source, txn: &str, name| Notice {
        provider,
        money: money(source, txn),
        ..paid(name)
    };
    vec![
        Scenario::new(
            "paid by two providers",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, by(Provider::WeChat, Source::WECHAT, "wx_1", 2)),
            ],
        )
        .seeing(&[PAID, "quarantined: status-conflict"], "paid 2/wx_1 | paid 3/pi_1"),
        Scenario::new(
            "paid, learnt later, paid again",
            with_a_payment(),
            vec![
                delivering(1, by(Provider::Stripe, Source::STRIPE, "", 1)),
                delivering(2, by(Provider::Stripe, Source::STRIPE, "pi_1", 2)),
                delivering(3, by(Provider::Stripe, Source::STRIPE, "pi_2", 3)),
            ],
        )
        .seeing(&[PAID, "quarantined: status-conflict | repeat"], "paid 3/pi_1 | paid 3/pi_2"),
    ]
}

/// Two messages with one event id.
fn that_collide() -> Vec<Scenario> {
    let collides = |notice: Notice| Notice { event_id: paid(1).event_id, ..notice };
    vec![
        Scenario::new(
            "paid, failed with its event id",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, collides(message(payment_of(0), Outcome::Failed, 2))),
            ],
        )
        .seeing(&[PAID, "applied | repeat | stale"], "paid 3/pi_1"),
        Scenario::new(
            "paid, other amount with its event id",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, collides(Notice { amount_minor: Some(90), ..paid(2) })),
            ],
        )
        .seeing(&[PAID, "quarantined: amount-mismatch"], "paid 3/pi_1"),
        Scenario::new(
            "nobody's, another with its event id",
            shop(),
            vec![
                delivering_early(1, Notice { payment: None, ..paid(1) }),
                delivering_early(2, collides(Notice { payment: None, ..paid(2) })),
            ],
        )
        .seeing(&["quarantined: payment-not-found | unavailable"], ""),
    ]
}
