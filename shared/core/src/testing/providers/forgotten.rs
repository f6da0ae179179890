//! What providers in memory find by a transaction, and what they have forgotten.

use super::{HeldPayment, ProvidersState};
use crate::domain::{PaymentId, Provider, ProviderTxn, Timestamp};

impl ProvidersState {
    /// What a provider holds with this transaction, and the payment that it is of. No two checkouts have one
    /// transaction, whatever their providers are.
    pub(super) fn by_txn(
        &self,
        provider: Provider,
        txn: &ProviderTxn,
    ) -> Option<(PaymentId, &HeldPayment)> {
        let is_it = |held: &HeldPayment| held.txn.as_ref() == Some(txn);
        let payments = self.held.iter().filter(|((of, _), _)| *of == provider);
        let payments = payments.map(|((_, id), held)| (*id, held));
        let checkouts = self.checkouts.iter().map(|(of, held)| (of.payment, held));
        payments.chain(checkouts).find(|(_, held)| is_it(held))
    }

    /// The same, to change it.
    pub(super) fn by_txn_mut(
        &mut self,
        provider: Provider,
        txn: &ProviderTxn,
    ) -> Option<(PaymentId, &mut HeldPayment)> {
        let is_it = |held: &HeldPayment| held.txn.as_ref() == Some(txn);
        let payments = self.held.iter_mut().filter(|((of, _), _)| *of == provider);
        let payments = payments.map(|((_, id), held)| (*id, held));
        let checkouts = self.checkouts.iter_mut().map(|(of, held)| (of.payment, held));
        payments.chain(checkouts).find(|(_, held)| is_it(held))
    }

    /// Whether it is so late that keys are forgotten; then also a new checkout has its last moment before it.
    pub(super) fn is_later(&self, now: Timestamp) -> bool {
        self.forget_time.is_some_and(|time| now >= time)
    }

    /// Whether the key of what was requested under this reference is forgotten, so that the same request makes
    /// another object. It is remembered from now on. WeChat Pay and Alipay have no keys: what they have is there
    /// once for its reference.
    pub(super) fn forgets(&mut self, provider: Provider, reference: &str, now: Timestamp) -> bool {
        provider == Provider::Stripe
            && self.is_later(now)
            && self.remembered.insert(reference.to_owned())
    }
}
