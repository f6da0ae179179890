mod refunds;
mod unknown;

use super::*;
use crate::{
    domain::{
        OrderId, PaymentId, Provider, ProviderRef, ProviderTxn, RefundState, Sender, Status, UserId,
    },
    testing::{Call, Fate, Table},
    usecases::world::{
        NOW_MS, World, a_notification, a_refund, a_total, oid, referring, reporting, request,
        stripe, uid,
    },
};

const PAID: Option<Outcome> = Some(Outcome::Paid);

/// A notification of a payment; each `name` is another one.
type Reported = fn(PaymentId, u8) -> Notification;

fn mismatch(outcome: Result<Applied, ApplyError>) -> MismatchField {
    match outcome {
        Err(ApplyError::Mismatch(mismatch)) => mismatch.field,
        other => panic!("{other:?}"),
    }
}

fn verdict(outcome: Result<Applied, ApplyError>) -> Verdict {
    outcome.unwrap().verdict
}

/// The verdicts in the event log, in order.
fn logged(world: &World) -> Vec<Verdict> {
    world.store.table().events.iter().map(|event| event.verdict).collect()
}

fn times_notified(world: &World) -> usize {
    world.shop.state().calls.len()
}

#[test]
fn paid_moves_the_record_and_notifies_the_order_service() {
    let (world, id) = World::with_payment();
    let applied = world.apply(&a_notification(id, PAID, 1)).unwrap();
    assert_eq!(applied.verdict, Verdict::Applied);
    assert!(matches!(applied.order_notification, OrderNotification::Done));
    let payment = world.payment(id);
    assert_eq!((applied.record.version, applied.record.status), (payment.version, Status::Paid));
    assert_eq!((payment.status, payment.reference.clone()), (Status::Paid, stripe("pi_1")));
    assert_eq!((payment.due, payment.notified_time.unwrap().millis()), (None, NOW_MS));
    let shop = world.shop.state();
    assert!(shop.orders.get(&oid(1)).unwrap().paid);
    assert_eq!((shop.calls[0].payment, shop.calls[0].oid), (id, oid(1)));
}

#[test]
fn only_paid_notifies_the_order_service() {
    for outcome in [Outcome::Failed, Outcome::Closed, Outcome::Refunded] {
        let (world, id) = World::with_payment();
        let notification = a_notification(id, Some(outcome), 1);
        assert_eq!(verdict(world.apply(&notification)), Verdict::Applied);
        assert_eq!((times_notified(&world), world.payment(id).due), (0, None), "{outcome:?}");
    }
}

#[test]
fn the_same_notification_again_changes_nothing() {
    let (world, id) = World::with_payment();
    let notification = a_notification(id, PAID, 1);
    world.apply(&notification).unwrap();
    let before = world.store.table();
    for _ in 0..3 {
        assert_eq!(verdict(world.apply(&notification)), Verdict::Duplicate);
    }
    assert_eq!(world.store.table(), before);
    assert_eq!(times_notified(&world), 1);
}

#[test]
fn a_duplicate_notifies_an_order_service_that_was_not_notified() {
    let (world, id) = World::with_payment();
    world.fail(Call::NotifyPaid, Fate::Before);
    let notification = a_notification(id, PAID, 1);
    let applied = world.apply(&notification).unwrap();
    assert!(matches!(applied.order_notification, OrderNotification::Failed(_)), "{applied:?}");
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.due.unwrap().at.millis()), (Status::Paid, NOW_MS + 60_000));
    let applied = world.apply(&notification).unwrap();
    assert!(matches!(applied.order_notification, OrderNotification::Done));
    assert_eq!((times_notified(&world), world.payment(id).due), (1, None));
}

#[test]
fn an_order_notification_that_cannot_be_cleared_is_repeated() {
    let (world, id) = World::with_payment();
    world.fail(Call::MarkNotified, Fate::Before);
    let applied = world.apply(&a_notification(id, PAID, 1)).unwrap();
    assert!(matches!(applied.order_notification, OrderNotification::NotCleared(_)));
    assert!(world.payment(id).due.is_some());
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    assert_eq!(world.shop.state().effects.len(), 1);
    assert_eq!(world.payment(id).due, None);
}

#[test]
fn a_payment_whose_order_is_gone_stays_due() {
    let (world, id) = World::with_payment();
    world.shop.edit(|shop| shop.orders.clear());
    let applied = world.apply(&a_notification(id, PAID, 1)).unwrap();
    assert!(
        matches!(applied.order_notification, OrderNotification::Failed(ShopError::Absent)),
        "{applied:?}"
    );
    assert!(world.payment(id).due.is_some());
}

/// The same notification from a gateway of the shop's own, which claims this user and order.
fn claiming(notification: Notification, uid: UserId, oid: OrderId) -> Notification {
    Notification { sender: Sender::Native, claims: Some(Claims { uid, oid }), ..notification }
}

/// Each way in which a notification can fail to match: field, expected, received.
fn mismatches(
    good: &Notification,
) -> Vec<(Notification, MismatchField, &'static str, &'static str)> {
    use MismatchField as F;
    let amount = |minor| reporting(good.clone(), |report| report.amount_minor = minor);
    let currency = |of: Notification, code: Option<&str>| {
        reporting(of, |report| report.currency = code.map(str::to_owned))
    };
    let claims = |uid, oid| claiming(good.clone(), uid, oid);
    let other = Mismatch::new(F::Account, Some("mchid=1"), Some("mchid=2"));
    let other = Notification { wrong_account: Some(other), ..good.clone() };
    vec![
        (amount(Some(99)), F::Amount, "100", "99"),
        (currency(good.clone(), Some("EUR")), F::Currency, "CNY", "EUR"),
        (claims(uid(1), oid(2)), F::Oid, "1", "2"),
        (claims(uid(2), oid(1)), F::Uid, "1", "2"),
        (claims(uid(7), oid(1)), F::User, "-", "7"),
        (claims(uid(1), oid(7)), F::Order, "-", "7"),
        (other, F::Account, "mchid=1", "mchid=2"),
        // A provider that does not say how much, or of what.
        (amount(None), F::Amount, "100", "-"),
        (currency(good.clone(), None), F::Currency, "CNY", "-"),
        // The amount comes first.
        (currency(amount(Some(99)), Some("EUR")), F::Amount, "100", "99"),
    ]
}

#[test]
fn a_notification_that_does_not_match_is_quarantined_and_changes_nothing() {
    let (world, id) = World::with_payment();
    world.shop.sells(uid(2), oid(2), 100);
    let good = a_notification(id, PAID, 1);
    for (name, (notification, field, expected, received)) in (10..).zip(mismatches(&good)) {
        let Notification { event_id, body, .. } = a_notification(id, PAID, name);
        let notification = Notification { event_id, body, ..notification };
        assert_eq!(mismatch(world.apply(&notification)), field);
        let event = world.store.table().events.last().unwrap().clone();
        let side = |text: &str| (text != "-").then(|| text.to_owned());
        let (expected, received) = (side(expected), side(received));
        assert_eq!(event.mismatch, Some(Mismatch { field, expected, received }));
        assert_eq!(event.verdict, Verdict::Quarantined);
        assert_eq!((event.payment, event.version), (Some(id), Some(1)));
    }
    assert_eq!((world.payment(id).status, times_notified(&world)), (Status::Pending, 0));
    // The right notification is applied all the same.
    assert_eq!(verdict(world.apply(&good)), Verdict::Applied);
}

#[test]
fn what_may_be_of_others_is_ignored_where_it_names_no_payment() {
    let (world, id) = World::with_payment();
    let shared = |payment| {
        let sent = a_notification(id, Some(Outcome::Paid), 1);
        Notification { payment, is_shared: true, ..sent }
    };
    assert!(matches!(world.apply(&shared(None)), Err(ApplyError::NotOurs)));
    assert!(world.store.table().events.is_empty());
    let unreadable = Mismatch::absent(MismatchField::Outcome, Some("an unknown `status`"));
    let review = Notification { review: Some(unreadable), ..shared(None) };
    assert!(matches!(world.apply(&review), Err(ApplyError::Mismatch(_))));
    assert_eq!(world.apply(&shared(Some(id))).unwrap().record.status, Status::Paid);
}

#[test]
fn an_unknown_payment_is_unmatched_at_once() {
    let (world, id) = World::with_payment();
    let absent = PaymentId::new(id.get() + 1).unwrap();
    for (name, payment) in [(1, Some(absent)), (2, None)] {
        let notification = Notification { payment, ..a_notification(id, PAID, name) };
        assert_eq!(mismatch(world.apply(&notification)), MismatchField::Payment);
        assert_eq!(mismatch(world.apply(&notification)), MismatchField::Payment);
    }
    let table = world.store.table();
    assert_eq!(table.events.len(), 2);
    assert!(table.events.iter().all(|event| event.payment.is_none()));
}

/// What reading it found comes before every comparison, with and without a record.
#[test]
fn what_a_person_must_decide_is_quarantined_with_its_reason() {
    let (world, id) = World::with_payment();
    let review = Mismatch::absent(MismatchField::Payment, Some("an ambiguous signed text"));
    for (name, payment) in [(1, Some(id)), (2, None)] {
        let notification = a_notification(id, PAID, name);
        let notification = reporting(notification, |report| report.amount_minor = Some(99));
        let notification = Notification { payment, review: Some(review.clone()), ..notification };
        assert_eq!(mismatch(world.apply(&notification)), MismatchField::Payment);
        let event = world.store.table().events.last().unwrap().clone();
        assert_eq!((event.payment, event.mismatch), (payment, Some(review.clone())));
    }
    assert_eq!(world.payment(id).status, Status::Pending);
}

#[test]
fn services_that_are_down_stop_no_notification_that_matches() {
    let (world, id) = World::with_payment();
    world.gate.always(Call::UserExists, Fate::Before);
    world.gate.always(Call::FindOrder, Fate::Before);
    let notification = claiming(a_notification(id, PAID, 1), uid(1), oid(1));
    assert_eq!(verdict(world.apply(&notification)), Verdict::Applied);
    let other: OrderId = oid(2);
    let notification = claiming(a_notification(id, PAID, 2), uid(1), other);
    assert_eq!(mismatch(world.apply(&notification)), MismatchField::Oid);
}

#[test]
fn another_reference_for_a_paid_payment_is_quarantined() {
    let reports: [Reported; 4] = [
        |id, name| a_notification(id, PAID, name),
        |id, name| a_notification(id, Some(Outcome::Refunded), name),
        |id, name| a_refund(id, ("re_1", 40, RefundState::Succeeded), name),
        |id, name| a_total(id, 40, name),
    ];
    for reported in reports {
        let (world, id) = World::with_payment();
        world.apply(&a_notification(id, PAID, 1)).unwrap();
        for (name, reference) in
            [(2, stripe("pi_2")), (3, ProviderRef { source: Provider::WeChat.source(), txn: None })]
        {
            let notification = referring(reported(id, name), reference.clone());
            assert_eq!(mismatch(world.apply(&notification)), MismatchField::Reference);
            // Delivered again it finds its own event, and gets the same result.
            assert_eq!(mismatch(world.apply(&notification)), MismatchField::Reference);
        }
        assert_eq!(world.payment(id).status, Status::Paid);
        let quarantined = [Verdict::Applied, Verdict::Quarantined, Verdict::Quarantined];
        assert_eq!(logged(&world), quarantined);
    }
}

#[test]
fn a_duplicate_completes_the_reference() {
    let (world, id) = World::with_payment();
    world.apply(&referring(a_notification(id, PAID, 1), ProviderRef::NONE)).unwrap();
    assert_eq!(verdict(world.apply(&a_notification(id, PAID, 2))), Verdict::Duplicate);
    let payment = world.payment(id);
    assert_eq!((payment.reference, payment.version), (stripe("pi_1"), 3));
    // A second payment is distinguished from a duplicate now.
    let second = referring(a_notification(id, PAID, 3), stripe("pi_2"));
    assert_eq!(mismatch(world.apply(&second)), MismatchField::Reference);
}

/// What failed or was closed moved no money, whatever transaction the notification names.
#[test]
fn only_money_that_moved_completes_the_reference() {
    for (outcome, status) in [(Outcome::Failed, Status::Failed), (Outcome::Closed, Status::Closed)]
    {
        let (world, id) = World::with_payment();
        let first = a_notification(id, Some(outcome), 1);
        world.apply(&first).unwrap();
        let before = world.payment(id);
        assert_eq!((before.status, before.reference.clone()), (status, ProviderRef::NONE));
        let again = a_notification(id, Some(outcome), 2);
        assert_eq!(verdict(world.apply(&again)), Verdict::Duplicate);
        assert_eq!(world.payment(id), before);
    }
    let (world, id) = World::with_payment();
    world.apply(&referring(a_notification(id, PAID, 1), ProviderRef::NONE)).unwrap();
    let before = world.payment(id);
    let late = a_notification(id, Some(Outcome::Failed), 2);
    assert_eq!(verdict(world.apply(&late)), Verdict::Stale);
    assert_eq!(world.payment(id), before);
}

#[test]
fn a_refund_clears_due() {
    let (world, id) = World::with_payment();
    world.gate.always(Call::NotifyPaid, Fate::Before);
    world.apply(&a_notification(id, PAID, 1)).unwrap();
    let refund = a_notification(id, Some(Outcome::Refunded), 2);
    let applied = world.apply(&refund).unwrap();
    assert!(matches!(applied.order_notification, OrderNotification::NotDue));
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.due), (Status::Refunded, None));
    // A late "paid" with the same reference is stale.
    assert_eq!(verdict(world.apply(&a_notification(id, PAID, 3))), Verdict::Stale);
    assert_eq!(times_notified(&world), 0);
}

#[test]
fn late_money_for_a_replaced_payment_is_quarantined() {
    let (world, old) = World::with_payment();
    world.apply(&a_notification(old, Some(Outcome::Closed), 1)).unwrap();
    let new = world.create(request(100, Some(2))).unwrap().id;
    for (name, outcome) in [(2, Outcome::Paid), (3, Outcome::Refunded)] {
        let late = a_notification(old, Some(outcome), name);
        assert_eq!(mismatch(world.apply(&late)), MismatchField::LivePayment);
    }
    assert_eq!((world.payment(old).status, times_notified(&world)), (Status::Closed, 0));
    assert_eq!(verdict(world.apply(&a_notification(new, PAID, 4))), Verdict::Applied);
}

#[test]
fn late_money_for_a_closed_payment_that_nobody_replaced_is_applied() {
    let (world, id) = World::with_payment();
    world.apply(&a_notification(id, Some(Outcome::Closed), 1)).unwrap();
    assert_eq!(verdict(world.apply(&a_notification(id, PAID, 2))), Verdict::Applied);
    assert_eq!((world.payment(id).status, times_notified(&world)), (Status::Paid, 1));
}

#[test]
fn what_changes_no_status_is_kept_and_changes_nothing() {
    let reports: [(Reported, _); 3] = [
        (|id, name| a_refund(id, ("re_1", 40, RefundState::Pending), name), Verdict::Noted),
        (|id, name| a_total(id, 0, name), Verdict::Noted),
        (|id, name| a_notification(id, None, name), Verdict::Ignored),
    ];
    for (reported, want) in reports {
        let (world, id) = World::with_payment();
        world.apply(&a_notification(id, PAID, 1)).unwrap();
        let before = world.payment(id);
        assert_eq!(verdict(world.apply(&reported(id, 2))), want);
        assert_eq!(world.payment(id), before);
        assert_eq!(logged(&world), [Verdict::Applied, want]);
    }
}

#[test]
fn an_event_id_used_twice_loses_no_notification() {
    let (world, id) = World::with_payment();
    let failed = a_notification(id, Some(Outcome::Failed), 1);
    world.apply(&failed).unwrap();
    let reused = |name, notification| Notification {
        event_id: failed.event_id.clone(),
        body: a_notification(id, PAID, name).body,
        ..notification
    };
    let paid = reused(2, a_notification(id, PAID, 2));
    assert_eq!(verdict(world.apply(&paid)), Verdict::Applied);
    let second = referring(a_notification(id, PAID, 3), stripe("pi_2"));
    let second = reused(3, second);
    assert_eq!(mismatch(world.apply(&second)), MismatchField::Reference);
    assert_eq!(mismatch(world.apply(&second)), MismatchField::Reference);
    let suffixes: Vec<_> =
        world.store.table().events.iter().map(|event| event.suffix.clone()).collect();
    let digest = second.body.digest().to_string();
    assert_eq!(suffixes, [None, Some("3".to_owned()), Some(digest)]);
}
