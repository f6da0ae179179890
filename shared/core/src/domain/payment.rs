//! A payment's record, and which changes can be made to one.

use super::{
    Amount, Change, Checkout, Due, DueChange, OrderId, PaymentId, ProviderRef, Refund,
    RefundChange, Refunds, Status, Timestamp, UserId,
};
use crate::limits::{NOTIFY_GRACE_MS, QUERY_FIRST_MS};

/// The record of a payment.
///
/// `id`, `uid`, `oid`, `amount` and `create_time` never change: no [`Change`] names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payment {
    /// Our id of it.
    pub id: PaymentId,
    /// The payer, as the user service numbers users.
    pub uid: UserId,
    /// The order that is paid, as the order service numbers orders.
    pub oid: OrderId,
    /// The amount to pay.
    pub amount: Amount,
    /// Which money paid it; [`ProviderRef::NONE`] until it was paid.
    pub reference: ProviderRef,
    /// Where it stands.
    pub status: Status,
    /// How much of it went back.
    pub refunds: Refunds,
    /// When it was created.
    pub create_time: Timestamp,
    /// When `status`, `reference` or `refunds` last changed.
    pub update_time: Timestamp,
    /// 1 at first, one more with each [`Change`].
    pub version: u64,
    /// When it moved to paid; absent if its refund was the first we heard of it.
    pub paid_time: Option<Timestamp>,
    /// When the order service acknowledged that it is paid.
    pub notified_time: Option<Timestamp>,
    /// How many checkouts were made of it.
    pub checkouts: u32,
    /// Whether it is being closed: no further checkout is made of it. Only that it is paid undoes it.
    pub closing: bool,
    /// Set while something is still to be done about it: the rest of the record says what.
    pub due: Option<Due>,
}

/// A stored record that no sequence of changes leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("incoherent record: {0}")]
pub struct Incoherent(&'static str);

impl Payment {
    /// A new payment.
    #[must_use]
    pub const fn pending(
        id: PaymentId,
        uid: UserId,
        oid: OrderId,
        amount: Amount,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            uid,
            oid,
            amount,
            reference: ProviderRef::NONE,
            status: Status::Pending,
            refunds: Refunds::NONE,
            create_time: now,
            update_time: now,
            version: 1,
            paid_time: None,
            notified_time: None,
            checkouts: 0,
            closing: false,
            due: None,
        }
    }

    /// Whether it is this payer's; it is anybody's for a caller who may act for everybody.
    #[must_use]
    pub fn is_of(&self, payer: Option<UserId>) -> bool {
        payer.is_none_or(|payer| payer == self.uid)
    }

    /// What went back of it, in minor units.
    #[must_use]
    pub const fn refunded(&self) -> u64 {
        self.refunds.refunded()
    }

    /// Whether it is or was paid.
    #[must_use]
    pub const fn was_paid(&self) -> bool {
        matches!(self.status, Status::Paid | Status::Refunded)
    }

    /// Whether nobody has paid it yet, and somebody still may.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, Status::Pending | Status::Failed)
    }

    /// Whether the order service is still to be notified that it is paid.
    #[must_use]
    pub const fn needs_notification(&self) -> bool {
        matches!(self.status, Status::Paid) && self.notified_time.is_none()
    }

    /// Whether a new payment of the order may replace it.
    ///
    /// A payment that was paid and then refunded keeps its order: a late order notification of it
    /// could otherwise mark the order paid a second time.
    #[must_use]
    pub const fn is_replaceable(&self) -> bool {
        match self.status {
            Status::Closed => true,
            Status::Refunded => self.paid_time.is_none(),
            Status::Pending | Status::Failed | Status::Paid => false,
        }
    }

    /// Passes a record on if a sequence of changes can lead to it.
    ///
    /// # Errors
    ///
    /// [`Incoherent`], naming what is wrong with it.
    pub fn coherent(self) -> Result<Self, Incoherent> {
        let paid = self.status == Status::Paid;
        let was_paid = self.was_paid();
        if self.version == 0 {
            Err(Incoherent("version 0"))
        } else if paid && self.paid_time.is_none() {
            Err(Incoherent("paid without paid_time"))
        } else if !was_paid && (self.paid_time.is_some() || self.notified_time.is_some()) {
            Err(Incoherent("paid_time or notified_time before it was paid"))
        } else if !was_paid && self.reference != ProviderRef::NONE {
            Err(Incoherent("a provider reference before it was paid"))
        } else if self.closing && !self.is_open() {
            Err(Incoherent("closing, and closed or paid"))
        } else if self.is_final() && self.due.is_some() && self.checkouts == 0 {
            Err(Incoherent("due, and closed or refunded"))
        } else if !was_paid && self.refunds != Refunds::NONE {
            Err(Incoherent("refunds before it was paid"))
        } else if self.refunded() > self.amount.minor() {
            Err(Incoherent("more went back than was paid"))
        } else if was_paid && paid == (self.refunded() == self.amount.minor()) {
            Err(Incoherent("refunded in full is not what its status says"))
        } else {
            Ok(self)
        }
    }

    /// Whether nothing is to be done about it any more.
    const fn is_final(&self) -> bool {
        matches!(self.status, Status::Closed | Status::Refunded)
    }

    /// The change that moves it to failed, closed or paid, by a notification with this provider reference.
    #[must_use]
    pub fn change_to(
        &self,
        to: Status,
        reference: &ProviderRef,
        guarded: bool,
        now: Timestamp,
    ) -> Change {
        let (reference, due) = match to {
            // Money moved for the first time: the notification says which.
            Status::Paid => (Some(reference.clone()), self.due_for_notification(now)),
            // Of what is closed all checkouts are ended.
            Status::Closed | Status::Refunded => (None, DueChange::Clear),
            Status::Pending | Status::Failed => (None, DueChange::Keep),
        };
        Change { reference, due, guarded, ..self.unchanged(to, now) }
    }

    /// The change that a refund makes: it moves the payment to refunded once all of it went back, and to
    /// paid before if it was not.
    #[must_use]
    pub fn refunded_by(
        &self,
        refund: Box<RefundChange>,
        reference: &ProviderRef,
        guarded: bool,
        now: Timestamp,
    ) -> Change {
        let to = self.status_with(refund.refunds);
        let moved = match (self.was_paid(), to) {
            (false, Status::Paid) => self.change_to(to, reference, guarded, now),
            (false, _) => Change {
                reference: Some(reference.clone()),
                due: self.due_for_checkouts(now),
                guarded,
                ..self.unchanged(to, now)
            },
            (true, _) => Change {
                reference: self.reference.completed_by(reference),
                due: if to == self.status || self.checkouts > 0 {
                    DueChange::Keep
                } else {
                    DueChange::Clear
                },
                ..self.unchanged(to, now)
            },
        };
        Change { refund: Some(refund), ..moved }
    }

    /// The change that reserves a refund: nothing went back yet.
    #[must_use]
    pub fn reserving(&self, refund: &Refund, now: Timestamp) -> Change {
        let pending = self.refunds.pending.saturating_add(refund.amount_minor);
        let refunds = Refunds { pending, ..self.refunds };
        let item = refund.clone();
        let reserved = RefundChange { refunds, item, from: None, is_named: false };
        Change { refund: Some(Box::new(reserved)), ..self.unchanged(self.status, now) }
    }

    /// The change that keeps a refund of other money than what the payment was paid with.
    #[must_use]
    pub fn keeping(&self, item: Refund, now: Timestamp) -> Change {
        let kept = RefundChange { refunds: self.refunds, item, from: None, is_named: false };
        self.with_outside(kept, now)
    }

    /// The change that such a refund makes: it touches neither amounts nor status.
    #[must_use]
    pub fn with_outside(&self, refund: RefundChange, now: Timestamp) -> Change {
        Change { refund: Some(Box::new(refund)), ..self.unchanged(self.status, now) }
    }

    /// The status of a payment that was paid and of which this went back.
    #[must_use]
    pub const fn status_with(&self, refunds: Refunds) -> Status {
        if refunds.refunded() < self.amount.minor() { Status::Paid } else { Status::Refunded }
    }

    /// The change that requests a checkout. The payment is due for it, so that no sweep that has read none
    /// clears `due`.
    #[must_use]
    pub fn beginning(&self, checkout: &Checkout, now: Timestamp) -> Change {
        Change {
            checkout: Some(Box::new(checkout.clone())),
            due: self.due_by(now.plus_millis(QUERY_FIRST_MS)),
            ..self.unchanged(self.status, now)
        }
    }

    /// The change that begins to close it: no further checkout is made. Whoever makes the change
    /// goes on with the close, and the sweep leaves a minute for that.
    #[must_use]
    pub fn begin_closing(&self, now: Timestamp) -> Change {
        Change {
            is_closing: true,
            due: self.due_by(now.plus_millis(NOTIFY_GRACE_MS)),
            ..self.unchanged(self.status, now)
        }
    }

    /// The sweep ends the checkouts of what was refunded before we heard that it was paid.
    fn due_for_checkouts(&self, now: Timestamp) -> DueChange {
        if self.checkouts == 0 {
            return DueChange::Clear;
        }
        self.due_by(now.plus_millis(QUERY_FIRST_MS))
    }

    /// A time before this one is left as it is: that writes no index.
    fn due_by(&self, latest: Timestamp) -> DueChange {
        let at = self.due.map_or(latest, |due| due.at.min(latest));
        DueChange::Set { before: self.due, after: Due { at, attempts: 0 } }
    }

    /// The callback that moves the payment to paid notifies the order service itself, and the sweep leaves
    /// it a minute for that. A time that is near is left as it is: that writes no index.
    fn due_for_notification(&self, now: Timestamp) -> DueChange {
        let near = |due: &Due| due.at <= now.plus_millis(QUERY_FIRST_MS);
        let at = self.due.filter(near).map_or(now.plus_millis(NOTIFY_GRACE_MS), |due| due.at);
        DueChange::Set { before: self.due, after: Due { at, attempts: 0 } }
    }

    /// The change that completes its provider reference with what a repeated notification knows, if
    /// that is anything new.
    #[must_use]
    pub fn completion(&self, reference: &ProviderRef, now: Timestamp) -> Option<Change> {
        let reference = Some(self.reference.completed_by(reference)?);
        Some(Change { reference, ..self.unchanged(self.status, now) })
    }

    const fn unchanged(&self, to: Status, at: Timestamp) -> Change {
        Change {
            id: self.id,
            oid: self.oid,
            from: self.status,
            from_version: self.version,
            to,
            reference: None,
            refund: None,
            checkout: None,
            is_closing: false,
            due: DueChange::Keep,
            guarded: false,
            at,
        }
    }
}

#[cfg(test)]
mod tests;
