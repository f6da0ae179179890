//! Quarantine: what a person decides on a message that did not fit.
//!
//! Accepting is a message of the operator's own, with the record's amount, through [`callback`]:
//! whatever protects the record from a provider protects it from a person. Either decision leaves
//! an entry in the event log with the person's note, and then takes the message off the list.

use super::callback::{CallbackError, Notice, callback};
use crate::{
    domain::{
        Event, EventId, EventKey, Outcome, Payment, PaymentId, Provider, Quarantined, RawBody,
        Report, Step, Timestamp, Verdict,
    },
    ports::{Cause, Orders, PaymentStore, Quarantine, StoreError, TraceParent, Users},
};

/// What a person wants done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The payment becomes what the message says, with the record's own amount.
    Accept,
    /// Nothing becomes of it.
    Dismiss,
}

/// A decision on one message.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// Which message.
    pub key: EventKey,
    /// What to do.
    pub decision: Decision,
    /// Who decided it and why, as it is kept.
    pub note: RawBody,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No such message is or was in quarantine.
    #[error("no such message is in quarantine")]
    NotFound,
    /// Somebody has decided on it.
    #[error("somebody has decided on this message already")]
    Resolved,
    /// It can only be dismissed; why.
    #[error("it cannot be accepted, only dismissed: {0}")]
    OnlyDismiss(&'static str),
    /// The store is down or did not say what it did; a repeat finds out.
    #[error("the store cannot be used now")]
    Unavailable(#[source] Cause),
    /// Ours to repair.
    #[error("the store is not as it should be")]
    Fault(#[source] Cause),
}

impl From<StoreError> for ResolveError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Unknown(cause) => Self::Unavailable(cause),
            StoreError::Fault(cause) => Self::Fault(cause),
        }
    }
}

/// Does what a person decided on a message in quarantine.
///
/// A payment that becomes paid is on the work list even where its order could not be told.
///
/// # Errors
///
/// [`ResolveError`], in the order of its variants. After one that is not
/// [`ResolveError::Unavailable`] or [`ResolveError::Fault`] no record has changed, and the message
/// still waits for a decision.
pub async fn resolve(
    shop: (&impl Users, &impl Orders),
    store: &(impl PaymentStore + Quarantine),
    Resolve { key, decision, note }: Resolve,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<(), ResolveError> {
    let message = store.quarantined(&key).await?.ok_or(ResolveError::NotFound)?;
    if !message.open {
        return Err(ResolveError::Resolved);
    }
    let record = match key.payment {
        Some(id) => store.payment(id).await?,
        None => None,
    };
    let event_id = name(&key, &note);
    match decision {
        Decision::Accept => {
            let Some(record) = record else {
                return Err(ResolveError::OnlyDismiss("it names no payment of ours"));
            };
            let outcome = acceptable(store, &message, &record).await?;
            let own = EventKey::new(Some(record.id), Provider::Operator, &event_id, None);
            let notice = accepted(&message, &record, outcome, event_id, note);
            match callback(shop, store, &notice, now, trace).await {
                Ok(_) => {}
                Err(CallbackError::Misfit(_)) => {
                    // The decision itself is in quarantine now. Its message is, too: one is enough.
                    store.resolved(&own).await?;
                    return Err(ResolveError::OnlyDismiss("the payment changed meanwhile"));
                }
                Err(CallbackError::Unavailable(cause)) => {
                    return Err(ResolveError::Unavailable(cause));
                }
                Err(CallbackError::Fault(cause)) => return Err(ResolveError::Fault(cause)),
            }
        }
        Decision::Dismiss => {
            let event = dismissed(message, key.payment, record.as_ref(), event_id, note, now);
            // An entry that is there already is from an earlier try.
            store.log(&event).await?;
        }
    }
    Ok(store.resolved(&key).await?)
}

/// The outcome that a message may still bring about.
async fn acceptable(
    store: &impl PaymentStore,
    message: &Quarantined,
    record: &Payment,
) -> Result<Outcome, ResolveError> {
    let outcome = message
        .said
        .outcome
        .ok_or(ResolveError::OnlyDismiss("it reports nothing that moves a payment"))?;
    let same_money = record.money.same_as(&message.said.money);
    match record.status.step(outcome, same_money) {
        Step::Move(_) | Step::MoveIfLive(_) => {}
        Step::Repeat | Step::Stale => {
            return Err(ResolveError::OnlyDismiss("the payment says so already, or is past it"));
        }
        Step::Quarantine => {
            return Err(ResolveError::OnlyDismiss("the payment was paid with other money"));
        }
    }
    let guard = store.guard(record.oid).await?;
    if guard.is_some_and(|guard| guard.payment == record.id) {
        Ok(outcome)
    } else {
        Err(ResolveError::OnlyDismiss("another payment has the order by now"))
    }
}

/// The operator's own message.
fn accepted(
    message: &Quarantined,
    record: &Payment,
    outcome: Outcome,
    event_id: EventId,
    note: RawBody,
) -> Notice {
    Notice {
        provider: Provider::Operator,
        event_id,
        payment: Some(record.id),
        claims: None,
        amount_minor: Some(record.amount.minor()),
        currency: Some(record.amount.currency().code().to_owned()),
        foreign: false,
        report: Report::Outcome(outcome),
        money: message.said.money.clone(),
        body: note,
    }
}

fn dismissed(
    message: Quarantined,
    payment: Option<PaymentId>,
    record: Option<&Payment>,
    id: EventId,
    note: RawBody,
    at: Timestamp,
) -> Event {
    Event {
        payment,
        provider: Provider::Operator,
        id,
        suffix: None,
        at,
        said: message.said,
        status: record.map(|record| (record.status, record.status)),
        version: record.map(|record| record.version),
        verdict: Verdict::Ignored,
        reason: message.reason,
        body: note,
    }
}

/// The entry of a decision is named after the message that it is about, and after the note: taken
/// again with the same note it is the same decision, with another it is one more.
fn name(key: &EventKey, note: &RawBody) -> EventId {
    let digest = note.digest().to_string();
    let start: String = digest.chars().take(8).collect();
    let about = format!("{}.{}.{start}", key.provider.as_str(), key.name().replace('#', "."));
    EventId::new(Some(&about), note.digest())
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
