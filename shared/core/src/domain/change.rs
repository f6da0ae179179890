//! A change of a record.

use super::{Due, OrderId, Payment, PaymentId, ProviderRef, RefundChange, Status, Timestamp};

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
    /// The payment is paid now: `paid_time` is set, and the order service is to be notified.
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
        match self.due {
            DueChange::Keep => {}
            DueChange::Set { after, .. } => {
                payment.paid_time = Some(self.at);
                payment.due = Some(after);
            }
            DueChange::Clear => payment.due = None,
        }
        payment
    }
}
