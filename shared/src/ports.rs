//! What the use cases need from outside, in domain words.
//!
//! A port's errors hold what a use case treats differently, and say whether the effect may have
//! happened. Answers are owned values: no adapter's type comes through here.

mod secrets;
mod shop;
mod store;

pub use secrets::{Generations, Keys, NoKeys};
pub use shop::{Order, Orders, ShopError, TraceParent, Users};
pub use store::{Applied, Created, Logged, PaymentIds, PaymentStore, StoreError};

/// Why an adapter failed: for the log, never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
