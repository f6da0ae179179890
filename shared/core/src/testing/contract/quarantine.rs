//! Messages that a person has to decide on.

use super::fresh::{Fresh, has, stripe};
use crate::{
    domain::{Event, EventKey, Misfit, Outcome, Payment, Quarantined, Said, Status, Verdict},
    ports::{PaymentStore, Quarantine},
    testing::Inspect,
};

fn a_misfit(fresh: &Fresh, payment: &Payment) -> Event {
    let said = Said {
        outcome: Some(Outcome::Paid),
        money: stripe("pi_7"),
        amount_minor: Some(99),
        currency: Some("EUR".to_owned()),
    };
    let reason = Some(Misfit::AmountMismatch);
    Event { verdict: Verdict::Quarantined, said, reason, ..fresh.event(payment) }
}

/// What it said, and why it did not fit.
pub async fn reads_what_was_put_there(
    store: impl PaymentStore + Quarantine + Inspect,
    fresh: Fresh,
) {
    let payment = fresh.stored_as(&store, Status::Pending).await;
    let event = a_misfit(&fresh, &payment);
    store.log(&event).await.unwrap();
    let want = Quarantined { said: event.said.clone(), reason: event.reason, open: true };
    assert_eq!(store.quarantined(&event.key()).await.unwrap(), Some(want));
    let stray = Event {
        payment: None,
        said: Said { outcome: None, money: stripe(""), amount_minor: None, currency: None },
        ..a_misfit(&fresh, &payment)
    };
    let stray = stray.suffixed_by_body();
    store.log(&stray).await.unwrap();
    let found = store.quarantined(&stray.key()).await.unwrap().unwrap();
    assert_eq!(found.said, stray.said);
}

/// Other entries never were in it.
pub async fn finds_no_other_entry(store: impl PaymentStore + Quarantine + Inspect, fresh: Fresh) {
    let payment = fresh.stored_as(&store, Status::Pending).await;
    let event = fresh.event(&payment);
    store.log(&event).await.unwrap();
    assert_eq!(store.quarantined(&event.key()).await.unwrap(), None);
    let missing = EventKey::parse("7/stripe/evt_7").unwrap();
    assert_eq!(store.quarantined(&missing).await.unwrap(), None);
    store.resolved(&missing).await.unwrap();
    assert_eq!(store.quarantined(&missing).await.unwrap(), None);
}

/// It stays in the log as it was, and touches no record and no telling.
pub async fn is_resolved_once_and_for_all(
    store: impl PaymentStore + Quarantine + Inspect,
    fresh: Fresh,
) {
    let paid = fresh.stored_as(&store, Status::Paid).await;
    let event = a_misfit(&fresh, &paid);
    store.log(&event).await.unwrap();
    assert_eq!(store.listed().await.len(), 2);
    for _ in 0..2 {
        store.resolved(&event.key()).await.unwrap();
        assert_eq!(store.listed().await.len(), 1);
        let found = store.quarantined(&event.key()).await.unwrap().unwrap();
        assert_eq!((found.open, found.said), (false, event.said.clone()));
    }
    has(&store, &paid).await;
    let rows = store.events(Some(paid.id), event.provider).await;
    let row = rows.iter().find(|row| row.sha256 == event.body.digest().to_string()).unwrap();
    assert_eq!((row.work.as_deref(), row.due), (None, None));
    assert_eq!(row.reason.as_deref(), Some("amount-mismatch"));
}
