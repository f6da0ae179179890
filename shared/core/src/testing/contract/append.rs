//! Appending events that change no record.

use super::{
    fresh::{Fresh, amount_mismatch, has, stripe},
    refunds::reports,
};
use crate::{
    domain::{Event, Mismatch, MismatchField, RawBody, Report, Sender, Status, Verdict},
    ports::Appended,
    testing::{Inspect, Listed, LoggedEvent, contract::Store},
};

/// Neither the record nor the due index changes.
pub async fn keeps_an_event_and_touches_no_record(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Closed).await;
    let listed = log.listed().await;
    let event = fresh.event(&payment);
    assert_eq!(store.append(&event).await.unwrap(), Appended::Done);
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert!(kept.contains(&LoggedEvent::of(&event)), "{kept:?}");
    assert_eq!(kept.len(), 2);
    has(&store, &payment).await;
    assert_eq!(log.listed().await, listed);
}

/// The second returns the digest of the first, and changes nothing.
pub async fn a_key_is_taken_once(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let first = fresh.event(&payment);
    let second =
        Event { id: first.id.clone(), verdict: Verdict::Quarantined, ..fresh.event(&payment) };
    assert_ne!(first.body.digest(), second.body.digest());
    assert_eq!(store.append(&first).await.unwrap(), Appended::Done);
    for again in [&first, &second] {
        let appended = store.append(again).await.unwrap();
        assert_eq!(appended, Appended::KeyTaken(Some(first.body.digest())));
    }
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&first)]);
    assert_eq!(log.listed().await, []);
}

/// The same id with another body is another event.
pub async fn a_suffix_makes_a_key_of_its_own(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let first = fresh.event(&payment);
    let second = Event { id: first.id.clone(), ..fresh.event(&payment) };
    let second = second.suffixed_by_body();
    assert_eq!(store.append(&first).await.unwrap(), Appended::Done);
    assert_eq!(store.append(&second).await.unwrap(), Appended::Done);
    let again = store.append(&second).await.unwrap();
    assert_eq!(again, Appended::KeyTaken(Some(second.body.digest())));
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&first), LoggedEvent::of(&second)]);
}

/// It waits for a person from now on.
pub async fn lists_what_is_quarantined(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored(&store).await;
    let event = Event {
        verdict: Verdict::Quarantined,
        mismatch: Some(amount_mismatch()),
        ..fresh.event(&payment)
    };
    assert_eq!(store.append(&event).await.unwrap(), Appended::Done);
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event)]);
    let entry = Listed {
        queue: "review".to_owned(),
        due: event.at.millis(),
        pk: kept[0].pk.clone(),
        sk: kept[0].sk.clone(),
    };
    assert_eq!(log.listed().await, [entry]);
    has(&store, &payment).await;
}

/// Under the sender, not under any payment.
pub async fn keeps_unmatched_events_apart(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let payment = fresh.payment();
    let own = fresh.event(&payment);
    let unmatched = Event {
        payment: None,
        status: None,
        version: None,
        verdict: Verdict::Quarantined,
        mismatch: Some(Mismatch::absent(MismatchField::Payment, Some(7))),
        ..own.clone()
    };
    for event in [&own, &unmatched] {
        assert_eq!(store.append(event).await.unwrap(), Appended::Done);
    }
    let kept = log.events(None, Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&unmatched)]);
    assert_eq!(kept[0].pk, "unmatched#native");
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&own)]);
    assert_eq!(log.listed().await.len(), 1);
}

/// What a notification does not say is absent, not empty; an empty body is kept, too.
pub async fn keeps_an_event_that_reports_nothing(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.payment();
    let event = Event {
        report: Report::NONE,
        status: None,
        version: None,
        verdict: Verdict::Ignored,
        body: RawBody::new(b"", fresh.digest()),
        ..fresh.event(&payment)
    };
    let other = Event {
        report: Report {
            outcome: None,
            refund: None,
            reference: stripe(""),
            amount_minor: Some(0),
            currency: Some(String::new()),
        },
        ..fresh.event(&payment)
    };
    for event in [&event, &other] {
        assert_eq!(store.append(event).await.unwrap(), Appended::Done);
    }
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, [LoggedEvent::of(&event), LoggedEvent::of(&other)]);
}

/// One refund with the merchant's reference and without, and a total.
pub async fn keeps_what_is_reported_of_a_refund(
    store: impl Store,
    log: impl Inspect,
    fresh: Fresh,
) {
    let payment = fresh.payment();
    let mut events = Vec::new();
    for report in reports() {
        let event = Event { report, verdict: Verdict::Noted, ..fresh.event(&payment) };
        assert_eq!(store.append(&event).await.unwrap(), Appended::Done);
        events.push(LoggedEvent::of(&event));
    }
    let kept = log.events(Some(payment.id), Sender::Native).await;
    assert_eq!(kept, events);
    let refunds: Vec<_> = kept.iter().map(|event| event.refund.as_deref()).collect();
    assert_eq!(refunds, [Some("re_1"), Some("re_2"), None]);
    assert_eq!(kept[2].refunded, Some(70));
}
