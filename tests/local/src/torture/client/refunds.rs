//! Refunds that a client asks the service for.

use pay_core::domain::Provider;

use super::Client;
use crate::simulator::ledger::{Trade, TradeState};
use crate::torture::world::AskedRefund;

impl Client<'_> {
    /// A part of what was paid goes back, or the rest. Some requests are repeated, at once or later, some with
    /// another amount.
    pub(super) async fn refund(&mut self) {
        if self.random.u8(..100) < 30 {
            return self.refund_again().await;
        }
        let Some((payment, paid)) = self.some_paid() else { return };
        let amount = self.amount(paid);
        let key = self.refund_key();
        let entry_point = self.entry_point;
        let ask = |amount, key: String| async move {
            entry_point.refund(payment, amount, &key).await;
        };
        match self.random.u8(..100) {
            0..15 => {
                tokio::join!(ask(amount, key.clone()), ask(amount, key));
            }
            15..30 => {
                let (other, other_key) = (self.amount(paid), self.refund_key());
                tokio::join!(ask(amount, key), ask(other, other_key));
            }
            _ => ask(amount, key).await,
        }
    }

    async fn refund_again(&mut self) {
        let asked = self.random.choice(&self.entry_point.world().facts.refunds).cloned();
        let Some(AskedRefund { payment, amount, key, .. }) = asked else { return };
        let amount = if self.random.u8(..100) < 10 { Some(1) } else { amount };
        self.entry_point.refund(payment, amount, &key).await;
    }

    /// A payment that some provider collected, and how much; of some of them nothing is left.
    fn some_paid(&mut self) -> Option<(u64, u64)> {
        let provider = *self.random.choice(Provider::ALL)?;
        let trades = self.entry_point.stack.account(provider).ok()?.trades();
        let whole = self.random.u8(..100) < 10;
        let is_paid = |trade: &&Trade| {
            let is_left = trade.refunded_or_pending() < trade.amount;
            trade.state == TradeState::Paid && (whole || is_left)
        };
        let paid = trades.iter().filter(is_paid);
        self.random.choice(paid.map(|trade| (trade.payment, trade.amount)).collect::<Vec<_>>())
    }

    fn amount(&mut self, paid: u64) -> Option<u64> {
        match self.random.u8(..100) {
            // The rest.
            0..20 => None,
            20..80 => Some(self.random.u64(1..=(paid / 3).max(1))),
            _ => Some(self.random.u64(1..=paid)),
        }
    }

    fn refund_key(&mut self) -> String {
        format!("refund-{:016x}", self.random.u64(..))
    }
}
