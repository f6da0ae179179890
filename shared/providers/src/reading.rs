//! What an authentic message of a payment provider means to us.

use pay_core::domain::{PaymentId, ProviderTxn, Report};

/// What a message that passed its check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It is about a payment.
    Message(Message),
    /// Genuine, and nothing we act on; why, for the log.
    Ignored(&'static str),
}

/// A provider's message about a payment, in our words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The provider's id of it, the same on each delivery.
    pub event_id: Option<String>,
    /// The payment it names; `None` if what it names cannot be an id of ours.
    pub payment: Option<PaymentId>,
    /// The provider's transaction.
    pub txn: Option<ProviderTxn>,
    /// How much, in minor units.
    pub amount_minor: Option<u64>,
    /// Of which currency: an upper-case ISO 4217 code, if it is one.
    pub currency: Option<String>,
    /// What it reports.
    pub report: Report,
    /// Whether it is for another merchant, or from another mode, than is configured.
    pub foreign: bool,
}

impl Message {
    /// Signed, and nothing of it is known but perhaps its id: a person must look.
    pub(super) fn unreadable(event_id: Option<&str>) -> Self {
        Self {
            event_id: event_id.map(str::to_owned),
            payment: None,
            txn: None,
            amount_minor: None,
            currency: None,
            report: Report::Nothing,
            foreign: false,
        }
    }
}
