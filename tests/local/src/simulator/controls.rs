//! What can be changed about a provider beside its payments: the shop's keys there, its clock, what its word on a
//! close is worth, and where a refund waits.

use anyhow::{Result, ensure};
use pay_core::domain::Provider;

use super::account::{Account, Delivery};
use super::ledger::{Occasion, Trade};
use super::shop_keys::ShopKey;
use crate::clock;

impl Account {
    /// Accepts calls that are made with these keys of the shop, and no others.
    pub fn accept_keys(&self, keys: &[ShopKey]) {
        self.with_ledger(|ledger| ledger.keys.accepted = keys.to_vec());
    }

    /// The key of the last call that was accepted.
    #[must_use]
    pub fn key_used(&self) -> Option<ShopKey> {
        self.with_ledger(|ledger| ledger.keys.used)
    }

    /// Says of each payment that the shop closes from now on that it is closed, and closes none; or closes them.
    pub fn only_say_closed(&self, only: bool) {
        self.with_ledger(|ledger| ledger.only_says_closed = only);
    }

    /// Sets the clock of the API ahead of that of this machine, by so many seconds: what has expired there has by
    /// then, and idempotency keys are forgotten. What is signed has the time of this machine. Returns what became
    /// of the webhooks about what has expired.
    ///
    /// # Errors
    ///
    /// The provider's key is unusable.
    pub async fn set_clock_ahead(&self, secs: u64) -> Result<Vec<Delivery>> {
        self.with_ledger(|ledger| ledger.ahead_secs = secs);
        let mut deliveries = Vec::new();
        for trade in self.close_what_is_over() {
            deliveries.extend(self.report(&trade, Occasion::Closed).await?);
        }
        Ok(deliveries)
    }

    /// A refund cannot be paid out, and waits until somebody at the merchant says where the money goes.
    ///
    /// # Errors
    ///
    /// There is no refund with this id of the provider, or the provider has no such state.
    pub async fn strand_refund(&self, id: &str) -> Result<Vec<Delivery>> {
        let provider = self.provider();
        ensure!(provider == Provider::WeChat, "{} has no such state", provider.as_str());
        let (trade, refund) = self.with_ledger(|ledger| {
            let (trade, refund) = ledger.strand_refund(id, clock::now_secs())?;
            anyhow::Ok((trade.clone(), refund.clone()))
        })?;
        self.report(&trade, Occasion::Refund { refund: &refund, is_new: false }).await
    }

    /// The time at its API, in Unix seconds.
    pub(super) fn now_secs(&self) -> u64 {
        clock::now_secs().saturating_add(self.with_ledger(|ledger| ledger.ahead_secs))
    }

    /// Closes what can no longer be paid, where the provider does so by itself. Returns it.
    pub(super) fn close_what_is_over(&self) -> Vec<Trade> {
        if !self.simulator().api.closes_what_is_over {
            return Vec::new();
        }
        let now_secs = self.now_secs();
        self.with_ledger(|ledger| ledger.close_what_is_over(now_secs))
    }
}
