//! What a report about a refund does to a payment.

use std::cmp::Ordering;

use super::{ProviderRefund, Refund, RefundChange, RefundId, RefundReport, RefundState, Refunds};
use crate::domain::{Due, Mismatch, MismatchField, Payment, Report, Status, Timestamp};

/// What a report about a refund does to a payment, whatever the references are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundEffect {
    /// It is to be kept, and may change what went back.
    Counts(Box<RefundChange>),
    /// The same was reported before.
    Duplicate,
    /// More is known already.
    Stale,
    /// Nothing went back yet.
    Pending,
    /// A person decides.
    Mismatch(Mismatch),
}

impl RefundEffect {
    /// What a report does to a payment. `found` is the refund that it is about, if it is kept; `notify` says
    /// whether the order service is notified of refunds.
    #[must_use]
    pub fn of(
        report: &Report,
        record: &Payment,
        found: Option<&Refund>,
        notify: bool,
        now: Timestamp,
    ) -> Self {
        let effect = match (&report.refund, report.refund_id()) {
            (Some(RefundReport::One { id: name, amount_minor, state, .. }), Some(id)) => {
                if *state == RefundState::Failed && found.is_some_and(|of| outlives(of, name)) {
                    return Self::Stale;
                }
                let id = found.map_or(id, |found| found.id.clone());
                one(record, found, id, (*amount_minor, *state))
            }
            (Some(RefundReport::One { .. }), None) => {
                return Self::Mismatch(Mismatch::absent(
                    MismatchField::Refunded,
                    Some("a refund of no known provider"),
                ));
            }
            (Some(RefundReport::Total(total)), _) => of_total(record, *total),
            (None, _) => of_total(record, record.amount.minor()),
        };
        let CountedRefund { refunds, id, amount_minor, state } = match effect {
            Ok(plan) => plan,
            Err(effect) => return effect,
        };
        let most = record.amount.minor();
        if refunds.refunded() > most {
            let received = Some(refunds.refunded());
            return Self::Mismatch(Mismatch::new(MismatchField::Refunded, Some(most), received));
        }
        let (provider_refund, reference) = match &report.refund {
            // Where the provider has no id of its own, our reference stands for it.
            Some(RefundReport::One { id, reference, .. }) => {
                let named = found.is_none_or(|found| found.id.as_str() != id.as_str());
                (named.then(|| id.clone()), reference.clone())
            }
            Some(RefundReport::Total(_)) | None => (None, None),
        };
        let known_id = found.and_then(|found| found.provider_refund.clone());
        let is_named = known_id.is_none() && provider_refund.is_some();
        let known = || found.and_then(|found| found.reference.clone());
        let is_outside = found.is_some_and(Refund::is_outside);
        let taken_from = match found {
            Some(found) if is_outside => found.taken_from.completed_by(&report.reference),
            _ => record.reference.completed_by(&report.reference),
        };
        let known_from =
            found.filter(|_| is_outside).map_or(&record.reference, |of| &of.taken_from);
        Self::Counts(Box::new(RefundChange {
            refunds,
            from: found.map(|found| found.state),
            is_named,
            item: Refund {
                payment: record.id,
                id,
                taken_from: taken_from.unwrap_or_else(|| known_from.clone()),
                provider_refund: provider_refund.or(known_id),
                reference: reference.or_else(known),
                amount_minor,
                state,
                request: found.and_then(|found| found.request.clone()),
                due: match state {
                    RefundState::Succeeded => {
                        (notify && !is_outside && is_news(record, refunds, amount_minor))
                            .then(|| Due::after_grace(now))
                    }
                    RefundState::Failed => None,
                    RefundState::Requested | RefundState::Pending => found.and_then(|of| of.due),
                },
                create_time: found.map_or(now, |found| found.create_time),
                update_time: now,
            },
        }))
    }
}

/// Whether the order service is to hear of a refund. A total that is known already is no news, and neither is
/// one of a payment that is refunded in full before the order service knew that it was paid.
const fn is_news(record: &Payment, refunds: Refunds, amount_minor: u64) -> bool {
    let hears_of_paid =
        record.notified_time.is_some() || matches!(record.status_with(refunds), Status::Paid);
    amount_minor > 0 && hears_of_paid
}

/// What is to be kept.
struct CountedRefund {
    refunds: Refunds,
    id: RefundId,
    amount_minor: u64,
    state: RefundState,
}

/// Whether a refund outlives a report that one of this name failed. Where that is our own reference, the
/// provider refused a request and did not have the refund: another request may have made it since.
fn outlives(found: &Refund, name: &ProviderRefund) -> bool {
    let is_unnamed = found.id.as_str() == name.as_str();
    is_unnamed && (found.state == RefundState::Succeeded || found.provider_refund.is_some())
}

/// One refund. That it failed is final, whether it is reported before or after its success. One that we
/// were asked for has reserved its amount, until it comes to an end.
fn one(
    record: &Payment,
    found: Option<&Refund>,
    id: RefundId,
    (amount_minor, state): (u64, RefundState),
) -> Result<CountedRefund, RefundEffect> {
    use RefundState::{Failed, Pending, Requested, Succeeded};
    let Refunds { sum, total, pending } = record.refunds;
    let reserved = found.filter(|found| found.request.is_some() && !found.state.is_final());
    let reserved = reserved.map(|found| found.amount_minor);
    if let Some(reserved) = reserved.filter(|reserved| *reserved != amount_minor) {
        let (expected, received) = (Some(reserved), Some(amount_minor));
        let mismatch = Mismatch::new(MismatchField::Refunded, expected, received);
        return Err(RefundEffect::Mismatch(mismatch));
    }
    let sum = match (found.map(|found| (found.state, found.amount_minor)), state) {
        (None | Some((Pending, _)), Pending) | (_, Requested) => return Err(RefundEffect::Pending),
        (None | Some((Requested | Pending, _)), Succeeded) => sum.saturating_add(amount_minor),
        (None | Some((Requested | Pending, _)), Failed) | (Some((Requested, _)), Pending) => sum,
        (Some((Succeeded, counted)), Failed) => sum.saturating_sub(counted),
        // Only we took it for failed, since its provider refused it and did not have it.
        (Some((Failed, _)), Succeeded) if found.is_some_and(Refund::is_unnamed_request) => {
            sum.saturating_add(amount_minor)
        }
        (Some((Succeeded, _)), Succeeded) | (Some((Failed, _)), Failed) => {
            return Err(RefundEffect::Duplicate);
        }
        (Some((Succeeded, _)), Pending) | (Some((Failed, _)), Pending | Succeeded) => {
            return Err(RefundEffect::Stale);
        }
    };
    let released = if state.is_final() { reserved.unwrap_or_default() } else { 0 };
    let refunds = Refunds { sum, total, pending: pending.saturating_sub(released) };
    if found.is_some_and(Refund::is_outside) {
        return Ok(CountedRefund { refunds: record.refunds, id, amount_minor, state });
    }
    // A total beyond the others may count it; and a payment that was refunded in full stays it.
    let may_count = total > sum || record.status_with(refunds) < record.status;
    if state == Failed && reserved.is_none() && may_count {
        return Err(RefundEffect::Mismatch(Mismatch::absent(
            MismatchField::Refunded,
            Some("a refund that failed after it may have counted"),
        )));
    }
    Ok(CountedRefund { refunds, id, amount_minor, state })
}

/// A total. The highest counts, so that neither order nor repetition matters.
fn of_total(record: &Payment, reported: u64) -> Result<CountedRefund, RefundEffect> {
    let total = record.refunds.total;
    if reported == 0 {
        return Err(RefundEffect::Pending);
    }
    match reported.cmp(&total) {
        Ordering::Less => Err(RefundEffect::Stale),
        Ordering::Equal => Err(RefundEffect::Duplicate),
        Ordering::Greater => Ok(CountedRefund {
            refunds: Refunds { total: reported, ..record.refunds },
            id: RefundId::of_total(reported),
            // What is reserved may be part of it, and is notified of by its own item.
            amount_minor: reported.saturating_sub(record.refunds.claimed()),
            state: RefundState::Succeeded,
        }),
    }
}

#[cfg(test)]
mod tests;
