//! What the service does, as functions over the ports: decisions visible top to bottom.
//!
//! No clock, no runtime, no wire format: time and randomness come in as values.

pub mod apply;
pub mod checkout;
pub mod close;
pub mod create;
pub mod detail;
pub mod list;
pub mod quarantine;
pub mod query;
pub mod refund;
pub mod sweep;
mod unended;
#[cfg(test)]
#[cfg(feature = "testing")]
mod world;

use crate::ports::{Cause, ShopError, StoreError};

/// Why a use case could not finish, whichever it is.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A dependency is down, or the outcome of a write is unknown: repeating the request is safe, and
    /// finds out.
    #[error("a dependency is unavailable")]
    Unavailable(#[source] Cause),
    /// Stored data is invalid, or the store rejected a request: repeating does not help.
    #[error("stored data is invalid, or the store rejected a request")]
    Fault(#[source] Cause),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Unknown(cause) => Self::Unavailable(cause),
            StoreError::Fault(cause) => Self::Fault(cause),
        }
    }
}

impl From<ShopError> for Failure {
    fn from(error: ShopError) -> Self {
        Self::Unavailable(error.into())
    }
}
