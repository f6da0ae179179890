//! Stripe: signed in one header over the raw bytes, our payment id in the metadata.
//!
//! Sources: stripe-go `webhooks.go`, stripe-python `_webhook.py`; docs.stripe.com/webhooks.

mod keys;
mod kind;
mod read;
mod reference;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;

pub use keys::StripeKeys;

use crate::{Acknowledgement, Adapter};

/// The one header: `t=<Unix seconds>,v1=<hex>[,v1=<hex>…][,v0=<hex>]`.
pub const SIGNATURE_HEADER: &str = "stripe-signature";

pub(crate) const ADAPTER: Adapter = Adapter {
    keys: |entry| Ok(Arc::new(StripeKeys::from_json(entry)?)),
    // Any 2xx.
    acknowledgement: Acknowledgement::Json("{}"),
    rejection: None,
};
