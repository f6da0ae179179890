//! Checkouts outside the actors: who got what they are paid with, who pays them, and when they expire.

use pay_core::{
    domain::{
        Checkout, CheckoutMethod, CheckoutNumber, CheckoutReference, Notification, Outcome,
        PaymentId, ProviderTxn,
    },
    ports::ProviderState,
    testing::HeldPayment,
};

use super::{Happening, World};
use crate::client::ClientResponse;

/// The reference of a payment's checkout.
pub(crate) fn checkout_of(payment: PaymentId, number: u32) -> CheckoutReference {
    CheckoutReference { payment, number: CheckoutNumber::new(number).unwrap() }
}

impl World {
    /// Remembers what a client got: from now on somebody can pay it.
    pub(crate) fn hand_out(&mut self, end: &ClientResponse) {
        if let ClientResponse::Checkout(_, Ok(started)) = end {
            self.handed_out.insert(started.checkout.reference);
        }
    }

    /// Whether a payment has checkouts, or may get some.
    pub(crate) fn has_checkouts(&self) -> bool {
        self.keeps_checkouts
    }

    /// Whether somebody can pay a checkout: they have what it is paid with, and its provider takes it.
    pub(crate) fn is_payable(&self, reference: CheckoutReference) -> bool {
        let is_open = match self.providers.checkouts.get(&reference) {
            Some(held) => held.state == ProviderState::Open,
            None => self.providers.are_pages && !self.providers.are_expired,
        };
        is_open && self.handed_out.contains(&reference)
    }

    /// The checkouts of a payment, as their providers hold them.
    pub(crate) fn held_checkouts(
        &self,
        id: PaymentId,
    ) -> impl Iterator<Item = (&CheckoutReference, &HeldPayment)> {
        self.providers.checkouts.iter().filter(move |(of, _)| of.payment == id)
    }

    /// Whether the next thing can happen now, or has to be left out for what comes after it.
    pub(crate) fn can_happen(&self) -> bool {
        let Some((id, next)) = self.to_happen.front() else { return false };
        let can_happen = match next {
            Happening::PaysCheckout(number) => self.is_payable(checkout_of(*id, *number)),
            Happening::PaysAtLast(number) => self.has_begun(checkout_of(*id, *number)),
            Happening::ClosesCheckout(number) => {
                let held = self.providers.checkouts.get(&checkout_of(*id, *number));
                held.is_some_and(|held| held.state == ProviderState::Open)
            }
            Happening::Expires
            | Happening::Accepts
            | Happening::Opens
            | Happening::Pays
            | Happening::Closes
            | Happening::ConsoleRefund(_)
            | Happening::ConsoleRefundFails
            | Happening::RefundsEnd(_) => true,
        };
        can_happen || self.to_happen.len() > 1
    }

    /// Whether a payer may be on a page that nobody was seen on.
    fn has_begun(&self, reference: CheckoutReference) -> bool {
        let is_unseen = !self.providers.checkouts.contains_key(&reference);
        is_unseen && self.providers.are_pages && self.handed_out.contains(&reference)
    }

    /// Makes something happen to a payment's checkouts.
    pub(super) fn happen_to_checkouts(&mut self, id: PaymentId, happening: Happening) {
        match happening {
            Happening::PaysCheckout(number) => {
                let reference = checkout_of(id, number);
                if self.is_payable(reference) {
                    self.providers.pay(reference, 100);
                }
            }
            Happening::PaysAtLast(number) => {
                let reference = checkout_of(id, number);
                if self.has_begun(reference) {
                    let txn = ProviderTxn::new(&format!("pi_{reference}")).ok();
                    let paid = HeldPayment::new(ProviderState::Paid, txn, 100);
                    self.providers.checkouts.insert(reference, paid);
                }
            }
            Happening::ClosesCheckout(number) => {
                let held = self.providers.checkouts.get_mut(&checkout_of(id, number));
                close(held);
            }
            Happening::Expires => self.expire(),
            Happening::Accepts => self.providers.refuse_checkouts = None,
            Happening::Opens
            | Happening::Pays
            | Happening::Closes
            | Happening::ConsoleRefund(_)
            | Happening::ConsoleRefundFails
            | Happening::RefundsEnd(_) => {}
        }
    }

    /// The last moment of every checkout passes. What has none at its provider can be paid for ever.
    pub(crate) fn expire(&mut self) {
        self.providers.are_expired = true;
        let kept = &self.table.checkouts;
        let has_no_end = |kept: &Checkout| kept.parameters.method == CheckoutMethod::StripeIntent;
        for (reference, held) in &mut self.providers.checkouts {
            if !kept.get(reference).is_some_and(has_no_end) {
                close(Some(held));
            }
        }
    }

    /// Whether a checkout is at its provider as a notification says.
    pub(super) fn may_send_of(&self, reference: CheckoutReference, sent: &Notification) -> bool {
        let Some(held) = self.providers.checkouts.get(&reference) else { return false };
        match sent.report.outcome {
            Some(Outcome::Paid) => held.state == ProviderState::Paid,
            Some(Outcome::Closed) => held.state == ProviderState::Closed,
            Some(Outcome::Failed | Outcome::Refunded) | None => false,
        }
    }
}

fn close(held: Option<&mut HeldPayment>) {
    if let Some(held) = held.filter(|held| held.state == ProviderState::Open) {
        held.state = ProviderState::Closed;
    }
}
