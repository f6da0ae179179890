//! The secret that tokens are signed with.

use std::fmt;

use jsonwebtoken::DecodingKey;
use pay_core::{json::Object, ports::BadSecret};
use ring::hmac;

use super::provider;
use crate::limits::AUTH_KEY_MIN_BYTES;

/// A secret shared with the shop's user service: what it signs with, we check with.
///
/// Holding one proves at least 32 bytes. Never printed.
#[derive(Clone)]
pub struct AuthKey {
    pub(super) signing: hmac::Key,
    pub(super) checking: DecodingKey,
}

impl AuthKey {
    /// Reads the secret's JSON, `{"access_secret": "…"}`. The key is the text's own bytes, as the
    /// user service takes them; other members are ignored.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: not such an object, or a key under 32 bytes.
    pub fn from_secret(json: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(json.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let key =
            object.text("access_secret").ok_or(BadSecret("no text `access_secret`"))?.as_bytes();
        if key.len() < AUTH_KEY_MIN_BYTES {
            return Err(BadSecret("`access_secret` has fewer than 32 bytes"));
        }
        if !provider::install() {
            return Err(BadSecret("another token library is in charge"));
        }
        Ok(Self {
            signing: hmac::Key::new(hmac::HMAC_SHA256, key),
            checking: DecodingKey::from_secret(key),
        })
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_under_32_bytes_is_rejected() {
        let secret = |key: &str| format!(r#"{{"access_secret":"{key}"}}"#);
        assert!(AuthKey::from_secret(&secret(&"k".repeat(32))).is_ok());
        assert!(AuthKey::from_secret(&secret(&"é".repeat(16))).is_ok());
        for bad in [String::new(), "k".repeat(31)] {
            assert!(AuthKey::from_secret(&secret(&bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_of_another_shape_is_rejected() {
        let key = "k".repeat(32);
        for bad in [
            String::new(),
            "null".to_owned(),
            "{}".to_owned(),
            key.clone(),
            format!(r#""{key}""#),
            format!(r#"["{key}"]"#),
            format!(r#"{{"access_secret":["{key}"]}}"#),
            format!(r#"{{"ACCESS_SECRET":"{key}"}}"#),
            format!(r#"{{"access_secret":"{key}","access_secret":"{key}"}}"#),
        ] {
            assert!(AuthKey::from_secret(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = AuthKey::from_secret(r#"{"access_secret":"canary-canary-canary-canary-canary"}"#);
        assert_eq!(format!("{key:?}"), "Ok(AuthKey(..))");
        let bad = AuthKey::from_secret(r#"{"access_secret":"canary"}"#).unwrap_err();
        assert!(!format!("{bad:?} {bad}").contains("canary"));
    }
}
