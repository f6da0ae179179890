//! Tokens as the mall's user service issues them: JWT, HS256, claims `exp`, `iat`, `uid`.
//!
//! Independent of the code under test, so that a shared misreading of a token cannot hide.

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use serde_json::{Value, json};

/// How long a token lives, in seconds: the mall's `AccessExpire`.
pub const LIFETIME_SECS: u64 = 86_400;

/// Scope of the tokens with which our functions call the shop.
pub const SERVICE_SCOPE: &str = "pay:service";

/// Scope of the tokens with which a gateway of the shop's own sends notifications.
pub const CALLBACK_SCOPE: &str = "pay:callback";

/// Scope of the tokens with which the shop asks for refunds.
pub const REFUND_SCOPE: &str = "pay:refund";

/// A token for `uid`, issued now; with a scope it is a service's, without one a payer's.
#[must_use]
pub fn issue(access_secret: &str, uid: u64, scope: Option<&str>, now_secs: u64) -> String {
    let expiry = now_secs.saturating_add(LIFETIME_SECS);
    let mut claims = json!({"exp": expiry, "iat": now_secs, "uid": uid});
    if let (Some(scope), Some(claims)) = (scope, claims.as_object_mut()) {
        claims.insert("scope".to_owned(), json!(scope));
    }
    sign(access_secret, &claims)
}

/// A token with these claims, whatever they are.
#[must_use]
pub fn sign(access_secret: &str, claims: &Value) -> String {
    let header = BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", BASE64.encode(claims.to_string()));
    let tag = hmac::sign(&key(access_secret), signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(tag))
}

/// The claims of a token that is signed with `access_secret` and not expired.
pub fn verify(access_secret: &str, token: &str, now_secs: u64) -> Result<Value> {
    let (signed, tag) = token.rsplit_once('.').context("not a JWT")?;
    let tag = BASE64.decode(tag).context("the signature is not base64url")?;
    if hmac::verify(&key(access_secret), signed.as_bytes(), &tag).is_err() {
        bail!("the signature does not fit");
    }
    let (header, claims) = signed.split_once('.').context("not a JWT")?;
    let header: Value = serde_json::from_slice(&BASE64.decode(header)?)?;
    let claims: Value = serde_json::from_slice(&BASE64.decode(claims)?)?;
    if header.get("alg") != Some(&json!("HS256")) {
        bail!("the algorithm is not HS256");
    }
    match claims.get("exp").and_then(Value::as_u64) {
        Some(expiry) if now_secs < expiry => Ok(claims),
        Some(_) => bail!("expired"),
        None => bail!("no expiry"),
    }
}

fn key(access_secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, access_secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{LIFETIME_SECS, issue, sign, verify};
    use serde_json::json;

    #[test]
    fn a_token_is_signed_as_another_library_signs_it() {
        // Made with another HMAC: Python's `hmac` and `base64` modules.
        let claims = json!({"sub": "1234567890"});
        assert_eq!(
            sign("your-256-bit-secret", &claims),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.\
             dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
        );
    }

    #[test]
    fn a_token_is_good_until_it_expires_and_for_its_secret_only() {
        let token = issue("secret", 7, Some("pay:service"), 1000);
        let claims = verify("secret", &token, 1000 + LIFETIME_SECS - 1).unwrap();
        assert_eq!(claims["uid"], 7);
        assert_eq!(claims["scope"], "pay:service");
        assert!(verify("secret", &token, 1000 + LIFETIME_SECS).is_err());
        assert!(verify("other", &token, 1000).is_err());
        for junk in ["", ".", "..", "a.b.c"] {
            assert!(verify("secret", junk, 1000).is_err(), "{junk}");
        }
    }
}
