//! The checkouts that the shop orders of a provider, and the payers who pay them. Pure, as the ledger.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;

use super::ledger::{Ledger, Trade, TradeState};

/// What the shop has ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeCheckout {
    /// Which of the payment's checkouts it is.
    pub number: u32,
    /// The way to pay, in the provider's words.
    pub method: &'static str,
    /// What it was ordered with, as it came: a repeat has the same.
    pub parameters: Bytes,
    /// The last moment to pay, in Unix seconds, where there is one.
    pub expires_secs: Option<u64>,
    /// Whether the payer has opened it; where that is not needed it counts as done.
    pub is_begun: bool,
}

impl Trade {
    /// Which checkout of its payment it is; 0 if it is none.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.checkout.as_ref().map_or(0, |checkout| checkout.number)
    }

    /// How it was ordered to be paid.
    #[must_use]
    pub fn method(&self) -> Option<&'static str> {
        self.checkout.as_ref().map(|checkout| checkout.method)
    }

    /// The merchant's reference.
    #[must_use]
    pub fn reference(&self) -> String {
        match &self.checkout {
            Some(checkout) => format!("{:06}_{}", self.payment, checkout.number),
            None => self.payment.to_string(),
        }
    }

    /// Whether the provider has it, and not only an order that nobody has opened.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.checkout.as_ref().is_none_or(|checkout| checkout.is_begun)
    }

    /// Whether its last moment is over.
    #[must_use]
    pub fn is_over(&self, now_secs: u64) -> bool {
        let last = self.checkout.as_ref().and_then(|checkout| checkout.expires_secs);
        last.is_some_and(|last| now_secs >= last)
    }
}

impl Ledger {
    /// The payer pays the checkout with this reference, or of the payment with this id the newest that can be
    /// paid. Returns it as it is then.
    ///
    /// # Errors
    ///
    /// There is none, its last moment is over, or it has ended.
    pub fn pay_checkout(&mut self, named: &str, now_secs: u64) -> Result<Trade> {
        let can = |trade: &&Trade| trade.state == TradeState::Open && !trade.is_over(now_secs);
        let checkouts = |payment| self.of(payment).filter(|trade| trade.checkout.is_some());
        let newest = |payment| checkouts(payment).filter(can).max_by_key(|trade| trade.number());
        let trade = match named.parse() {
            Ok(payment) => newest(payment),
            Err(_no_id) => self.by_reference(named),
        };
        let trade = trade.with_context(|| format!("there is nothing to pay for {named}"))?;
        ensure!(!trade.is_over(now_secs), "the last moment to pay {named} is over");
        let is_open = matches!(trade.state, TradeState::Open | TradeState::Processing);
        ensure!(is_open, "{named} is {:?}", trade.state);
        let mut paid = trade.clone();
        (paid.state, paid.time_secs) = (TradeState::Paid, now_secs);
        if let Some(checkout) = &mut paid.checkout {
            checkout.is_begun = true;
        }
        self.put(paid.clone());
        Ok(paid)
    }

    /// The payer has paid the checkout with this reference, and the money is on its way; or it was not enough, and
    /// the checkout can be paid again. Returns it as it is then.
    ///
    /// # Errors
    ///
    /// There is none, it is over, or it has ended.
    pub fn process_checkout(
        &mut self,
        reference: &str,
        to: TradeState,
        now_secs: u64,
    ) -> Result<Trade> {
        let trade = self.by_reference(reference).context("there is no such checkout")?;
        let from = match to {
            TradeState::Processing => TradeState::Open,
            TradeState::Open => TradeState::Processing,
            TradeState::Paid | TradeState::Closed => bail!("it is not how that ends"),
        };
        let is_over = to == TradeState::Processing && trade.is_over(now_secs);
        ensure!(trade.state == from && !is_over, "{reference} is {:?}", trade.state);
        let mut moved = trade.clone();
        (moved.state, moved.time_secs) = (to, now_secs);
        if let Some(checkout) = &mut moved.checkout {
            checkout.is_begun = true;
        }
        self.put(moved.clone());
        Ok(moved)
    }

    /// The payer opens a checkout: from now on the provider has it. Nothing changes where that is so already.
    pub(super) fn begin_checkout(&mut self, transaction: &str) {
        let mut trades = self.trades.values_mut();
        let trade = trades.find(|trade| trade.transaction == transaction);
        if let Some(checkout) = trade.and_then(|trade| trade.checkout.as_mut()) {
            checkout.is_begun = true;
        }
    }

    /// Closes what was begun, was not paid, and can no longer be, where the provider does so by itself. Returns
    /// it.
    pub(super) fn close_what_is_over(&mut self, now_secs: u64) -> Vec<Trade> {
        let is_over = |trade: &&mut Trade| {
            trade.state == TradeState::Open && trade.is_begun() && trade.is_over(now_secs)
        };
        let close = |trade: &mut Trade| {
            (trade.state, trade.time_secs) = (TradeState::Closed, now_secs);
            trade.clone()
        };
        self.trades.values_mut().filter(is_over).map(close).collect()
    }

    /// Closes a payment, unless this provider only says so. Returns it as it is said to be then.
    pub(super) fn close(&mut self, trade: &Trade, now_secs: u64) -> Trade {
        let closed = Trade { state: TradeState::Closed, time_secs: now_secs, ..trade.clone() };
        if !self.only_says_closed {
            self.put(closed.clone());
        }
        closed
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Ledger, Trade, TradeCheckout, TradeState};

    fn checkout(number: u32, expires_secs: Option<u64>) -> Trade {
        let trade = Trade::new(7, format!("t7_{number}"), 100, 1);
        let parameters = Bytes::from_static(b"{}");
        let checkout =
            TradeCheckout { number, method: "native", parameters, expires_secs, is_begun: false };
        Trade { checkout: Some(checkout), ..trade }
    }

    #[test]
    fn the_payer_pays_what_is_open() {
        let mut ledger = Ledger::default();
        assert!(ledger.pay_checkout("7", 1).is_err(), "nothing is there");
        for (number, expires) in [(1, None), (2, Some(10)), (10, Some(5))] {
            ledger.put(checkout(number, expires));
        }
        assert_eq!(ledger.trade(7).unwrap().number(), 10, "the newest");
        assert!(ledger.pay_checkout("000007_10", 5).is_err(), "over");
        assert!(ledger.pay_checkout("000007_3", 1).is_err(), "unknown");
        let paid = ledger.pay_checkout("7", 5).unwrap();
        assert_eq!((paid.reference().as_str(), paid.state), ("000007_2", TradeState::Paid));
        assert!(paid.is_begun() && paid.time_secs == 5);
        assert_eq!(ledger.trade(7), Some(&paid), "the one that is paid");
        assert!(ledger.pay_checkout("000007_2", 5).is_err(), "paid");
        // Another one can be paid, too: its provider does not know that they are one payment.
        assert_eq!(ledger.pay_checkout("000007_1", 99).unwrap().number(), 1);
        assert!(ledger.pay_checkout("7", 4).is_ok(), "the last one, in time");
        assert!(ledger.pay_checkout("7", 4).is_err());
    }

    #[test]
    fn money_is_on_its_way_for_a_while() {
        use TradeState::{Open, Paid, Processing};
        let mut ledger = Ledger::default();
        ledger.put(checkout(1, Some(10)));
        let named = "000007_1";
        assert!(ledger.process_checkout(named, Open, 1).is_err(), "it is not on its way");
        assert!(ledger.process_checkout(named, Processing, 10).is_err(), "over");
        let trade = ledger.process_checkout(named, Processing, 9).unwrap();
        assert!(trade.state == Processing && trade.is_begun());
        assert!(ledger.process_checkout(named, Processing, 9).is_err(), "it is already");
        assert!(ledger.process_checkout(named, Paid, 9).is_err());
        assert_eq!(ledger.process_checkout(named, Open, 11).unwrap().state, Open);
        assert!(ledger.process_checkout("000007_2", Processing, 9).is_err(), "unknown");
    }

    #[test]
    fn only_what_the_payer_has_opened_closes_by_itself() {
        let mut ledger = Ledger::default();
        ledger.put(checkout(1, Some(10)));
        ledger.put(checkout(2, Some(10)));
        ledger.begin_checkout("t7_1");
        assert_eq!(ledger.close_what_is_over(9), []);
        assert!(ledger.trades().all(|trade| trade.state == TradeState::Open));
        let closed = ledger.close_what_is_over(10);
        assert_eq!(closed.iter().map(Trade::reference).collect::<Vec<_>>(), ["000007_1"]);
        assert_eq!(ledger.close_what_is_over(11), [], "once");
        let state = |reference: &str| ledger.by_reference(reference).unwrap().state;
        assert_eq!(state("000007_1"), TradeState::Closed);
        assert_eq!(state("000007_2"), TradeState::Open);
    }
}
