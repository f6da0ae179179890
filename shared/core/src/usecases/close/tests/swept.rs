//! What the sweep does about checkouts and closing payments.

use super::{world as in_world, *};
use crate::domain::{CheckoutNumber, Due, Notification, Outcome};

fn an_hour() -> Option<TimeToLive> {
    TimeToLive::new(3600).ok()
}

#[test]
fn a_payment_that_nobody_paid_in_time_is_closed() {
    let (world, id) = World::with_payment();
    world.store.edit(|table| {
        let payment = table.payments.get_mut(&id).unwrap();
        payment.due = Some(Due::first_query(now()));
    });
    // Without keys nothing is to be done before.
    assert_eq!(swept(&world, 5 * MINUTE_MS, an_hour()).stale, 1);
    assert_eq!(world.payment(id).due.unwrap().at, later(60 * MINUTE_MS));
    assert_eq!(swept(&world, 60 * MINUTE_MS - 1, an_hour()).moved, 0);
    let last = swept(&world, 60 * MINUTE_MS, an_hour());
    assert_eq!((last.moved, last.closed), (1, 1));
    assert_eq!(world.payment(id).status, Status::Closed);
    assert_eq!(swept(&world, 61 * MINUTE_MS, an_hour()).closed, 0);
    let events = world.store.table().events;
    assert!(events.iter().all(|event| event.sender == Sender::Sweep) && events.len() == 2);

    // With a checkout, that is closed at its provider first.
    let (world, id) = in_world(&[StripeCheckout]);
    swept(&world, 5 * MINUTE_MS, an_hour());
    assert_eq!(at_provider(&world, id, 1), Some(ProviderState::Open));
    swept(&world, 60 * MINUTE_MS, an_hour());
    assert_eq!(world.payment(id).status, Status::Closed);
    assert_eq!(at_provider(&world, id, 1), Some(ProviderState::Closed));
}

/// A lost webhook.
#[test]
fn a_checkout_that_was_paid_is_found() {
    let (world, id) = in_world(&[WeChatNative, AlipayQr]);
    assert!(pay(&world, id, 1));
    let found = swept(&world, 5 * MINUTE_MS, None);
    assert_eq!((found.moved, found.closed), (1, 0));
    let record = world.payment(id);
    assert_eq!((record.status, record.notified_time), (Status::Paid, Some(later(5 * MINUTE_MS))));
    // The other one is ended in the next run.
    swept(&world, 20 * MINUTE_MS, None);
    assert_eq!(at_provider(&world, id, 2), Some(ProviderState::Closed));
    assert_eq!((states(&world), world.payment(id).due), (vec![Ended, Ended], None));
}

/// The provider has no expiry of its own.
#[test]
fn a_checkout_that_has_expired_is_ended() {
    let (world, id) = in_world(&[StripeIntent]);
    swept(&world, 5 * MINUTE_MS, None);
    assert_eq!(
        (at_provider(&world, id, 1), states(&world)),
        (Some(ProviderState::Open), vec![Open])
    );
    assert!(world.payment(id).due.unwrap().at <= later(30 * MINUTE_MS));
    swept(&world, 30 * MINUTE_MS, None);
    assert_eq!(at_provider(&world, id, 1), Some(ProviderState::Closed));
    assert_eq!((states(&world), world.payment(id).status), (vec![Ended], Status::Pending));
    // Nothing is left to do until another one is started.
    swept(&world, 120 * MINUTE_MS, None);
    assert_eq!(world.payment(id).due, None);
    assert!(start(&world, id, StripeIntent, 121 * MINUTE_MS).is_ok());
    assert!(world.payment(id).due.is_some());
}

#[test]
fn the_second_that_is_paid_waits_for_a_person() {
    let (world, id) = in_world(&[WeChatNative, AlipayQr]);
    assert!(pay(&world, id, 1) && pay(&world, id, 2));
    swept(&world, 5 * MINUTE_MS, None);
    swept(&world, 30 * MINUTE_MS, None);
    assert_eq!((states(&world), world.payment(id).due), (vec![Ended, Ended], None));
    let events = world.store.table().events;
    let open = events.iter().filter(|event| event.verdict == Verdict::Quarantined);
    assert_eq!(open.map(|event| event.sender).collect::<Vec<_>>(), [Sender::Provider(Alipay)]);
}

/// The only checkout is the one that paid: nothing is left to be looked at.
#[test]
fn the_webhook_of_the_only_checkout_clears_due() {
    for (number, clears) in [(Some(1), true), (None, false)] {
        let (world, id) = in_world(&[WeChatNative]);
        let checkout = number.map(|number| CheckoutNumber::new(number).unwrap());
        let paid = a_notification(id, Outcome::Paid, 1);
        world.apply(&Notification { checkout, ..paid }).unwrap();
        let record = world.payment(id);
        assert!(record.notified_time.is_some());
        assert_eq!(record.due.is_none(), clears, "{number:?}");
    }
}

/// A provider's *closed* ends its checkout, not the payment.
#[test]
fn a_closed_checkout_closes_no_payment() {
    let (world, id) = in_world(&[WeChatNative, AlipayQr]);
    let checkout = Some(a_checkout_reference(id, 2).number);
    let closed = Notification { checkout, ..a_notification(id, Outcome::Closed, 1) };
    assert_eq!(world.apply(&closed).unwrap().verdict, Verdict::Noted);
    assert_eq!((world.payment(id).status, states(&world)), (Status::Pending, vec![Open, Ended]));

    // The shop's own begins to close it; once all are ended it closes it.
    let native = Notification { sender: Sender::Native, ..a_notification(id, Outcome::Closed, 2) };
    assert_eq!(world.apply(&native).unwrap().verdict, Verdict::Noted);
    assert!(world.payment(id).closing);
    let again = Notification { sender: Sender::Native, ..a_notification(id, Outcome::Closed, 3) };
    let version = world.payment(id).version;
    assert_eq!(world.apply(&again).unwrap().verdict, Verdict::Noted);
    assert_eq!(world.payment(id).version, version);
    swept(&world, 5 * MINUTE_MS, None);
    assert_eq!((world.payment(id).status, states(&world)), (Status::Closed, vec![Ended, Ended]));

    let (world, id) = in_world(&[WeChatNative]);
    let reference = a_checkout_reference(id, 1);
    world.store.edit(|table| table.end_checkout(reference, Ended, now()));
    let native = Notification { sender: Sender::Native, ..a_notification(id, Outcome::Closed, 2) };
    assert_eq!(world.apply(&native).unwrap().verdict, Verdict::Applied);
    assert_eq!(world.payment(id).status, Status::Closed);
}

/// Nobody is asked any more, but for what can still be paid: that once a day.
#[test]
fn what_does_not_end_is_looked_at_once_a_day() {
    let (world, id) = in_world(&[AlipayQr]);
    world.give_keys(&[]);
    world.providers.edit(|providers| {
        providers.down.insert(Alipay);
    });
    swept(&world, 5 * MINUTE_MS, None);
    let hours = |hours: u64| hours * 60 * MINUTE_MS;
    swept(&world, hours(71), None);
    let due = world.payment(id).due.unwrap().at;
    assert!(due < later(hours(73)), "{due:?}");
    swept(&world, hours(80), None);
    assert_eq!(world.payment(id).due.unwrap().at, later(hours(104)));
}

#[test]
fn a_provider_that_is_down_is_left_alone() {
    let (world, id) = in_world(&[WeChatNative]);
    world.providers.edit(|providers| {
        providers.down.insert(Provider::WeChat);
    });
    let done = swept(&world, 5 * MINUTE_MS, None);
    assert_eq!((done.queried, done.unknown.len()), (1, 1));
    assert!(world.payment(id).due.unwrap().attempts > 0);
}
