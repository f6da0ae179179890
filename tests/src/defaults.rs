//! Names and secrets of the local stack, the same on every machine.
//!
//! They are fixed and public, so that `token`, `sign` and `event` work without a running stack and
//! a curl line copied yesterday still works today. They guard nothing but a developer's own stack.

use serde_json::{Value, json};

/// What the shop's user service signs its tokens with.
pub const ACCESS_SECRET: &str = "local-development-secret-0123456789abcdef";

/// What a gateway of ours signs its callbacks with (Standard Webhooks; 32 bytes).
pub const WEBHOOK_SECRET: &str = "whsec_bG9jYWwtZGV2ZWxvcG1lbnQtd2ViaG9vay1rZXktMzI=";

/// What Stripe signs its events with here; of this one the whole text is the key.
pub const STRIPE_SECRET: &str = "whsec_local_development_stripe_secret";

/// Name of the secret that holds [`ACCESS_SECRET`].
pub const AUTH_SECRET_ID: &str = "pay/auth";

/// Name of the secret that holds the webhook secrets.
pub const WEBHOOK_SECRET_ID: &str = "pay/webhooks";

/// Name of the table.
pub const TABLE: &str = "payments";

/// Region in the environment, in ARNs and in signatures.
pub const REGION: &str = "us-east-1";

/// Account in ARNs.
pub const ACCOUNT: &str = "000000000000";

/// The port of the service that this one replaces.
pub const PORT: u16 = 8003;

/// The webhook secret's JSON, one entry a scheme.
#[must_use]
pub fn webhook_secrets() -> Value {
    json!({
        "standard": [WEBHOOK_SECRET],
        "stripe": {"secrets": [STRIPE_SECRET], "livemode": false},
    })
}
