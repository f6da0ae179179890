//! Names and secrets of the local stack, the same on every machine.
//!
//! All but private keys are fixed and public, so that `token`, `sign` and `event` work without a
//! running stack, and a curl line of yesterday still works today. They protect nothing but a
//! developer's own stack.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use pay_core::domain::Provider;
use serde_json::{Map, Value, json};

use crate::Scheme;
use crate::simulator::{ShopKey, simulator};

/// The secret with which the shop's user service signs its tokens.
pub const ACCESS_SECRET: &str = "local-development-secret-0123456789abcdef";

/// The secret with which a gateway of the shop's own signs notifications: Standard Webhooks, 32
/// bytes.
pub const WEBHOOK_SECRET: &str = "whsec_bG9jYWwtZGV2ZWxvcG1lbnQtd2ViaG9vay1rZXktMzI=";

/// Name of the secret that holds [`ACCESS_SECRET`].
pub const AUTH_SECRET_ID: &str = "pay/auth";

/// Name of the secret that holds the webhook secrets.
pub const WEBHOOK_SECRET_ID: &str = "pay/webhooks";

/// Name of the secret that holds what providers are called with.
pub const PROVIDER_SECRET_ID: &str = "pay/providers";

/// Name of the table.
pub const TABLE: &str = "payments";

/// Region in the environment, in ARNs and in signatures.
pub const REGION: &str = "us-east-1";

/// Account in ARNs.
pub const ACCOUNT: &str = "000000000000";

/// The address on which everything listens: no other machine can reach it.
pub const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The port of the service that this one replaces.
pub const PORT: u16 = 8003;

/// The webhook secret's JSON, one entry a scheme.
pub fn webhook_secrets() -> Result<Value> {
    let standard = (Scheme::Standard.as_str().to_owned(), json!([WEBHOOK_SECRET]));
    let mut secrets = Map::from_iter([standard]);
    for provider in Provider::ALL {
        secrets.insert(provider.as_str().to_owned(), (simulator(*provider).entry)()?);
    }
    Ok(Value::Object(secrets))
}

/// The provider secret's JSON, one entry a provider.
pub fn provider_secrets() -> Result<Value> {
    let entry = |provider: &Provider| {
        Ok((provider.as_str().to_owned(), (simulator(*provider).api.entry)(ShopKey::First)?))
    };
    let entries: Result<_> = Provider::ALL.iter().map(entry).collect();
    Ok(Value::Object(entries?))
}
