//! Stripe: signed in one header over the raw bytes, our payment id in the metadata.
//!
//! Sources: stripe-go `webhooks.go`, stripe-python `_webhook.py`; docs.stripe.com/webhooks.

mod checkout_call;
mod close_call;
mod kept;
mod keys;
mod kind;
mod querier;
mod read;
mod reference;
mod refund_call;
mod response;
mod state;
mod target;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;

pub use keys::StripeKeys;

use crate::{Acknowledgement, Adapter};
use querier::StripeQuerier;

/// The one header: `t=<Unix seconds>,v1=<hex>[,v1=<hex>…][,v0=<hex>]`.
pub const SIGNATURE_HEADER: &str = "stripe-signature";

pub(crate) const ADAPTER: Adapter = Adapter {
    keys: |entry| Ok(Arc::new(StripeKeys::from_json(entry)?)),
    querier: |entry| Ok(Arc::new(StripeQuerier::from_json(entry)?)),
    url: "https://api.stripe.com",
    // Any 2xx.
    acknowledgement: Acknowledgement::Json("{}"),
    rejection: None,
};
