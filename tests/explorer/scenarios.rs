//! The scenarios: who is at work at the same time, on what, and all that can come of it.

pub(crate) mod checkouts;
mod closes;
mod creates;
pub(crate) mod hints;
pub(crate) mod later;
mod notifications;
pub(crate) mod quarantined;
pub(crate) mod queries;
pub(crate) mod refunds;
pub(crate) mod requested;
mod together;

use pay_core::{
    domain::{Notification, Outcome, Provider},
    testing::{Call, a_notification, a_reference, reporting},
    usecases::create::CreatePayment,
};

use super::{
    scenario::{Scenario, after, after_with, creating, delivering, oid, payment_of, request, shop},
    world::World,
};

/// What a create can get in every scenario.
const CREATED: &str = "created | create: unavailable";

/// What a notification of a paid payment can get when it is the first or the second.
const PAID: &str = "applied+notified | applied+not cleared | not notified | duplicate+notified \
     | duplicate+not cleared | unavailable";

/// What a sweep can do beside a notification of a paid payment.
const SWEPT: &str = "sweep: nothing | sweep: 1 notified | sweep: 1 rescheduled | sweep: 1 stale \
     | sweep: 1 failed | sweep: unavailable";

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    let alone = [creates::all(), notifications::all(), refunds::all()].concat();
    let with_providers = [queries::all(), hints::all(), requested::all()].concat();
    let later = [later::all(), quarantined::all()].concat();
    [alone, together::all(), with_providers, checkouts::all(), closes::all(), later].concat()
}

/// Those with more actors, which take longer.
pub(crate) fn longer() -> Vec<Scenario> {
    [creates::longer(), together::longer()].concat()
}

/// A pending payment of order 1.
pub(crate) fn with_a_payment() -> World {
    after(shop(), &[creating(0, request(100, None))])
}

/// The same, closed.
pub(crate) fn with_a_closed_payment() -> World {
    after(with_a_payment(), &[delivering(9, a_notification(payment_of(0), Outcome::Closed, 90))])
}

/// Two payments, of order 1 and of order 2, paid while the order service was down.
pub(crate) fn with_two_due() -> World {
    let second = CreatePayment { oid: oid(2), ..request(100, None) };
    let world = after(with_a_payment(), &[creating(1, second)]);
    let paid = [delivering(8, paid(91)), delivering(9, paid_second())];
    after_with(world, &paid, Some(Call::NotifyPaid))
}

/// What Stripe reports when that payment is paid.
pub(crate) fn paid(name: u8) -> Notification {
    a_notification(payment_of(0), Outcome::Paid, name)
}

/// The same of the payment of actor 1, with another transaction.
pub(crate) fn paid_second() -> Notification {
    reporting(a_notification(payment_of(1), Outcome::Paid, 92), |report| {
        report.reference = a_reference(Provider::Stripe, "pi_2");
    })
}
