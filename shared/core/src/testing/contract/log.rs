//! Logging events that change no record.

use super::fresh::{Fresh, has, stripe};
use crate::{
    domain::{Event, Misfit, Money, Provider, RawBody, Said, Status, Verdict},
    ports::{Logged, PaymentStore},
    testing::{Inspect, Listed, LoggedEvent},
};

/// Neither the record nor the work list.
pub async fn keeps_an_event_and_touches_no_record(
    store: impl PaymentStore + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Closed).await;
    let listed = store.listed().await;
    let event = fresh.event(&payment);
    assert_eq!(store.log(&event).await.unwrap(), Logged::Done);
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert!(kept.contains(&LoggedEvent::of(&event)), "{kept:?}");
    assert_eq!(kept.len(), 2);
    has(&store, &payment).await;
    assert_eq!(store.listed().await, listed);
}

/// The second learns what was there, and changes nothing of it.
pub async fn a_key_is_taken_once(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let first = fresh.event(&payment);
    let second =
        Event { id: first.id.clone(), verdict: Verdict::Quarantined, ..fresh.event(&payment) };
    assert_ne!(first.body.digest(), second.body.digest());
    assert_eq!(store.log(&first).await.unwrap(), Logged::Done);
    for again in [&first, &second] {
        let logged = store.log(again).await.unwrap();
        assert_eq!(logged, Logged::KeyTaken(first.body.digest()));
    }
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&first)]);
    assert_eq!(store.listed().await, []);
}

/// The same id with another body is another entry.
pub async fn a_suffix_makes_a_key_of_its_own(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let first = fresh.event(&payment);
    let second = Event { id: first.id.clone(), ..fresh.event(&payment) };
    let second = second.suffixed_by_body();
    assert_eq!(store.log(&first).await.unwrap(), Logged::Done);
    assert_eq!(store.log(&second).await.unwrap(), Logged::Done);
    let again = store.log(&second).await.unwrap();
    assert_eq!(again, Logged::KeyTaken(second.body.digest()));
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&first), LoggedEvent::of(&second)]);
}

/// A person must look at it, from now on.
pub async fn lists_what_is_quarantined(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let event = Event {
        verdict: Verdict::Quarantined,
        reason: Some(Misfit::AmountMismatch),
        ..fresh.event(&payment)
    };
    assert_eq!(store.log(&event).await.unwrap(), Logged::Done);
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event)]);
    let entry = Listed {
        work: "quarantine".to_owned(),
        due: event.at.millis(),
        pk: kept[0].pk.clone(),
        sk: kept[0].sk.clone(),
    };
    assert_eq!(store.listed().await, [entry]);
    has(&store, &payment).await;
}

/// Under the provider, not under any payment.
pub async fn keeps_strays_apart(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let own = fresh.event(&payment);
    let stray = Event {
        payment: None,
        status: None,
        version: None,
        verdict: Verdict::Quarantined,
        reason: Some(Misfit::PaymentNotFound),
        ..own.clone()
    };
    for event in [&own, &stray] {
        assert_eq!(store.log(event).await.unwrap(), Logged::Done);
    }
    let kept = store.events(None, Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&stray)]);
    assert_eq!(kept[0].pk, "stray#native");
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&own)]);
    assert_eq!(store.listed().await.len(), 1);
}

/// What a message does not say is absent, not empty; the empty message is one too.
pub async fn keeps_an_event_that_says_nothing(store: impl PaymentStore + Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let event = Event {
        said: Said { outcome: None, money: Money::NONE, amount_minor: None, currency: None },
        status: None,
        version: None,
        verdict: Verdict::Ignored,
        body: RawBody::new(b"", fresh.digest()),
        ..fresh.event(&payment)
    };
    let other = Event {
        said: Said {
            outcome: None,
            money: stripe(""),
            amount_minor: Some(0),
            currency: Some(String::new()),
        },
        ..fresh.event(&payment)
    };
    for event in [&event, &other] {
        assert_eq!(store.log(event).await.unwrap(), Logged::Done);
    }
    let kept = store.events(Some(payment.id), Provider::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event), LoggedEvent::of(&other)]);
}
