//! What the use cases need from outside, as narrow traits in domain words.
//!
//! A port's errors hold what a use case treats differently, and say whether the effect may have
//! happened. Results are owned values: no adapter's type comes through here.

mod outbox;
mod payments;
mod providers;
mod quarantine;
mod secrets;
mod shop;

pub use outbox::{DueItem, Outbox};
pub use payments::{
    Appended, Created, PaymentIds, PaymentLists, PaymentPage, Payments, StoreError, Updated,
};
pub use providers::{
    CheckoutAction, CheckoutCallError, CheckoutOrder, ProviderState, Providers, Query, QueryError,
    QueryResponse, QueryState, RefundCallError, RefundOrder, StartedCheckout,
};
pub use quarantine::{Quarantine, Resolved};
pub use secrets::{BadSecret, Keys, NoKeys, SecretKeys};
pub use shop::{Order, Orders, ShopError, TraceParent, Users};

/// Why an adapter failed: for the log, never for a response.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error and its sources, in one text.
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
