//! What a sender's message says, in our words, whoever sent it.

use crate::domain::{
    Change, Event, EventId, Misfit, Money, OrderId, Payment, PaymentId, Provider, RawBody, Report,
    Said, Timestamp, UserId, Verdict,
};

/// A genuine message about a payment.
///
/// Only these fields are taken from a message; uid and oid used for anything are the record's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who sent it.
    pub provider: Provider,
    /// The sender's id of it, the same on each delivery.
    pub event_id: EventId,
    /// The payment it names; `None` if what it names cannot be an id of ours.
    pub payment: Option<PaymentId>,
    /// Whom and what a native message says it is about.
    pub claims: Option<Claims>,
    /// How much, in minor units; `None` if it does not say, which fits no record.
    pub amount_minor: Option<u64>,
    /// Of which currency: an upper-case ISO 4217 code, if it is one.
    pub currency: Option<String>,
    /// Whether it is for another merchant, or from another mode, than is configured.
    pub foreign: bool,
    /// What it reports.
    pub report: Report,
    /// Whose money.
    pub money: Money,
    /// The message itself.
    pub body: RawBody,
}

/// What the seed's body claims beside the payment: compared with the record, never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who paid.
    pub uid: UserId,
    /// What for.
    pub oid: OrderId,
}

impl Notice {
    /// Why it does not fit a record, if it does not.
    pub(super) fn misfit(&self, record: &Payment) -> Option<Misfit> {
        if self.amount_minor != Some(record.amount.minor()) {
            return Some(Misfit::AmountMismatch);
        }
        let currency = record.amount.currency().code();
        let fits = !self.foreign
            && self.claims.is_none_or(|claims| claims.uid == record.uid)
            && self.claims.is_none_or(|claims| claims.oid == record.oid)
            && match &self.currency {
                Some(claimed) => claimed == currency,
                // A native message may leave it out.
                None => self.claims.is_some(),
            };
        (!fits).then_some(Misfit::RecordMismatch)
    }

    /// The log entry of what it did to a record.
    pub(super) fn event(
        &self,
        record: &Payment,
        change: Option<&Change>,
        verdict: Verdict,
        at: Timestamp,
    ) -> Event {
        Event {
            payment: Some(record.id),
            provider: self.provider,
            id: self.event_id.clone(),
            suffix: None,
            at,
            said: self.said(),
            status: Some((record.status, change.map_or(record.status, |change| change.to))),
            version: Some(change.map_or(record.version, Change::version)),
            verdict,
            reason: None,
            body: self.body.clone(),
        }
    }

    /// The log entry that a person must look at: under the record, or as a stray without one.
    pub(super) fn quarantined(
        &self,
        record: Option<&Payment>,
        reason: Misfit,
        at: Timestamp,
    ) -> Event {
        Event {
            payment: record.map(|record| record.id),
            provider: self.provider,
            id: self.event_id.clone(),
            suffix: None,
            at,
            said: self.said(),
            status: record.map(|record| (record.status, record.status)),
            version: record.map(|record| record.version),
            verdict: Verdict::Quarantined,
            reason: Some(reason),
            body: self.body.clone(),
        }
    }

    fn said(&self) -> Said {
        Said {
            outcome: match self.report {
                Report::Outcome(outcome) => Some(outcome),
                Report::PartialRefund | Report::Nothing => None,
            },
            money: self.money.clone(),
            amount_minor: self.amount_minor,
            currency: self.currency.clone(),
        }
    }
}
