//! The events of what was asked of us: a refund, a checkout, the end of a payment.

use pay_core::domain::{
    CheckoutNumber, EventKey, Outcome, ProviderRefund, RefundId, RefundReference, RefundReport,
    Sender, Verdict,
};

use super::event::ReadEvent;
use crate::operation::Intention;

/// What was asked of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Requested {
    /// A refund, which was reserved.
    Refund(RefundId),
    /// A checkout.
    Checkout(CheckoutNumber),
    /// To close the payment.
    Close,
}

impl ReadEvent {
    /// What was asked of us: it reports nothing, and raised the version.
    pub(super) fn requested(&self) -> Option<Requested> {
        let is_request = self.verdict == Some(Verdict::Noted) && self.outcome.is_none();
        let id = self.id().filter(|_| is_request)?;
        if id == "close" && !matches!(self.sender, Sender::Provider(_)) {
            return Some(Requested::Close);
        }
        if !matches!(self.sender, Sender::Native | Sender::Operator) {
            return None;
        }
        if let Some(number) = id.strip_prefix("checkout.") {
            return CheckoutNumber::parse(number).ok().map(Requested::Checkout);
        }
        let reference = RefundReference::parse(id.strip_prefix("refund.")?).ok()?;
        Some(Requested::Refund(RefundId::requested(reference)))
    }

    /// Whether an operator wrote down by it what a function was then called for.
    pub(super) fn is_intention(&self) -> bool {
        let is_noted = self.verdict == Some(Verdict::Noted) && self.outcome.is_none();
        self.sender == Sender::Operator && is_noted && self.id().is_some_and(Intention::is_id)
    }

    /// The refund that it reserved.
    pub(super) fn reserved(&self) -> Option<RefundId> {
        match self.requested()? {
            Requested::Refund(id) => Some(id),
            Requested::Checkout(_) | Requested::Close => None,
        }
    }

    /// Whether it reports a refund that names a reference of ours.
    pub(super) fn is_of_ours(&self) -> bool {
        let Some(RefundReport::One { reference, .. }) = &self.refund else { return false };
        let ours = |of: &ProviderRefund| RefundReference::parse(of.as_str()).is_ok();
        reference.as_ref().is_some_and(ours)
    }

    /// Whether it is the end of a close, which we wrote ourselves.
    pub(super) fn is_end(&self) -> bool {
        self.id() == Some("close.ended")
            && self.verdict == Some(Verdict::Applied)
            && self.outcome == Some(Outcome::Closed)
            && !matches!(self.sender, Sender::Provider(_))
            && self.amount.is_none()
    }

    /// Whether it may be the notification of the shop's own that began to close a payment.
    pub(super) fn begins_closing(&self) -> bool {
        self.sender == Sender::Native
            && self.verdict == Some(Verdict::Noted)
            && self.outcome == Some(Outcome::Closed)
    }

    /// Its event id. Where the key was taken it has the version as suffix, which is left out.
    pub(super) fn id(&self) -> Option<&str> {
        let (_, id) = self.sk.strip_prefix("event#")?.split_once('#')?;
        id.split('#').next()
    }

    /// Whether it reserved a refund of the payment whose event it is.
    pub(super) fn is_reservation_of(&self, key: &EventKey) -> bool {
        let reference = self.reserved().and_then(|id| RefundReference::parse(id.as_str()).ok());
        reference.is_some_and(|reference| Some(reference.payment()) == key.payment)
    }
}
