//! The scenarios: who is at work at once, on what, and all that can come of it.

mod creates;
mod messages;
mod together;

use pay_core::{
    domain::{Outcome, Source},
    testing::Call,
    usecases::{callback::Notice, create::CreatePayment},
};

use super::{
    scenario::{
        Scenario, after, after_with, creating, delivering, message, money, oid, payment_of,
        request, shop,
    },
    world::World,
};

/// What a create is answered whatever else happens.
const MADE: &str = "made | create: unavailable";

/// What a paid message is answered, the one or the other time.
const PAID: &str = "applied+told | applied+uncleared | not told | repeat+told | repeat+uncleared \
     | unavailable";

/// What a reconcile run beside a paid message does.
const RECONCILED: &str = "reconcile: nothing | reconcile: 1 told | reconcile: 1 put off \
     | reconcile: 1 stale | reconcile: 1 failed | reconcile: unavailable";

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    [creates::all(), messages::all(), together::all()].into_iter().flatten().collect()
}

/// Those with more actors, for who has more time.
pub(crate) fn longer() -> Vec<Scenario> {
    [creates::longer(), together::longer()].into_iter().flatten().collect()
}

/// A payment of order 1, pending.
pub(crate) fn with_a_payment() -> World {
    after(shop(), &[creating(0, request(100, None))])
}

/// The same, closed.
pub(crate) fn with_a_closed_payment() -> World {
    after(with_a_payment(), &[delivering(9, message(payment_of(0), Outcome::Closed, 90))])
}

/// Two payments, of order 1 and of order 2, paid while the order service was down.
pub(crate) fn with_two_untold() -> World {
    let second = CreatePayment { oid: oid(2), ..request(100, None) };
    let world = after(with_a_payment(), &[creating(1, second)]);
    let of_second =
        Notice { payment: Some(payment_of(1)), money: money(Source::STRIPE, "pi_2"), ..paid(92) };
    after_with(world, &[delivering(8, paid(91)), delivering(9, of_second)], Some(Call::TellPaid))
}

/// What Stripe says when that payment is paid.
pub(crate) fn paid(name: u8) -> Notice {
    message(payment_of(0), Outcome::Paid, name)
}
