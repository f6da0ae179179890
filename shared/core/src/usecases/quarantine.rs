//! Quarantine: what a person decides on a notification that did not match.
//!
//! Accepting makes the change that the table of transitions has for what the notification reports, with
//! the record's own amount: whatever protects the record from a provider protects it from a person. A
//! decision, its event with the note, and the change are one write, so of two persons who decide at
//! the same moment one learns what the other decided.

use super::{
    Failure,
    apply::{Plan, given_back, has_unended, known_refund, notify, notify_refund, plan},
};
use crate::{
    domain::{
        Amount, Change, CheckoutNumber, CheckoutReference, CheckoutState, Decided, Decision,
        Digest, Due, Event, EventId, EventKey, Mismatch, MismatchField, Operator, OperatorDecision,
        Outcome, Payment, PaymentId, Provider, Quarantined, RawBody, Refund, RefundId,
        RefundReference, RefundRequest, RefundState, Report, Sender, Timestamp, Verdict,
    },
    limits::DECISIONS_MAX,
    ports::{Orders, Outbox, Payments, Quarantine, Resolved, StoreError, TraceParent},
};

/// A decision on one notification.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// Which notification.
    pub key: EventKey,
    /// What to do.
    pub decision: Decision,
    /// The payment to accept it onto; needed for a notification that names none of ours.
    pub payment: Option<PaymentId>,
    /// Who decides.
    pub by: Operator,
    /// Why, as it is kept.
    pub note: RawBody,
    /// SHA-256 of the transaction that it reports: of money that is given back, it is the refund's key, so
    /// that the same money goes back once, however many notifications report it.
    pub refund_key: Digest,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No such notification is or was quarantined.
    #[error("no such notification is in quarantine")]
    NotFound,
    /// Somebody has decided on it.
    #[error(
        "it was {} by {} already, with the note of {}",
        .0.decision.as_str(), .0.by, .0.event
    )]
    Decided(Decided),
    /// It names a payment, and is to be accepted onto another.
    #[error(
        "it reports money for payment {0}, and is not accepted onto another payment: that its sender \
         named {0} is authentic. Pay it back at the provider, or accept it onto {0}"
    )]
    OtherPayment(PaymentId),
    /// It names no payment of ours, and neither does the decision.
    #[error("it names no payment of ours: name the one to accept it onto, or dismiss it")]
    NoPayment,
    /// The payment to accept it onto does not exist.
    #[error("there is no payment {0}")]
    PaymentNotFound(PaymentId),
    /// It does not fit the payment that it is to be accepted onto.
    #[error("it does not fit payment {0}: {1}")]
    Mismatch(PaymentId, Mismatch),
    /// It can only be dismissed; why.
    #[error("it cannot be accepted, only dismissed: {0}")]
    OnlyDismiss(&'static str),
    /// The money that it reports cannot be given back by us; why.
    #[error("its money cannot be given back: {0}")]
    NotRefundable(&'static str),
    /// A dependency failed.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for ResolveError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a decision writes.
struct Writes {
    /// The record before it, and what becomes of it; `None` where it has no effect.
    change: Option<(Payment, Change)>,
    event: Event,
}

/// Carries out what a person decided on a quarantined notification.
///
/// A payment that becomes paid stays due if the order service could not be notified.
///
/// # Errors
///
/// [`ResolveError`], in the order of its variants. After one that is not [`ResolveError::Failed`]
/// nothing was written, and the notification still waits for a decision unless somebody has decided.
pub async fn resolve(
    orders: &impl Orders,
    store: &(impl Payments + Outbox + Quarantine),
    request: &Resolve,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<(), ResolveError> {
    let mut unknown = None;
    for attempt in 0..DECISIONS_MAX {
        let found = store.quarantined(&request.key).await?.ok_or(ResolveError::NotFound)?;
        if let Some(decided) = found.decided {
            end_checkout(store, request, found.checkout, now).await?;
            // It is ours if an attempt took effect although its response was lost.
            let ours = attempt > 0 && request.is(&decided);
            return if ours { Ok(()) } else { Err(ResolveError::Decided(decided)) };
        }
        let checkout = found.checkout;
        let writes = match request.decision {
            Decision::Accept => {
                accept(store, request, &found, orders.hears_of_refunds(), now).await
            }
            Decision::Dismiss => dismiss(store, request, found, now).await,
            Decision::Refund => give_back(store, request, &found, now).await,
        };
        let Writes { change, event } = match writes {
            // An attempt may have taken effect since the notification was read.
            Err(_) if unknown.is_some() => continue,
            writes => writes?,
        };
        match write(store, request, change.as_ref().map(|(_, change)| change), event, now).await {
            Ok(Resolved::Done) => {
                if let Some((record, change)) = change {
                    let record = change.applied_to(record);
                    notify(orders, store, &record, due_for_checkouts(&record), now, trace).await;
                    if let Some(refund) = &change.refund {
                        notify_refund(orders, store, (&record, &refund.item), trace).await;
                    }
                }
                end_checkout(store, request, checkout, now).await?;
                return Ok(());
            }
            Ok(Resolved::NotLive(_)) => {
                return Err(ResolveError::OnlyDismiss("another payment has the order by now"));
            }
            Ok(Resolved::KeyTaken) => {
                return Err(Failure::Fault("the key of the decision is taken".into()).into());
            }
            Ok(Resolved::NotOpen | Resolved::RecordChanged) => {}
            Err(StoreError::Unknown(cause)) => unknown = Some(cause),
            Err(error) => return Err(error.into()),
        }
    }
    let changing = || "the record kept changing".into();
    Err(Failure::Unavailable(unknown.unwrap_or_else(changing)).into())
}

/// Ends the checkout that a notification is about, once a person has decided on it: it was paid, and nobody
/// pays it again. If this fails, the same decision again ends it.
async fn end_checkout(
    store: &impl Payments,
    request: &Resolve,
    checkout: Option<CheckoutNumber>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Some(payment), Some(number)) = (request.key.payment, checkout) else { return Ok(()) };
    let reference = CheckoutReference { payment, number };
    store.end_checkout(reference, CheckoutState::Ended, now).await
}

/// When else is to be looked at a payment: its checkouts may be unended.
fn due_for_checkouts(record: &Payment) -> Option<Due> {
    record.due.filter(|_| record.checkouts > 0)
}

/// Writes the decision; where the key of its event is taken, with the digest of the note as suffix.
async fn write(
    store: &impl Quarantine,
    request: &Resolve,
    change: Option<&Change>,
    event: Event,
    now: Timestamp,
) -> Result<Resolved, StoreError> {
    let written =
        store.resolve(&request.key, &request.decided(&event, now), change, &event).await?;
    if written != Resolved::KeyTaken {
        return Ok(written);
    }
    let event = event.suffixed_by_body();
    store.resolve(&request.key, &request.decided(&event, now), change, &event).await
}

/// The change that a notification still brings about, and the operator's own event of it.
async fn accept(
    store: &impl Payments,
    request: &Resolve,
    found: &Quarantined,
    hears_of_refunds: bool,
    now: Timestamp,
) -> Result<Writes, ResolveError> {
    let id = match (request.key.payment, request.payment) {
        (Some(own), Some(other)) if own != other => return Err(ResolveError::OtherPayment(own)),
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => return Err(ResolveError::NoPayment),
    };
    let record = store.payment(id).await?.ok_or(ResolveError::PaymentNotFound(id))?;
    let mismatch = |report: &Report, record: &Payment| {
        let currency = || report.currency_mismatch(record, request.key.sender == Sender::Native);
        report.amount_mismatch(record).or_else(currency)
    };
    if request.key.payment.is_none()
        && let Some(mismatch) = mismatch(&found.report, &record)
    {
        return Err(ResolveError::Mismatch(id, mismatch));
    }
    if given_back(store, &record, &found.report).await?.is_some() {
        return Err(ResolveError::OnlyDismiss("its money goes back, or went back, by a refund"));
    }
    let change = change(store, &found.report, &record, hears_of_refunds, now).await?;
    let report = Report {
        outcome: found.report.outcome,
        refund: found.report.refund.clone(),
        reference: found.report.reference.clone(),
        amount_minor: Some(record.amount.minor()),
        currency: Some(record.amount.currency().code().to_owned()),
    };
    let event = Event {
        status: Some((change.from, change.to)),
        version: Some(change.version()),
        ..request.event(Some(id), report, Verdict::Applied, now)
    };
    Ok(Writes { change: Some((record, change)), event })
}

/// The refund of the money that a notification reports: requested, and due at once.
async fn give_back(
    store: &impl Payments,
    request: &Resolve,
    found: &Quarantined,
    now: Timestamp,
) -> Result<Writes, ResolveError> {
    let not_refundable = |why| Err(ResolveError::NotRefundable(why));
    let Some(id) = request.key.payment else {
        return not_refundable("it names no payment of ours: give it back at the provider");
    };
    let report = &found.report;
    let record = store.payment(id).await?.ok_or(ResolveError::PaymentNotFound(id))?;
    if report.outcome != Some(Outcome::Paid) {
        return not_refundable("it reports no money that was paid");
    }
    if Provider::of_source(report.reference.source).is_none() || report.reference.txn.is_none() {
        return not_refundable("it names no transaction of a provider's");
    }
    if report.reference.is_same(&record.reference) {
        return not_refundable("it is what the payment was paid with: refund the payment");
    }
    if report.currency.as_deref() != Some(record.amount.currency().code()) {
        return not_refundable("it is in another currency than the deployment's");
    }
    let amount_minor = report.amount_minor.filter(|minor| Amount::check_minor(*minor).is_ok());
    let Some(amount_minor) = amount_minor else {
        return not_refundable("it says no amount that can be given back");
    };
    let currency = record.amount.currency();
    if let Some(why) = report.reference.cannot_be_refunded(currency, amount_minor) {
        return not_refundable(why);
    }
    let (key, quarantined) = (request.refund_key, Some(request.key.clone()));
    let refund = Refund {
        payment: id,
        id: RefundId::requested(RefundReference::new(id, key)),
        taken_from: report.reference.clone(),
        provider_refund: None,
        reference: None,
        amount_minor,
        state: RefundState::Requested,
        request: Some(RefundRequest { key, reason: None, quarantined }),
        due: Some(Due { at: now, attempts: 0 }),
        create_time: now,
        update_time: now,
    };
    if store.refund(id, &refund.id).await?.is_some() {
        return not_refundable(
            "its money was given back already, by a decision on another of its notifications",
        );
    }
    let change = record.keeping(refund, now);
    let event = Event {
        status: Some((change.from, change.to)),
        version: Some(change.version()),
        mismatch: found.mismatch.clone(),
        ..request.event(Some(id), report.clone(), Verdict::Noted, now)
    };
    Ok(Writes { change: Some((record, change)), event })
}

async fn dismiss(
    store: &impl Payments,
    request: &Resolve,
    found: Quarantined,
    now: Timestamp,
) -> Result<Writes, ResolveError> {
    let record = match request.key.payment {
        Some(id) => match store.payment(id).await {
            // It has no effect on a record, and an unreadable one does not stop it.
            Err(StoreError::Fault(_)) => None,
            record => record?,
        },
        None => None,
    };
    let event = Event {
        status: record.as_ref().map(|record| (record.status, record.status)),
        version: record.as_ref().map(|record| record.version),
        mismatch: found.mismatch,
        ..request.event(request.key.payment, found.report, Verdict::Ignored, now)
    };
    Ok(Writes { change: None, event })
}

/// The change of a record that the table of transitions has for a report.
async fn change(
    store: &impl Payments,
    report: &Report,
    record: &Payment,
    hears_of_refunds: bool,
    now: Timestamp,
) -> Result<Change, ResolveError> {
    let refund = known_refund(store, record, report).await?;
    let only_dismiss = |why| Err(ResolveError::OnlyDismiss(why));
    if report.outcome == Some(Outcome::Closed) && has_unended(store, record).await? {
        return only_dismiss("a checkout of the payment can still be paid: close the payment");
    }
    match plan(report, record, refund.as_ref(), hears_of_refunds, now) {
        // A person may come long after: the guard is checked whatever the status is.
        Plan::Update(change, Verdict::Applied) => Ok(Change { guarded: true, ..change }),
        Plan::Append(Verdict::Ignored | Verdict::Noted) => {
            only_dismiss("it reports nothing that changes a status")
        }
        Plan::Update(..) | Plan::Append(_) => {
            only_dismiss("the payment has this status or a higher one")
        }
        Plan::Quarantine(Mismatch { field: MismatchField::Reference, .. }) => {
            only_dismiss("the payment was paid under another provider reference")
        }
        Plan::Quarantine(_) => only_dismiss("what it reports does not fit what went back so far"),
    }
}

impl Resolve {
    /// The event of the decision. Its id names the notification that it is about, and the note.
    fn event(
        &self,
        payment: Option<PaymentId>,
        report: Report,
        verdict: Verdict,
        at: Timestamp,
    ) -> Event {
        let digest = self.note.digest().to_string();
        let start: String = digest.chars().take(8).collect();
        let about =
            format!("{}.{}.{start}", self.key.sender.as_str(), self.key.name().replace('#', "."));
        Event {
            payment,
            sender: Sender::Operator,
            id: EventId::new(Some(&about), self.note.digest()),
            suffix: None,
            at,
            report,
            status: None,
            version: None,
            verdict,
            mismatch: None,
            checkout: None,
            decision: Some(OperatorDecision { by: self.by.clone(), about: self.key.to_string() }),
            body: self.note.clone(),
        }
    }

    fn decided(&self, event: &Event, at: Timestamp) -> Decided {
        Decided { decision: self.decision, by: self.by.clone(), at, event: event.key() }
    }

    /// Whether a decision that was found is this one.
    fn is(&self, found: &Decided) -> bool {
        let own = self.event(found.event.payment, Report::NONE, Verdict::Ignored, found.at);
        let events = [own.key(), own.suffixed_by_body().key()];
        found.decision == self.decision && found.by == self.by && events.contains(&found.event)
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
