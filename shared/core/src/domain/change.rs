//! A change of a record.

use super::{
    Checkout, Due, OrderId, Payment, PaymentId, ProviderRef, RefundChange, Status, Timestamp,
};

/// A change of a record, conditioned on the status and version it was computed from.
///
/// It names the attributes that it sets; all others stay, whoever wrote them meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The record to change.
    pub id: PaymentId,
    /// Its order, whose guard is checked when `guarded`.
    pub oid: OrderId,
    /// The status it must still have.
    pub from: Status,
    /// The version it must still have; the change raises it by one.
    pub from_version: u64,
    /// The status it gets.
    pub to: Status,
    /// Its new provider reference; `None` leaves it.
    pub reference: Option<ProviderRef>,
    /// The refund that it keeps, and what went back in all with it; `None` leaves both.
    pub refund: Option<Box<RefundChange>>,
    /// The checkout that it requests, which is its payment's newest.
    pub checkout: Option<Box<Checkout>>,
    /// Whether the payment is being closed from now on.
    pub is_closing: bool,
    /// What becomes of `due`.
    pub due: DueChange,
    /// Whether the order's guard must name this payment.
    pub guarded: bool,
    /// The time of the change.
    pub at: Timestamp,
}

/// What a change does to `due`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DueChange {
    /// Nothing.
    Keep,
    /// Something is to be done about the payment.
    Set {
        /// What `due` must still be: a sweep may be rescheduling it.
        before: Option<Due>,
        /// What it becomes.
        after: Due,
    },
    /// Nothing is to be done about the payment any more.
    Clear,
}

impl Change {
    /// The version the record has after it.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.from_version.saturating_add(1)
    }

    /// Whether the payment is paid by it: `paid_time` is set.
    #[must_use]
    pub const fn pays(&self) -> bool {
        let was_paid = matches!(self.from, Status::Paid | Status::Refunded);
        !was_paid && matches!(self.to, Status::Paid)
    }

    /// Whether the payment is closed, paid or refunded by it: then it is closing no more.
    #[must_use]
    pub const fn ends_closing(&self) -> bool {
        !matches!(self.to, Status::Pending | Status::Failed)
    }

    /// The record after it.
    #[must_use]
    pub fn applied_to(&self, mut payment: Payment) -> Payment {
        payment.status = self.to;
        payment.version = self.version();
        payment.update_time = self.at;
        if let Some(reference) = &self.reference {
            payment.reference.clone_from(reference);
        }
        if let Some(refund) = &self.refund {
            payment.refunds = refund.refunds;
        }
        if let Some(checkout) = &self.checkout {
            payment.checkouts = checkout.reference.number.get();
        }
        payment.closing = (payment.closing || self.is_closing) && !self.ends_closing();
        if self.pays() {
            payment.paid_time = Some(self.at);
        }
        match self.due {
            DueChange::Keep => {}
            DueChange::Set { after, .. } => payment.due = Some(after),
            DueChange::Clear => payment.due = None,
        }
        payment
    }
}
