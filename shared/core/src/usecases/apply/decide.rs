//! The decision on one notification, and its write: repeated after a version conflict, and after a
//! write whose outcome is unknown.

use super::ApplyError;
use crate::{
    domain::{
        Change, Event, Mismatch, MismatchField, Notification, Payment, PaymentId, ProviderRef,
        Timestamp, Transition, Verdict,
    },
    limits::DECISIONS_MAX,
    ports::{Appended, Cause, Payments, StoreError, Updated},
    usecases::Failure,
};

/// What is to be written.
enum Plan {
    Update(Change, Verdict),
    Append(Verdict),
    Quarantine(Mismatch),
}

/// What one attempt came to.
enum Attempt {
    Done(Payment, Verdict),
    /// The record has changed meanwhile.
    Conflict,
    /// A person decides.
    Mismatch(Mismatch),
}

/// Decides on a notification and writes the result; the record after it, and what it did.
///
/// # Errors
///
/// [`ApplyError::Mismatch`] in the provider reference or the live payment, or [`ApplyError::Failed`].
pub(super) async fn decide(
    store: &impl Payments,
    notification: &Notification,
    mut record: Payment,
    now: Timestamp,
) -> Result<(Payment, Verdict), ApplyError> {
    for _ in 0..DECISIONS_MAX {
        match attempt(store, notification, &record, now).await {
            Ok(Attempt::Done(record, verdict)) => return Ok((record, verdict)),
            Ok(Attempt::Mismatch(mismatch)) => {
                return Err(quarantine(store, notification, Some(&record), mismatch, now).await);
            }
            Ok(Attempt::Conflict) | Err(StoreError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = || Failure::Fault("a record that existed is gone".into());
        record = store.payment(record.id).await?.ok_or_else(gone)?;
    }
    Err(Failure::Unavailable("the record kept changing".into()).into())
}

async fn attempt(
    store: &impl Payments,
    notification: &Notification,
    record: &Payment,
    now: Timestamp,
) -> Result<Attempt, StoreError> {
    match plan(notification, record, now) {
        Plan::Update(change, verdict) => {
            let event = notification.event(record, Some(&change), verdict, now);
            Ok(match update(store, &change, event).await? {
                Updated::Done => Attempt::Done(change.applied_to(record.clone()), verdict),
                // The key with the version as suffix is taken only once that version was reached.
                Updated::RecordChanged | Updated::KeyTaken => Attempt::Conflict,
                Updated::NotLive(live) => Attempt::Mismatch(not_live(record, live)),
            })
        }
        Plan::Append(verdict) => {
            // An event that exists is this notification's own, or its sender reuses ids.
            store.append(&notification.event(record, None, verdict, now)).await?;
            Ok(Attempt::Done(record.clone(), verdict))
        }
        Plan::Quarantine(mismatch) => Ok(Attempt::Mismatch(mismatch)),
    }
}

/// Changes the record; where the event's key is taken, with the version reached as suffix.
async fn update(
    store: &impl Payments,
    change: &Change,
    event: Event,
) -> Result<Updated, StoreError> {
    let updated = store.update(change, &event).await?;
    if updated == Updated::KeyTaken {
        return store.update(change, &event.suffixed_by_version(change)).await;
    }
    Ok(updated)
}

/// Quarantines a notification; the error that says so, or why it could not be.
pub(super) async fn quarantine(
    store: &impl Payments,
    notification: &Notification,
    record: Option<&Payment>,
    mismatch: Mismatch,
    now: Timestamp,
) -> ApplyError {
    let event = notification.quarantined(record, mismatch.clone(), now);
    let mut unknown: Option<Cause> = None;
    for _ in 0..DECISIONS_MAX {
        match append_beside(store, &event).await {
            Ok(()) => return ApplyError::Mismatch(mismatch),
            // Put only if absent: another attempt finds it there.
            Err(StoreError::Unknown(cause)) => unknown = Some(cause),
            Err(error) => return error.into(),
        }
    }
    let cause = unknown.unwrap_or_else(|| "the store sent no response".into());
    Failure::Unavailable(cause).into()
}

/// Appends an event; where another notification has its key, beside that one.
async fn append_beside(store: &impl Payments, event: &Event) -> Result<(), StoreError> {
    match store.append(event).await? {
        Appended::KeyTaken(stored) if stored != Some(event.body.digest()) => {
            store.append(&event.clone().suffixed_by_body()).await?;
            Ok(())
        }
        // Its own event from an earlier delivery.
        Appended::KeyTaken(_) | Appended::Done => Ok(()),
    }
}

fn plan(notification: &Notification, record: &Payment, now: Timestamp) -> Plan {
    let Some(outcome) = notification.report.outcome else {
        return Plan::Append(Verdict::Ignored);
    };
    let reference = &notification.report.reference;
    // A notification that changes no status may still complete the provider reference.
    let unmoved = |verdict| match record.completion(reference, now) {
        Some(change) if outcome.moves_money() => Plan::Update(change, verdict),
        Some(_) | None => Plan::Append(verdict),
    };
    match record.status.transition(outcome, record.reference.may_match(reference)) {
        Transition::Move(to) => {
            Plan::Update(record.change_to(to, reference, false, now), Verdict::Applied)
        }
        Transition::MoveIfLive(to) => {
            Plan::Update(record.change_to(to, reference, true, now), Verdict::Applied)
        }
        Transition::Duplicate => unmoved(Verdict::Duplicate),
        Transition::Stale => unmoved(Verdict::Stale),
        Transition::Note => Plan::Append(Verdict::Noted),
        Transition::Quarantine => Plan::Quarantine(other_reference(record, reference)),
    }
}

fn other_reference(record: &Payment, received: &ProviderRef) -> Mismatch {
    Mismatch::new(MismatchField::Reference, Some(&record.reference), Some(received))
}

/// The payment was closed, and its order's guard names another one.
fn not_live(record: &Payment, live: Option<PaymentId>) -> Mismatch {
    Mismatch::new(MismatchField::LivePayment, live, Some(record.id))
}
