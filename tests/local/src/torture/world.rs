//! What the clients know and note: the orders, the messages, and every response.

use std::collections::BTreeMap;

use pay_core::domain::{CheckoutMethod, Provider};

use crate::OrderRefundedCall;
use crate::simulator::Tracked;
use crate::simulator::ledger::Trade;

/// The requests and their responses, as far as they can be compared with the table.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Every request to create a payment.
    pub creates: Vec<Create>,
    /// Every message about a payment that was made directly.
    pub messages: Vec<Sent>,
    /// Every payment that a provider knows, as it is there in the end.
    pub trades: Vec<(Provider, Trade)>,
    /// Every webhook of a provider, lost ones included.
    pub webhooks: Vec<(Provider, Tracked)>,
    /// Every checkout that was handed out.
    pub checkouts: Vec<HandedOut>,
    /// Every response of success to a request to close a payment.
    pub closes: Vec<AskedClose>,
    /// Every request to refund a payment.
    pub refunds: Vec<AskedRefund>,
    /// Every time that a person had money in quarantine given back.
    pub given_back: Vec<GivenBack>,
    /// Every notification of the order service about a refund.
    pub refund_calls: Vec<OrderRefundedCall>,
}

/// A checkout that a response handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// The payment.
    pub payment: u64,
    /// The way to pay.
    pub method: CheckoutMethod,
    /// The last moment to pay, in Unix milliseconds.
    pub expires_ms: u64,
}

/// A request to close a payment that got a response of success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedClose {
    /// The payment.
    pub payment: u64,
    /// The status that was shown.
    pub status: u64,
}

/// A request to refund a payment, and its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRefund {
    /// The payment.
    pub payment: u64,
    /// How much, in minor units; `None` for the rest.
    pub amount: Option<u64>,
    /// Its `Idempotency-Key`.
    pub key: String,
    /// Its response.
    pub response: RefundResponse,
}

/// A person's decision that the money goes back which a notification in quarantine reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBack {
    /// The payment.
    pub payment: u64,
    /// The notification, as `payctl` names it.
    pub notification: String,
    /// What came of it.
    pub result: GiveBackResult,
}

/// What a person learns who has money given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GiveBackResult {
    /// The refund of this id is kept.
    Kept(String),
    /// Why not.
    Rejected(String),
    /// Whether it is kept is not known.
    Unknown,
}

/// The response to a request to refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundResponse {
    /// The refund is kept.
    Kept {
        /// Its id.
        id: String,
        /// Its amount, in minor units.
        amount: u64,
        /// The word of its state.
        status: String,
    },
    /// A problem that says that it is not made.
    Rejected(String),
    /// None, or one that does not say whether it is kept.
    Unknown,
}

/// A request to create a payment, and its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The payer.
    pub uid: u64,
    /// The order.
    pub oid: u64,
    /// The amount, in minor units.
    pub amount: u64,
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
    /// Its response.
    pub response: CreateResponse,
}

/// The response to a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateResponse {
    /// A new payment.
    Created(u64),
    /// The payment that an earlier request with the same key made.
    Replayed(u64),
    /// There is a live payment; its id.
    Exists(Option<u64>),
    /// Another problem.
    Rejected(String),
    /// None, or one that does not say whether a payment was created.
    Unknown,
}

impl CreateResponse {
    /// The payment that it names.
    pub(super) const fn payment(&self) -> Option<u64> {
        match self {
            Self::Created(id) | Self::Replayed(id) => Some(*id),
            Self::Exists(id) => *id,
            Self::Rejected(_) | Self::Unknown => None,
        }
    }
}

/// A message about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The provider that sends it; `None` for a gateway of the shop's own.
    pub sender: Option<Provider>,
    /// Its id in the event log.
    pub id: String,
    /// The payment it names.
    pub payment: u64,
    /// Its body, the same at each delivery.
    pub body: Vec<u8>,
    /// Whether its signature is valid.
    pub genuine: bool,
    /// Whether a response said that it is in the event log.
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

/// Everything that the clients know, and the figures.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) orders: Vec<Known>,
    pub(super) facts: Facts,
    /// The pages that were handed out to payers, by payment.
    pub(super) pages: Vec<(u64, String)>,
    /// How many requests to close a payment there were.
    pub(super) closes: u64,
    /// How often money of a checkout was on its way for a while.
    pub(super) processing: u64,
    /// The number of responses by route and name.
    pub(super) responses: BTreeMap<String, u64>,
    /// The time of each request of a client.
    pub(super) times_ms: Vec<u64>,
    /// Responses that no caller may get.
    pub(super) unexpected: Vec<String>,
    /// How many responses were the gateway's, for a function that ended.
    pub(super) cut_off: u64,
    /// How many payments were moved on because a sweep asked providers.
    pub(super) found: u64,
    /// Whether no message was delivered once more: the recovery was left to the sweep.
    pub(super) swept: bool,
}

impl World {
    /// Notes a payment that a response named.
    pub(super) fn note_payment(&mut self, oid: u64, payment: u64) {
        if let Some(order) = self.orders.iter_mut().find(|order| order.oid == oid)
            && !order.payments.contains(&payment)
        {
            order.payments.push(payment);
        }
    }

    /// Counts a response, and the time it took where that is known.
    pub(super) fn count(&mut self, route: &str, response: &str, time_ms: Option<u64>) {
        let count = self.responses.entry(format!("{route} {response}")).or_default();
        *count = count.saturating_add(1);
        self.times_ms.extend(time_ms);
    }
}
