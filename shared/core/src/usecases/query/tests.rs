mod responses;

use std::cell::RefCell;

use super::*;
use crate::{
    domain::{
        Claims, Event, Mismatch, MismatchField, Outcome, PaymentId, ProviderRef, ProviderRefund,
        ProviderTxn, RefundState, Status,
    },
    ports::ProviderState,
    testing::{Call, Fate, HeldPayment, HeldRefund, block_on},
    usecases::world::{
        World, a_notification, held, now, oid, referring, reporting, request, stripe, uid,
    },
};
use Provider::{Alipay, Stripe, WeChat};

/// A world with a payment, and a key for Stripe.
fn with_key() -> (World, PaymentId) {
    let (world, id) = World::with_payment();
    world.give_keys(&[Stripe]);
    (world, id)
}

/// What asking Stripe about a payment came to.
fn ask(world: &World, id: PaymentId) -> Vec<Queried> {
    let payment = world.payment(id);
    block_on(query_payment(&world.ports(), Stripe, &payment, &|| true, now(), &world.trace))
}

/// The verdict of the one response, or the mismatch that it is quarantined for.
fn verdict(steps: &[Queried]) -> Result<Verdict, MismatchField> {
    let [step] = steps else { panic!("{steps:?}") };
    let [(_, applied)] = &step.applied[..] else { panic!("{step:?}") };
    match applied {
        Ok(applied) => Ok(applied.verdict),
        Err(ApplyError::Mismatch(mismatch)) => Err(mismatch.field),
        Err(error) => panic!("{error:?}"),
    }
}

/// The ids of the events, each with its verdict.
fn logged(world: &World) -> Vec<(String, Verdict)> {
    let named = |event: &Event| (event.key().name().to_owned(), event.verdict);
    world.store.table().events.iter().map(named).collect()
}

fn named(events: &[(&str, Verdict)]) -> Vec<(String, Verdict)> {
    events.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)).collect()
}

#[test]
fn what_a_provider_holds_as_paid_is_paid_here_and_notified() {
    let (world, id) = with_key();
    world.hold(Stripe, id, ProviderState::Paid);
    let steps = ask(&world, id);
    assert_eq!(verdict(&steps), Ok(Verdict::Applied));
    assert!(matches!(steps[0].state, Ok(QueryState::Payment(ProviderState::Paid))));
    assert_eq!((steps[0].provider, &steps[0].query), (Stripe, &Query::Payment { id, txn: None }));
    let payment = world.payment(id);
    assert_eq!((payment.status, payment.reference), (Status::Paid, stripe("pi_1")));
    assert!(payment.notified_time.is_some());
    // Asked again, by its transaction now, nothing changes.
    let before = world.store.table();
    let steps = ask(&world, id);
    assert_eq!(verdict(&steps), Ok(Verdict::Duplicate));
    let txn = Some(ProviderTxn::new("pi_1").unwrap());
    assert_eq!(steps[0].query, Query::Payment { id, txn });
    assert_eq!(world.store.table(), before);
    assert_eq!(world.shop.state().calls.len(), 1);
}

#[test]
fn what_a_provider_has_closed_is_closed_here() {
    let (world, id) = with_key();
    world.hold(Stripe, id, ProviderState::Closed);
    assert_eq!(verdict(&ask(&world, id)), Ok(Verdict::Applied));
    assert_eq!(world.payment(id).status, Status::Closed);
    assert_eq!(world.shop.state().calls.len(), 0);
}

/// Nothing is compared: what a provider does not know has no amount.
#[test]
fn what_is_not_paid_yet_changes_nothing_and_is_kept_once() {
    for (state, event) in [
        (ProviderState::Absent, "query.absent.-"),
        (ProviderState::Open, "query.open.-"),
        (ProviderState::Processing, "query.processing.pi_1"),
    ] {
        let (world, id) = with_key();
        if state != ProviderState::Absent {
            world.hold_as(Stripe, id, HeldPayment { amount_minor: 99, ..held(state) });
        }
        let before = world.payment(id);
        for _ in 0..3 {
            let steps = ask(&world, id);
            assert_eq!(verdict(&steps), Ok(Verdict::Ignored), "{state:?}");
            assert!(matches!(steps[0].state, Ok(QueryState::Payment(found)) if found == state));
        }
        assert_eq!(world.payment(id), before);
        assert_eq!(logged(&world), named(&[(event, Verdict::Ignored)]));
    }
}

#[test]
fn a_status_never_falls_by_a_query() {
    for state in [ProviderState::Absent, ProviderState::Open, ProviderState::Closed] {
        let (world, id) = with_key();
        world.apply(&a_notification(id, Some(Outcome::Paid), 1)).unwrap();
        let before = world.payment(id);
        world.hold(Stripe, id, state);
        ask(&world, id);
        assert_eq!(world.payment(id), before, "{state:?}");
    }
}

#[test]
fn another_amount_is_quarantined_once_however_often_it_is_asked() {
    let (world, id) = with_key();
    world.hold_as(Stripe, id, HeldPayment { amount_minor: 99, ..held(ProviderState::Paid) });
    for _ in 0..3 {
        assert_eq!(verdict(&ask(&world, id)), Err(MismatchField::Amount));
    }
    let quarantined = ("query.paid.pi_1#amount", Verdict::Quarantined);
    assert_eq!(logged(&world), named(&[quarantined]));
    assert_eq!(world.payment(id).status, Status::Pending);
    // What does not match in another way is another matter.
    let held = HeldPayment { currency: "USD", ..held(ProviderState::Paid) };
    world.hold_as(Stripe, id, held);
    assert_eq!(verdict(&ask(&world, id)), Err(MismatchField::Currency));
    let other = ("query.paid.pi_1#currency", Verdict::Quarantined);
    assert_eq!(logged(&world), named(&[quarantined, other]));
}

/// The same response was applied before, and is quarantined later.
#[test]
fn a_response_that_fits_no_more_is_quarantined_beside_its_event() {
    let (world, id) = with_key();
    world.hold(Stripe, id, ProviderState::Paid);
    ask(&world, id);
    world.hold_as(Stripe, id, HeldPayment { amount_minor: 99, ..held(ProviderState::Paid) });
    for _ in 0..2 {
        assert_eq!(verdict(&ask(&world, id)), Err(MismatchField::Amount));
    }
    let events =
        [("query.paid.pi_1", Verdict::Applied), ("query.paid.pi_1#amount", Verdict::Quarantined)];
    assert_eq!(logged(&world), named(&events));
}

#[test]
fn money_under_another_reference_is_quarantined() {
    let (world, id) = with_key();
    world.apply(&referring(a_notification(id, Some(Outcome::Paid), 1), stripe("pi_2"))).unwrap();
    let before = world.payment(id);
    world.hold(Stripe, id, ProviderState::Paid);
    for _ in 0..2 {
        assert_eq!(verdict(&ask(&world, id)), Err(MismatchField::Reference));
    }
    assert_eq!(world.payment(id), before);
    assert_eq!(logged(&world).len(), 2);
}

#[test]
fn late_money_of_a_replaced_payment_is_quarantined() {
    let (world, id) = with_key();
    world.apply(&a_notification(id, Some(Outcome::Closed), 1)).unwrap();
    world.create(request(100, Some(2))).unwrap();
    world.hold(Stripe, id, ProviderState::Paid);
    for _ in 0..2 {
        assert_eq!(verdict(&ask(&world, id)), Err(MismatchField::LivePayment));
    }
    assert_eq!(world.payment(id).status, Status::Closed);
    assert_eq!(logged(&world).len(), 2);
}

#[test]
fn a_response_that_proves_nothing_changes_nothing() {
    for (fate, kind) in [(Fate::Before, "unavailable"), (Fate::Lost, "unusable")] {
        let (world, id) = with_key();
        world.hold(Stripe, id, ProviderState::Paid);
        let before = world.store.table();
        world.fail(Call::Query, fate);
        let steps = ask(&world, id);
        let [Queried { state: Err(error), applied, .. }] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!((error.kind(), applied.len()), (kind, 0));
        assert_eq!(world.store.table(), before);
    }
}

fn re(name: &str) -> ProviderRefund {
    ProviderRefund::new(name).unwrap()
}

/// A payment of 100 of which 25 and 75 went back, or were to.
fn refunded(second: RefundState) -> HeldPayment {
    let refunds = vec![
        HeldRefund::new(re("re_1"), 25, RefundState::Succeeded),
        HeldRefund::new(re("re_2"), 75, second),
        HeldRefund::new(re("re_3"), 25, RefundState::Failed),
    ];
    HeldPayment { refunds, ..held(ProviderState::Refunded) }
}

#[test]
fn the_refunds_of_a_payment_are_asked_for_next() {
    for (second, status, sum) in
        [(RefundState::Succeeded, Status::Refunded, 100), (RefundState::Pending, Status::Paid, 25)]
    {
        let (world, id) = with_key();
        world.hold_as(Stripe, id, refunded(second));
        let steps = ask(&world, id);
        let txn = ProviderTxn::new("pi_1").unwrap();
        let queries: Vec<_> = steps.iter().map(|step| step.query.clone()).collect();
        let refunds = Query::Refunds { payment: Some(id), txn };
        assert_eq!(queries, [Query::Payment { id, txn: None }, refunds]);
        assert_eq!(steps[1].applied.len(), 3);
        let payment = world.payment(id);
        assert_eq!((payment.status, payment.refunded()), (status, sum));
        // It was paid before: the order service is notified.
        assert_eq!(world.shop.state().calls.len(), 1);
        let before = world.payment(id);
        ask(&world, id);
        assert_eq!(world.payment(id), before);
    }
}

/// A failure that is learnt after all went back.
#[test]
fn a_refund_that_fails_late_is_quarantined_once() {
    let (world, id) = with_key();
    world.hold_as(Stripe, id, refunded(RefundState::Succeeded));
    ask(&world, id);
    world.hold_as(Stripe, id, refunded(RefundState::Failed));
    for _ in 0..3 {
        ask(&world, id);
    }
    let quarantined = |(_, verdict): &(String, Verdict)| *verdict == Verdict::Quarantined;
    let events: Vec<_> = logged(&world).into_iter().filter(quarantined).collect();
    assert_eq!(events, named(&[("query.failed.re_2#refunded", Verdict::Quarantined)]));
    assert_eq!((world.payment(id).status, world.payment(id).refunded()), (Status::Refunded, 100));
}

#[test]
fn the_first_response_counts_where_the_next_does_not_come() {
    let (world, id) = with_key();
    world.hold_as(Stripe, id, refunded(RefundState::Succeeded));
    world.gate.script(Call::Query, [Fate::Responded, Fate::Before]);
    let steps = ask(&world, id);
    assert!(steps[0].state.is_ok() && steps[1].state.is_err());
    assert_eq!((world.payment(id).status, world.payment(id).refunded()), (Status::Paid, 0));
}

#[test]
fn a_payment_is_asked_about_where_it_was_collected_or_everywhere() {
    let (world, id) = World::with_payment();
    let asked = |world: &World| block_on(providers_of(&world.ports(), &world.payment(id), now()));
    assert_eq!(asked(&world).unwrap(), []);
    world.give_keys(&[Stripe, Alipay]);
    assert_eq!(asked(&world).unwrap(), [Stripe, Alipay]);
    let by_alipay = ProviderRef { source: Alipay.source(), txn: None };
    world.apply(&referring(a_notification(id, Some(Outcome::Paid), 1), by_alipay)).unwrap();
    assert_eq!(asked(&world).unwrap(), [Alipay]);
    world.give_keys(&[Stripe, WeChat]);
    assert_eq!(asked(&world).unwrap(), []);
}

/// A thin event of Stripe's: it names an object and says nothing of it.
fn thin() -> Notification {
    let review = Mismatch::absent(MismatchField::Outcome, Some("a thin event"));
    let message = a_notification(PaymentId::new(1).unwrap(), None, 7);
    let message = reporting(message, |report| report.amount_minor = None);
    Notification { payment: None, review: Some(review), ..message }
}

/// Follows a message to the object `pi_1`; what came of it, and what was observed.
fn following(world: &World, message: &Notification) -> (Result<(), ApplyError>, Vec<String>) {
    let seen = RefCell::new(Vec::new());
    let observe = |sent: &Notification, _: &Result<Applied, ApplyError>| {
        seen.borrow_mut().push(sent.event_id.as_str().to_owned());
    };
    let query = Query::Object(ProviderTxn::new("pi_1").unwrap());
    let ports = world.ports();
    let done = block_on(follow(&ports, (message, query), &observe, now(), &world.trace));
    (done, seen.into_inner())
}

#[test]
fn a_thin_event_is_followed_and_kept() {
    let (world, id) = with_key();
    world.hold_as(Stripe, id, refunded(RefundState::Succeeded));
    let (done, seen) = following(&world, &thin());
    done.unwrap();
    let each = ["query.refunded.pi_1", "query.succeeded.re_1", "query.succeeded.re_2"];
    assert_eq!(seen[..3], each);
    assert_eq!((world.payment(id).status, world.payment(id).refunded()), (Status::Refunded, 100));
    let events = logged(&world);
    assert_eq!(events.last(), Some(&("evt_7".to_owned(), Verdict::Noted)));
    let message = world.store.table().events.last().unwrap().clone();
    assert_eq!((message.payment, message.mismatch), (Some(id), None));
    // Delivered again nothing changes.
    let before = world.store.table();
    following(&world, &thin()).0.unwrap();
    assert_eq!(world.store.table().payments, before.payments);
    assert_eq!(world.store.table().refunds, before.refunds);
}

#[test]
fn a_thin_event_that_cannot_be_followed_is_applied_itself() {
    // Without a key; of a sender who is no provider; and where the response reports nothing.
    let (world, id) = World::with_payment();
    world.hold(Stripe, id, ProviderState::Paid);
    let (done, seen) = following(&world, &thin());
    assert!(
        matches!(done, Err(ApplyError::Mismatch(mismatch)) if Some(&mismatch) == thin().review.as_ref())
    );
    assert_eq!(seen, ["evt_7"]);
    assert_eq!(logged(&world), named(&[("evt_7", Verdict::Quarantined)]));
    assert_eq!(world.passed(Call::Query), 0);

    let (world, id) = with_key();
    world.hold(Stripe, id, ProviderState::Paid);
    let native = Notification {
        sender: Sender::Native,
        claims: Some(Claims { uid: uid(1), oid: oid(1) }),
        ..a_notification(id, Some(Outcome::Closed), 7)
    };
    following(&world, &native).0.unwrap();
    assert_eq!((world.payment(id).status, world.passed(Call::Query)), (Status::Closed, 0));

    let (world, id) = with_key();
    world.hold(Stripe, id, ProviderState::Paid);
    let query = Query::Refunds { payment: Some(id), txn: ProviderTxn::new("pi_1").unwrap() };
    let message = a_notification(id, Outcome::Refunded, 7);
    let ports = world.ports();
    block_on(follow(&ports, (&message, query), &|_, _| {}, now(), &world.trace)).unwrap();
    assert_eq!(world.payment(id).status, Status::Refunded, "no refund is listed yet");
}

#[test]
fn a_thin_event_without_a_response_comes_again() {
    let (world, id) = with_key();
    world.hold(Stripe, id, ProviderState::Paid);
    world.fail(Call::Query, Fate::Before);
    let (done, _) = following(&world, &thin());
    assert!(matches!(done, Err(ApplyError::Failed(Failure::Unavailable(_)))), "{done:?}");
    assert_eq!(logged(&world), []);
    following(&world, &thin()).0.unwrap();
    assert_eq!(world.payment(id).status, Status::Paid);
    // A response that proves nothing: the message counts as it does without a key.
    let (world, id) = with_key();
    world.fail(Call::Query, Fate::Lost);
    let (done, seen) = following(&world, &thin());
    assert!(matches!(done, Err(ApplyError::Mismatch(_))), "{done:?}");
    assert_eq!((seen.len(), world.payment(id).status), (1, Status::Pending));
    // The second response does not come; the store fails at what it reports, or at the message.
    let (world, id) = with_key();
    world.hold_as(Stripe, id, refunded(RefundState::Succeeded));
    world.gate.script(Call::Query, [Fate::Responded, Fate::Before]);
    let (done, seen) = following(&world, &thin());
    assert!(matches!(done, Err(ApplyError::Failed(Failure::Unavailable(_)))));
    assert_eq!(seen, ["query.refunded.pi_1"], "what was applied is shown");
    for call in [Call::Queried, Call::Update, Call::Append] {
        let (world, id) = with_key();
        world.hold(Stripe, id, ProviderState::Paid);
        world.fail(call, Fate::Before);
        assert!(following(&world, &thin()).0.is_err(), "{call:?}");
    }
}

/// Its payment is quarantined: the message is dealt with, since a person looks at what it led to.
#[test]
fn a_thin_event_about_money_that_does_not_fit_is_dealt_with() {
    let (world, id) = with_key();
    world.hold_as(Stripe, id, HeldPayment { amount_minor: 99, ..held(ProviderState::Paid) });
    following(&world, &thin()).0.unwrap();
    assert_eq!(logged(&world), named(&[("query.paid.pi_1#amount", Verdict::Quarantined)]));
}

/// Its refunds would be compared with a payment of which it is not known what paid it.
#[test]
fn what_cannot_be_applied_holds_up_what_comes_after_it() {
    let (world, id) = with_key();
    world.hold_as(Stripe, id, refunded(RefundState::Succeeded));
    world.gate.always(Call::Update, Fate::Before);
    let (done, seen) = following(&world, &thin());
    assert!(matches!(done, Err(ApplyError::Failed(Failure::Unavailable(_)))), "{done:?}");
    assert_eq!((seen, logged(&world)), (vec!["query.refunded.pi_1".to_owned()], vec![]));
    assert_eq!(world.passed(Call::Query), 1, "nor is more asked");
    world.gate.always(Call::Update, Fate::Responded);
    following(&world, &thin()).0.unwrap();
    assert_eq!((world.payment(id).status, world.payment(id).refunded()), (Status::Refunded, 100));
}
