//! Notifications that a person has to decide on.

use super::fresh::{Fresh, amount_mismatch, has, stripe};
use crate::{
    domain::{Event, EventKey, Outcome, Payment, Quarantined, Report, Status, Verdict},
    testing::{Inspect, contract::Store},
};

fn a_mismatch(fresh: &Fresh, payment: &Payment) -> Event {
    let report = Report {
        outcome: Some(Outcome::Paid),
        reference: stripe("pi_7"),
        amount_minor: Some(99),
        currency: Some("EUR".to_owned()),
    };
    let mismatch = Some(amount_mismatch());
    Event { verdict: Verdict::Quarantined, report, mismatch, ..fresh.event(payment) }
}

/// What it reports, and why it did not match.
pub async fn reads_what_was_put_there(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Pending).await;
    let event = a_mismatch(&fresh, &payment);
    store.append(&event).await.unwrap();
    let want =
        Quarantined { report: event.report.clone(), mismatch: event.mismatch.clone(), open: true };
    assert_eq!(store.quarantined(&event.key()).await.unwrap(), Some(want));
    let unmatched = Event {
        payment: None,
        report: Report { reference: stripe(""), ..Report::NONE },
        ..a_mismatch(&fresh, &payment)
    };
    let unmatched = unmatched.suffixed_by_body();
    store.append(&unmatched).await.unwrap();
    let found = store.quarantined(&unmatched.key()).await.unwrap().unwrap();
    assert_eq!(found.report, unmatched.report);
}

/// Other events never were quarantined.
pub async fn finds_no_other_event(store: impl Store, _log: impl Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Pending).await;
    let event = fresh.event(&payment);
    store.append(&event).await.unwrap();
    assert_eq!(store.quarantined(&event.key()).await.unwrap(), None);
    let missing = EventKey::parse("7/stripe/evt_7").unwrap();
    assert_eq!(store.quarantined(&missing).await.unwrap(), None);
    store.resolve(&missing).await.unwrap();
    assert_eq!(store.quarantined(&missing).await.unwrap(), None);
}

/// It stays in the log as it was, and no record changes.
pub async fn is_resolved_once_and_for_all(store: impl Store, log: impl Inspect, fresh: Fresh) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let event = a_mismatch(&fresh, &paid);
    store.append(&event).await.unwrap();
    assert_eq!(log.listed().await.len(), 2);
    for _ in 0..2 {
        store.resolve(&event.key()).await.unwrap();
        assert_eq!(log.listed().await.len(), 1);
        let found = store.quarantined(&event.key()).await.unwrap().unwrap();
        assert_eq!((found.open, found.report), (false, event.report.clone()));
    }
    has(&store, &paid).await;
    let rows = log.events(Some(paid.id), event.sender).await;
    let row = rows.iter().find(|row| row.sha256 == event.body.digest().to_string()).unwrap();
    assert_eq!((row.queue.as_deref(), row.due), (None, None));
    assert_eq!(row.mismatch.as_deref(), Some("amount"));
}
