//! Names and secrets of the local stack, the same on every machine.
//!
//! All but two RSA keys are fixed and public, so that `token`, `sign` and `event` work without a running stack and
//! a curl line copied yesterday still works today. They guard nothing but a developer's own stack.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use serde_json::{Value, json};

use crate::keys::SigningKeys;

/// What the shop's user service signs its tokens with.
pub const ACCESS_SECRET: &str = "local-development-secret-0123456789abcdef";

/// What a gateway of ours signs its callbacks with (Standard Webhooks; 32 bytes).
pub const WEBHOOK_SECRET: &str = "whsec_bG9jYWwtZGV2ZWxvcG1lbnQtd2ViaG9vay1rZXktMzI=";

/// What Stripe signs its events with here; of this one the whole text is the key.
pub const STRIPE_SECRET: &str = "whsec_local_development_stripe_secret";

/// Under which serial WeChat Pay's public key is known here.
pub const WECHAT_SERIAL: &str = "PUB_KEY_ID_0000000000000000000000000001";

/// What WeChat Pay seals the payment in a message with: 32 bytes.
pub const WECHAT_API_V3_KEY: &str = "local-development-api-v3-key-032";

/// The shop's number at WeChat Pay.
pub const WECHAT_MCHID: &str = "1900000001";

/// The shop's application at WeChat Pay.
pub const WECHAT_APPID: &str = "wx0000000000000001";

/// The shop's application at Alipay.
pub const ALIPAY_APP_ID: &str = "2021000000000001";

/// The shop's account at Alipay.
pub const ALIPAY_SELLER_ID: &str = "2088000000000001";

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

/// Where everything listens: nobody on another machine can call it.
pub const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The port of the service that this one replaces.
pub const PORT: u16 = 8003;

/// The webhook secret's JSON, one entry a scheme.
///
/// # Errors
///
/// [`SigningKeys::of_the_stack`].
pub fn webhook_secrets() -> Result<Value> {
    let keys = SigningKeys::of_the_stack()?;
    Ok(json!({
        "standard": [WEBHOOK_SECRET],
        "stripe": {"secrets": [STRIPE_SECRET], "livemode": false},
        "wechat": {
            "public_keys": {WECHAT_SERIAL: keys.wechat.public_pem()},
            "api_v3_key": WECHAT_API_V3_KEY,
            "mchid": WECHAT_MCHID,
            "appid": WECHAT_APPID,
        },
        "alipay": {
            "public_keys": [keys.alipay.public_pem()],
            "app_id": ALIPAY_APP_ID,
            "seller_id": ALIPAY_SELLER_ID,
        },
    }))
}
