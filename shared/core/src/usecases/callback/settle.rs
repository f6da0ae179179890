//! The decision on one message, and its write: taken anew when the write was overtaken or did not
//! say whether it happened.

use super::{CallbackError, Notice};
use crate::{
    domain::{Change, Event, Misfit, Payment, Report, Step, Timestamp, Verdict},
    ports::{Applied, Logged, PaymentStore, StoreError},
    usecases::DECISIONS_MAX,
};

/// What a message is to do to a record.
enum Plan {
    Change(Change, Verdict),
    Log(Verdict),
    Quarantine,
}

/// What came of one try at it.
enum Attempt {
    Settled(Payment, Verdict),
    /// The record is another by now.
    Overtaken,
    /// A person must look.
    Unfit,
}

/// Does to the record what the message says; the record after it, and what that was.
///
/// # Errors
///
/// [`CallbackError::Misfit`] with [`Misfit::StatusConflict`], or the store's.
pub(super) async fn settle(
    store: &impl PaymentStore,
    notice: &Notice,
    mut record: Payment,
    now: Timestamp,
) -> Result<(Payment, Verdict), CallbackError> {
    for _ in 0..DECISIONS_MAX {
        match attempt(store, notice, &record, now).await {
            Ok(Attempt::Settled(record, verdict)) => return Ok((record, verdict)),
            Ok(Attempt::Unfit) => {
                return Err(park(store, notice, Some(&record), Misfit::StatusConflict, now).await);
            }
            Ok(Attempt::Overtaken) | Err(StoreError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
        record = store
            .payment(record.id)
            .await?
            .ok_or_else(|| CallbackError::Fault("a record that was there is gone".into()))?;
    }
    Err(CallbackError::Unavailable("the record kept changing".into()))
}

async fn attempt(
    store: &impl PaymentStore,
    notice: &Notice,
    record: &Payment,
    now: Timestamp,
) -> Result<Attempt, StoreError> {
    match plan(notice, record, now) {
        Plan::Change(change, verdict) => {
            let event = notice.event(record, Some(&change), verdict, now);
            Ok(match apply(store, &change, event).await? {
                Applied::Done => Attempt::Settled(change.applied_to(record.clone()), verdict),
                // The key of the version reached is taken only once that version was reached.
                Applied::RecordChanged | Applied::KeyTaken => Attempt::Overtaken,
                Applied::NotLive => Attempt::Unfit,
            })
        }
        Plan::Log(verdict) => {
            // An entry that is there already is this message's own, or its sender reuses ids.
            store.log(&notice.event(record, None, verdict, now)).await?;
            Ok(Attempt::Settled(record.clone(), verdict))
        }
        Plan::Quarantine => Ok(Attempt::Unfit),
    }
}

/// Changes the record; where the event's key is taken, under the key of the version reached.
async fn apply(
    store: &impl PaymentStore,
    change: &Change,
    event: Event,
) -> Result<Applied, StoreError> {
    let applied = store.apply(change, &event).await?;
    if applied == Applied::KeyTaken {
        return store.apply(change, &event.suffixed_by_version(change)).await;
    }
    Ok(applied)
}

/// Puts a message in quarantine; the refusal it is answered with.
pub(super) async fn park(
    store: &impl PaymentStore,
    notice: &Notice,
    record: Option<&Payment>,
    misfit: Misfit,
    now: Timestamp,
) -> CallbackError {
    let event = notice.quarantined(record, misfit, now);
    let mut unknown = None;
    for _ in 0..DECISIONS_MAX {
        match log_beside(store, &event).await {
            Ok(()) => return CallbackError::Misfit(misfit),
            // Put only if absent: trying again finds it there.
            Err(StoreError::Unknown(cause)) => unknown = Some(cause),
            Err(error) => return error.into(),
        }
    }
    CallbackError::Unavailable(unknown.unwrap_or_else(|| "the store gave no answer".into()))
}

/// Logs an event; where another message has its key, beside that one.
async fn log_beside(store: &impl PaymentStore, event: &Event) -> Result<(), StoreError> {
    match store.log(event).await? {
        Logged::KeyTaken(stored) if stored != event.body.digest() => {
            store.log(&event.clone().suffixed_by_body()).await?;
            Ok(())
        }
        // Its own entry from an earlier delivery.
        Logged::KeyTaken(_) | Logged::Done => Ok(()),
    }
}

fn plan(notice: &Notice, record: &Payment, now: Timestamp) -> Plan {
    let outcome = match notice.report {
        Report::Outcome(outcome) => outcome,
        Report::PartialRefund => return Plan::Log(Verdict::Noted),
        Report::Nothing => return Plan::Log(Verdict::Ignored),
    };
    let money = &notice.money;
    // A message that says nothing new of the status may still say whose money it was.
    let unmoved = |verdict| match record.change_taught_by(money, now) {
        Some(change) if outcome.moves_money() => Plan::Change(change, verdict),
        Some(_) | None => Plan::Log(verdict),
    };
    match record.status.step(outcome, record.money.same_as(money)) {
        Step::Move(to) => Plan::Change(record.change_to(to, money, false, now), Verdict::Applied),
        Step::MoveIfLive(to) => {
            Plan::Change(record.change_to(to, money, true, now), Verdict::Applied)
        }
        Step::Repeat => unmoved(Verdict::Repeat),
        Step::Stale => unmoved(Verdict::Stale),
        Step::Quarantine => Plan::Quarantine,
    }
}
