//! What a provider knows: payments as they are there, with their refunds. Pure: no clock, no network.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use pay_core::domain::RefundState;

use super::api::Reply;
use super::checkouts::TradeCheckout;
use super::shop_keys::ShopKeys;

/// The payments of the shop's account at one provider, by our id and the transaction: a payment has one for each
/// of its checkouts.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    pub(super) trades: BTreeMap<(u64, String), Trade>,
    /// What becomes of the refunds that the shop orders.
    pub orders: Orders,
    /// The code by which the checkouts that the shop orders are refused, if they are.
    pub refused_checkouts: Option<String>,
    /// What was responded to each idempotency key, where the provider has them.
    pub replies: BTreeMap<String, KeptReply>,
    /// Which of the shop's keys are accepted.
    pub keys: ShopKeys,
    /// Whether it says of what the shop closes that it is closed, and closes nothing.
    pub only_says_closed: bool,
    /// How far its clock is ahead of that of this machine, in seconds.
    pub ahead_secs: u64,
}

/// What becomes of the refunds that the shop orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Orders {
    /// They succeed, if more is left of the payment.
    #[default]
    Succeed,
    /// They are accepted, and stay pending until somebody moves them.
    Wait,
    /// They are refused by this code.
    Refused(String),
}

/// The first response to an idempotency key.
#[derive(Debug, Clone)]
pub struct KeptReply {
    /// The path and the body of the request that it was sent with.
    pub request: Bytes,
    /// When it was used first, in Unix seconds.
    pub time_secs: u64,
    /// The response.
    pub reply: Reply,
}

/// Why a refund is not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBegun {
    /// There is no such payment.
    NoTrade,
    /// It is not paid.
    NotPaid,
    /// All of it is back, or on its way back.
    NothingLeft,
    /// The amount is nothing, or more than is left.
    WrongAmount,
}

/// A payment as its provider keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// Our id of the payment: the merchant's reference, where the shop has begun it by itself.
    pub payment: u64,
    /// The checkout that it is of, where it was ordered.
    pub checkout: Option<TradeCheckout>,
    /// The provider's id of the transaction.
    pub transaction: String,
    /// The amount, in minor units.
    pub amount: u64,
    /// The currency, in capitals.
    pub currency: String,
    /// What has become of it.
    pub state: TradeState,
    /// When it came into this state, in Unix seconds.
    pub time_secs: u64,
    /// Its refunds, in the order in which they were begun.
    pub refunds: Vec<TradeRefund>,
}

/// What has become of a payment at its provider, without its refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeState {
    /// It can be paid.
    Open,
    /// The payer has paid, and the money is on its way.
    Processing,
    /// It is paid, and may be refunded.
    Paid,
    /// It can no longer be paid.
    Closed,
}

/// One return of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeRefund {
    /// The provider's id of it.
    pub id: String,
    /// Our reference; `None` for a refund that somebody made in the provider's console.
    pub reference: Option<String>,
    /// The amount, in minor units.
    pub amount: u64,
    /// What has become of it.
    pub state: RefundState,
    /// Whether it is pending since it could not be paid out: somebody at the merchant has to say where to.
    pub is_stranded: bool,
    /// When it came into this state, in Unix seconds.
    pub time_secs: u64,
}

/// What has happened at the provider, and is reported by a webhook.
#[derive(Debug, Clone, Copy)]
pub enum Occasion<'a> {
    /// The payment was paid.
    Paid,
    /// An attempt to pay it failed.
    Failed,
    /// It was closed.
    Closed,
    /// A refund was begun, or has a new state.
    Refund {
        /// The refund as it is now.
        refund: &'a TradeRefund,
        /// Whether it was begun just now.
        is_new: bool,
    },
}

impl TradeRefund {
    /// One that somebody makes in the provider's console.
    #[must_use]
    pub fn in_console(id: &str, amount: u64, state: RefundState, now_secs: u64) -> Self {
        Self {
            id: id.to_owned(),
            reference: None,
            amount,
            state,
            is_stranded: false,
            time_secs: now_secs,
        }
    }

    /// Its number where every refund has one of the merchant's.
    #[must_use]
    pub fn number(&self) -> String {
        self.reference.clone().unwrap_or_else(|| format!("r{}", self.id))
    }
}

impl Trade {
    /// A payment of this amount that can be paid, in CNY.
    #[must_use]
    pub fn new(payment: u64, transaction: String, amount: u64, now_secs: u64) -> Self {
        Self {
            payment,
            checkout: None,
            transaction,
            amount,
            currency: "CNY".to_owned(),
            state: TradeState::Open,
            time_secs: now_secs,
            refunds: Vec::new(),
        }
    }

    /// How much of it is back, in minor units.
    #[must_use]
    pub fn refunded(&self) -> u64 {
        self.sum(|state| state == RefundState::Succeeded)
    }

    /// How much of it is back or on its way back, in minor units.
    #[must_use]
    pub fn refunded_or_pending(&self) -> u64 {
        self.sum(|state| state != RefundState::Failed)
    }

    /// Whether all of it is back.
    #[must_use]
    pub fn is_refunded(&self) -> bool {
        self.state == TradeState::Paid && self.refunded() == self.amount
    }

    fn sum(&self, counts: impl Fn(RefundState) -> bool) -> u64 {
        let refunds = self.refunds.iter().filter(|refund| counts(refund.state));
        refunds.fold(0, |sum, refund| sum.saturating_add(refund.amount))
    }
}

impl Ledger {
    /// The payment with this id of ours: of several checkouts the one that is paid, or else the newest.
    #[must_use]
    pub fn trade(&self, payment: u64) -> Option<&Trade> {
        let paid = |trade: &&Trade| trade.state == TradeState::Paid;
        let newest = || self.of(payment).max_by_key(|trade| trade.number());
        self.of(payment).find(paid).or_else(newest)
    }

    /// Every checkout of a payment, and the payment itself where the shop has begun it.
    pub fn of(&self, payment: u64) -> impl Iterator<Item = &Trade> {
        self.trades.values().filter(move |trade| trade.payment == payment)
    }

    /// Every payment, with the lowest id of ours first.
    pub fn trades(&self) -> impl Iterator<Item = &Trade> {
        self.trades.values()
    }

    /// The payment that a merchant's reference names: its id, which may be padded, or the checkout whose number
    /// follows an underscore.
    #[must_use]
    pub fn by_reference(&self, reference: &str) -> Option<&Trade> {
        let (id, number) = match reference.split_once('_') {
            Some((id, number)) => (id, number.parse().ok()?),
            None => (reference, 0),
        };
        let id = id.parse().ok()?;
        self.of(id).filter(|trade| trade.number() == number).last()
    }

    /// The payment whose transaction has this id.
    #[must_use]
    pub fn by_transaction(&self, transaction: &str) -> Option<&Trade> {
        self.trades.values().find(|trade| trade.transaction == transaction)
    }

    /// The refund that has a property, with its payment.
    #[must_use]
    pub fn refund_that(
        &self,
        fits: impl Fn(&TradeRefund) -> bool,
    ) -> Option<(&Trade, &TradeRefund)> {
        let find = |trade: &'_ Trade| trade.refunds.iter().position(&fits);
        self.trades.values().find_map(|trade| Some((trade, trade.refunds.get(find(trade)?)?)))
    }

    /// Adds a payment, or replaces it.
    pub fn put(&mut self, trade: Trade) {
        self.trades.insert((trade.payment, trade.transaction.clone()), trade);
    }

    /// Begins a refund of a payment.
    ///
    /// # Errors
    ///
    /// The payment is not paid, a refund has this id or number already, or more would go back than was
    /// paid.
    pub fn refund(&mut self, payment: u64, refund: TradeRefund) -> Result<&Trade> {
        let same = |known: &TradeRefund| known.id == refund.id || known.number() == refund.number();
        ensure!(self.refund_that(same).is_none(), "there is a refund {} already", refund.id);
        let key = self.trade(payment).map(|trade| (payment, trade.transaction.clone()));
        let trade = key.and_then(|key| self.trades.get_mut(&key));
        let trade = trade.with_context(|| format!("payment {payment} is not known here"))?;
        ensure!(trade.state == TradeState::Paid, "payment {payment} is not paid here");
        let left = trade.amount.saturating_sub(trade.refunded_or_pending());
        ensure!((1..=left).contains(&refund.amount), "1 to {left} can be refunded");
        trade.refunds.push(refund);
        Ok(trade)
    }

    /// Begins a refund that the shop orders, of the payment with this transaction. Whether the order is a
    /// repeat is for its caller to know.
    ///
    /// # Errors
    ///
    /// [`NotBegun`].
    pub fn begin(&mut self, transaction: &str, refund: TradeRefund) -> Result<&Trade, NotBegun> {
        let mut trades = self.trades.values_mut();
        let trade = trades.find(|trade| trade.transaction == transaction);
        let trade = trade.ok_or(NotBegun::NoTrade)?;
        if trade.state != TradeState::Paid {
            return Err(NotBegun::NotPaid);
        }
        match trade.amount.saturating_sub(trade.refunded_or_pending()) {
            0 => Err(NotBegun::NothingLeft),
            left if (1..=left).contains(&refund.amount) => {
                trade.refunds.push(refund);
                Ok(trade)
            }
            _ => Err(NotBegun::WrongAmount),
        }
    }

    /// Moves a refund to another state.
    ///
    /// # Errors
    ///
    /// There is no refund with this id.
    pub fn move_refund(
        &mut self,
        id: &str,
        state: RefundState,
        now_secs: u64,
    ) -> Result<(&Trade, &TradeRefund)> {
        self.set_refund(id, (state, false), now_secs)
    }

    /// A refund cannot be paid out, and is pending until somebody at the merchant says where to.
    ///
    /// # Errors
    ///
    /// There is no refund with this id.
    pub fn strand_refund(&mut self, id: &str, now_secs: u64) -> Result<(&Trade, &TradeRefund)> {
        self.set_refund(id, (RefundState::Pending, true), now_secs)
    }

    fn set_refund(
        &mut self,
        id: &str,
        (state, is_stranded): (RefundState, bool),
        now_secs: u64,
    ) -> Result<(&Trade, &TradeRefund)> {
        let mut refunds = self.trades.values_mut().flat_map(|trade| &mut trade.refunds);
        let refund = refunds.find(|refund| refund.id == id);
        let refund = refund.with_context(|| format!("there is no refund {id}"))?;
        (refund.state, refund.is_stranded, refund.time_secs) = (state, is_stranded, now_secs);
        self.refund_that(|refund| refund.id == id).context("a refund without its payment")
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, RefundState, Trade, TradeRefund, TradeState};

    fn refund(id: &str, amount: u64) -> TradeRefund {
        TradeRefund::in_console(id, amount, RefundState::Succeeded, 1)
    }

    #[test]
    fn no_more_goes_back_than_was_paid() {
        let mut ledger = Ledger::default();
        let trade = Trade::new(42, "t42".to_owned(), 100, 1);
        assert!(ledger.refund(42, refund("a", 1)).is_err(), "it is not known");
        ledger.put(trade.clone());
        assert!(ledger.refund(42, refund("a", 1)).is_err(), "it is not paid");
        ledger.put(Trade { state: TradeState::Paid, ..trade });
        ledger.refund(42, refund("a", 60)).unwrap();
        for (id, amount) in [("a", 1), ("b", 0), ("b", 41)] {
            assert!(ledger.refund(42, refund(id, amount)).is_err(), "{id} {amount}");
        }
        assert!(ledger.refund(42, refund("b", 40)).unwrap().is_refunded());
        let (trade, failed) = ledger.move_refund("b", RefundState::Failed, 2).unwrap();
        assert_eq!((trade.refunded(), trade.is_refunded(), failed.time_secs), (60, false, 2));
        ledger.refund(42, refund("c", 40)).unwrap();
        let trade = ledger.move_refund("c", RefundState::Pending, 3).unwrap().0;
        assert_eq!((trade.refunded(), trade.refunded_or_pending()), (60, 100));
        assert!(ledger.move_refund("d", RefundState::Failed, 3).is_err());
        let (trade, stranded) = ledger.strand_refund("c", 4).unwrap();
        assert_eq!((trade.refunded(), trade.refunded_or_pending()), (60, 100));
        assert!(stranded.is_stranded && stranded.state == RefundState::Pending);
        let (trade, paid_out) = ledger.move_refund("c", RefundState::Succeeded, 5).unwrap();
        assert!(trade.is_refunded() && !paid_out.is_stranded);
    }

    #[test]
    fn a_reference_may_be_padded_and_followed_by_a_number() {
        let mut ledger = Ledger::default();
        ledger.put(Trade::new(7, "t7".to_owned(), 1, 1));
        for reference in ["7", "000007"] {
            assert!(ledger.by_reference(reference).is_some(), "{reference}");
        }
        for reference in ["", "8", "_7", "x7", "70", "000007_2", "000007_x"] {
            assert!(ledger.by_reference(reference).is_none(), "{reference}");
        }
        assert!(ledger.by_transaction("t7").is_some() && ledger.by_transaction("7").is_none());
    }
}
