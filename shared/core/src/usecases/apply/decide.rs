//! The decision on one notification, and its write: repeated after a version conflict, and after a
//! write whose outcome is unknown.

use super::{Applied, ApplyError};
use crate::{
    domain::{
        Change, Checkout, CheckoutReference, CheckoutState, Event, Mismatch, MismatchField,
        Notification, Outcome, Payment, PaymentId, Provider, ProviderRef, Refund, RefundEffect,
        RefundId, RefundReference, RefundReport, RefundState, Report, Sender, Timestamp,
        Transition, Verdict,
    },
    limits::DECISIONS_MAX,
    ports::{Appended, Cause, Payments, StoreError, Updated},
    usecases::Failure,
};

/// What is to be written.
pub(in crate::usecases) enum Plan {
    Update(Change, Verdict),
    Append(Verdict),
    Quarantine(Mismatch),
}

/// What one attempt came to.
enum Attempt {
    Done(Payment, Verdict, Option<Box<Refund>>),
    /// The record has changed meanwhile.
    Conflict,
    /// A person decides.
    Mismatch(Mismatch),
}

/// Decides on a notification and writes the result. The order service is not notified yet.
///
/// # Errors
///
/// [`ApplyError::Mismatch`] in the provider reference or the live payment, or [`ApplyError::Failed`].
pub(super) async fn decide(
    store: &impl Payments,
    notification: &Notification,
    mut record: Payment,
    hears_of_refunds: bool,
    now: Timestamp,
) -> Result<Applied, ApplyError> {
    for _ in 0..DECISIONS_MAX {
        let refund = known_refund(store, &record, &notification.report).await?;
        let plan = match closing(store, notification, &record, now).await? {
            Some(plan) => plan,
            None => plan(&notification.report, &record, refund.as_ref(), hears_of_refunds, now),
        };
        match attempt(store, notification, &record, plan, now).await {
            Ok(Attempt::Done(after, verdict, changed)) => {
                let refund = changed.map(|changed| *changed).or(refund);
                return Ok(Applied::of(record, after, verdict, refund));
            }
            Ok(Attempt::Mismatch(mismatch)) => {
                return quarantine(store, notification, Some(&record), mismatch, now).await;
            }
            Ok(Attempt::Conflict) | Err(StoreError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
        record = read_again(store, record.id).await?;
    }
    Err(Failure::Unavailable("the record kept changing".into()).into())
}

/// What a *closed* does to a payment with checkouts. A provider's ends one of them, and the payment is closed
/// by whoever closes it; the shop's own closes a payment, once all of them have come to an end.
async fn closing(
    store: &impl Payments,
    notification: &Notification,
    record: &Payment,
    now: Timestamp,
) -> Result<Option<Plan>, StoreError> {
    let is_closed = notification.report.outcome == Some(Outcome::Closed);
    if !is_closed || !record.is_open() || record.checkouts == 0 {
        return Ok(None);
    }
    if let Sender::Provider(_) = notification.sender {
        if let Some(number) = notification.checkout {
            let ended = CheckoutReference { payment: record.id, number };
            store.end_checkout(ended, CheckoutState::Ended, now).await?;
        }
        return Ok(Some(Plan::Append(Verdict::Noted)));
    }
    if !has_unended(store, record).await? {
        return Ok(None);
    }
    Ok(Some(if record.closing {
        Plan::Append(Verdict::Noted)
    } else {
        Plan::Update(record.begin_closing(now), Verdict::Noted)
    }))
}

/// Whether somebody may still pay a checkout of a payment.
pub(in crate::usecases) async fn has_unended(
    store: &impl Payments,
    record: &Payment,
) -> Result<bool, StoreError> {
    Ok(record.checkouts > 0 && store.checkouts(record.id).await?.iter().any(Checkout::is_unended))
}

/// A record that was there, as it is now.
pub(in crate::usecases) async fn read_again(
    store: &impl Payments,
    id: PaymentId,
) -> Result<Payment, Failure> {
    let gone = || Failure::Fault("a record that existed is gone".into());
    store.payment(id).await?.ok_or_else(gone)
}

async fn attempt(
    store: &impl Payments,
    notification: &Notification,
    record: &Payment,
    plan: Plan,
    now: Timestamp,
) -> Result<Attempt, StoreError> {
    match plan {
        Plan::Update(change, verdict) => {
            let event = notification.event(record, Some(&change), verdict, now);
            Ok(match update(store, &change, event).await? {
                Updated::Done => {
                    let after = change.applied_to(record.clone());
                    Attempt::Done(after, verdict, change.refund.map(|refund| Box::new(refund.item)))
                }
                // The key with the version as suffix is taken only once that version was reached.
                Updated::RecordChanged | Updated::KeyTaken => Attempt::Conflict,
                Updated::NotLive(live) => Attempt::Mismatch(not_live(record, live)),
            })
        }
        Plan::Append(verdict) => {
            // An event that exists is this notification's own, or its sender reuses ids.
            store.append(&notification.event(record, None, verdict, now)).await?;
            Ok(Attempt::Done(record.clone(), verdict, None))
        }
        Plan::Quarantine(mismatch) => Ok(Attempt::Mismatch(mismatch)),
    }
}

/// Changes the record; where the event's key is taken, with the version reached as suffix.
pub(in crate::usecases) async fn update(
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

/// Quarantines a notification, and says so as an error; unless a person has decided that the money which it
/// reports goes back: then it is noted.
///
/// # Errors
///
/// [`ApplyError::Mismatch`], or why it could not be kept.
pub(super) async fn quarantine(
    store: &impl Payments,
    notification: &Notification,
    record: Option<&Payment>,
    mismatch: Mismatch,
    now: Timestamp,
) -> Result<Applied, ApplyError> {
    if let Some(record) = record
        && let Some(refund) = given_back(store, record, &notification.report).await?
        && notification.mismatch(record, Some(&refund)).is_none()
    {
        let noted = Verdict::Noted;
        store.append(&notification.event(record, None, noted, now)).await?;
        return Ok(Applied::of(record.clone(), record.clone(), noted, None));
    }
    Err(quarantined(store, notification, record, mismatch, now).await)
}

/// The refund of the money that a report is about, where that is other money than the payment was paid with, and
/// its provider has not refused. A report about one refund that is not this one is another matter.
pub(in crate::usecases) async fn given_back(
    store: &impl Payments,
    record: &Payment,
    report: &Report,
) -> Result<Option<Refund>, StoreError> {
    let reference = &report.reference;
    let is_one = matches!(report.refund, Some(RefundReport::One { .. }));
    let is_about_money = report.outcome.is_some_and(Outcome::moves_money);
    if is_one || !is_about_money || reference.is_same(&record.reference) {
        return Ok(None);
    }
    if Provider::of_source(reference.source).is_none() || reference.txn.is_none() {
        return Ok(None);
    }
    let is_of_it = |refund: &Refund| {
        let total = match report.refund {
            Some(RefundReport::Total(total)) => total,
            Some(RefundReport::One { .. }) | None => 0,
        };
        refund.is_outside()
            && refund.state != RefundState::Failed
            && refund.taken_from.is_same(reference)
            && total <= refund.amount_minor
    };
    Ok(store.refunds(record.id).await?.into_iter().find(is_of_it))
}

async fn quarantined(
    store: &impl Payments,
    notification: &Notification,
    record: Option<&Payment>,
    mismatch: Mismatch,
    now: Timestamp,
) -> ApplyError {
    let event = notification.quarantined(record, mismatch.clone(), now);
    // The id of a response names what it reports: asked again it is the same, whatever its bytes are.
    let queried = notification.queried;
    let event = if queried { event.suffixed_by_mismatch() } else { event };
    let mut unknown: Option<Cause> = None;
    for _ in 0..DECISIONS_MAX {
        match append_beside(store, &event, queried).await {
            Ok(()) => return ApplyError::Mismatch(mismatch),
            // Put only if absent: another attempt finds it there.
            Err(StoreError::Unknown(cause)) => unknown = Some(cause),
            Err(error) => return error.into(),
        }
    }
    let cause = unknown.unwrap_or_else(|| "the store sent no response".into());
    Failure::Unavailable(cause).into()
}

/// Appends an event; where another notification has its key, beside that one. A response to a query is
/// there once, however often it is asked: its key names what it reports, and what it is kept for.
async fn append_beside(
    store: &impl Payments,
    event: &Event,
    queried: bool,
) -> Result<(), StoreError> {
    match store.append(event).await? {
        Appended::KeyTaken(stored) if !queried && stored != Some(event.body.digest()) => {
            store.append(&event.clone().suffixed_by_body()).await?;
            Ok(())
        }
        // Its own event from an earlier delivery.
        Appended::KeyTaken(_) | Appended::Done => Ok(()),
    }
}

/// The refund that a report is about, if it is kept: one that we were asked for, by our reference; else the
/// one that the provider's id stands for.
pub(in crate::usecases) async fn known_refund(
    store: &impl Payments,
    record: &Payment,
    report: &Report,
) -> Result<Option<Refund>, StoreError> {
    let Some(RefundReport::One { id, reference, .. }) = &report.refund else { return Ok(None) };
    let ours = reference.as_ref().and_then(|of| RefundReference::parse(of.as_str()).ok());
    if let Some(ours) = ours.filter(|ours| ours.payment() == record.id) {
        let found = store.refund(record.id, &RefundId::requested(ours)).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let Some(provider) = Provider::of_source(report.reference.source) else { return Ok(None) };
    match store.refund_named(record.id, provider, id).await? {
        Some(named) => store.refund(record.id, &named).await,
        None => Ok(None),
    }
}

/// The refund that a report is about, where that gives back other money than the payment was paid with.
pub(super) async fn known_outside(
    store: &impl Payments,
    record: &Payment,
    report: &Report,
) -> Result<Option<Refund>, StoreError> {
    if report.refund.is_none() || report.reference.is_same(&record.reference) {
        return Ok(None);
    }
    Ok(known_refund(store, record, report).await?.filter(Refund::is_outside))
}

/// What a report does to a record. `refund` is the one that it is about, if it is kept; `hears_of_refunds`
/// says whether the order service is notified of refunds.
pub(in crate::usecases) fn plan(
    report: &Report,
    record: &Payment,
    refund: Option<&Refund>,
    hears_of_refunds: bool,
    now: Timestamp,
) -> Plan {
    match report.outcome {
        None => Plan::Append(Verdict::Ignored),
        Some(Outcome::Refunded) => plan_refund(report, record, refund, hears_of_refunds, now),
        Some(outcome) => plan_move(outcome, &report.reference, record, now),
    }
}

fn plan_move(outcome: Outcome, reference: &ProviderRef, record: &Payment, now: Timestamp) -> Plan {
    match record.status.transition(outcome, record.reference.may_match(reference)) {
        Transition::Move(to) => {
            Plan::Update(record.change_to(to, reference, false, now), Verdict::Applied)
        }
        Transition::MoveIfLive(to) => {
            Plan::Update(record.change_to(to, reference, true, now), Verdict::Applied)
        }
        Transition::Duplicate if outcome.moves_money() => {
            completed(record, reference, Verdict::Duplicate, now)
        }
        Transition::Stale if outcome.moves_money() => {
            completed(record, reference, Verdict::Stale, now)
        }
        Transition::Duplicate => Plan::Append(Verdict::Duplicate),
        Transition::Stale => Plan::Append(Verdict::Stale),
        Transition::Quarantine => Plan::Quarantine(other_reference(record, reference)),
    }
}

/// A refund in part proves that the payment was paid; from there on it counts like one in full.
fn plan_refund(
    report: &Report,
    record: &Payment,
    refund: Option<&Refund>,
    hears_of_refunds: bool,
    now: Timestamp,
) -> Plan {
    if let Some(outside) = refund.filter(|refund| refund.is_outside()) {
        return plan_outside(report, record, outside, now);
    }
    let reference = &report.reference;
    let may_match = record.reference.may_match(reference);
    let row = record.status.transition(Outcome::Refunded, may_match);
    if row == Transition::Quarantine {
        return Plan::Quarantine(other_reference(record, reference));
    }
    let refund = match RefundEffect::of(report, record, refund, hears_of_refunds, now) {
        RefundEffect::Counts(refund) => refund,
        RefundEffect::Duplicate => return completed(record, reference, Verdict::Duplicate, now),
        RefundEffect::Stale => return completed(record, reference, Verdict::Stale, now),
        RefundEffect::Pending if record.was_paid() => {
            return completed(record, reference, Verdict::Noted, now);
        }
        RefundEffect::Pending => return plan_move(Outcome::Paid, reference, record, now),
        RefundEffect::Mismatch(mismatch) => return Plan::Quarantine(mismatch),
    };
    let guarded = matches!(row, Transition::MoveIfLive(_));
    Plan::Update(record.refunded_by(refund, reference, guarded, now), Verdict::Applied)
}

/// A refund of other money than the payment was paid with: it comes to its end, and that is all.
fn plan_outside(report: &Report, record: &Payment, refund: &Refund, now: Timestamp) -> Plan {
    match RefundEffect::of(report, record, Some(refund), false, now) {
        RefundEffect::Counts(refund) => {
            Plan::Update(record.with_outside(*refund, now), Verdict::Applied)
        }
        RefundEffect::Duplicate => Plan::Append(Verdict::Duplicate),
        RefundEffect::Stale => Plan::Append(Verdict::Stale),
        RefundEffect::Pending => Plan::Append(Verdict::Noted),
        RefundEffect::Mismatch(mismatch) => Plan::Quarantine(mismatch),
    }
}

/// A notification that changes no status may still complete the provider reference.
fn completed(record: &Payment, reference: &ProviderRef, verdict: Verdict, now: Timestamp) -> Plan {
    match record.completion(reference, now) {
        Some(change) => Plan::Update(change, verdict),
        None => Plan::Append(verdict),
    }
}

fn other_reference(record: &Payment, received: &ProviderRef) -> Mismatch {
    Mismatch::new(MismatchField::Reference, Some(&record.reference), Some(received))
}

/// The payment was closed, and its order's guard names another one.
fn not_live(record: &Payment, live: Option<PaymentId>) -> Mismatch {
    Mismatch::new(MismatchField::LivePayment, live, Some(record.id))
}
