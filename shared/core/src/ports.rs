//! What the use cases need from outside, in domain words.
//!
//! A port's errors hold what a use case treats differently, and say whether the effect may have
//! happened. Answers are owned values: no adapter's type comes through here.

mod secrets;
mod shop;
mod store;

pub use secrets::{BadSecret, Generations, Keys, NoKeys};
pub use shop::{Order, Orders, ShopError, TraceParent, Users};
pub use store::{Applied, Created, Logged, PaymentIds, PaymentStore, Quarantine, StoreError};

/// Why an adapter failed: for the log, never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error and all it came from, in one text.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
