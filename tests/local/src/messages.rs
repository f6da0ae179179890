//! Whole messages of payment providers, as they would send them to this stack.

use anyhow::Result;
pub use pay_core::domain::Outcome;
use pay_core::domain::{Provider, RefundState};
use serde_json::Value;
use uuid::Uuid;

use crate::clock;
use crate::simulator::ledger::TradeRefund;
use crate::simulator::{Webhook, simulator};

/// A message about a payment.
#[derive(Debug, Clone)]
pub struct Message {
    /// Our id of the payment.
    pub payment: u64,
    /// Its whole amount, in minor units of CNY.
    pub amount: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// How much of it is refunded, with [`Outcome::Refunded`]; `None` for all of it. Each message is
    /// another refund.
    pub refund: Option<u64>,
    /// The provider's id of the message.
    pub id: String,
    /// When it is sent, in Unix seconds.
    pub now_secs: u64,
}

/// A message ready to be sent.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Its headers, lower-case.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Message {
    /// A message with an id of its own, sent now.
    #[must_use]
    pub fn new(payment: u64, amount: u64, outcome: Outcome) -> Self {
        let id = Uuid::new_v4().simple().to_string();
        Self { payment, amount, outcome, refund: None, id, now_secs: clock::now_secs() }
    }

    /// A message about a refund of a part.
    #[must_use]
    pub fn refund(payment: u64, amount: u64, refund: u64) -> Self {
        Self { refund: Some(refund), ..Self::new(payment, amount, Outcome::Refunded) }
    }

    /// The message as a provider sends it, signed with the keys of this stack.
    pub fn from(&self, provider: Provider) -> Result<Signed> {
        self.signed(provider, None)
    }

    /// The same, signed with `secret` in place of the secret of this stack if it is given.
    pub fn signed(&self, provider: Provider, secret: Option<&str>) -> Result<Signed> {
        self.made(provider, secret, |_| ())
    }

    /// The same, with what it says changed before it is encoded and signed.
    pub fn edited(&self, provider: Provider, edit: impl FnOnce(&mut Value)) -> Result<Signed> {
        self.made(provider, None, edit)
    }

    fn made(
        &self,
        provider: Provider,
        secret: Option<&str>,
        edit: impl FnOnce(&mut Value),
    ) -> Result<Signed> {
        let simulator = simulator(provider);
        let mut content = (simulator.content)(self)?;
        edit(&mut content);
        simulator.message(secret, &Webhook { id: self.id.clone(), content }, self.now_secs)
    }

    /// The id under which the notification is logged.
    #[must_use]
    pub fn event_id(&self, provider: Provider) -> String {
        (simulator(provider).event_id)(self)
    }

    /// The refund that it is about: of a part, or of the whole amount.
    pub(crate) fn as_refund(&self) -> TradeRefund {
        let amount = self.refund.unwrap_or(self.amount);
        TradeRefund::in_console(&self.id, amount, RefundState::Succeeded, self.now_secs)
    }
}
