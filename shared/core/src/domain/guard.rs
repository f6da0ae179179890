//! The guard: an order's one live payment.

use super::{Amount, Digest, OrderId, Payment, PaymentId, UserId};

/// What is written beside a payment so that its order cannot have a second one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    /// The order it guards.
    pub oid: OrderId,
    /// The order's live payment.
    pub payment: PaymentId,
    /// Who made that payment.
    pub uid: UserId,
    /// Its amount in minor units: with the uid, the request that a repeated key must repeat.
    pub amount_minor: u64,
    /// SHA-256 of (uid, Idempotency-Key), where the request carried one.
    pub key: Option<Digest>,
}

impl Guard {
    /// The guard that goes with a new payment.
    #[must_use]
    pub const fn of(payment: &Payment, key: Option<Digest>) -> Self {
        Self {
            oid: payment.oid,
            payment: payment.id,
            uid: payment.uid,
            amount_minor: payment.amount.minor(),
            key,
        }
    }

    /// Whether a request carries the key of the request that made the payment.
    #[must_use]
    pub fn has_key(&self, key: Option<Digest>) -> bool {
        key.is_some() && key == self.key
    }

    /// Whether a request asks for just this payment.
    #[must_use]
    pub fn is_for(&self, uid: UserId, amount: Amount) -> bool {
        self.uid == uid && self.amount_minor == amount.minor()
    }
}
