mod unknown;

use super::*;
use crate::{
    domain::{Money, OrderId, PaymentId, ProviderTxn, Source, Status},
    testing::{Call, Fate, Table},
    usecases::world::{NOW_MS, World, a_notice, oid, request, stripe, uid},
};

const PAID: Report = Report::Outcome(Outcome::Paid);

fn misfit(outcome: Result<Received, CallbackError>) -> Misfit {
    match outcome {
        Err(CallbackError::Misfit(misfit)) => misfit,
        other => panic!("{other:?}"),
    }
}

fn verdict(outcome: Result<Received, CallbackError>) -> Verdict {
    outcome.unwrap().verdict
}

/// The verdicts in the event log, in order.
fn logged(world: &World) -> Vec<Verdict> {
    world.store.table().events.iter().map(|event| event.verdict).collect()
}

fn times_told(world: &World) -> usize {
    world.shop.state().calls.len()
}

#[test]
fn paid_money_moves_the_record_and_tells_the_order() {
    let (world, id) = World::with_payment();
    let received = world.callback(&a_notice(id, PAID, 1)).unwrap();
    assert_eq!(received.verdict, Verdict::Applied);
    assert!(matches!(received.telling, Telling::Done));
    let payment = world.payment(id);
    assert_eq!((received.record.version, received.record.status), (payment.version, Status::Paid));
    assert_eq!((payment.status, payment.money.clone()), (Status::Paid, stripe("pi_1")));
    assert_eq!((payment.work, payment.told_at.unwrap().millis()), (None, NOW_MS));
    let shop = world.shop.state();
    assert!(shop.orders.get(&oid(1)).unwrap().paid);
    assert_eq!((shop.calls[0].payment, shop.calls[0].oid), (id, oid(1)));
}

#[test]
fn only_paid_money_tells_the_order() {
    for outcome in [Outcome::Failed, Outcome::Closed, Outcome::Refunded] {
        let (world, id) = World::with_payment();
        let notice = a_notice(id, Report::Outcome(outcome), 1);
        assert_eq!(verdict(world.callback(&notice)), Verdict::Applied);
        assert_eq!((times_told(&world), world.payment(id).work), (0, None), "{outcome:?}");
    }
}

#[test]
fn the_same_message_again_changes_nothing() {
    let (world, id) = World::with_payment();
    let notice = a_notice(id, PAID, 1);
    world.callback(&notice).unwrap();
    let before = world.store.table();
    for _ in 0..3 {
        assert_eq!(verdict(world.callback(&notice)), Verdict::Repeat);
    }
    assert_eq!(world.store.table(), before);
    assert_eq!(times_told(&world), 1);
}

#[test]
fn a_repeat_tells_an_order_that_was_not_told() {
    let (world, id) = World::with_payment();
    world.fail(Call::TellPaid, Fate::Before);
    let notice = a_notice(id, PAID, 1);
    let received = world.callback(&notice).unwrap();
    assert!(matches!(received.telling, Telling::Failed(_)), "{received:?}");
    let payment = world.payment(id);
    assert_eq!(
        (payment.status, payment.work.unwrap().due.millis()),
        (Status::Paid, NOW_MS + 60_000)
    );
    let received = world.callback(&notice).unwrap();
    assert!(matches!(received.telling, Telling::Done));
    assert_eq!((times_told(&world), world.payment(id).work), (1, None));
}

#[test]
fn a_telling_that_cannot_be_cleared_is_done_again_later() {
    let (world, id) = World::with_payment();
    world.fail(Call::Told, Fate::Before);
    let received = world.callback(&a_notice(id, PAID, 1)).unwrap();
    assert!(matches!(received.telling, Telling::Uncleared(_)));
    assert!(world.payment(id).work.is_some());
    world.callback(&a_notice(id, PAID, 1)).unwrap();
    assert_eq!(world.shop.state().effects.len(), 1);
    assert_eq!(world.payment(id).work, None);
}

#[test]
fn an_order_that_is_gone_stays_in_the_work_list() {
    let (world, id) = World::with_payment();
    world.shop.edit(|shop| shop.orders.clear());
    let received = world.callback(&a_notice(id, PAID, 1)).unwrap();
    assert!(matches!(received.telling, Telling::Failed(ShopError::Absent)), "{received:?}");
    assert!(world.payment(id).work.is_some());
}

/// Each way in which a message can fail to fit, and what it is parked for.
fn misfits(good: &Notice) -> [(Notice, Misfit); 10] {
    let amount = |minor| Notice { amount_minor: Some(minor), ..good.clone() };
    let euros = |notice| Notice { currency: Some("EUR".into()), ..notice };
    let claims = |uid, oid| Notice { claims: Some(Claims { uid, oid }), ..good.clone() };
    [
        (amount(99), Misfit::AmountMismatch),
        (euros(good.clone()), Misfit::RecordMismatch),
        (claims(uid(1), oid(2)), Misfit::RecordMismatch),
        (claims(uid(2), oid(1)), Misfit::RecordMismatch),
        (claims(uid(7), oid(1)), Misfit::UserNotFound),
        (claims(uid(1), oid(7)), Misfit::OrderNotFound),
        (Notice { foreign: true, ..good.clone() }, Misfit::RecordMismatch),
        // A provider that does not say how much, or of what.
        (Notice { amount_minor: None, claims: None, ..good.clone() }, Misfit::AmountMismatch),
        (Notice { currency: None, claims: None, ..good.clone() }, Misfit::RecordMismatch),
        // The amount comes first.
        (euros(amount(99)), Misfit::AmountMismatch),
    ]
}

#[test]
fn a_message_that_does_not_fit_is_parked_and_changes_nothing() {
    let (world, id) = World::with_payment();
    world.shop.sells(uid(2), oid(2), 100);
    let good = a_notice(id, PAID, 1);
    for (name, (notice, want)) in (10..).zip(misfits(&good)) {
        let Notice { event_id, body, .. } = a_notice(id, PAID, name);
        let notice = Notice { event_id, body, ..notice };
        assert_eq!(misfit(world.callback(&notice)), want);
        let event = world.store.table().events.last().unwrap().clone();
        assert_eq!((event.verdict, event.reason), (Verdict::Quarantined, Some(want)));
        assert_eq!((event.payment, event.version), (Some(id), Some(1)));
    }
    assert_eq!((world.payment(id).status, times_told(&world)), (Status::Pending, 0));
    // The record takes the right one all the same.
    assert_eq!(verdict(world.callback(&good)), Verdict::Applied);
}

#[test]
fn an_unknown_payment_is_parked_as_a_stray_at_once() {
    let (world, id) = World::with_payment();
    let absent = PaymentId::new(id.get() + 1).unwrap();
    for (name, payment) in [(1, Some(absent)), (2, None)] {
        let notice = Notice { payment, ..a_notice(id, PAID, name) };
        assert_eq!(misfit(world.callback(&notice)), Misfit::PaymentNotFound);
        assert_eq!(misfit(world.callback(&notice)), Misfit::PaymentNotFound);
    }
    let table = world.store.table();
    assert_eq!(table.events.len(), 2);
    assert!(table.events.iter().all(|event| event.payment.is_none()));
}

#[test]
fn services_that_are_down_stop_no_message_that_fits() {
    let (world, id) = World::with_payment();
    world.gate.always(Call::UserExists, Fate::Before);
    world.gate.always(Call::FindOrder, Fate::Before);
    let claims = Some(Claims { uid: uid(1), oid: oid(1) });
    let notice = Notice { claims, ..a_notice(id, PAID, 1) };
    assert_eq!(verdict(world.callback(&notice)), Verdict::Applied);
    let other: OrderId = oid(2);
    let notice =
        Notice { claims: Some(Claims { uid: uid(1), oid: other }), ..a_notice(id, PAID, 2) };
    assert_eq!(misfit(world.callback(&notice)), Misfit::RecordMismatch);
}

#[test]
fn other_money_for_a_paid_payment_is_parked() {
    for outcome in [Outcome::Paid, Outcome::Refunded] {
        let (world, id) = World::with_payment();
        world.callback(&a_notice(id, PAID, 1)).unwrap();
        for (name, money) in [(2, stripe("pi_2")), (3, Money { source: Source::WECHAT, txn: None })]
        {
            let notice = Notice { money, ..a_notice(id, Report::Outcome(outcome), name) };
            assert_eq!(misfit(world.callback(&notice)), Misfit::StatusConflict);
            // Delivered again it finds its own entry, and the same answer.
            assert_eq!(misfit(world.callback(&notice)), Misfit::StatusConflict);
        }
        assert_eq!(world.payment(id).status, Status::Paid);
        let parked = [Verdict::Applied, Verdict::Quarantined, Verdict::Quarantined];
        assert_eq!(logged(&world), parked);
    }
}

#[test]
fn a_repeat_teaches_the_record_whose_money_it_was() {
    let (world, id) = World::with_payment();
    let unknown = Money { source: Source::UNKNOWN, txn: None };
    world.callback(&Notice { money: unknown, ..a_notice(id, PAID, 1) }).unwrap();
    assert_eq!(verdict(world.callback(&a_notice(id, PAID, 2))), Verdict::Repeat);
    let payment = world.payment(id);
    assert_eq!((payment.money, payment.version), (stripe("pi_1"), 3));
    // What it learnt tells a second payment from a repeat.
    let second = Notice { money: stripe("pi_2"), ..a_notice(id, PAID, 3) };
    assert_eq!(misfit(world.callback(&second)), Misfit::StatusConflict);
}

/// What failed or was closed moved no money, whatever transaction the message names.
#[test]
fn only_money_that_moved_teaches_the_record() {
    for (outcome, status) in [(Outcome::Failed, Status::Failed), (Outcome::Closed, Status::Closed)]
    {
        let (world, id) = World::with_payment();
        let first = a_notice(id, Report::Outcome(outcome), 1);
        world.callback(&first).unwrap();
        let before = world.payment(id);
        assert_eq!((before.status, before.money.clone()), (status, Money::NONE));
        let again = a_notice(id, Report::Outcome(outcome), 2);
        assert_eq!(verdict(world.callback(&again)), Verdict::Repeat);
        assert_eq!(world.payment(id), before);
    }
    let (world, id) = World::with_payment();
    world.callback(&Notice { money: Money::NONE, ..a_notice(id, PAID, 1) }).unwrap();
    let before = world.payment(id);
    let late = a_notice(id, Report::Outcome(Outcome::Failed), 2);
    assert_eq!(verdict(world.callback(&late)), Verdict::Stale);
    assert_eq!(world.payment(id), before);
}

#[test]
fn a_refund_of_paid_money_ends_the_telling() {
    let (world, id) = World::with_payment();
    world.gate.always(Call::TellPaid, Fate::Before);
    world.callback(&a_notice(id, PAID, 1)).unwrap();
    let refund = a_notice(id, Report::Outcome(Outcome::Refunded), 2);
    let received = world.callback(&refund).unwrap();
    assert!(matches!(received.telling, Telling::None));
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.work), (Status::Refunded, None));
    // A late "paid" of the same money is past.
    assert_eq!(verdict(world.callback(&a_notice(id, PAID, 3))), Verdict::Stale);
    assert_eq!(times_told(&world), 0);
}

#[test]
fn money_for_a_replaced_payment_is_parked() {
    let (world, old) = World::with_payment();
    world.callback(&a_notice(old, Report::Outcome(Outcome::Closed), 1)).unwrap();
    let new = world.create(request(100, Some(2))).unwrap().id;
    for (name, outcome) in [(2, Outcome::Paid), (3, Outcome::Refunded)] {
        let late = a_notice(old, Report::Outcome(outcome), name);
        assert_eq!(misfit(world.callback(&late)), Misfit::StatusConflict);
    }
    assert_eq!((world.payment(old).status, times_told(&world)), (Status::Closed, 0));
    assert_eq!(verdict(world.callback(&a_notice(new, PAID, 4))), Verdict::Applied);
}

#[test]
fn late_money_for_a_closed_payment_that_nobody_replaced_is_taken() {
    let (world, id) = World::with_payment();
    world.callback(&a_notice(id, Report::Outcome(Outcome::Closed), 1)).unwrap();
    assert_eq!(verdict(world.callback(&a_notice(id, PAID, 2))), Verdict::Applied);
    assert_eq!((world.payment(id).status, times_told(&world)), (Status::Paid, 1));
}

#[test]
fn what_changes_no_status_is_kept_and_changes_nothing() {
    for (report, want) in
        [(Report::PartialRefund, Verdict::Noted), (Report::Nothing, Verdict::Ignored)]
    {
        let (world, id) = World::with_payment();
        world.callback(&a_notice(id, PAID, 1)).unwrap();
        let before = world.payment(id);
        assert_eq!(verdict(world.callback(&a_notice(id, report, 2))), want);
        assert_eq!(world.payment(id), before);
        assert_eq!(logged(&world), [Verdict::Applied, want]);
    }
}

#[test]
fn an_event_id_used_twice_loses_no_message() {
    let (world, id) = World::with_payment();
    let failed = a_notice(id, Report::Outcome(Outcome::Failed), 1);
    world.callback(&failed).unwrap();
    let reused = |name, notice| Notice {
        event_id: failed.event_id.clone(),
        body: a_notice(id, PAID, name).body,
        ..notice
    };
    let paid = reused(2, a_notice(id, PAID, 2));
    assert_eq!(verdict(world.callback(&paid)), Verdict::Applied);
    let second = Notice { money: stripe("pi_2"), ..a_notice(id, PAID, 3) };
    let second = reused(3, second);
    assert_eq!(misfit(world.callback(&second)), Misfit::StatusConflict);
    assert_eq!(misfit(world.callback(&second)), Misfit::StatusConflict);
    let suffixes: Vec<_> =
        world.store.table().events.iter().map(|event| event.suffix.clone()).collect();
    let digest = second.body.digest().to_string();
    assert_eq!(suffixes, [None, Some("3".to_owned()), Some(digest)]);
}
