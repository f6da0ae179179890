use std::task::Poll;

use super::*;
use crate::{
    domain::{Outcome, Payment, ProviderRefund, ProviderTxn, Refunds, Verdict},
    ports::{DueItem, Outbox, ProviderState},
    testing::{Call, Fate, HeldPayment, HeldRefund, a_reference, block_on},
    usecases::{
        sweep::{Run, Sweep, Swept, sweep},
        world::{World, a_notification, now},
    },
};
use Provider::{Alipay, Stripe};
use RefundState::{Failed, Pending, Requested, Succeeded};

/// A payment of 100 that Stripe holds as paid, of which the order service was notified; it hears of refunds.
fn paid() -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.shop.edit(|shop| shop.hears_of_refunds = true);
    world.give_keys(&[Stripe]);
    world.hold(Stripe, id, ProviderState::Paid);
    world.apply(&a_notification(id, Some(Outcome::Paid), 1)).unwrap();
    (world, id)
}

fn request(id: PaymentId, amount_minor: Option<u64>, key: u8) -> RefundPayment {
    let key = Digest::new([key; 32]);
    let reason = Some(RefundReason::new("broken").unwrap());
    let body = RawBody::new(b"{}", key);
    RefundPayment { id, amount_minor, key, reason, sender: Sender::Native, body }
}

fn ask(world: &World, request: &RefundPayment) -> Result<Carried, RefundError> {
    ask_while(world, request, &|| true)
}

/// The same, with calls that start only while this is true.
fn ask_while(
    world: &World,
    request: &RefundPayment,
    may_start: &dyn Fn() -> bool,
) -> Result<Carried, RefundError> {
    let how: (Observe<'_>, _) = (&|_, _| (), may_start);
    block_on(refund(&world.ports(), request, how, now(), &world.trace))
}

/// Where the refund of this key stands.
fn kept(world: &World, id: PaymentId, key: u8) -> Refund {
    let id = (id, RefundId::requested(RefundReference::new(id, Digest::new([key; 32]))));
    world.store.table().refunds.get(&id).unwrap().clone()
}

/// The amounts of the record: what went back, and what is reserved.
fn amounts(world: &World, id: PaymentId) -> (u64, u64) {
    let Payment { refunds, .. } = world.payment(id);
    (refunds.refunded(), refunds.pending)
}

fn held(world: &World, id: PaymentId) -> Vec<(u64, RefundState)> {
    let refunds = world.providers.edit(|providers| providers.held[&(Stripe, id)].refunds.clone());
    refunds.iter().map(|refund| (refund.amount_minor, refund.state)).collect()
}

fn run(world: &World) -> Swept {
    world.swept(now().plus_millis(3_600_000), true, None)
}

fn due(world: &World) -> Vec<DueItem> {
    block_on(world.store.due_items(None, 9)).unwrap()
}

#[test]
fn a_refund_of_a_part_and_of_the_rest_ends_as_refunded() {
    let (world, id) = paid();
    let part = ask(&world, &request(id, Some(30), 1)).unwrap().refund;
    assert_eq!((part.state, part.amount_minor, part.due), (Succeeded, 30, None));
    assert_eq!(part.provider_refund.unwrap().as_str(), "re_1");
    assert_eq!((amounts(&world, id), world.payment(id).status), ((30, 0), Status::Paid));
    let rest = ask(&world, &request(id, None, 2)).unwrap().refund;
    assert_eq!((rest.state, rest.amount_minor), (Succeeded, 70));
    assert_eq!((amounts(&world, id), world.payment(id).status), ((100, 0), Status::Refunded));
    assert_eq!(held(&world, id), [(30, Succeeded), (70, Succeeded)]);
    let heard: Vec<_> = world.shop.state().refunds.into_values().collect();
    assert!(heard.len() == 2 && heard.contains(&(id, 30)) && heard.contains(&(id, 70)));
    assert_eq!(due(&world), []);
}

#[test]
fn a_key_is_one_refund() {
    let (world, id) = paid();
    let first = ask(&world, &request(id, Some(30), 1)).unwrap().refund;
    for repeat in [Some(30), None] {
        assert_eq!(ask(&world, &request(id, repeat, 1)).unwrap().refund, kept(&world, id, 1));
    }
    assert_eq!(first.id, kept(&world, id, 1).id);
    assert!(matches!(ask(&world, &request(id, Some(31), 1)), Err(RefundError::KeyReused)));
    assert_eq!((held(&world, id), world.passed(Call::MakeRefund)), (vec![(30, Succeeded)], 1));
}

/// What is reserved counts as gone: the second one makes no call.
#[test]
fn of_two_refunds_of_60_one_is_reserved() {
    let (world, id) = paid();
    world.fail(Call::MakeRefund, Fate::Before);
    let first = ask(&world, &request(id, Some(60), 1)).unwrap();
    assert_eq!((first.refund.state, first.unknown.is_some()), (Requested, true));
    assert_eq!(amounts(&world, id), (0, 60));
    assert!(matches!(ask(&world, &request(id, Some(60), 2)), Err(RefundError::ExceedsPayment)));
    assert_eq!(world.passed(Call::MakeRefund), 1);
    assert_eq!(due(&world).len(), 1);
}

/// Whether the provider made it or not, one refund is there in the end.
#[test]
fn an_unknown_outcome_is_found_out_by_its_reference() {
    for (fate, calls) in [(Fate::After, 1), (Fate::Before, 2)] {
        for by_sweep in [true, false] {
            let (world, id) = paid();
            world.fail(Call::MakeRefund, fate);
            assert_eq!(ask(&world, &request(id, Some(60), 1)).unwrap().refund.state, Requested);
            if by_sweep {
                assert_eq!(run(&world).moved, 1);
            } else {
                let repeated = ask(&world, &request(id, Some(60), 1)).unwrap().refund;
                assert_eq!(repeated.state, Succeeded);
            }
            assert_eq!((held(&world, id), amounts(&world, id)), (vec![(60, Succeeded)], (60, 0)));
            assert_eq!((world.passed(Call::MakeRefund), due(&world)), (calls, vec![]), "{fate:?}");
        }
    }
}

/// A payment of 100 that Alipay holds as paid, which says what went back in all when a refund is requested. Of it
/// 20 went back by hand, and we have not heard of them.
fn paid_at_alipay() -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.give_keys(&[Alipay]);
    let txn = ProviderTxn::new("tr_1").ok();
    let mut held = HeldPayment::new(ProviderState::Paid, txn, 100);
    held.reports_total = true;
    held.refunds.push(HeldRefund::new(ProviderRefund::new("al_x").unwrap(), 20, Succeeded));
    world.hold_as(Alipay, id, held);
    let mut paid = a_notification(id, Some(Outcome::Paid), 1);
    paid.report.reference = a_reference(Alipay, "tr_1");
    world.apply(&Notification { sender: Alipay.into(), ..paid }).unwrap();
    (world, id)
}

/// The query says that it succeeded, and not what went back in all: the same request again does.
#[test]
fn a_success_that_is_found_out_is_followed_by_what_went_back_in_all() {
    for by_sweep in [true, false] {
        let (world, id) = paid_at_alipay();
        world.fail(Call::MakeRefund, Fate::After);
        assert_eq!(ask(&world, &request(id, Some(60), 1)).unwrap().refund.state, Requested);
        if by_sweep {
            assert_eq!(run(&world).moved, 1);
        } else {
            let carried = ask(&world, &request(id, Some(60), 1)).unwrap();
            assert_eq!((carried.refund.state, carried.unknown.is_none()), (Succeeded, true));
        }
        let refunds = world.payment(id).refunds;
        assert_eq!(refunds, Refunds { sum: 60, total: 80, pending: 0 });
        assert_eq!((kept(&world, id, 1).state, world.passed(Call::MakeRefund)), (Succeeded, 2));
        let made = world.providers.edit(|held| held.held[&(Alipay, id)].refunded());
        assert_eq!(made, 80);
    }
}

/// It is the refund of that key whatever comes of it; without time, and of a provider that reports each refund,
/// it is not sent again.
#[test]
fn a_total_that_is_not_read_changes_nothing() {
    for fate in [Fate::Before, Fate::After] {
        let (world, id) = paid_at_alipay();
        world.gate.script(Call::MakeRefund, [Fate::After, fate]);
        ask(&world, &request(id, Some(60), 1)).unwrap();
        let carried = ask(&world, &request(id, Some(60), 1)).unwrap();
        assert_eq!((carried.refund.state, carried.unknown.is_some()), (Succeeded, true));
        assert_eq!(amounts(&world, id), (60, 0));
    }
    let (world, id) = paid_at_alipay();
    world.fail(Call::MakeRefund, Fate::After);
    ask(&world, &request(id, Some(60), 1)).unwrap();
    let queried = || world.passed(Call::Query) == 0;
    let carried = ask_while(&world, &request(id, Some(60), 1), &queried).unwrap();
    assert_eq!((carried.refund.state, carried.unknown.is_none()), (Succeeded, true));
    assert_eq!(world.passed(Call::MakeRefund), 1);
    // What it refuses was made all the same.
    let (world, id) = paid_at_alipay();
    world.fail(Call::MakeRefund, Fate::After);
    ask(&world, &request(id, Some(60), 1)).unwrap();
    let refuses = |held: &mut HeldPayment| held.refuses_repeats = true;
    world.providers.edit(|held| refuses(held.held.get_mut(&(Alipay, id)).unwrap()));
    let carried = ask(&world, &request(id, Some(60), 1)).unwrap();
    assert_eq!((carried.refund.state, carried.refused), (Succeeded, None));
    assert!(matches!(carried.unknown, Some(QueryError::Unusable(_))));
}

/// A repeat never sends what it had no time to ask about.
#[test]
fn no_call_starts_without_time_for_its_response() {
    let counted = |most: usize| {
        let started = std::cell::Cell::new(0);
        move || {
            started.set(started.get() + 1);
            started.get() <= most
        }
    };
    let (world, id) = paid();
    let calls = || (world.passed(Call::Query), world.passed(Call::MakeRefund));
    let state = |most, key| {
        let asked = ask_while(&world, &request(id, Some(30), key), &counted(most)).unwrap();
        assert!(asked.unknown.is_none());
        asked.refund.state
    };
    assert_eq!((state(0, 1), calls()), (Requested, (0, 0)));
    assert_eq!((state(0, 1), calls()), (Requested, (0, 0)));
    // It is asked about, and not sent.
    assert_eq!((state(1, 1), calls()), (Requested, (1, 0)));
    assert_eq!((amounts(&world, id), due(&world).len()), ((0, 30), 1));
    assert_eq!((state(2, 1), calls()), (Succeeded, (2, 1)));
    // Refused, and not asked about: it stays reserved, and the sweep learns that it is not there.
    world.providers.edit(|providers| {
        let held = providers.held.get_mut(&(Stripe, id)).unwrap();
        held.refunds.push(HeldRefund::new(ProviderRefund::new("re_x").unwrap(), 60, Succeeded));
    });
    assert_eq!((state(2, 2), calls()), (Requested, (2, 2)));
    assert_eq!(amounts(&world, id), (30, 30));
    assert_eq!((run(&world).moved, kept(&world, id, 2).state), (1, Failed));
    assert_eq!((amounts(&world, id), due(&world)), ((30, 0), vec![]));
}

/// A sweep whose time is over leaves the rest to the next one.
#[test]
fn a_sweep_starts_no_call_without_time_for_its_response() {
    let (world, id) = paid();
    ask_while(&world, &request(id, Some(30), 1), &|| false).unwrap();
    let at = now().plus_millis(3_600_000);
    // Until the first call to the provider has begun.
    let go_on = || (world.passed(Call::Query) == 0).then_some(at);
    let run = Run {
        now: at,
        go_on: &go_on,
        observe: &|_, _| (),
        time_to_live: None,
        trace: &world.trace,
    };
    block_on(sweep(&world.ports(), Sweep::new(100, true).unwrap(), &run)).unwrap();
    assert_eq!((world.passed(Call::Query), world.passed(Call::MakeRefund)), (1, 0));
    assert_eq!(kept(&world, id, 1).state, Requested);
    assert_eq!(due(&world).len(), 1);
}

#[test]
fn while_a_provider_does_not_say_it_is_asked_and_nothing_is_sent() {
    let (world, id) = paid();
    world.fail(Call::MakeRefund, Fate::After);
    ask(&world, &request(id, Some(60), 1)).unwrap();
    world.fail(Call::Query, Fate::Before);
    let swept = run(&world);
    assert_eq!((swept.queried, swept.unknown.len()), (1, 1));
    assert_eq!((world.passed(Call::MakeRefund), kept(&world, id, 1).state), (1, Requested));
    assert_eq!(kept(&world, id, 1).due.unwrap().attempts, 1);
    assert_eq!(run(&world).moved, 1);
}

#[test]
fn a_refund_that_is_refused_and_not_there_releases_its_reservation() {
    let (world, id) = paid();
    // Somebody has given 60 back at the provider, and we have not heard of it.
    world.providers.edit(|providers| {
        let held = providers.held.get_mut(&(Stripe, id)).unwrap();
        let other = ProviderRefund::new("re_x").unwrap();
        held.refunds.push(HeldRefund::new(other, 60, Succeeded));
    });
    let refused = ask(&world, &request(id, Some(60), 1));
    assert!(matches!(refused, Err(RefundError::Refused(code)) if code == "REFUND_REFUSED"));
    assert_eq!((kept(&world, id, 1).state, amounts(&world, id)), (Failed, (0, 0)));
    assert_eq!(kept(&world, id, 1).provider_refund, None);
    assert_eq!(due(&world), []);
    // The same key says what became of it; another one is another refund.
    assert_eq!(ask(&world, &request(id, Some(60), 1)).unwrap().refund.state, Failed);
    assert_eq!(ask(&world, &request(id, Some(40), 2)).unwrap().refund.state, Succeeded);
}

/// A sweep sends it again where another refund in the console has failed, before it is written that it was refused.
#[test]
fn a_request_that_was_refused_undoes_no_refund_that_was_made_meanwhile() {
    let (world, id) = paid();
    world.providers.edit(|providers| {
        let held = providers.held.get_mut(&(Stripe, id)).unwrap();
        let other = ProviderRefund::new("re_x").unwrap();
        held.refunds.push(HeldRefund::new(other, 60, Succeeded));
    });
    let (store, gate) = (world.store.clone(), world.gate.clone());
    world.gate.hook(move |call, _| {
        let refused_and_absent = gate.passed().last() == Some(&Call::Query);
        if call == Call::Payment && refused_and_absent {
            store.edit(|table| {
                let payment = table.payments.get_mut(&id).unwrap();
                payment.refunds = Refunds { sum: 60, ..Refunds::NONE };
                payment.version += 1;
                let refund = table.refunds.values_mut().next().unwrap();
                refund.state = Succeeded;
                refund.provider_refund = Some(ProviderRefund::new("re_1").unwrap());
            });
        }
        Poll::Ready(Fate::Responded)
    });
    let carried = ask(&world, &request(id, Some(60), 1)).unwrap();
    assert_eq!((carried.refund.state, carried.refused), (Succeeded, None));
    assert_eq!((kept(&world, id, 1).state, amounts(&world, id)), (Succeeded, (60, 0)));
}

#[test]
fn a_pending_refund_stays_reserved_until_it_comes_to_an_end() {
    for (end, refunded) in [(Succeeded, 60), (Failed, 0)] {
        let (world, id) = paid();
        let set = |state| {
            world.providers.edit(|providers| {
                let held = providers.held.get_mut(&(Stripe, id)).unwrap();
                held.refunds_as = state;
                held.refunds.iter_mut().for_each(|refund| refund.state = state);
            });
        };
        set(Pending);
        assert_eq!(ask(&world, &request(id, Some(60), 1)).unwrap().refund.state, Pending);
        assert_eq!((amounts(&world, id), due(&world).len()), ((0, 60), 1));
        assert_eq!(run(&world).queried, 1);
        set(end);
        assert_eq!(run(&world).moved, 1);
        assert_eq!((kept(&world, id, 1).state, amounts(&world, id)), (end, (refunded, 0)));
        assert_eq!((world.passed(Call::MakeRefund), due(&world)), (1, vec![]));
    }
}

#[test]
fn the_order_service_hears_of_a_refund_after_it_knows_that_it_was_paid() {
    let (world, id) = World::with_payment();
    world.shop.edit(|shop| shop.hears_of_refunds = true);
    world.give_keys(&[Stripe]);
    world.hold(Stripe, id, ProviderState::Paid);
    world.gate.always(Call::NotifyPaid, Fate::Before);
    world.apply(&a_notification(id, Some(Outcome::Paid), 1)).unwrap();
    ask(&world, &request(id, Some(60), 1)).unwrap();
    run(&world);
    assert_eq!((world.passed(Call::NotifyRefunded), kept(&world, id, 1).state), (0, Succeeded));
    assert!(kept(&world, id, 1).due.is_some());
    world.gate.always(Call::NotifyPaid, Fate::Responded);
    world.gate.script(Call::NotifyRefunded, [Fate::After, Fate::After]);
    for _ in 0..4 {
        run(&world);
    }
    assert_eq!((world.shop.state().refunds.len(), due(&world)), (1, vec![]));
}

#[test]
fn a_reservation_is_kept_with_who_asked_and_why() {
    let (world, id) = paid();
    ask(&world, &request(id, Some(30), 1)).unwrap();
    let events = world.store.table().events;
    let name = format!("refund.{}", kept(&world, id, 1).id.as_str());
    let event = events.iter().find(|event| event.id.as_str() == name).unwrap();
    assert_eq!(
        (event.sender, event.verdict, event.version),
        (Sender::Native, Verdict::Noted, Some(3))
    );
    assert_eq!(kept(&world, id, 1).request.unwrap().reason.unwrap().as_str(), "broken");
}

mod rejected;
