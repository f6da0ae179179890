//! Values and rules of a payment. Pure: no I/O, no clock, no wire format.
//!
//! An invalid value cannot be built: every type here has one fallible constructor, and holding one
//! proves its range.

mod digest;
mod event;
mod guard;
mod ids;
mod money;
mod payment;
#[cfg(test)]
mod properties;
mod source;
mod status;
mod time;

pub use digest::Digest;
pub use event::{
    Event, EventId, EventKey, Misfit, Provider, Quarantined, RawBody, Report, Said, Verdict,
};
pub use guard::Guard;
pub use ids::{OrderId, PaymentId, UserId};
pub use money::{Amount, Currency};
pub use payment::{Change, Incoherent, Payment, Work, WorkChange};
pub use source::{Money, ProviderTxn, Source};
pub use status::{Outcome, Status, Step};
pub use time::Timestamp;

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
