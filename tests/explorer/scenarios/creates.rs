//! Creates of one order, or with one id.

use pay_core::usecases::create::CreatePayment;

use super::MADE;
use crate::scenario::{Scenario, creating, creating_first, id, oid, request, shop};

pub(super) fn all() -> Vec<Scenario> {
    [twice(), thrice()].into_iter().flatten().collect()
}

/// Two creates at once.
fn twice() -> Vec<Scenario> {
    let two_orders = CreatePayment { oid: oid(2), ..request(100, None) };
    vec![
        Scenario::new(
            "create x2, no key",
            shop(),
            vec![creating(1, request(100, None)), creating(2, request(100, None))],
        )
        .seeing(&[MADE, "payment-exists"], "pending"),
        Scenario::new(
            "create x2, one key",
            shop(),
            vec![creating(1, request(100, Some(1))), creating(2, request(100, Some(1)))],
        )
        .seeing(&[MADE, "replayed"], "pending"),
        Scenario::new(
            "create x2, two keys",
            shop(),
            vec![creating(1, request(100, Some(1))), creating(2, request(100, Some(2)))],
        )
        .seeing(&[MADE, "payment-exists"], "pending"),
        Scenario::new(
            "create x2, one key, two amounts",
            shop(),
            vec![creating(1, request(100, Some(1))), creating(2, request(90, Some(1)))],
        )
        .seeing(&[MADE, "amount-mismatch | key-reused"], "pending"),
        Scenario::new(
            "create x2, two orders, one id",
            shop(),
            vec![
                creating_first(1, request(100, None), Some(id(7))),
                creating_first(2, two_orders, Some(id(7))),
            ],
        )
        .seeing(&[MADE], "pending, pending"),
    ]
}

/// Three creates at once.
fn thrice() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "create x3, no key",
            shop(),
            (1..=3).map(|number| creating(number, request(100, None))).collect(),
        )
        .seeing(&[MADE, "payment-exists"], "pending"),
        Scenario::new(
            "create x3, one key twice",
            shop(),
            vec![
                creating(1, request(100, Some(1))),
                creating(2, request(100, Some(1))),
                creating(3, request(100, None)),
            ],
        )
        .seeing(&[MADE, "payment-exists | replayed"], "pending"),
        Scenario::new(
            "create x3, one key",
            shop(),
            vec![
                creating(1, request(100, Some(1))),
                creating(2, request(100, Some(1))),
                creating(3, request(100, Some(1))),
            ],
        )
        .seeing(&[MADE, "replayed"], "pending"),
    ]
}

/// More creates at once.
pub(super) fn longer() -> Vec<Scenario> {
    let [one, other] = [request(100, Some(1)), request(100, Some(2))];
    let actors = vec![creating(1, one), creating(2, one), creating(3, other), creating(4, other)];
    vec![
        Scenario::new("create x4, two keys twice", shop(), actors)
            .with_faults(1)
            .seeing(&[MADE, "payment-exists | replayed"], "pending"),
    ]
}
