//! What a report about a refund does to a payment.

use std::cmp::Ordering;

use super::{Refund, RefundChange, RefundId, RefundReport, RefundState, Refunds};
use crate::domain::{Mismatch, MismatchField, Payment, Report, Timestamp};

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
    /// What a report does to a payment. `found` is the refund that is kept under [`Report::refund_id`].
    #[must_use]
    pub fn of(report: &Report, record: &Payment, found: Option<&Refund>, now: Timestamp) -> Self {
        let effect = match (&report.refund, report.refund_id()) {
            (Some(RefundReport::One { amount_minor, state, .. }), Some(id)) => {
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
            Some(RefundReport::One { id, reference, .. }) => (Some(id.clone()), reference.clone()),
            Some(RefundReport::Total(_)) | None => (None, None),
        };
        let known = || found.and_then(|found| found.reference.clone());
        let taken_from = record.reference.completed_by(&report.reference);
        Self::Counts(Box::new(RefundChange {
            refunds,
            from: found.map(|found| found.state),
            item: Refund {
                payment: record.id,
                id,
                taken_from: taken_from.unwrap_or_else(|| record.reference.clone()),
                provider_refund,
                reference: reference.or_else(known),
                amount_minor,
                state,
                create_time: found.map_or(now, |found| found.create_time),
                update_time: now,
            },
        }))
    }
}

/// What is to be kept.
struct CountedRefund {
    refunds: Refunds,
    id: RefundId,
    amount_minor: u64,
    state: RefundState,
}

/// One refund. That it failed is final, whether it is reported before or after its success.
fn one(
    record: &Payment,
    found: Option<&Refund>,
    id: RefundId,
    (amount_minor, state): (u64, RefundState),
) -> Result<CountedRefund, RefundEffect> {
    use RefundState::{Failed, Pending, Succeeded};
    let sum = record.refunds.sum;
    let sum = match (found.map(|found| (found.state, found.amount_minor)), state) {
        (None | Some((Pending, _)), Pending) => return Err(RefundEffect::Pending),
        (None | Some((Pending, _)), Succeeded) => sum.saturating_add(amount_minor),
        (None | Some((Pending, _)), Failed) => sum,
        (Some((Succeeded, counted)), Failed) => sum.saturating_sub(counted),
        (Some((Succeeded, _)), Succeeded) | (Some((Failed, _)), Failed) => {
            return Err(RefundEffect::Duplicate);
        }
        (Some((Succeeded, _)), Pending) | (Some((Failed, _)), Pending | Succeeded) => {
            return Err(RefundEffect::Stale);
        }
    };
    let refunds = Refunds { sum, ..record.refunds };
    // A total beyond the others may count it; and a payment that was refunded in full stays it.
    let may_count = refunds.total > sum || record.status_with(refunds) < record.status;
    if state == Failed && may_count {
        return Err(RefundEffect::Mismatch(Mismatch::absent(
            MismatchField::Refunded,
            Some("a refund that failed after it may have counted"),
        )));
    }
    Ok(CountedRefund { refunds, id, amount_minor, state })
}

/// A total. The highest counts, so that neither order nor repetition matters.
fn of_total(record: &Payment, reported: u64) -> Result<CountedRefund, RefundEffect> {
    let Refunds { sum, total } = record.refunds;
    if reported == 0 {
        return Err(RefundEffect::Pending);
    }
    match reported.cmp(&total) {
        Ordering::Less => Err(RefundEffect::Stale),
        Ordering::Equal => Err(RefundEffect::Duplicate),
        Ordering::Greater => Ok(CountedRefund {
            refunds: Refunds { sum, total: reported },
            id: RefundId::of_total(reported),
            amount_minor: reported.saturating_sub(record.refunded()),
            state: RefundState::Succeeded,
        }),
    }
}

#[cfg(test)]
mod tests;
