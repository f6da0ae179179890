//! Creates of one order, or with one id.

use pay_core::usecases::create::CreatePayment;

use super::CREATED;
use crate::scenario::{Scenario, creating, id, oid, request, shop};

/// Actors 1 and up, who make these requests of one shop.
fn at_once<const N: usize>(name: &'static str, requests: [CreatePayment; N]) -> Scenario {
    let numbered = (1..).zip(requests);
    Scenario::new(name, shop(), numbered.map(|(number, request)| creating(number, request)))
}

pub(super) fn all() -> Vec<Scenario> {
    let [unkeyed, one, other] = [None, Some(1), Some(2)].map(|key| request(100, key));
    let on_another_order = CreatePayment { oid: oid(2), ..unkeyed };
    vec![
        at_once("create x2, no key", [unkeyed, unkeyed])
            .expecting(&[CREATED, "payment-exists"], "pending"),
        at_once("create x2, one key", [one, one]).expecting(&[CREATED, "replayed"], "pending"),
        at_once("create x2, two keys", [one, other])
            .expecting(&[CREATED, "payment-exists"], "pending"),
        at_once("create x2, one key, two amounts", [one, request(90, Some(1))])
            .expecting(&[CREATED, "amount-mismatch | key-reused"], "pending"),
        Scenario::new(
            "create x2, two orders, one id",
            shop(),
            [creating(1, unkeyed), creating(2, on_another_order)]
                .map(|actor| actor.with_first_id(id(7))),
        )
        .expecting(&[CREATED], "pending, pending"),
        at_once("create x3, no key", [unkeyed, unkeyed, unkeyed])
            .expecting(&[CREATED, "payment-exists"], "pending"),
        at_once("create x3, one key twice", [one, one, unkeyed])
            .expecting(&[CREATED, "payment-exists | replayed"], "pending"),
        at_once("create x3, one key", [one, one, one]).expecting(&[CREATED, "replayed"], "pending"),
    ]
}

/// Four creates at once.
pub(super) fn longer() -> Vec<Scenario> {
    let [one, other] = [Some(1), Some(2)].map(|key| request(100, key));
    vec![
        at_once("create x4, two keys twice", [one, one, other, other])
            .with_faults(1)
            .expecting(&[CREATED, "payment-exists | replayed"], "pending"),
    ]
}
