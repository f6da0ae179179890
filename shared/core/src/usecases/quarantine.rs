//! Quarantine: what a person decides on a notification that did not match.
//!
//! Accepting applies a notification of the operator's own, with the record's amount, through
//! [`apply`]: whatever protects the record from a provider protects it from a person. Either decision
//! leaves an event with the person's note, and then takes the notification off the review list.

use super::{
    Failure,
    apply::{ApplyError, apply},
};
use crate::{
    domain::{
        Event, EventId, EventKey, Notification, Outcome, Payment, PaymentId, Quarantined, RawBody,
        Report, Sender, Timestamp, Transition, Verdict,
    },
    ports::{Orders, Outbox, Payments, Quarantine, TraceParent, Users},
};

/// What a person wants done with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The payment gets the status that the notification reports, with the record's own amount.
    Accept,
    /// It has no effect.
    Dismiss,
}

/// A decision on one notification.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// Which notification.
    pub key: EventKey,
    /// What to do.
    pub decision: Decision,
    /// Who decided it and why, as it is kept.
    pub note: RawBody,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No such notification is or was quarantined.
    #[error("no such notification is in quarantine")]
    NotFound,
    /// Somebody has decided on it.
    #[error("somebody has decided on this notification already")]
    Resolved,
    /// It can only be dismissed; why.
    #[error("it cannot be accepted, only dismissed: {0}")]
    OnlyDismiss(&'static str),
    /// A dependency failed.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for ResolveError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Carries out what a person decided on a quarantined notification.
///
/// A payment that becomes paid stays due if the order service could not be notified.
///
/// # Errors
///
/// [`ResolveError`], in the order of its variants. After one that is not [`ResolveError::Failed`] no
/// record has changed, and the notification still waits for a decision.
pub async fn resolve(
    shop: (&impl Users, &impl Orders),
    store: &(impl Payments + Outbox + Quarantine),
    Resolve { key, decision, note }: Resolve,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<(), ResolveError> {
    let quarantined = store.quarantined(&key).await?.ok_or(ResolveError::NotFound)?;
    if !quarantined.open {
        return Err(ResolveError::Resolved);
    }
    let record = match key.payment {
        Some(id) => store.payment(id).await?,
        None => None,
    };
    let event_id = event_id(&key, &note);
    match decision {
        Decision::Accept => {
            let Some(record) = record else {
                return Err(ResolveError::OnlyDismiss("it names no payment of ours"));
            };
            let outcome = acceptable(store, &quarantined, &record).await?;
            let own = EventKey::new(Some(record.id), Sender::Operator, &event_id, None);
            let notification = accepted(&quarantined, &record, outcome, event_id, note);
            match apply(shop, store, &notification, now, trace).await {
                Ok(_) => {}
                Err(ApplyError::Mismatch(_)) => {
                    // The decision itself is quarantined now, beside its notification: one is enough.
                    store.resolve(&own).await?;
                    return Err(ResolveError::OnlyDismiss("the payment changed meanwhile"));
                }
                Err(ApplyError::Failed(failure)) => return Err(ResolveError::Failed(failure)),
            }
        }
        Decision::Dismiss => {
            let event = dismissed(quarantined, key.payment, record.as_ref(), event_id, note, now);
            // An event that exists is from an earlier attempt.
            store.append(&event).await?;
        }
    }
    Ok(store.resolve(&key).await?)
}

/// The outcome that a notification may still bring about.
async fn acceptable(
    store: &impl Payments,
    quarantined: &Quarantined,
    record: &Payment,
) -> Result<Outcome, ResolveError> {
    let nothing = ResolveError::OnlyDismiss("it reports nothing that changes a status");
    let Some(outcome) = quarantined.report.outcome else {
        return Err(nothing);
    };
    let may_match = record.reference.may_match(&quarantined.report.reference);
    match record.status.transition(outcome, may_match) {
        Transition::Move(_) | Transition::MoveIfLive(_) => {}
        Transition::Note => return Err(nothing),
        Transition::Duplicate | Transition::Stale => {
            return Err(ResolveError::OnlyDismiss("the payment has this status or a higher one"));
        }
        Transition::Quarantine => {
            return Err(ResolveError::OnlyDismiss(
                "the payment was paid under another provider reference",
            ));
        }
    }
    let guard = store.guard(record.oid).await?;
    if guard.is_some_and(|guard| guard.payment == record.id) {
        Ok(outcome)
    } else {
        Err(ResolveError::OnlyDismiss("another payment has the order by now"))
    }
}

/// The operator's own notification.
fn accepted(
    quarantined: &Quarantined,
    record: &Payment,
    outcome: Outcome,
    event_id: EventId,
    note: RawBody,
) -> Notification {
    Notification {
        sender: Sender::Operator,
        event_id,
        payment: Some(record.id),
        claims: None,
        wrong_account: None,
        review: None,
        report: Report {
            outcome: Some(outcome),
            reference: quarantined.report.reference.clone(),
            amount_minor: Some(record.amount.minor()),
            currency: Some(record.amount.currency().code().to_owned()),
        },
        body: note,
    }
}

fn dismissed(
    quarantined: Quarantined,
    payment: Option<PaymentId>,
    record: Option<&Payment>,
    id: EventId,
    note: RawBody,
    at: Timestamp,
) -> Event {
    Event {
        payment,
        sender: Sender::Operator,
        id,
        suffix: None,
        at,
        report: quarantined.report,
        status: record.map(|record| (record.status, record.status)),
        version: record.map(|record| record.version),
        verdict: Verdict::Ignored,
        mismatch: quarantined.mismatch,
        body: note,
    }
}

/// The event id of a decision names the notification that it is about, and the note: repeated with
/// the same note it is the same decision, with another note it is one more.
fn event_id(key: &EventKey, note: &RawBody) -> EventId {
    let digest = note.digest().to_string();
    let start: String = digest.chars().take(8).collect();
    let about = format!("{}.{}.{start}", key.sender.as_str(), key.name().replace('#', "."));
    EventId::new(Some(&about), note.digest())
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
