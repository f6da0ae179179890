//! A provider that holds the truth: webhooks that are lost, late or doubled, and sweeps that ask.

use pay_core::{
    domain::{Notification, Outcome, Provider, ProviderRefund, ProviderTxn, RefundState},
    ports::ProviderState,
    testing::{Call, HeldPayment, HeldRefund, a_notification, a_total},
    usecases::create::CreatePayment,
};

use super::{CREATED, PAID, SWEPT, paid, refunds::one};
use crate::{
    scenario::{
        Scenario, after, asking, creating, delivering, payment_of, perhaps_delivering, request,
        shop, sweeping,
    },
    world::{Happening, World},
};
use Happening::{Closes, Opens, Pays};

/// What a sweep can get that asks about one payment.
pub(super) const ASKED: &str = "sweep: 1 failed | sweep: 1 queried, 1 unknown | sweep: unavailable";

/// What else it can get where it moves the payment on, and where it does not.
pub(super) const MOVED: &str = "sweep: 1 moved";
pub(super) const WAITS: &str = "sweep: 1 queried";

pub(super) fn all() -> Vec<Scenario> {
    [without_webhooks(), with_webhooks(), with_refunds()].concat()
}

/// A pending payment that is to be asked about, and what is still to happen to it at Stripe.
pub(crate) fn with_a_truth(to_happen: &[Happening]) -> World {
    let to_be_asked = CreatePayment { queried: true, ..request(100, None) };
    let mut world = after(shop(), &[creating(0, to_be_asked)]);
    world.providers.keys = vec![Provider::Stripe];
    world.to_happen = to_happen.iter().map(|next| (payment_of(0), *next)).collect();
    world
}

/// The same, as Stripe holds it now.
pub(crate) fn with_held(held: HeldPayment) -> World {
    let mut world = with_a_truth(&[]);
    world.providers.held.insert((Provider::Stripe, payment_of(0)), held);
    world
}

/// A payment of this amount that Stripe holds in this state.
pub(crate) fn held(state: ProviderState, amount: u64) -> HeldPayment {
    HeldPayment::new(state, ProviderTxn::new("pi_1").ok(), amount)
}

/// A payment of 100 that Stripe gave these back of.
pub(crate) fn given_back(refunds: &[(&str, u64)]) -> HeldPayment {
    let refunds = refunds.iter().map(|(name, amount)| {
        HeldRefund::new(ProviderRefund::new(name).unwrap(), *amount, RefundState::Succeeded)
    });
    HeldPayment { refunds: refunds.collect(), ..held(ProviderState::Refunded, 100) }
}

fn failed() -> Notification {
    a_notification(payment_of(0), Outcome::Failed, 5)
}

/// Every webhook is lost.
fn without_webhooks() -> Vec<Scenario> {
    vec![
        Scenario::new("asked while it is paid", with_a_truth(&[Opens, Pays]), [asking(1)])
            .expecting(&[ASKED, MOVED, WAITS], "paid 3/pi_1 | pending"),
        Scenario::new(
            "asked twice while it is paid",
            with_a_truth(&[Pays]),
            [asking(1), asking(2)],
        )
        .expecting(&[ASKED, MOVED, WAITS, SWEPT], "paid 3/pi_1 | pending"),
        Scenario::new(
            "asked while it is closed, create",
            with_a_truth(&[Opens, Closes]),
            [asking(1), creating(2, request(100, None))],
        )
        .expecting(
            &[ASKED, MOVED, WAITS, CREATED, "payment-exists"],
            "closed | closed, pending | pending",
        ),
        Scenario::new("asked while the order service fails", with_a_truth(&[Pays]), [asking(1)])
            .with_down(Call::NotifyPaid)
            .expecting(&[ASKED, MOVED, WAITS], "paid 3/pi_1 | pending"),
        Scenario::new(
            "asked twice, another amount",
            with_held(held(ProviderState::Paid, 90)),
            [asking(1), asking(2)],
        )
        .expecting(&[ASKED, WAITS], "pending"),
    ]
}

/// Webhooks come, late or twice or not at all.
fn with_webhooks() -> Vec<Scenario> {
    let webhook = |number| perhaps_delivering(number, paid(1));
    vec![
        Scenario::new("asked, paid or lost", with_a_truth(&[Opens, Pays]), [asking(1), webhook(2)])
            .expecting(&[ASKED, MOVED, WAITS, SWEPT, PAID, "duplicate"], "paid 3/pi_1 | pending"),
        Scenario::new(
            "asked, paid x2 or lost",
            with_a_truth(&[Pays]),
            [asking(1), webhook(2), webhook(3)],
        )
        .with_faults(1)
        .expecting(&[ASKED, MOVED, WAITS, SWEPT, PAID, "duplicate"], "paid 3/pi_1 | pending"),
        Scenario::new(
            "asked, failed, paid or lost",
            with_a_truth(&[Opens, Pays]),
            [asking(1), perhaps_delivering(2, failed()), webhook(3)],
        )
        .with_faults(1)
        .expecting(
            &[ASKED, MOVED, WAITS, SWEPT, PAID, "applied | duplicate | stale"],
            "failed | paid 3/pi_1 | pending",
        ),
        Scenario::new("paid, swept without a key", no_key(), [sweeping(1), delivering(2, paid(1))])
            .expecting(&[PAID, SWEPT, "duplicate"], "paid 3/pi_1"),
    ]
}

/// A payment that is to be asked about, and nobody can be asked any more.
pub(crate) fn no_key() -> World {
    let mut world = with_a_truth(&[]);
    world.providers.keys.clear();
    world
}

/// Money that went back before anything was heard.
fn with_refunds() -> Vec<Scenario> {
    let asked = |name, held, webhook| {
        let actors = [asking(1), perhaps_delivering(2, webhook)];
        Scenario::new(name, with_held(held), actors).with_faults(1).with_down(Call::Query)
    };
    let in_part = given_back(&[("re_1", 40)]);
    let in_full = given_back(&[("re_1", 100)]);
    let in_all = HeldPayment { reports_total: true, ..in_part.clone() };
    // Once it is paid it is not asked about again: the rest comes by webhooks.
    let moved = "sweep: 1 moved | sweep: 1 moved, 1 unknown";
    vec![
        asked("asked, 40 went back", in_part, one("re_1", 40, 2))
            .expecting(&[ASKED, moved, SWEPT, PAID, "applied | duplicate"], "paid 3/pi_1 -40"),
        asked("asked, all went back", in_full, one("re_1", 100, 2)).expecting(
            &[
                ASKED,
                moved,
                "sweep: nothing | sweep: 1 stale | applied | duplicate | unavailable",
                "duplicate+notified | duplicate+not cleared | not notified",
            ],
            "refunded 3/pi_1",
        ),
        asked("asked, a total went back", in_all, a_total(payment_of(0), 40, 2)).expecting(
            &[
                ASKED,
                moved,
                SWEPT,
                "applied | applied+notified | applied+not cleared | not notified",
                "duplicate | duplicate+notified | unavailable",
            ],
            "paid 3/pi_1 -40",
        ),
    ]
}
