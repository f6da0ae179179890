//! Broken variants of the service: each is caught by the invariant that it breaks.

mod checkouts;

use pay_core::{
    domain::{Due, Notification, Outcome, Provider, ProviderTxn, RefundState},
    ports::ProviderState,
    testing::{HeldPayment, OrderPaidCall, a_notification, a_total},
    usecases::create::{CreatePayment, CreatedPayment},
};

use super::{
    actor::{Actor, When},
    bugs::{
        Bug, StoreBug, clears_the_outbox, clears_what_changed, counts_refunds_again,
        creates_unguarded, lowers_by_a_query, overwrites_events, overwrites_records,
        replaces_any_payment, reserves_unconditioned, resolves_again, writes_due_back,
    },
    client::ClientResponse,
    explore::Explorer,
    invariants::{check_recovered, check_response, check_world},
    scenario::{
        Scenario, after, asking, creating, delivering, following, giving_back, id, oid, payment_of,
        refunding, request, shop, sweeping, time,
    },
    scenarios::{
        checkouts::all_asking,
        hints::{never_due, thin, while_open},
        later::refunded_and_lost,
        paid, paid_second,
        quarantined::{SECOND, SECOND_AGAIN, paid_twice},
        queries::{held, no_key, with_a_truth},
        refunds::{one, paid_and_unlisted, paid_before, unnamed},
        requested::{refundable, refundable_and_due, repeats_refused, webhook},
        with_a_closed_payment, with_a_payment, with_two_due,
    },
    schedule,
    world::Happening,
};

/// Finds the schedule with the fewest faults that breaks the invariant, and breaks it again by a
/// replay. Without the bug nothing is broken.
fn assert_breaks(invariant: &str, broken_variant: &Scenario) {
    let name = broken_variant.name;
    let actors = broken_variant.actors.iter().map(|actor| Actor { bug: None, ..actor.clone() });
    let sound = Scenario { store_bug: None, actors: actors.collect(), ..broken_variant.clone() };
    let explored = Explorer::new(&sound, sound.faults.min(1)).explore();
    assert!(explored.is_ok(), "{name}: {explored:?}");

    let found = (0..=2).find_map(|faults| Explorer::new(broken_variant, faults).explore().err());
    let (broken, path) = found.unwrap_or_else(|| panic!("{name}: not caught"));
    assert_eq!(broken.invariant, invariant, "{name}: {broken}");
    let text = schedule::text(&path);
    println!("{name}: {invariant} by {text}");
    let again = Explorer::new(broken_variant, 2).follow(&text, &mut |_| {});
    assert_eq!(again, Err(broken), "{name}");
}

/// A failed payment with the event id of [`paid`].
fn failed_with_its_event_id() -> Notification {
    let failed = a_notification(payment_of(0), Outcome::Failed, 2);
    Notification { event_id: paid(1).event_id, ..failed }
}

/// Ways to ask providers and to count refunds with a bug, each with the invariant that it breaks.
fn queries() -> [(&'static str, Scenario); 4] {
    let asked = |name, world, bug| Scenario::new(name, world, [asking(1).with_bug(bug)]);
    // The payment that is asked about is not paid, another one is.
    let mut other_is_paid = with_a_truth(&[]);
    let txn = ProviderTxn::new("pi_2").ok();
    let held = HeldPayment::new(ProviderState::Paid, txn, 100);
    other_is_paid.providers.held.insert((Provider::Stripe, payment_of(1)), held);
    let second = CreatePayment { oid: oid(2), ..request(100, None) };
    let other = [creating(1, second), delivering(2, paid_second())];
    let other_is_paid = after(other_is_paid, &other);
    let refunds = [
        delivering(1, one("re_1", 25, 2)),
        delivering(2, a_total(payment_of(0), 50, 3)).with_bug(Bug::AddsTotals),
        delivering(3, one("re_2", 25, 4)).with_bug(Bug::AddsTotals),
    ];
    [
        (
            "I24",
            asked(
                "takes absent for closed",
                with_a_truth(&[Happening::Opens]),
                Bug::TakesAbsentForClosed,
            ),
        ),
        (
            "I11",
            asked("believes unsigned", with_a_truth(&[Happening::Opens]), Bug::BelievesUnsigned),
        ),
        ("I11", asked("applies to the asked", other_is_paid, Bug::AppliesToTheAsked)),
        ("I21", Scenario::new("adds totals", paid_before(), refunds)),
    ]
}

/// Ways to follow a message and to find its payment with a bug, each with the invariant that it
/// breaks.
fn hints() -> [(&'static str, Scenario); 3] {
    let followed =
        |name, world, bug| Scenario::new(name, world, [following(1, thin()).with_bug(bug)]);
    let is_paid = never_due(held(ProviderState::Paid, 100));
    let refund = delivering(1, unnamed(one("re_1", 40, 2)));
    let for_others = refund.with_bug(Bug::TakesUnmatchedForOthers);
    [
        ("I23", followed("takes no response for open", is_paid, Bug::TakesNoResponseForOpen)),
        ("I11", followed("believes the hint", while_open(), Bug::BelievesTheHint)),
        ("I4", Scenario::new("takes unmatched for others", paid_and_unlisted(), [for_others])),
    ]
}

/// Refunds that are requested with a bug, each with the invariant that it breaks.
fn requested() -> [(&'static str, Scenario); 7] {
    let refund = |name, world, bug| Scenario::new(name, world, [refunding(1, 40, 1).with_bug(bug)]);
    let beside_another = [refunding(1, 40, 1), refunding(2, 40, 1).with_bug(Bug::TrustsRefused)];
    let a_day_later = asking(2).at(When::Forgotten).with_bug(Bug::SendsUnasked);
    [
        ("I22", Scenario::new("sends unasked", refunded_and_lost(), [a_day_later])),
        ("I25", refund("calls before it reserves", refundable(), Bug::CallsBeforeItReserves)),
        ("I22", refund("new reference on repeat", refundable(), Bug::NewReferenceOnRepeat)),
        ("I22", refund("releases on unknown", refundable(), Bug::ReleasesOnUnknown)),
        ("I22", Scenario::new("trusts that it is refused", repeats_refused(), beside_another)),
        (
            "I7",
            refund("notifies of refunds first", refundable_and_due(), Bug::NotifiesOfRefundsFirst),
        ),
        (
            "I8",
            refund(
                "ignores failed notification of a refund",
                refundable(),
                Bug::IgnoresFailedNotification,
            ),
        ),
    ]
}

/// Money in quarantine that is given back with a bug, each with the invariant that it breaks.
fn quarantined() -> [(&'static str, Scenario); 3] {
    let given_back = || after(paid_twice(&[80]), &[giving_back(7, SECOND)]);
    let asked = |name, bug| Scenario::new(name, given_back(), [all_asking(1).with_bug(bug)]);
    let of_notification = giving_back(2, SECOND_AGAIN).with_bug(Bug::KeysByNotification);
    [
        ("I25", asked("other reference of quarantined", Bug::OtherReferenceOfQuarantined)),
        ("I21", asked("counts quarantined", Bug::CountsQuarantined)),
        (
            "I22",
            Scenario::new(
                "keys by notification",
                paid_twice(&[80, 81]),
                [giving_back(1, SECOND), of_notification],
            ),
        ),
    ]
}

/// Stores with a bug that requests to refund meet, each with the invariant that it breaks.
fn stores_of_refunds() -> [(&'static str, StoreBug, Scenario); 2] {
    let both = [refunding(1, 60, 1), refunding(2, 60, 2)];
    let heard = [refunding(1, 40, 1), delivering(2, webhook(2, 40, RefundState::Succeeded))];
    [
        (
            "I21",
            reserves_unconditioned,
            Scenario::new("reserves unconditioned", refundable(), both),
        ),
        ("I21", resolves_again, Scenario::new("resolves again", refundable(), heard)),
    ]
}

/// Use cases with a bug, each with the invariant that it breaks.
fn use_cases() -> [(&'static str, Scenario); 8] {
    let [keyed, unkeyed] = [Some(1), None].map(|key| request(100, key));
    let create = |request, bug| creating(1, request).with_bug(bug);
    let deliver = |bug| delivering(2, paid(1)).with_bug(bug);
    let closed = delivering(9, a_notification(payment_of(0), Outcome::Closed, 90));
    let closed_with_a_key = after(shop(), &[creating(0, keyed), closed]);
    let new_is_paid = delivering(2, a_notification(payment_of(1), Outcome::Paid, 1));
    let late = [creating(1, unkeyed), deliver(Bug::SkipsGuard)];
    let early = [create(keyed, Bug::RejectsBeforeTheGuard), new_is_paid];
    let again = [delivering(1, failed_with_its_event_id()), deliver(Bug::TrustsTheEventLog)];
    let unsure = [create(unkeyed, Bug::AssumesSuccess)];
    let replacing = [create(keyed, Bug::IgnoresKeys)];
    let pending = |name, bug| Scenario::new(name, with_a_payment(), [deliver(bug)]);
    [
        ("I1", Scenario::new("skips the guard", with_a_closed_payment(), late)),
        ("I2", Scenario::new("ignores keys", closed_with_a_key, replacing)),
        ("I4", Scenario::new("assumes success", shop(), unsure)),
        ("I4", Scenario::new("trusts the event log", with_a_payment(), again)),
        ("I5", Scenario::new("rejects before the guard", shop(), early)),
        ("I7", pending("notifies first", Bug::NotifiesFirst)),
        ("I8", pending("ignores failed notification", Bug::IgnoresFailedNotification)),
        ("I9", pending("duplicate is silent", Bug::DuplicateIsSilent)),
    ]
}

/// Stores with a bug, each with the invariant that it breaks.
fn stores() -> [(&'static str, StoreBug, Scenario); 9] {
    let unkeyed = request(100, None);
    let twice = [creating(1, unkeyed), creating(2, unkeyed)];
    let late = [creating(1, unkeyed), delivering(2, paid(1))];
    let elsewhere = CreatePayment { oid: oid(2), ..unkeyed };
    let one_id = [creating(1, unkeyed), creating(2, elsewhere)];
    let one_id = one_id.map(|actor| actor.with_first_id(id(7)));
    let one_event = [delivering(1, failed_with_its_event_id()), delivering(2, paid(1))];
    let refunded = delivering(2, a_notification(payment_of(0), Outcome::Refunded, 2));
    let swept = [delivering(1, paid(1)), refunded, sweeping(3)];
    let meanwhile = [sweeping(1), delivering(2, paid(1))];
    let (opens, asked) =
        (with_a_truth(&[Happening::Opens, Happening::Pays]), [asking(1), delivering(2, paid(1))]);
    let refunded = [1, 2].map(|number| delivering(number, one("re_1", 40, 2)));
    let (closed, pending, due) = (with_a_closed_payment(), with_a_payment, with_two_due());
    [
        ("I1", replaces_any_payment, Scenario::new("replaces any payment", closed, late)),
        ("I1", creates_unguarded, Scenario::new("creates unguarded", shop(), twice)),
        ("I3", overwrites_records, Scenario::new("overwrites records", shop(), one_id)),
        ("I6", overwrites_events, Scenario::new("overwrites events", pending(), one_event)),
        ("I6", writes_due_back, Scenario::new("writes due back", pending(), swept)),
        ("I8", clears_the_outbox, Scenario::new("clears the outbox", due, [sweeping(1)])),
        ("I8", clears_what_changed, Scenario::new("clears what changed", no_key(), meanwhile)),
        ("I6", lowers_by_a_query, Scenario::new("lowers by a query", opens, asked)),
        (
            "I21",
            counts_refunds_again,
            Scenario::new("counts refunds again", paid_before(), refunded),
        ),
    ]
}

#[test]
fn every_bug_of_a_use_case_is_caught() {
    for (invariant, broken_variant) in use_cases() {
        assert_breaks(invariant, &broken_variant);
    }
}

#[test]
fn every_bug_of_a_query_or_a_refund_is_caught() {
    for (invariant, broken_variant) in queries() {
        assert_breaks(invariant, &broken_variant);
    }
}

#[test]
fn every_bug_of_a_hint_is_caught() {
    for (invariant, broken_variant) in hints() {
        assert_breaks(invariant, &broken_variant);
    }
}

#[test]
fn every_bug_of_a_requested_refund_is_caught() {
    for (invariant, broken_variant) in requested() {
        assert_breaks(invariant, &broken_variant);
    }
}

#[test]
fn every_bug_of_money_that_is_given_back_is_caught() {
    for (invariant, broken_variant) in quarantined() {
        assert_breaks(invariant, &broken_variant);
    }
}

#[test]
fn every_bug_of_a_checkout_or_a_close_is_caught() {
    for (invariant, broken_variant) in checkouts::use_cases() {
        assert_breaks(invariant, &broken_variant);
    }
    for (invariant, bug, scenario) in checkouts::stores() {
        assert_breaks(invariant, &Scenario { store_bug: Some(bug), ..scenario });
    }
}

#[test]
fn every_bug_of_a_store_is_caught() {
    for (invariant, bug, scenario) in stores().into_iter().chain(stores_of_refunds()) {
        assert_breaks(invariant, &Scenario { store_bug: Some(bug), ..scenario });
    }
}

/// No single bug leads there, since it breaks another invariant first.
#[test]
fn an_order_paid_by_two_payments() {
    let mut world = shop();
    for number in [1, 2] {
        let CreatePayment { uid, oid, amount, .. } = request(100, None);
        world.shop.notify(OrderPaidCall { payment: id(number), oid, uid, amount });
    }
    assert_eq!(check_world(&world).unwrap_err().invariant, "I10");
}

/// Sweeps would repair both.
#[test]
fn a_refund_that_stays_due_and_one_that_stays_reserved() {
    let world = after(refundable(), &[refunding(1, 40, 1)]);
    let refund_is = |state, due| {
        let mut world = world.clone();
        let refund = world.table.refunds.values_mut().next().unwrap();
        (refund.state, refund.due) = (state, due);
        check_recovered(&world).map_err(|broken| broken.invariant)
    };
    let due = Some(Due::after_grace(time(1, 0)));
    assert_eq!(refund_is(RefundState::Succeeded, None), Ok(()));
    assert_eq!(refund_is(RefundState::Succeeded, due), Err("I9"));
    assert_eq!(refund_is(RefundState::Requested, due), Err("I22"));
}

#[test]
fn one_payment_created_for_two_requests_and_two_for_one_key() {
    let second = CreatePayment { oid: oid(2), ..request(100, Some(1)) };
    let world = after(with_a_payment(), &[creating(1, second)]);
    let checked = |first, second, replayed| {
        let [first, second] = [first, second].map(|id| {
            let oid = world.table.payments[&id].oid;
            let request = CreatePayment { oid, ..request(100, Some(1)) };
            ClientResponse::Create(request, Ok(CreatedPayment { id, replayed }))
        });
        check_response(&world, &second, [&first].into_iter())
    };
    let (one, other) = (payment_of(0), payment_of(1));
    assert_eq!(checked(one, one, true), Ok(()));
    assert_eq!(checked(one, other, false), Ok(()));
    assert_eq!(checked(one, one, false).unwrap_err().invariant, "I2");
}
