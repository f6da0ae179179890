//! Notifications of Stripe's about a payment of 100, for tests.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a wrong name fails a test")]

use crate::domain::{
    Digest, EventId, Notification, Outcome, PaymentId, Provider, ProviderRef, ProviderRefund,
    ProviderTxn, RawBody, RefundReport, RefundState, Report,
};

/// What a provider reports of a payment of 100 that its transaction `pi_1` paid; each `name` is another
/// notification.
#[must_use]
pub fn a_notification(
    payment: PaymentId,
    outcome: impl Into<Option<Outcome>>,
    name: u8,
) -> Notification {
    let digest = Digest::new([name; 32]);
    Notification {
        sender: Provider::Stripe.into(),
        event_id: EventId::new(Some(&format!("evt_{name}")), digest),
        payment: Some(payment),
        checkout: None,
        claims: None,
        wrong_account: None,
        review: None,
        queried: false,
        is_shared: false,
        report: Report {
            outcome: outcome.into(),
            refund: None,
            reference: a_reference(Provider::Stripe, "pi_1"),
            amount_minor: Some(100),
            currency: Some("CNY".to_owned()),
        },
        body: RawBody::new(&[name], digest),
    }
}

/// That a refund of it stands so: the provider's id, the amount, the state.
#[must_use]
pub fn a_refund(
    payment: PaymentId,
    (refund, amount_minor, state): (&str, u64, RefundState),
    name: u8,
) -> Notification {
    let id = ProviderRefund::new(refund).unwrap();
    let one = RefundReport::One { id, reference: None, amount_minor, state };
    refunding(payment, one, name)
}

/// That so much of it went back so far.
#[must_use]
pub fn a_total(payment: PaymentId, total: u64, name: u8) -> Notification {
    refunding(payment, RefundReport::Total(total), name)
}

fn refunding(payment: PaymentId, refund: RefundReport, name: u8) -> Notification {
    let refunded = a_notification(payment, Outcome::Refunded, name);
    reporting(refunded, |report| report.refund = Some(refund))
}

/// The same notification with another report.
#[must_use]
pub fn reporting(mut notification: Notification, change: impl FnOnce(&mut Report)) -> Notification {
    change(&mut notification.report);
    notification
}

/// A provider's reference, with a transaction unless that is empty.
#[must_use]
pub fn a_reference(provider: Provider, txn: &str) -> ProviderRef {
    let txn = (!txn.is_empty()).then(|| ProviderTxn::new(txn).unwrap());
    ProviderRef { source: provider.source(), txn }
}
