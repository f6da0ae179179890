//! A payment's record, and every change that can be made to one.

use super::{Amount, Money, OrderId, PaymentId, Status, Timestamp, UserId};

/// How long reconcile leaves a fresh telling to the callback that is making it.
const TELLING_GRACE_MS: u64 = 60_000;

/// The record of a payment.
///
/// `id`, `uid`, `oid`, `amount` and `create_time` never change: no [`Change`] names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payment {
    /// Ours.
    pub id: PaymentId,
    /// Who pays.
    pub uid: UserId,
    /// What for.
    pub oid: OrderId,
    /// How much.
    pub amount: Amount,
    /// Whose money it was; [`Money::NONE`] until it moved.
    pub money: Money,
    /// Where it stands.
    pub status: Status,
    /// When it was made.
    pub create_time: Timestamp,
    /// When `status` or `money` last changed.
    pub update_time: Timestamp,
    /// 1 at first, one more with each [`Change`].
    pub version: u64,
    /// When it moved to paid; absent for money that went back before we heard of it.
    pub paid_time: Option<Timestamp>,
    /// When the order was told.
    pub told_at: Option<Timestamp>,
    /// The telling of the order that is still to be done.
    pub work: Option<Work>,
}

/// A telling still to be done: the order does not know yet that it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// When reconcile may take it up.
    pub due: Timestamp,
    /// How many reconcile runs have failed at it.
    pub tries: u32,
}

/// What the first putting off costs, and what none costs more than.
const PUT_OFF_FIRST_MS: u64 = 60_000;
const PUT_OFF_MAX_MS: u64 = 15 * 60_000;

impl Work {
    /// The telling after one more failure: later each time, 15 minutes at most, and spread by a
    /// quarter either way, so that what failed together is not repeated together.
    #[must_use]
    pub fn put_off(self, id: PaymentId, now: Timestamp) -> Self {
        let delay_ms = (PUT_OFF_FIRST_MS << self.tries.min(5)).min(PUT_OFF_MAX_MS);
        // The low bits of an id are random.
        let spread_ms = delay_ms.saturating_mul(id.get() % 64) / 128;
        let delay_ms = delay_ms.saturating_sub(delay_ms / 4).saturating_add(spread_ms);
        Self { due: now.plus_millis(delay_ms), tries: self.tries.saturating_add(1) }
    }
}

/// A stored record that no sequence of changes leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("incoherent record: {0}")]
pub struct Incoherent(&'static str);

impl Payment {
    /// A new payment, of which nothing has been heard.
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
            money: Money::NONE,
            status: Status::Pending,
            create_time: now,
            update_time: now,
            version: 1,
            paid_time: None,
            told_at: None,
            work: None,
        }
    }

    /// Whether a new payment of the order may take its place.
    ///
    /// One refunded after it was paid keeps its order: a late telling of it could otherwise pay
    /// the order a second time.
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
        } else if !was_paid && (self.paid_time.is_some() || self.told_at.is_some()) {
            Err(Incoherent("paid_time or told_at before it was paid"))
        } else if !was_paid && self.money != Money::NONE {
            Err(Incoherent("money before it moved"))
        } else if !paid && self.work.is_some() {
            Err(Incoherent("work on a payment that is not paid"))
        } else {
            Ok(self)
        }
    }

    /// The change that moves it to `to`, by a message about `money`.
    #[must_use]
    pub fn change_to(&self, to: Status, money: &Money, guarded: bool, now: Timestamp) -> Change {
        let (money, work) = match (self.status, to) {
            // Money moved for the first time: what it was is the message's to say.
            (_, Status::Paid) => (Some(money.clone()), WorkChange::Start),
            (Status::Paid, Status::Refunded) => (self.money.taught_by(money), WorkChange::Remove),
            (_, Status::Refunded) => (Some(money.clone()), WorkChange::Keep),
            (_, Status::Pending | Status::Failed | Status::Closed) => (None, WorkChange::Keep),
        };
        Change { money, work, guarded, ..self.unchanged(to, now) }
    }

    /// The change that teaches it what only a repeated message knows of its money, if anything.
    #[must_use]
    pub fn change_taught_by(&self, money: &Money, now: Timestamp) -> Option<Change> {
        let money = Some(self.money.taught_by(money)?);
        Some(Change { money, ..self.unchanged(self.status, now) })
    }

    const fn unchanged(&self, to: Status, at: Timestamp) -> Change {
        Change {
            id: self.id,
            oid: self.oid,
            from: self.status,
            from_version: self.version,
            to,
            money: None,
            work: WorkChange::Keep,
            guarded: false,
            at,
        }
    }
}

/// A change of a record, conditioned on the status and version it was computed from.
///
/// It names what it sets; everything else of the record stays, whoever wrote it meanwhile.
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
    /// Its money from now on; `None` leaves it.
    pub money: Option<Money>,
    /// What becomes of the telling.
    pub work: WorkChange,
    /// Whether the order's guard must name this payment.
    pub guarded: bool,
    /// When.
    pub at: Timestamp,
}

/// What a change does to the telling of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkChange {
    /// Nothing.
    Keep,
    /// The payment was paid just now: `paid_time` is set, and the order is to be told.
    Start,
    /// The order need not be told any more.
    Remove,
}

impl Change {
    /// The version the record has after it.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.from_version.saturating_add(1)
    }

    /// The telling that [`WorkChange::Start`] lists.
    #[must_use]
    pub const fn new_work(&self) -> Work {
        Work { due: self.at.plus_millis(TELLING_GRACE_MS), tries: 0 }
    }

    /// The record after it.
    #[must_use]
    pub fn applied_to(&self, mut payment: Payment) -> Payment {
        payment.status = self.to;
        payment.version = self.version();
        payment.update_time = self.at;
        if let Some(money) = &self.money {
            payment.money.clone_from(money);
        }
        match self.work {
            WorkChange::Keep => {}
            WorkChange::Start => {
                payment.paid_time = Some(self.at);
                payment.work = Some(self.new_work());
            }
            WorkChange::Remove => payment.work = None,
        }
        payment
    }
}

#[cfg(test)]
mod tests {
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

    fn stripe(txn: Option<&str>) -> Money {
        Money { source: Source::STRIPE, txn: txn.map(|txn| ProviderTxn::new(txn).unwrap()) }
    }

    fn after(payment: &Payment, to: Status, money: &Money) -> Payment {
        let now = Timestamp::from_millis(NOW + 5).unwrap();
        payment.change_to(to, money, false, now).applied_to(payment.clone()).coherent().unwrap()
    }

    #[test]
    fn the_move_to_paid_lists_the_telling() {
        let paid = after(&pending(), Status::Paid, &stripe(Some("pi_1")));
        assert_eq!(paid.paid_time.unwrap().millis(), NOW + 5);
        assert_eq!(paid.work.unwrap().due.millis(), NOW + 60_005);
        assert_eq!((paid.version, paid.money), (2, stripe(Some("pi_1"))));
    }

    #[test]
    fn a_refund_ends_the_telling_and_fills_only_what_is_unknown() {
        let paid = after(&pending(), Status::Paid, &stripe(None));
        let refunded = after(&paid, Status::Refunded, &stripe(Some("pi_1")));
        assert_eq!((refunded.work, &refunded.money), (None, &stripe(Some("pi_1"))));
        assert_eq!(refunded.paid_time, paid.paid_time);
        assert!(!refunded.is_replaceable());
    }

    #[test]
    fn a_refund_of_money_we_never_saw_frees_the_order() {
        let refunded = after(&pending(), Status::Refunded, &stripe(Some("pi_1")));
        assert_eq!((refunded.paid_time, refunded.work), (None, None));
        assert!(refunded.is_replaceable());
    }

    #[test]
    fn failing_and_closing_touch_no_money() {
        let closed = after(&pending(), Status::Closed, &stripe(Some("pi_1")));
        assert_eq!(closed.money, Money::NONE);
        assert!(closed.is_replaceable());
    }

    #[test]
    fn teaching_raises_the_version_and_nothing_else() {
        let paid = after(&pending(), Status::Paid, &stripe(None));
        let now = Timestamp::from_millis(NOW + 9).unwrap();
        let change = paid.change_taught_by(&stripe(Some("pi_1")), now).unwrap();
        let taught = change.applied_to(paid.clone());
        assert_eq!(taught.money, stripe(Some("pi_1")));
        assert_eq!((taught.status, taught.work, taught.version), (paid.status, paid.work, 3));
        assert_eq!(taught.change_taught_by(&stripe(Some("pi_1")), now), None);
    }

    #[test]
    fn a_telling_is_put_off_longer_each_time_up_to_a_quarter_of_an_hour() {
        let now = Timestamp::from_millis(NOW).unwrap();
        let id = |id| PaymentId::new(id).unwrap();
        let mut work = Work { due: now, tries: 0 };
        let mut delays = Vec::new();
        for _ in 0..7 {
            work = work.put_off(id(32), now);
            delays.push((work.due.millis() - NOW) / 1000);
        }
        assert_eq!(delays, [60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(work.tries, 7);
        // Spread by a quarter either way.
        let delay = |of| Work { due: now, tries: 9 }.put_off(id(of), now).due.millis() - NOW;
        assert_eq!(delay(64), 675_000);
        assert!((1_100_000..1_125_000).contains(&delay(63)), "{}", delay(63));
        assert_eq!(Work { due: now, tries: u32::MAX }.put_off(id(32), now).tries, u32::MAX);
    }

    #[test]
    fn a_record_that_no_change_leads_to_is_refused() {
        let paid = after(&pending(), Status::Paid, &stripe(None));
        let wrong = [
            Payment { version: 0, ..pending() },
            Payment { paid_time: None, ..paid.clone() },
            Payment { status: Status::Closed, ..paid.clone() },
            Payment { money: stripe(None), ..pending() },
            Payment { work: paid.work, ..pending() },
            Payment { told_at: paid.paid_time, ..pending() },
        ];
        for payment in wrong {
            assert!(payment.clone().coherent().is_err(), "{payment:?}");
        }
    }
}
