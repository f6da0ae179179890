//! A payment's record, and every change that can be made to one.

use super::{Amount, OrderId, PaymentId, ProviderRef, Status, Timestamp, UserId};
use crate::limits::{BACKOFF_FIRST_MS, BACKOFF_MAX_MS, NOTIFY_GRACE_MS};

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
    /// When it was created.
    pub create_time: Timestamp,
    /// When `status` or `reference` last changed.
    pub update_time: Timestamp,
    /// 1 at first, one more with each [`Change`].
    pub version: u64,
    /// When it moved to paid; absent if its refund was the first we heard of it.
    pub paid_time: Option<Timestamp>,
    /// When the order service acknowledged that it is paid.
    pub notified_time: Option<Timestamp>,
    /// Set while the order service is still to be notified.
    pub due: Option<Due>,
}

/// When the sweep looks at a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Due {
    /// Not before this time.
    pub at: Timestamp,
    /// How many attempts of the sweep have failed.
    pub attempts: u32,
}

impl Due {
    /// The next time after one more failed attempt: exponential backoff from 1 to 15 minutes, with a
    /// jitter of a quarter either way, so that what failed together is not retried together.
    #[must_use]
    pub fn rescheduled(self, id: PaymentId, now: Timestamp) -> Self {
        let delay_ms = (BACKOFF_FIRST_MS << self.attempts.min(5)).min(BACKOFF_MAX_MS);
        // The low bits of an id are random.
        let jitter_ms = delay_ms.saturating_mul(id.get() % 64) / 128;
        let delay_ms = delay_ms.saturating_sub(delay_ms / 4).saturating_add(jitter_ms);
        Self { at: now.plus_millis(delay_ms), attempts: self.attempts.saturating_add(1) }
    }
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
            create_time: now,
            update_time: now,
            version: 1,
            paid_time: None,
            notified_time: None,
            due: None,
        }
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
        let was_paid = paid || self.status == Status::Refunded;
        if self.version == 0 {
            Err(Incoherent("version 0"))
        } else if paid && self.paid_time.is_none() {
            Err(Incoherent("paid without paid_time"))
        } else if !was_paid && (self.paid_time.is_some() || self.notified_time.is_some()) {
            Err(Incoherent("paid_time or notified_time before it was paid"))
        } else if !was_paid && self.reference != ProviderRef::NONE {
            Err(Incoherent("a provider reference before it was paid"))
        } else if !paid && self.due.is_some() {
            Err(Incoherent("due, and not paid"))
        } else {
            Ok(self)
        }
    }

    /// The change that moves it to `to`, by a notification with this provider reference.
    #[must_use]
    pub fn change_to(
        &self,
        to: Status,
        reference: &ProviderRef,
        guarded: bool,
        now: Timestamp,
    ) -> Change {
        let (reference, due) = match (self.status, to) {
            // Money moved for the first time: the notification says which.
            (_, Status::Paid) => (Some(reference.clone()), DueChange::Set),
            (Status::Paid, Status::Refunded) => {
                (self.reference.completed_by(reference), DueChange::Clear)
            }
            (_, Status::Refunded) => (Some(reference.clone()), DueChange::Keep),
            (_, Status::Pending | Status::Failed | Status::Closed) => (None, DueChange::Keep),
        };
        Change { reference, due, guarded, ..self.unchanged(to, now) }
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
            due: DueChange::Keep,
            guarded: false,
            at,
        }
    }
}

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
    Set,
    /// The order service need not be notified any more.
    Clear,
}

impl Change {
    /// The version the record has after it.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.from_version.saturating_add(1)
    }

    /// What [`DueChange::Set`] sets: the callback that moves the payment notifies the order service
    /// itself, and the sweep leaves it a minute for that.
    #[must_use]
    pub const fn new_due(&self) -> Due {
        Due { at: self.at.plus_millis(NOTIFY_GRACE_MS), attempts: 0 }
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
        match self.due {
            DueChange::Keep => {}
            DueChange::Set => {
                payment.paid_time = Some(self.at);
                payment.due = Some(self.new_due());
            }
            DueChange::Clear => payment.due = None,
        }
        payment
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Currency, ProviderTxn, Source};
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn pending() -> Payment {
        let cny = Currency::new("CNY").unwrap();
        Payment::pending(
            PaymentId::new(7).unwrap(),
            UserId::new(1).unwrap(),
            OrderId::new(2).unwrap(),
            Amount::new(100, cny).unwrap(),
            Timestamp::from_millis(NOW).unwrap(),
        )
    }

    fn stripe(txn: Option<&str>) -> ProviderRef {
        ProviderRef {
            source: Source::new(3).unwrap(),
            txn: txn.map(|txn| ProviderTxn::new(txn).unwrap()),
        }
    }

    fn after(payment: &Payment, to: Status, reference: &ProviderRef) -> Payment {
        let now = Timestamp::from_millis(NOW + 5).unwrap();
        payment.change_to(to, reference, false, now).applied_to(payment.clone()).coherent().unwrap()
    }

    #[test]
    fn the_move_to_paid_makes_it_due() {
        let paid = after(&pending(), Status::Paid, &stripe(Some("pi_1")));
        assert_eq!(paid.paid_time.unwrap().millis(), NOW + 5);
        assert_eq!(paid.due.unwrap().at.millis(), NOW + 60_005);
        assert_eq!((paid.version, paid.reference), (2, stripe(Some("pi_1"))));
    }

    #[test]
    fn a_refund_clears_due_and_completes_only_what_is_unknown() {
        let paid = after(&pending(), Status::Paid, &stripe(None));
        let refunded = after(&paid, Status::Refunded, &stripe(Some("pi_1")));
        assert_eq!((refunded.due, &refunded.reference), (None, &stripe(Some("pi_1"))));
        assert_eq!(refunded.paid_time, paid.paid_time);
        assert!(!refunded.is_replaceable());
    }

    #[test]
    fn a_refund_of_a_payment_never_seen_paid_frees_the_order() {
        let refunded = after(&pending(), Status::Refunded, &stripe(Some("pi_1")));
        assert_eq!((refunded.paid_time, refunded.due), (None, None));
        assert!(refunded.is_replaceable());
    }

    #[test]
    fn failing_and_closing_set_no_reference() {
        let closed = after(&pending(), Status::Closed, &stripe(Some("pi_1")));
        assert_eq!(closed.reference, ProviderRef::NONE);
        assert!(closed.is_replaceable());
    }

    #[test]
    fn completing_the_reference_raises_the_version_and_nothing_else() {
        let paid = after(&pending(), Status::Paid, &stripe(None));
        let now = Timestamp::from_millis(NOW + 9).unwrap();
        let change = paid.completion(&stripe(Some("pi_1")), now).unwrap();
        let completed = change.applied_to(paid.clone());
        assert_eq!(completed.reference, stripe(Some("pi_1")));
        assert_eq!(
            (completed.status, completed.due, completed.version),
            (paid.status, paid.due, 3)
        );
        assert_eq!(completed.completion(&stripe(Some("pi_1")), now), None);
    }

    #[test]
    fn the_backoff_doubles_up_to_a_quarter_of_an_hour() {
        let now = Timestamp::from_millis(NOW).unwrap();
        let id = |id| PaymentId::new(id).unwrap();
        let mut due = Due { at: now, attempts: 0 };
        let mut delays = Vec::new();
        for _ in 0..7 {
            due = due.rescheduled(id(32), now);
            delays.push((due.at.millis() - NOW) / 1000);
        }
        assert_eq!(delays, [60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(due.attempts, 7);
        // Spread by a quarter either way.
        let delay = |of| Due { at: now, attempts: 9 }.rescheduled(id(of), now).at.millis() - NOW;
        assert_eq!(delay(64), 675_000);
        assert!((1_100_000..1_125_000).contains(&delay(63)), "{}", delay(63));
        assert_eq!(Due { at: now, attempts: u32::MAX }.rescheduled(id(32), now).attempts, u32::MAX);
    }

    /// As when an order service stops: see docs/scale.md.
    #[test]
    fn what_failed_together_is_spread_when_it_is_rescheduled() {
        let now = Timestamp::from_millis(NOW).unwrap();
        // Attempts; due from and to, in seconds; the most of 64,000 in one of them.
        for (attempts, from, to, most) in [
            (0, 45, 74, 3000),
            (1, 90, 149, 2000),
            (2, 180, 298, 1000),
            (3, 360, 596, 1000),
            (4, 675, 1117, 1000),
            (9, 675, 1117, 1000),
        ] {
            let mut seconds = BTreeMap::new();
            for id in 1..=64_000 {
                let id = PaymentId::new(id).unwrap();
                let due = Due { at: now, attempts }.rescheduled(id, now).at.secs() - NOW / 1000;
                *seconds.entry(due).or_insert(0) += 1;
            }
            let (first, last) = (seconds.first_key_value(), seconds.last_key_value());
            assert_eq!((*first.unwrap().0, *last.unwrap().0), (from, to), "{attempts}");
            assert_eq!(*seconds.values().max().unwrap(), most, "{attempts}");
        }
    }

    #[test]
    fn a_record_that_no_change_leads_to_is_rejected() {
        let paid = after(&pending(), Status::Paid, &stripe(None));
        let wrong = [
            Payment { version: 0, ..pending() },
            Payment { paid_time: None, ..paid.clone() },
            Payment { status: Status::Closed, ..paid.clone() },
            Payment { reference: stripe(None), ..pending() },
            Payment { due: paid.due, ..pending() },
            Payment { notified_time: paid.paid_time, ..pending() },
        ];
        for payment in wrong {
            assert!(payment.clone().coherent().is_err(), "{payment:?}");
        }
    }
}
