//! Values for the cases: no two of them meet in one table.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    domain::{
        Amount, Change, CheckoutNumber, Currency, Digest, Due, Event, EventId, Guard, Mismatch,
        MismatchField, OrderId, Outcome, Payment, PaymentId, Provider, ProviderRef, ProviderTxn,
        RawBody, RefundEffect, Report, Sender, Status, Timestamp, UserId, Verdict,
    },
    ports::{Created, Payments, Updated},
};

/// 2027-01-15T08:00:00Z: when the cases happen.
pub const NOW_MS: u64 = 1_800_000_000_000;

/// A source of values, each given once.
#[derive(Debug)]
pub struct Fresh {
    last: AtomicU64,
}

impl Default for Fresh {
    fn default() -> Self {
        Self::above(1_000)
    }
}

impl Fresh {
    /// Values above this number.
    #[must_use]
    pub const fn above(number: u64) -> Self {
        Self { last: AtomicU64::new(number) }
    }

    fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// A user.
    pub fn user(&self) -> UserId {
        UserId::new(self.number()).unwrap()
    }

    /// A new payment of a new user's new order. Its id is larger than all before.
    pub fn payment(&self) -> Payment {
        self.payment_of(self.user(), OrderId::new(self.number()).unwrap())
    }

    /// A new payment that is first looked at so many milliseconds after [`NOW_MS`].
    pub fn due_after(&self, millis: u64) -> Payment {
        Payment { due: Some(Due { at: at(millis), attempts: 0 }), ..self.payment() }
    }

    /// A new payment of this order.
    pub fn payment_of(&self, uid: UserId, oid: OrderId) -> Payment {
        let number = self.number();
        let amount = Amount::new(number, Currency::new("EUR").unwrap()).unwrap();
        Payment::pending(PaymentId::new(number).unwrap(), uid, oid, amount, at(0))
    }

    /// A digest.
    pub fn digest(&self) -> Digest {
        let number = self.number().to_be_bytes();
        let mut bytes = [0xab; 32];
        for (byte, number) in bytes.iter_mut().zip(number) {
            *byte = number;
        }
        Digest::new(bytes)
    }

    /// An event about a payment, with everything that an event may have but a suffix.
    pub fn event(&self, payment: &Payment) -> Event {
        let digest = self.digest();
        let id = format!("evt_{}.-", self.number());
        Event {
            payment: Some(payment.id),
            sender: Sender::Native,
            id: EventId::new(Some(&id), digest),
            suffix: None,
            at: at(7),
            report: Report {
                outcome: Some(Outcome::Paid),
                refund: None,
                reference: stripe("pi_1"),
                amount_minor: Some(payment.amount.minor()),
                currency: Some("EUR".to_owned()),
            },
            status: Some((payment.status, payment.status)),
            version: Some(payment.version),
            verdict: Verdict::Duplicate,
            mismatch: None,
            checkout: CheckoutNumber::new(7).ok(),
            decision: None,
            body: RawBody::new(format!("{{\"id\":\"{id}\"}}\0\u{ff}").as_bytes(), digest),
        }
    }

    /// The event of a change.
    pub fn event_of(&self, payment: &Payment, change: &Change) -> Event {
        Event {
            status: Some((change.from, change.to)),
            version: Some(change.version()),
            verdict: Verdict::Applied,
            ..self.event(payment)
        }
    }

    /// A new payment that the store has.
    pub async fn stored(&self, store: &impl Payments) -> Payment {
        let payment = self.payment();
        create(store, &payment, None).await;
        payment
    }

    /// Changes a stored payment, and gives it as it must be then.
    pub async fn changed(
        &self,
        store: &impl Payments,
        payment: &Payment,
        change: &Change,
    ) -> Payment {
        let updated = store.update(change, &self.event_of(payment, change)).await;
        assert_eq!(updated.unwrap(), Updated::Done, "{change:?}");
        change.applied_to(payment.clone())
    }

    /// A new stored payment, moved to `status` on the shortest way.
    pub async fn stored_as(&self, store: &impl Payments, status: Status) -> Payment {
        let payment = self.stored(store).await;
        self.moved(store, &payment, status).await
    }

    /// Moves a stored payment on the shortest way.
    pub async fn moved(&self, store: &impl Payments, payment: &Payment, status: Status) -> Payment {
        if payment.status == status {
            return payment.clone();
        }
        let change = moving(payment, status, &stripe("pi_1"), at(10));
        self.changed(store, payment, &change).await
    }
}

/// The change that moves a payment to a status; to refunded by a total of all of it.
#[must_use]
pub fn moving(payment: &Payment, to: Status, reference: &ProviderRef, now: Timestamp) -> Change {
    if to != Status::Refunded {
        return payment.change_to(to, reference, false, now);
    }
    let report = Report { reference: reference.clone(), ..Report::NONE };
    let effect = RefundEffect::of(&report, payment, None, false, now);
    let RefundEffect::Counts(refund) = effect else { panic!("{effect:?}") };
    payment.refunded_by(refund, reference, false, now)
}

/// The change that a report about a refund makes, by what the store has.
pub async fn refunding(
    store: &impl Payments,
    payment: &Payment,
    report: &Report,
    now: Timestamp,
) -> Change {
    let found = match report.refund_id() {
        Some(id) => store.refund(payment.id, &id).await.unwrap(),
        None => None,
    };
    let effect = RefundEffect::of(report, payment, found.as_ref(), false, now);
    let RefundEffect::Counts(refund) = effect else { panic!("{effect:?}") };
    payment.refunded_by(refund, &report.reference, false, now)
}

/// This many milliseconds after [`NOW_MS`].
#[must_use]
pub fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(NOW_MS).unwrap().plus_millis(millis)
}

/// A reference of Stripe's; the empty transaction is none.
#[must_use]
pub fn stripe(txn: &str) -> ProviderRef {
    ProviderRef { source: Provider::Stripe.source(), txn: ProviderTxn::new(txn).ok() }
}

/// A mismatch in the amount.
#[must_use]
pub fn amount_mismatch() -> Mismatch {
    Mismatch::new(MismatchField::Amount, Some(100), Some(99))
}

/// Creates a payment that nothing stands in the way of.
pub async fn create(store: &impl Payments, payment: &Payment, replacing: Option<PaymentId>) {
    let created = store.create(payment, &Guard::of(payment, None), replacing).await;
    assert_eq!(created.unwrap(), Created::Done);
}

/// Checks that the store has just this record.
pub async fn has(store: &impl Payments, payment: &Payment) {
    let found = store.payment(payment.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(payment));
}
