//! What the clients know and note: the orders, the messages, and every answer.

use std::collections::BTreeMap;

use pay_providers::PaymentProvider;

/// What was done and heard, as far as it can be held against the table.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Every request to create a payment.
    pub creates: Vec<Create>,
    /// Every message about a payment.
    pub messages: Vec<Sent>,
}

/// A request to create a payment, and what its sender heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// Who pays.
    pub uid: u64,
    /// What for.
    pub oid: u64,
    /// How much.
    pub amount: u64,
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
    /// What its sender heard.
    pub heard: Heard,
}

/// What the sender of a create heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A new payment.
    Created(u64),
    /// The payment that an earlier request with the same key made.
    Replayed(u64),
    /// That there is a payment, and its id.
    Exists(Option<u64>),
    /// Another refusal.
    Refused(String),
    /// Nothing that says whether it was done.
    Unknown,
}

/// A message about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Who sends it; none is a gateway of ours.
    pub sender: Option<PaymentProvider>,
    /// The id under which it is logged.
    pub id: String,
    /// The payment it names.
    pub payment: u64,
    /// Its body, the same at each delivery.
    pub body: Vec<u8>,
    /// Whether its signature is good.
    pub genuine: bool,
    /// Whether its sender heard that it is kept.
    pub kept: bool,
}

/// An order of the shop, as the clients know it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) uid: u64,
    pub(super) oid: u64,
    pub(super) amount: u64,
    /// The key of its first request.
    pub(super) key: Option<String>,
    pub(super) payments: Vec<u64>,
}

/// Everything that is known, and the figures.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) orders: Vec<Known>,
    pub(super) facts: Facts,
    /// By route and answer, how many.
    pub(super) answers: BTreeMap<String, u64>,
    /// How long each took.
    pub(super) times_ms: Vec<u64>,
    /// Answers that no caller should have had.
    pub(super) unheard_of: Vec<String>,
    /// Answers of the gateway for a function that ended.
    pub(super) cut_off: u64,
    /// Whether the healing was left to the work list.
    pub(super) reconciled: bool,
}

impl World {
    /// Notes a payment that an answer named.
    pub(super) fn learn(&mut self, oid: u64, payment: u64) {
        if let Some(order) = self.orders.iter_mut().find(|order| order.oid == oid)
            && !order.payments.contains(&payment)
        {
            order.payments.push(payment);
        }
    }

    /// Counts an answer.
    pub(super) fn count(&mut self, route: &str, answer: &str, time_ms: u64) {
        let count = self.answers.entry(format!("{route} {answer}")).or_default();
        *count = count.saturating_add(1);
        self.times_ms.push(time_ms);
    }
}
