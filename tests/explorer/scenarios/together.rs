//! Creates, messages, reconcile runs and persons at once.

use pay_core::{
    domain::{Outcome, Source},
    testing::Call,
    usecases::callback::Notice,
};

use super::{MADE, PAID, RECONCILED, paid, with_a_closed_payment, with_a_payment, with_two_untold};
use crate::scenario::{
    Scenario, accepting, after, creating, delivering, delivering_early, message, money, oid,
    payment_of, reconciling, request, shop,
};

/// What a run does that finds two.
const TWO: &str = "reconcile: 2 told | reconcile: 2 put off | reconcile: 1 told, 1 put off \
     | reconcile: 1 told, 1 failed | reconcile: 1 put off, 1 failed | reconcile: unavailable";

pub(super) fn all() -> Vec<Scenario> {
    [
        of_a_new_payment(),
        of_a_replaced_payment(),
        with_reconcile(),
        of_two_orders(),
        with_a_person(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A create and messages of its payment.
fn of_a_new_payment() -> Vec<Scenario> {
    let new = |number| message(payment_of(number), Outcome::Paid, 1);
    vec![
        Scenario::new(
            "create, paid",
            shop(),
            vec![creating(1, request(100, Some(1))), delivering(2, new(1))],
        )
        .seeing(&[PAID, MADE], "paid 3/pi_1 | pending"),
        Scenario::new(
            "create, paid too early",
            shop(),
            vec![creating(1, request(100, Some(1))), delivering_early(2, new(1))],
        )
        .seeing(&[PAID, MADE, "quarantined: payment-not-found"], "paid 3/pi_1 | pending"),
        Scenario::new(
            "create x2, paid",
            shop(),
            vec![
                creating(1, request(100, Some(1))),
                creating(2, request(100, Some(1))),
                delivering(3, new(1)),
            ],
        )
        .seeing(&[PAID, MADE, "replayed"], "paid 3/pi_1 | pending"),
    ]
}

/// Creates and messages of a payment that may be replaced.
fn of_a_replaced_payment() -> Vec<Scenario> {
    let new = |number| message(payment_of(number), Outcome::Paid, 1);
    vec![
        Scenario::new(
            "replace, create, paid late",
            with_a_closed_payment(),
            vec![
                creating(1, request(100, None)),
                creating(2, request(100, None)),
                delivering(3, paid(1)),
            ],
        )
        .seeing(
            &[PAID, MADE, "payment-exists | quarantined: status-conflict"],
            "closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "closed, create, paid late",
            with_a_payment(),
            vec![
                delivering(1, message(payment_of(0), Outcome::Closed, 2)),
                creating(2, request(100, None)),
                delivering(3, paid(1)),
            ],
        )
        .seeing(
            &[
                PAID,
                MADE,
                "applied | payment-exists | quarantined: status-conflict | repeat | stale",
            ],
            "closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "replace, paid both",
            with_a_closed_payment(),
            vec![creating(1, request(100, None)), delivering(2, paid(1)), delivering(3, new(1))],
        )
        .seeing(
            &[PAID, MADE, "payment-exists | quarantined: status-conflict"],
            "closed, paid 3/pi_1 | closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "refunded, create, paid late",
            with_a_payment(),
            vec![
                delivering(1, message(payment_of(0), Outcome::Refunded, 2)),
                creating(2, request(100, None)),
                delivering(3, paid(1)),
            ],
        )
        .seeing(
            &[PAID, MADE, "applied | payment-exists | repeat | stale"],
            "refunded 3/pi_1 | refunded 3/pi_1, pending",
        ),
    ]
}

/// Reconcile runs and messages.
fn with_reconcile() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "paid, reconcile",
            with_a_payment(),
            vec![delivering(1, paid(1)), reconciling(2)],
        )
        .seeing(&[PAID, RECONCILED, "repeat"], "paid 3/pi_1"),
        Scenario::new(
            "paid, reconcile x2",
            with_a_payment(),
            vec![delivering(1, paid(1)), reconciling(2), reconciling(3)],
        )
        .seeing(&[PAID, RECONCILED, "repeat"], "paid 3/pi_1"),
        Scenario::new(
            "paid, refunded, reconcile",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, message(payment_of(0), Outcome::Refunded, 2)),
                reconciling(3),
            ],
        )
        .seeing(&[PAID, RECONCILED, "applied | repeat | stale"], "refunded 3/pi_1"),
        Scenario::new(
            "paid, reconcile, the order service fails",
            with_a_payment(),
            vec![delivering(1, paid(1)), reconciling(2)],
        )
        .with_down(Call::TellPaid)
        .seeing(&[PAID, RECONCILED, "repeat"], "paid 3/pi_1"),
    ]
}

/// Orders that one run tells side by side, and an order that is gone.
fn of_two_orders() -> Vec<Scenario> {
    let mut gone = with_a_payment();
    gone.shop.orders.remove(&oid(1));
    vec![
        Scenario::new("reconcile of two", with_two_untold(), vec![reconciling(1)])
            .seeing(&[TWO, "reconcile: 2 failed"], "paid 3/pi_1, paid 3/pi_2"),
        Scenario::new(
            "reconcile of two, paid again",
            with_two_untold(),
            vec![reconciling(1), delivering(2, paid(2))],
        )
        .with_faults(1)
        .with_down(Call::TellPaid)
        .seeing(
            &[
                TWO,
                "not told | repeat | repeat+told | repeat+uncleared | unavailable",
                "reconcile: 1 told | reconcile: 1 put off | reconcile: 1 failed",
                "reconcile: 1 told, 1 stale | reconcile: 1 stale, 1 put off",
                "reconcile: 1 stale, 1 failed",
            ],
            "paid 3/pi_1, paid 3/pi_2",
        ),
        Scenario::new(
            "paid, reconcile, the order is gone",
            gone,
            vec![delivering(1, paid(1)), reconciling(2)],
        )
        .seeing(
            &[
                "not told | unavailable | reconcile: nothing | reconcile: 1 put off",
                "reconcile: 1 failed | reconcile: unavailable",
            ],
            "paid 3/pi_1",
        ),
    ]
}

/// A person who accepts a message from quarantine.
fn with_a_person() -> Vec<Scenario> {
    let short = Notice { amount_minor: Some(90), ..paid(1) };
    let in_quarantine = |world| after(world, &[delivering(8, short.clone())]);
    let key = "10/stripe/evt_1";
    vec![
        Scenario::new(
            "accept, create",
            in_quarantine(with_a_closed_payment()),
            vec![accepting(1, key), creating(2, request(100, None))],
        )
        .seeing(
            &[
                MADE,
                "only dismiss: another payment has the order by now",
                "only dismiss: the payment changed meanwhile | payment-exists",
                "resolve: unavailable | resolved",
            ],
            "closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "accept x2, paid by another provider",
            in_quarantine(with_a_payment()),
            vec![
                accepting(1, key),
                accepting(2, key),
                delivering(3, Notice { money: money(Source::WECHAT, "wx_1"), ..paid(3) }),
            ],
        )
        .seeing(
            &[
                PAID,
                "only dismiss: the payment changed meanwhile",
                "only dismiss: the payment says so already, or is past it",
                "only dismiss: the payment was paid with other money",
                "quarantined: status-conflict | resolve: done already",
                "resolve: unavailable | resolved",
            ],
            "paid 2/wx_1 | paid 3/pi_1",
        ),
    ]
}

/// More of them.
pub(super) fn longer() -> Vec<Scenario> {
    let refunded = message(payment_of(0), Outcome::Refunded, 2);
    vec![
        Scenario::new(
            "reconcile x2 of two",
            with_two_untold(),
            vec![reconciling(1), reconciling(2)],
        )
        .with_faults(1)
        .seeing(&["reconcile: 2 told | reconcile: 2 stale"], "paid 3/pi_1, paid 3/pi_2"),
        Scenario::new(
            "replace, create, paid both",
            with_a_closed_payment(),
            vec![
                creating(1, request(100, None)),
                creating(2, request(100, None)),
                delivering(3, paid(1)),
                delivering(4, message(payment_of(1), Outcome::Paid, 1)),
            ],
        )
        .with_faults(1)
        .seeing(
            &[PAID, MADE, "payment-exists | quarantined: status-conflict"],
            "closed, paid 3/pi_1 | closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "paid x2, refunded, reconcile",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, paid(1)),
                delivering(3, refunded),
                reconciling(4),
            ],
        )
        .with_faults(1)
        .seeing(&[PAID, RECONCILED, "applied | repeat | stale"], "refunded 3/pi_1"),
    ]
}
