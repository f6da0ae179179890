//! Messages that only say where to look: thin events, and refunds of a provider that can be queried.

use pay_core::{
    domain::{Mismatch, MismatchField, Notification, Provider, Report},
    ports::ProviderState,
    testing::{Call, HeldPayment, a_reference},
};

use super::{
    PAID, SWEPT, paid,
    queries::{ASKED, MOVED, WAITS, given_back, held, with_held},
    refunds::{one, unnamed},
    with_a_payment,
};
use crate::{
    scenario::{
        Scenario, asking, following, following_nowhere, payment_of, perhaps_delivering,
        perhaps_following,
    },
    world::{Happening, World},
};

/// What a message can get that says nothing itself. A response that proves nothing leaves it in
/// quarantine.
const FOLLOWED: &str = "followed | quarantined: payment | unavailable";

pub(super) fn all() -> Vec<Scenario> {
    let in_part = given_back(&[("re_1", 40)]);
    let mut no_key = never_due(held(ProviderState::Paid, 100));
    no_key.providers.keys.clear();
    vec![
        Scenario::new("looked up x2, no key", no_key, [1, 2].map(|n| following_nowhere(n, thin())))
            .expecting(&["quarantined: payment | unavailable"], "pending"),
        Scenario::new(
            "looked up x2",
            never_due(held(ProviderState::Paid, 100)),
            [1, 2].map(|number| following(number, thin())),
        )
        .expecting(&[FOLLOWED], "paid 3/pi_1"),
        Scenario::new(
            "looked up, another amount",
            never_due(held(ProviderState::Paid, 90)),
            [following(1, thin())],
        )
        .expecting(&[FOLLOWED], "pending"),
        Scenario::new(
            "looked up, 40 went back",
            never_due(in_part),
            [following(1, unnamed(one("re_1", 40, 2))), perhaps_delivering(2, paid(1))],
        )
        .with_faults(1)
        .with_down(Call::Query)
        .expecting(&[PAID, FOLLOWED, "duplicate"], "paid 3/pi_1 -40"),
        Scenario::new(
            "looked up or lost, asked",
            while_open(),
            [perhaps_following(1, thin()), asking(2)],
        )
        .expecting(&[ASKED, MOVED, WAITS, SWEPT, FOLLOWED], "paid 3/pi_1 | pending"),
        Scenario::new(
            "looked up, paid or lost",
            while_open(),
            [following(1, thin()), perhaps_delivering(2, paid(1))],
        )
        .expecting(&[PAID, FOLLOWED, "duplicate"], "paid 3/pi_1 | pending"),
    ]
}

/// A thin event of Stripe's: it names its object, and says nothing of it.
pub(crate) fn thin() -> Notification {
    let review = Mismatch::absent(MismatchField::Payment, Some("a thin event of pi_1"));
    let report = Report { reference: a_reference(Provider::Stripe, "pi_1"), ..Report::NONE };
    Notification { payment: None, review: Some(review), report, ..paid(7) }
}

/// A payment that no sweep asks about, since there was no key when it was created, as Stripe holds
/// it now.
pub(crate) fn never_due(held: HeldPayment) -> World {
    World { providers: with_held(held).providers, ..with_a_payment() }
}

/// A payment that can still be paid, and whose first attempt a thin event is about.
pub(crate) fn while_open() -> World {
    let mut world = with_held(held(ProviderState::Open, 100));
    world.to_happen = [(payment_of(0), Happening::Pays)].into();
    world
}
