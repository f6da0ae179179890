//! Creates, notifications, sweeps and persons at the same time.

use pay_core::{
    domain::{Notification, Outcome, Provider},
    testing::{Call, a_notification, a_reference, reporting},
};

use super::{CREATED, PAID, SWEPT, paid, with_a_closed_payment, with_a_payment, with_two_due};
use crate::{
    actor::Actor,
    scenario::{
        Scenario, accepting, after, creating, delivering, delivering_early, oid, payment_of,
        request, shop, sweeping,
    },
    world::World,
};

/// What a sweep can do that finds two payments due.
const SWEPT_TWO: &str = "sweep: 2 notified | sweep: 2 rescheduled \
     | sweep: 1 notified, 1 rescheduled | sweep: 1 notified, 1 failed \
     | sweep: 1 rescheduled, 1 failed | sweep: unavailable";

pub(super) fn all() -> Vec<Scenario> {
    [
        on_a_new_payment(),
        on_a_replaceable_payment(),
        with_a_sweep(),
        with_a_sweep_of_two(),
        with_a_person(),
    ]
    .concat()
}

/// Actor `number`, who creates a payment with a key or without.
fn keyed(number: u64) -> Actor {
    creating(number, request(100, Some(1)))
}

fn unkeyed(number: u64) -> Actor {
    creating(number, request(100, None))
}

/// The notification that the payment of actor 1 is paid.
fn paid_new() -> Notification {
    a_notification(payment_of(1), Outcome::Paid, 1)
}

fn refunded() -> Notification {
    a_notification(payment_of(0), Outcome::Refunded, 2)
}

/// Creates, and notifications of the new payment.
fn on_a_new_payment() -> Vec<Scenario> {
    vec![
        Scenario::new("create, paid", shop(), [keyed(1), delivering(2, paid_new())])
            .expecting(&[PAID, CREATED], "paid 3/pi_1 | pending"),
        Scenario::new(
            "create, paid too early",
            shop(),
            [keyed(1), delivering_early(2, paid_new())],
        )
        .expecting(&[PAID, CREATED, "quarantined: payment"], "paid 3/pi_1 | pending"),
        Scenario::new("create x2, paid", shop(), [keyed(1), keyed(2), delivering(3, paid_new())])
            .expecting(&[PAID, CREATED, "replayed"], "paid 3/pi_1 | pending"),
    ]
}

/// Creates, and notifications of a payment that may be replaced.
fn on_a_replaceable_payment() -> Vec<Scenario> {
    let closed = a_notification(payment_of(0), Outcome::Closed, 2);
    vec![
        Scenario::new(
            "replace, create, paid late",
            with_a_closed_payment(),
            [unkeyed(1), unkeyed(2), delivering(3, paid(1))],
        )
        .expecting(
            &[PAID, CREATED, "payment-exists | quarantined: live_payment"],
            "closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "closed, create, paid late",
            with_a_payment(),
            [delivering(1, closed), unkeyed(2), delivering(3, paid(1))],
        )
        .expecting(
            &[
                PAID,
                CREATED,
                "applied | payment-exists | quarantined: live_payment | duplicate | stale",
            ],
            "closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "replace, paid both",
            with_a_closed_payment(),
            [unkeyed(1), delivering(2, paid(1)), delivering(3, paid_new())],
        )
        .expecting(
            &[PAID, CREATED, "payment-exists | quarantined: live_payment"],
            "closed, paid 3/pi_1 | closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "refunded, create, paid late",
            with_a_payment(),
            [delivering(1, refunded()), unkeyed(2), delivering(3, paid(1))],
        )
        .expecting(
            &[PAID, CREATED, "applied | payment-exists | duplicate | stale"],
            "refunded 3/pi_1 | refunded 3/pi_1, pending",
        ),
    ]
}

/// Sweeps, and notifications of the payment that becomes due.
fn with_a_sweep() -> Vec<Scenario> {
    let beside_paid = |name, others: &[Actor]| {
        let paid = [delivering(1, paid(1))];
        Scenario::new(name, with_a_payment(), paid.into_iter().chain(others.iter().cloned()))
    };
    vec![
        beside_paid("paid, sweep", &[sweeping(2)])
            .expecting(&[PAID, SWEPT, "duplicate"], "paid 3/pi_1"),
        beside_paid("paid, sweep x2", &[sweeping(2), sweeping(3)])
            .expecting(&[PAID, SWEPT, "duplicate"], "paid 3/pi_1"),
        beside_paid("paid, refunded, sweep", &[delivering(2, refunded()), sweeping(3)])
            .expecting(&[PAID, SWEPT, "applied | duplicate | stale"], "refunded 3/pi_1"),
        beside_paid("paid, sweep, the order service fails", &[sweeping(2)])
            .with_down(Call::NotifyPaid)
            .expecting(&[PAID, SWEPT, "duplicate"], "paid 3/pi_1"),
    ]
}

/// A sweep that notifies of two orders side by side, and one of an order that is gone.
fn with_a_sweep_of_two() -> Vec<Scenario> {
    let mut gone = with_a_payment();
    gone.shop.orders.remove(&oid(1));
    vec![
        Scenario::new("sweep of two", with_two_due(), [sweeping(1)])
            .expecting(&[SWEPT_TWO, "sweep: 2 failed"], "paid 3/pi_1, paid 3/pi_2"),
        Scenario::new(
            "sweep of two, paid again",
            with_two_due(),
            [sweeping(1), delivering(2, paid(2))],
        )
        .with_faults(1)
        .with_down(Call::NotifyPaid)
        .expecting(
            &[
                SWEPT_TWO,
                "not notified | duplicate | duplicate+notified | duplicate+not cleared",
                "unavailable | sweep: 1 notified | sweep: 1 rescheduled | sweep: 1 failed",
                "sweep: 1 notified, 1 stale | sweep: 1 stale, 1 rescheduled",
                "sweep: 1 stale, 1 failed",
            ],
            "paid 3/pi_1, paid 3/pi_2",
        ),
        Scenario::new(
            "paid, sweep, the order is gone",
            gone,
            [delivering(1, paid(1)), sweeping(2)],
        )
        .expecting(
            &[
                "not notified | unavailable | sweep: nothing | sweep: 1 rescheduled",
                "sweep: 1 failed | sweep: unavailable",
            ],
            "paid 3/pi_1",
        ),
    ]
}

/// A person who accepts a quarantined notification.
fn with_a_person() -> Vec<Scenario> {
    let short = || reporting(paid(1), |report| report.amount_minor = Some(90));
    let quarantined = |world: World| after(world, &[delivering(8, short())]);
    let key = "10/stripe/evt_1";
    let by_wechat =
        reporting(paid(3), |report| report.reference = a_reference(Provider::WeChat, "wx_1"));
    vec![
        Scenario::new(
            "accept, create",
            quarantined(with_a_closed_payment()),
            [accepting(1, key), unkeyed(2)],
        )
        .expecting(
            &[
                CREATED,
                "only dismiss: another payment has the order by now",
                "payment-exists | accept: unavailable | accepted",
            ],
            "closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "accept x2, paid by another provider",
            quarantined(with_a_payment()),
            [accepting(1, key), accepting(2, key), delivering(3, by_wechat)],
        )
        .expecting(
            &[
                PAID,
                "only dismiss: the payment has this status or a higher one",
                "only dismiss: the payment was paid under another provider reference",
                "quarantined: reference | accepted by another",
                "accept: unavailable | accepted",
            ],
            "paid 2/wx_1 | paid 3/pi_1",
        ),
    ]
}

/// More of them.
pub(super) fn longer() -> Vec<Scenario> {
    vec![
        Scenario::new("sweep x2 of two", with_two_due(), [sweeping(1), sweeping(2)])
            .with_faults(1)
            .expecting(&["sweep: 2 notified | sweep: 2 stale"], "paid 3/pi_1, paid 3/pi_2"),
        Scenario::new(
            "replace, create, paid both",
            with_a_closed_payment(),
            [unkeyed(1), unkeyed(2), delivering(3, paid(1)), delivering(4, paid_new())],
        )
        .with_faults(1)
        .expecting(
            &[PAID, CREATED, "payment-exists | quarantined: live_payment"],
            "closed, paid 3/pi_1 | closed, pending | paid 3/pi_1",
        ),
        Scenario::new(
            "paid x2, refunded, sweep",
            with_a_payment(),
            [
                delivering(1, paid(1)),
                delivering(2, paid(1)),
                delivering(3, refunded()),
                sweeping(4),
            ],
        )
        .with_faults(1)
        .expecting(&[PAID, SWEPT, "applied | duplicate | stale"], "refunded 3/pi_1"),
    ]
}
