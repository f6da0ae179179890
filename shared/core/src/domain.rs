//! Values and rules of a payment. Pure: no I/O, no clock, no wire format.
//!
//! An invalid value cannot be built: every type here has one fallible constructor, and holding one
//! proves its range.

mod amount;
mod change;
mod checkout;
mod decision;
mod digest;
mod due;
mod event;
mod guard;
mod ids;
mod mismatch;
mod notification;
mod payment;
#[cfg(test)]
mod properties;
mod provider;
mod reference;
mod refund;
mod status;
mod time;
mod time_to_live;

pub use amount::{Amount, Currency};
pub use change::{Change, DueChange};
pub use checkout::{
    Checkout, CheckoutMethod, CheckoutNumber, CheckoutParameters, CheckoutReference, CheckoutState,
    Description, MerchantAccount, OpenId, PayerIp, ProviderCheckout, WebUrl,
};
pub use decision::{Decided, Decision, Note, Operator, OperatorDecision};
pub use digest::Digest;
pub use due::Due;
pub use event::{Event, EventId, EventKey, Quarantined, RawBody, Verdict};
pub use guard::Guard;
pub use ids::{OrderId, PaymentId, UserId};
pub use mismatch::{Mismatch, MismatchField};
pub use notification::{Claims, Notification, Report};
pub use payment::{Incoherent, Payment};
pub use provider::{Provider, Sender};
pub use reference::{ProviderRef, ProviderTxn, Source};
pub use refund::{
    ProviderRefund, Refund, RefundChange, RefundEffect, RefundId, RefundReason, RefundReference,
    RefundReport, RefundRequest, RefundState, Refunds,
};
pub use status::{Outcome, Status, Transition};
pub use time::Timestamp;
pub use time_to_live::TimeToLive;

/// A value outside the range its type documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is out of range")]
pub struct OutOfRange {
    /// Which value, in the words of the API: `id`, `amount`, …
    pub what: &'static str,
}

impl OutOfRange {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what }
    }
}
