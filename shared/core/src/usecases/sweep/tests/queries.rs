//! Payments that are not paid yet: providers are asked.

use super::*;
use crate::{
    domain::{Due, Provider, ProviderRef, RefundState, Verdict},
    limits::{QUERY_AGE_MAX_MS, QUERY_FIRST_MS},
    ports::ProviderState,
    testing::{HeldPayment, HeldRefund},
    usecases::world::{a_refund, held, referring},
};
use Provider::{Alipay, Stripe, WeChat};

const ALL: [Provider; 3] = [Alipay, WeChat, Stripe];

/// A world whose payment is due to be asked about at [`first`], with a key for Stripe.
pub(super) fn pending() -> (World, PaymentId) {
    let world = World::new();
    world.give_keys(&[Stripe]);
    let created = world.create(CreatePayment { queried: true, ..request(100, None) });
    (world, created.unwrap().id)
}

/// When a new payment is asked about first.
pub(super) fn first() -> Timestamp {
    later(QUERY_FIRST_MS)
}

fn due_at(world: &World, id: PaymentId) -> Option<(u64, u32)> {
    let due = world.payment(id).due?;
    Some((due.at.millis().checked_sub(NOW_MS).unwrap(), due.attempts))
}

#[test]
fn a_payment_is_due_from_its_creation_on_where_providers_can_be_asked() {
    let (world, id) = pending();
    assert_eq!(due_at(&world, id), Some((QUERY_FIRST_MS, 0)));
    let early = run(&world, false, later(QUERY_FIRST_MS - 1)).unwrap();
    assert_eq!((early.queried, early.moved, world.passed(Call::Query)), (0, 0, 0));
    let (world, id) = World::with_payment();
    assert_eq!(world.payment(id).due, None);
}

/// No webhook came.
#[test]
fn a_payment_that_a_provider_holds_as_paid_is_paid_and_notified() {
    let (world, id) = pending();
    world.hold(Stripe, id, ProviderState::Paid);
    let done = run(&world, false, first()).unwrap();
    assert_eq!((done.moved, done.queried, done.left, done.stale), (1, 0, 0, 0));
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.due), (Status::Paid, None));
    assert_eq!((notified(&world), payment.notified_time), (1, Some(first())));
    // Nothing more is done about it.
    assert_eq!(run(&world, true, later(QUERY_AGE_MAX_MS)).unwrap().entries(), 0);
}

#[test]
fn a_payment_that_is_paid_by_a_query_waits_for_an_order_service_that_is_down() {
    let (world, id) = pending();
    world.hold(Stripe, id, ProviderState::Paid);
    world.fail(Call::NotifyPaid, Fate::Before);
    assert_eq!(run(&world, false, first()).unwrap().moved, 1);
    assert_eq!((world.payment(id).status, notified(&world)), (Status::Paid, 0));
    assert_eq!(run(&world, false, later(QUERY_FIRST_MS + 60_000)).unwrap().notified, 1);
    assert_eq!((notified(&world), world.payment(id).due), (1, None));
}

#[test]
fn a_payment_that_a_provider_closed_is_closed() {
    let (world, id) = pending();
    world.hold(Stripe, id, ProviderState::Closed);
    assert_eq!(run(&world, false, first()).unwrap().moved, 1);
    let payment = world.payment(id).coherent().unwrap();
    assert_eq!((payment.status, payment.due), (Status::Closed, None));
}

#[test]
fn a_payment_that_went_back_before_anything_was_heard_is_refunded() {
    let (world, id) = pending();
    let re_1 = crate::domain::ProviderRefund::new("re_1").unwrap();
    let refunds = vec![HeldRefund::new(re_1, 100, RefundState::Succeeded)];
    world.hold_as(Stripe, id, HeldPayment { refunds, ..held(ProviderState::Refunded) });
    assert_eq!(run(&world, false, first()).unwrap().moved, 1);
    let payment = world.payment(id).coherent().unwrap();
    assert_eq!((payment.status, payment.refunded(), payment.due), (Status::Refunded, 100, None));
}

#[test]
fn a_failed_payment_is_asked_about_as_well() {
    let (world, id) = pending();
    world.apply(&a_notification(id, Some(Outcome::Failed), 1)).unwrap();
    world.hold(Stripe, id, ProviderState::Paid);
    assert_eq!(run(&world, false, first()).unwrap().moved, 1);
    assert_eq!(world.payment(id).status, Status::Paid);
}

#[test]
fn a_payment_that_is_not_paid_yet_is_asked_about_ever_more_seldom() {
    for state in [ProviderState::Absent, ProviderState::Open] {
        let (world, id) = pending();
        world.hold(Stripe, id, state);
        let version = world.payment(id).version;
        let (mut at, mut minutes) = (first(), Vec::new());
        for attempts in 1..=8 {
            let done = run(&world, false, at).unwrap();
            assert_eq!((done.queried, done.moved, done.unknown.len()), (1, 0, 0));
            let due = world.payment(id).due.unwrap();
            assert_eq!(due.attempts, attempts);
            minutes.push(due.at.millis().checked_sub(at.millis()).unwrap() / 60_000);
            // Not before it is due again.
            assert_eq!(run(&world, false, at).unwrap().entries(), 0);
            at = due.at;
        }
        // 2, 4, 8, 16, 32 and 60 minutes, each a quarter shorter or longer.
        for (minutes, nominal) in minutes.iter().zip([2, 4, 8, 16, 32, 60, 60, 60]) {
            assert!((nominal * 3 / 4..=nominal * 5 / 4).contains(minutes), "{minutes} {nominal}");
        }
        assert_eq!(
            (world.payment(id).version, world.payment(id).status),
            (version, Status::Pending)
        );
        // It may be paid at last.
        world.hold(Stripe, id, ProviderState::Paid);
        assert_eq!(run(&world, false, at).unwrap().moved, 1);
        assert_eq!(notified(&world), 1);
    }
}

/// Sweeps when the payment is due, until `until`.
fn sweep_until(world: &World, id: PaymentId, until: Timestamp) -> Swept {
    loop {
        let at = world.payment(id).due.unwrap().at;
        let done = run(world, false, at).unwrap();
        if at > until || world.payment(id).due.is_none() {
            return done;
        }
    }
}

#[test]
fn a_payment_that_nobody_paid_is_asked_about_for_72_hours() {
    for state in [ProviderState::Absent, ProviderState::Open] {
        let (world, id) = pending();
        world.hold(Stripe, id, state);
        let done = sweep_until(&world, id, later(QUERY_AGE_MAX_MS));
        assert_eq!((done.abandoned, done.queried), (vec![id], 0));
        assert_eq!((world.payment(id).status, world.payment(id).due), (Status::Pending, None));
        let calls = world.passed(Call::Query);
        // Hourly in the end, not each minute.
        assert!((60..90).contains(&calls), "{calls}");
        assert_eq!(run(&world, true, later(2 * QUERY_AGE_MAX_MS)).unwrap().entries(), 0);
        // A webhook is applied all the same.
        world.apply(&a_notification(id, PAID, 1)).unwrap();
        assert_eq!(world.payment(id).status, Status::Paid);
    }
}

#[test]
fn a_payment_is_asked_about_up_to_its_last_hour() {
    for (age_ms, queried, abandoned) in [(QUERY_AGE_MAX_MS, 1, 0), (QUERY_AGE_MAX_MS + 1, 0, 1)] {
        let (world, id) = pending();
        world.hold(Stripe, id, ProviderState::Open);
        let done = run(&world, true, later(age_ms)).unwrap();
        assert_eq!((done.queried, done.abandoned.len()), (queried, abandoned), "{age_ms}");
    }
}

#[test]
fn a_payment_whose_end_is_not_known_is_not_abandoned() {
    let old = later(QUERY_AGE_MAX_MS + 3_600_000);
    let cases: [fn(&World, PaymentId); 4] = [
        |world, id| world.hold(Stripe, id, ProviderState::Processing),
        |world, _| world.gate.always(Call::Query, Fate::Before),
        |world, _| world.gate.always(Call::Query, Fate::Lost),
        // One says that it knows of none, and the other does not respond.
        |world, _| {
            world.give_keys(&[Stripe, Alipay]);
            world.providers.edit(|providers| providers.down.insert(Alipay));
        },
    ];
    for edit in cases {
        let (world, id) = pending();
        edit(&world, id);
        let done = run(&world, false, old).unwrap();
        assert_eq!((done.queried, done.abandoned.len()), (1, 0));
        assert!(world.payment(id).due.unwrap().at > old);
    }
}

#[test]
fn each_provider_is_asked_until_one_holds_the_payment() {
    for (holder, queries) in [(Alipay, 1), (WeChat, 2), (Stripe, 3)] {
        let (world, id) = pending();
        world.give_keys(&ALL);
        world.hold(holder, id, ProviderState::Paid);
        assert_eq!(run(&world, false, first()).unwrap().moved, 1);
        assert_eq!(world.passed(Call::Query), queries, "{holder:?}");
        assert_eq!(world.payment(id).reference.source, holder.source());
    }
}

#[test]
fn money_that_does_not_fit_is_quarantined_once_and_asked_about_further() {
    let (world, id) = pending();
    world.hold_as(Stripe, id, HeldPayment { amount_minor: 99, ..held(ProviderState::Paid) });
    sweep_until(&world, id, later(3_600_000));
    assert!(world.passed(Call::Query) > 3);
    let events = world.store.table().events;
    let verdicts: Vec<_> = events.iter().map(|event| event.verdict).collect();
    assert_eq!(verdicts, [Verdict::Quarantined]);
    assert_eq!(world.payment(id).status, Status::Pending);
}

#[test]
fn what_a_response_reports_is_shown() {
    let (world, id) = pending();
    world.hold(Stripe, id, ProviderState::Paid);
    let seen = std::cell::RefCell::new(Vec::new());
    let observe = |sent: &crate::domain::Notification,
                   applied: &Result<crate::usecases::apply::Applied, _>| {
        let verdict = applied.as_ref().map(|applied| applied.verdict).ok();
        seen.borrow_mut().push((sent.event_id.as_str().to_owned(), verdict));
    };
    let run = Run {
        now: first(),
        go_on: &|| Some(first()),
        observe: &observe,
        time_to_live: None,
        trace: &world.trace,
    };
    block_on(sweep(&world.ports(), Sweep::new(9, false).unwrap(), &run)).unwrap();
    assert_eq!(seen.into_inner(), [("query.paid.pi_1".to_owned(), Some(Verdict::Applied))]);
}

#[test]
fn a_payment_that_nobody_can_be_asked_about_is_cleared() {
    let (world, id) = pending();
    world.give_keys(&[]);
    assert_eq!(run(&world, false, first()).unwrap().stale, 1);
    assert_eq!(world.payment(id).due, None);
    // Also one whose order service was notified: nothing is left to do.
    let (world, id) = pending();
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let due = Some(Due { at: now(), attempts: 0 });
    world.store.edit(|table| table.payments.get_mut(&id).unwrap().due = due);
    assert_eq!(run(&world, false, first()).unwrap().stale, 1);
    assert_eq!((world.payment(id).due, notified(&world)), (None, 1));
    assert_eq!(world.passed(Call::Query), 0);
}

#[test]
fn a_store_that_fails_at_a_response_leaves_the_payment_due() {
    for (call, fate) in [
        (Call::Update, Fate::Before),
        (Call::Append, Fate::Before),
        (Call::Reschedule, Fate::Before),
        (Call::Reschedule, Fate::Lost),
        (Call::Clear, Fate::Before),
    ] {
        let (world, id) = pending();
        let state = if call == Call::Update { ProviderState::Paid } else { ProviderState::Open };
        world.hold(Stripe, id, state);
        let at = if call == Call::Clear { later(QUERY_AGE_MAX_MS + 1) } else { first() };
        world.fail(call, fate);
        let done = run(&world, false, at).unwrap();
        assert_eq!((done.failed.len(), done.entries()), (1, 1), "{call:?} {fate:?}");
        assert_eq!(due_at(&world, id), Some((QUERY_FIRST_MS, 0)), "{call:?} {fate:?}");
        assert_eq!(run(&world, false, at).unwrap().failed.len(), 0);
    }
}

/// Runs `meanwhile` once, just before the first call of this kind.
fn before_first(world: &World, of: Call, meanwhile: impl Fn(&World) + Send + Sync + 'static) {
    let World { store, shop, providers, .. } = world;
    let other = World {
        gate: crate::testing::Gate::default(),
        store: store.clone(),
        shop: shop.clone(),
        providers: providers.clone(),
        ids: crate::testing::SeededIds::new(2),
        trace: world.trace.clone(),
    };
    let first = std::sync::atomic::AtomicBool::new(true);
    world.gate.hook(move |call, _| {
        if call == of && first.swap(false, Relaxed) {
            meanwhile(&other);
        }
        Poll::Ready(Fate::Responded)
    });
}

/// The sweep read that it is pending; by now it is paid, and the order service could not be notified.
#[test]
fn a_webhook_between_the_sweeps_read_and_its_write_wins() {
    let paid_meanwhile = |state, write, at| {
        let (world, id) = pending();
        if state != ProviderState::Absent {
            world.hold(Stripe, id, state);
        }
        before_first(&world, write, move |world| {
            world.shop.edit(|shop| shop.orders.clear());
            world.apply(&a_notification(id, PAID, 1)).unwrap();
            world.shop.sells(uid(1), oid(1), 100);
        });
        run(&world, false, at).unwrap();
        let payment = world.payment(id).coherent().unwrap();
        assert_eq!(payment.status, Status::Paid, "{write:?}");
        (world, payment)
    };
    let old = later(QUERY_AGE_MAX_MS + 1);
    for (write, at) in [(Call::Reschedule, first()), (Call::Clear, old), (Call::Append, first())] {
        let (world, payment) = paid_meanwhile(ProviderState::Absent, write, at);
        assert!(payment.needs_notification() && payment.due.is_some(), "{write:?}");
        assert_eq!(payment.due.unwrap().attempts, 0);
        assert_eq!(
            run(&world, true, later(2 * QUERY_AGE_MAX_MS)).unwrap().notified,
            1,
            "{write:?}"
        );
    }
    // Where its own response says so as well, either of them notifies.
    let (world, payment) = paid_meanwhile(ProviderState::Paid, Call::Update, first());
    assert_eq!((notified(&world), payment.due), (1, None));
}

/// Nothing was to be asked, as it seemed: no key.
#[test]
fn a_webhook_between_the_sweeps_read_and_its_clearing_wins() {
    let (world, id) = pending();
    world.give_keys(&[]);
    before_first(&world, Call::Clear, move |world| {
        world.shop.edit(|shop| shop.orders.clear());
        world.apply(&a_notification(id, PAID, 1)).unwrap();
        world.shop.sells(uid(1), oid(1), 100);
    });
    run(&world, false, first()).unwrap();
    let payment = world.payment(id);
    assert!(payment.needs_notification() && payment.due.is_some());
}

/// Another sweep was faster.
#[test]
fn a_payment_that_was_cleared_meanwhile_stays_cleared() {
    // Before the record is read again, and after that.
    for (call, stale) in [(Call::Query, 1), (Call::Append, 0)] {
        let (world, id) = pending();
        before_first(&world, call, move |world| {
            world.store.edit(|table| table.payments.get_mut(&id).unwrap().due = None);
        });
        let done = run(&world, false, first()).unwrap();
        assert_eq!((world.payment(id).due, done.stale), (None, stale), "{call:?}");
        assert_eq!(done.entries(), 1);
    }
}

/// The webhooks come while it is due to be asked about: that costs no write of the index.
#[test]
fn a_payment_that_becomes_paid_by_a_webhook_is_notified_by_the_time_it_has() {
    let (world, id) = pending();
    world.fail(Call::NotifyPaid, Fate::Before);
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    assert_eq!(due_at(&world, id), Some((QUERY_FIRST_MS, 0)));
    assert_eq!(run(&world, false, first()).unwrap().notified, 1);
    assert_eq!(world.passed(Call::Query), 0);
}

/// A payment that was refunded in part is not asked about.
#[test]
fn a_payment_that_was_refunded_in_part_is_only_notified() {
    let (world, id) = pending();
    world.fail(Call::NotifyPaid, Fate::Before);
    let refund = a_refund(id, ("re_1", 40, RefundState::Succeeded), 1);
    let by_stripe = ProviderRef { source: Stripe.source(), txn: None };
    world.apply(&referring(refund, by_stripe)).unwrap();
    assert_eq!(run(&world, false, first()).unwrap().notified, 1);
    assert_eq!((world.payment(id).due, world.passed(Call::Query)), (None, 0));
}
