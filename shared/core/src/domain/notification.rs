//! A notification about a payment in our terms, whoever sent it.

use super::{
    Change, CheckoutNumber, Event, EventId, Mismatch, MismatchField, OrderId, Outcome, Payment,
    PaymentId, Provider, ProviderRef, RawBody, Refund, RefundId, RefundReport, Sender, Timestamp,
    UserId, Verdict,
};

/// An authentic notification about a payment.
///
/// Of it only [`Report`] and the payment's id have an effect; uid and oid used for anything are the
/// record's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Who sent it.
    pub sender: Sender,
    /// The sender's id of it, the same on each delivery.
    pub event_id: EventId,
    /// The payment it names; `None` if what it names cannot be an id of ours.
    pub payment: Option<PaymentId>,
    /// The checkout of the payment that it is about, where it says which.
    pub checkout: Option<CheckoutNumber>,
    /// The user and order that a native notification names.
    pub claims: Option<Claims>,
    /// Set where it is for another merchant account, or from another mode, than is configured.
    pub wrong_account: Option<Mismatch>,
    /// Set where a person must decide whatever the record says, because what it reports is not
    /// certain or has no status of ours.
    pub review: Option<Mismatch>,
    /// Whether it is a provider's response to a query of ours. Its id names what it reports, so an event
    /// that has this id is this one.
    pub queried: bool,
    /// Whether it may be about something of others, who share the account: then one that names no payment
    /// is ignored.
    pub is_shared: bool,
    /// What it reports.
    pub report: Report,
    /// The body as it was received.
    pub body: RawBody,
}

/// The user and order in the native body: compared with the record, never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The payer.
    pub uid: UserId,
    /// The order.
    pub oid: OrderId,
}

/// What a notification reports about a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// What became of the payment; `None` if nothing that we act on.
    pub outcome: Option<Outcome>,
    /// How much of it went back, with [`Outcome::Refunded`] alone; `None` there stands for all of it.
    pub refund: Option<RefundReport>,
    /// The provider's transaction.
    pub reference: ProviderRef,
    /// The whole amount of the payment in minor units; `None` if it does not say, which fits no record.
    pub amount_minor: Option<u64>,
    /// The currency: an upper-case ISO 4217 code, if it is one.
    pub currency: Option<String>,
}

impl Report {
    /// The report of a notification that could not be read.
    pub const NONE: Self = Self {
        outcome: None,
        refund: None,
        reference: ProviderRef::NONE,
        amount_minor: None,
        currency: None,
    };

    /// Our id of the one refund that it is about; `None` if it is about none, or a total.
    #[must_use]
    pub fn refund_id(&self) -> Option<RefundId> {
        let Some(RefundReport::One { id, .. }) = &self.refund else { return None };
        let provider = Provider::of_source(self.reference.source)?;
        Some(RefundId::adopted(provider, id))
    }

    /// Whether it reports another amount than the record's, or none. One about a single refund need not
    /// say how much was paid, where it names the record's money.
    #[must_use]
    pub fn amount_mismatch(&self, record: &Payment) -> Option<Mismatch> {
        let Self { amount_minor, refund, reference, .. } = self;
        let expected = record.amount.minor();
        let is_one = matches!(refund, Some(RefundReport::One { .. }));
        let need_not_say = is_one && reference.is_same(&record.reference);
        let fits = amount_minor.map_or(need_not_say, |reported| reported == expected);
        let mismatch = || Mismatch::new(MismatchField::Amount, Some(expected), *amount_minor);
        (!fits).then(mismatch)
    }

    /// Whether it reports a refund of other money than this one gives back, or another amount of that money,
    /// all of which goes back.
    #[must_use]
    pub fn outside_mismatch(&self, refund: &Refund) -> Option<Mismatch> {
        let Self { amount_minor, reference, .. } = self;
        if !reference.may_match(&refund.taken_from) {
            let (expected, received) = (Some(&refund.taken_from), Some(reference));
            return Some(Mismatch::new(MismatchField::Reference, expected, received));
        }
        let expected = refund.amount_minor;
        let fits = amount_minor.is_none_or(|reported| reported == expected);
        let mismatch = || Mismatch::new(MismatchField::Amount, Some(expected), *amount_minor);
        (!fits).then(mismatch)
    }

    /// Whether it reports another currency than the record's; or none, unless that is `optional`, as in a
    /// native notification.
    #[must_use]
    pub fn currency_mismatch(&self, record: &Payment, optional: bool) -> Option<Mismatch> {
        let expected = record.amount.currency().code();
        let fits = match &self.currency {
            Some(currency) => currency == expected,
            None => optional,
        };
        let received = self.currency.as_ref();
        (!fits).then(|| Mismatch::new(MismatchField::Currency, Some(expected), received))
    }
}

impl Notification {
    /// The first field in which it does not match a record: what is set for review, then amount,
    /// account, uid, oid, currency. Of a refund of other money than what the payment was paid with, that
    /// money and its amount count.
    #[must_use]
    pub fn mismatch(&self, record: &Payment, outside: Option<&Refund>) -> Option<Mismatch> {
        if self.review.is_some() {
            return self.review.clone();
        }
        let of_money = match outside {
            Some(refund) => self.report.outside_mismatch(refund),
            None => self.report.amount_mismatch(record),
        };
        if let Some(mismatch) = of_money {
            return Some(mismatch);
        }
        if let Some(mismatch) = &self.wrong_account {
            return Some(mismatch.clone());
        }
        if let Some(Claims { uid, oid }) = self.claims {
            if uid != record.uid {
                return Some(Mismatch::new(MismatchField::Uid, Some(record.uid), Some(uid)));
            }
            if oid != record.oid {
                return Some(Mismatch::new(MismatchField::Oid, Some(record.oid), Some(oid)));
            }
        }
        self.report.currency_mismatch(record, self.claims.is_some())
    }

    /// The event of what it did to a record, with the change that it caused, if any.
    #[must_use]
    pub fn event(
        &self,
        record: &Payment,
        change: Option<&Change>,
        verdict: Verdict,
        at: Timestamp,
    ) -> Event {
        Event {
            status: Some((record.status, change.map_or(record.status, |change| change.to))),
            version: Some(change.map_or(record.version, Change::version)),
            ..self.event_without_record(Some(record.id), verdict, at)
        }
    }

    /// The event that a person must look at: under the record, or unmatched without one.
    #[must_use]
    pub fn quarantined(
        &self,
        record: Option<&Payment>,
        mismatch: Mismatch,
        at: Timestamp,
    ) -> Event {
        let event = match record {
            Some(record) => self.event(record, None, Verdict::Quarantined, at),
            None => self.event_without_record(None, Verdict::Quarantined, at),
        };
        Event { mismatch: Some(mismatch), ..event }
    }

    fn event_without_record(
        &self,
        payment: Option<PaymentId>,
        verdict: Verdict,
        at: Timestamp,
    ) -> Event {
        Event {
            payment,
            sender: self.sender,
            id: self.event_id.clone(),
            suffix: None,
            at,
            report: self.report.clone(),
            status: None,
            version: None,
            verdict,
            checkout: self.checkout,
            mismatch: None,
            decision: None,
            body: self.body.clone(),
        }
    }
}
