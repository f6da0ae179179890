//! Calls of providers in memory that arrive after their callers have given up.

use super::{HeldPayment, ProvidersState};
use crate::{
    domain::{CheckoutReference, Provider, ProviderRefund, ProviderTxn},
    ports::ProviderState,
};

/// A request to refund that has not arrived yet: provider, transaction, our reference, the amount.
pub type LateRefund = (Provider, ProviderTxn, ProviderRefund, u64);

/// A call for a checkout that has not arrived yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LateCheckout {
    /// It is to be made, of this amount in minor units.
    Make(CheckoutReference, u64),
    /// It is to be closed.
    Close(CheckoutReference),
}

impl ProvidersState {
    /// Delivers the oldest late request to refund; `false` if there is none.
    pub fn land_late(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        let (provider, txn, reference, amount_minor) = self.late.remove(0);
        if let Some((_, held)) = self.by_txn_mut(provider, &txn) {
            held.take(&reference, amount_minor, false);
        }
        true
    }

    /// Delivers the oldest late call for a checkout; `false` if there is none. What is made by it nobody can
    /// pay, since its response reaches nobody.
    pub fn land_late_checkout(&mut self) -> bool {
        if self.late_checkouts.is_empty() {
            return false;
        }
        match self.late_checkouts.remove(0) {
            LateCheckout::Make(reference, amount_minor) => {
                let can_be_made =
                    !self.are_pages && !self.are_expired && self.refuse_checkouts.is_none();
                if can_be_made {
                    let open = HeldPayment::new(ProviderState::Open, None, amount_minor);
                    self.checkouts.entry(reference).or_insert(open);
                }
            }
            LateCheckout::Close(reference) => self.close(reference, None),
        }
        true
    }
}
