//! The scenarios.

use pay::{
    domain::{Money, Outcome, Provider, Source},
    testing::Call,
    usecases::{callback::Notice, create::CreatePayment},
};

use super::{
    actor::Actor,
    scenario::{
        Scenario, accepting, after, creating, creating_first, delivering, id, message, money, native, oid,
        payment_of, reconciling, request, shop,
    },
    world::World,
};

/// The payment that a world has from the start: of order 1, pending.
pub(crate) fn with_a_payment() -> World {
    after(shop(), &[before(request(100, None))])
}

/// The same, closed.
pub(crate) fn with_a_closed_payment() -> World {
    after(with_a_payment(), &[delivering(9, message(payment_of(0), Outcome::Closed, 90))])
}

/// An actor of the time before; its payment is `payment_of(0)`.
fn before(request: CreatePayment) -> Actor {
    creating(0, request)
}

pub(crate) fn paid(name: u8) -> Notice {
    message(payment_of(0), Outcome::Paid, name)
}

pub(crate) fn all() -> Vec<Scenario> {
    [creates(), messages(), both(), reconciles()].into_iter().flatten().collect()
}

fn creates() -> Vec<Scenario> {
    let two_orders = CreatePayment { oid: oid(2), ..request(100, None) };
    vec![
        Scenario::new(
            "create x2, no key",
            shop(),
            vec![creating(1, request(100, None)), creating(2, request(100, None))],
        ),
        Scenario::new(
            "create x2, one key",
            shop(),
            vec![creating(1, request(100, Some(1))), creating(2, request(100, Some(1)))],
        ),
        Scenario::new(
            "create x2, two keys",
            shop(),
            vec![creating(1, request(100, Some(1))), creating(2, request(100, Some(2)))],
        ),
        Scenario::new(
            "create x2, one key, two amounts",
            shop(),
            vec![creating(1, request(100, Some(1))), creating(2, request(90, Some(1)))],
        ),
        Scenario::new(
            "create x2, two orders, one id",
            shop(),
            vec![
                creating_first(1, request(100, None), Some(id(7))),
                creating_first(2, two_orders, Some(id(7))),
            ],
        ),
        Scenario::new(
            "create x3, one key twice",
            shop(),
            vec![
                creating(1, request(100, Some(1))),
                creating(2, request(100, Some(1))),
                creating(3, request(100, None)),
            ],
        ),
        Scenario::new(
            "create x3, one key",
            shop(),
            vec![
                creating(1, request(100, Some(1))),
                creating(2, request(100, Some(1))),
                creating(3, request(100, Some(1))),
            ],
        ),
    ]
}

fn messages() -> Vec<Scenario> {
    let by = |provider, source, txn: &str, name| Notice {
        provider,
        money: money(source, txn),
        ..paid(name)
    };
    let collides = |notice: Notice| Notice { event_id: paid(1).event_id, ..notice };
    vec![
        Scenario::new(
            "paid x2",
            with_a_payment(),
            vec![delivering(1, paid(1)), delivering(2, paid(1))],
        ),
        Scenario::new(
            "paid x3",
            with_a_payment(),
            vec![delivering(1, paid(1)), delivering(2, paid(1)), delivering(3, paid(1))],
        ),
        Scenario::new(
            "paid x2, native",
            with_a_payment(),
            vec![delivering(1, native(paid(1))), delivering(2, native(paid(1)))],
        ),
        Scenario::new(
            "paid by two providers",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, by(Provider::WeChat, Source::WECHAT, "wx_1", 2)),
            ],
        ),
        Scenario::new(
            "paid, refunded",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, message(payment_of(0), Outcome::Refunded, 2)),
            ],
        ),
        Scenario::new(
            "paid, refunded, failed, closed",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, message(payment_of(0), Outcome::Refunded, 2)),
                delivering(3, message(payment_of(0), Outcome::Failed, 3)),
                delivering(4, message(payment_of(0), Outcome::Closed, 4)),
            ],
        ),
        Scenario::new(
            "paid, failed with its event id",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, collides(message(payment_of(0), Outcome::Failed, 2))),
            ],
        ),
        Scenario::new(
            "paid, other amount with its event id",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, collides(Notice { amount_minor: Some(90), ..paid(2) })),
            ],
        ),
        Scenario::new(
            "paid, learnt later",
            with_a_payment(),
            vec![
                delivering(1, Notice { money: Money::NONE, ..native(paid(1)) }),
                delivering(2, paid(2)),
            ],
        ),
        Scenario::new(
            "paid, learnt later, paid again",
            with_a_payment(),
            vec![
                delivering(1, by(Provider::Stripe, Source::STRIPE, "", 1)),
                delivering(2, by(Provider::Stripe, Source::STRIPE, "pi_1", 2)),
                delivering(3, by(Provider::Stripe, Source::STRIPE, "pi_2", 3)),
            ],
        ),
        Scenario {
            down: Some(Call::TellPaid),
            ..Scenario::new(
                "paid x2, the order service fails",
                with_a_payment(),
                vec![delivering(1, paid(1)), delivering(2, paid(1))],
            )
        },
    ]
}

fn both() -> Vec<Scenario> {
    let new = |number| message(payment_of(number), Outcome::Paid, 1);
    vec![
        Scenario::new(
            "create, paid",
            shop(),
            vec![creating(1, request(100, Some(1))), delivering(2, new(1))],
        ),
        Scenario::new(
            "create x2, paid",
            shop(),
            vec![
                creating(1, request(100, Some(1))),
                creating(2, request(100, Some(1))),
                delivering(3, new(1)),
            ],
        ),
        Scenario::new(
            "replace, create, paid late",
            with_a_closed_payment(),
            vec![
                creating(1, request(100, None)),
                creating(2, request(100, None)),
                delivering(3, paid(1)),
            ],
        ),
        Scenario::new(
            "closed, create, paid late",
            with_a_payment(),
            vec![
                delivering(1, message(payment_of(0), Outcome::Closed, 2)),
                creating(2, request(100, None)),
                delivering(3, paid(1)),
            ],
        ),
        Scenario::new(
            "replace, paid both",
            with_a_closed_payment(),
            vec![creating(1, request(100, None)), delivering(2, paid(1)), delivering(3, new(1))],
        ),
        Scenario::new(
            "refunded, create, paid late",
            with_a_payment(),
            vec![
                delivering(1, message(payment_of(0), Outcome::Refunded, 2)),
                creating(2, request(100, None)),
                delivering(3, paid(1)),
            ],
        ),
    ]
}

fn reconciles() -> Vec<Scenario> {
    let short = Notice { amount_minor: Some(90), ..paid(1) };
    let in_quarantine = |world| after(world, &[delivering(8, short.clone())]);
    let key = "10/stripe/evt_1";
    vec![
        Scenario::new(
            "paid, reconcile",
            with_a_payment(),
            vec![delivering(1, paid(1)), reconciling(2)],
        ),
        Scenario::new(
            "paid, reconcile x2",
            with_a_payment(),
            vec![delivering(1, paid(1)), reconciling(2), reconciling(3)],
        ),
        Scenario::new(
            "paid, refunded, reconcile",
            with_a_payment(),
            vec![
                delivering(1, paid(1)),
                delivering(2, message(payment_of(0), Outcome::Refunded, 2)),
                reconciling(3),
            ],
        ),
        Scenario {
            down: Some(Call::TellPaid),
            ..Scenario::new(
                "paid, reconcile, the order service fails",
                with_a_payment(),
                vec![delivering(1, paid(1)), reconciling(2)],
            )
        },
        Scenario::new(
            "accept, create",
            in_quarantine(with_a_closed_payment()),
            vec![accepting(1, key), creating(2, request(100, None))],
        ),
        Scenario::new(
            "accept x2, paid by another provider",
            in_quarantine(with_a_payment()),
            vec![
                accepting(1, key),
                accepting(2, key),
                delivering(3, Notice { money: money(Source::WECHAT, "wx_1"), ..paid(3) }),
            ],
        ),
    ]
}
