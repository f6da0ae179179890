//! Signing tokens: ours for the shop's services, and any for tests and tools.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pay_core::domain::{Timestamp, UserId};
use ring::hmac;
use serde_json::{Value, json};

use super::{AuthKey, SHOP_SCOPE};

/// How long a token of ours lives: longer than any call, too short to be worth stealing.
const SERVICE_TOKEN_SECS: u64 = 60;

/// Signs claims as they are. Nothing is added or checked.
#[must_use]
pub fn sign(key: &AuthKey, claims: &Value) -> String {
    compact(key, r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string())
}

/// Signs the token that a call to the shop's services carries, on behalf of `uid`.
#[must_use]
pub fn sign_service(key: &AuthKey, uid: UserId, now: Timestamp) -> String {
    let iat = now.secs();
    let claims = json!({
        "iat": iat,
        "exp": iat.saturating_add(SERVICE_TOKEN_SECS),
        "uid": uid.get(),
        "scope": SHOP_SCOPE,
    });
    sign(key, &claims)
}

/// The compact form of any header and claims (RFC 7515, section 3.1).
pub(super) fn compact(key: &AuthKey, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&key.signing, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}
