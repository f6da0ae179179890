//! The secret that tokens are signed with.

use std::fmt;

use jsonwebtoken::DecodingKey;
use pay_core::{
    json::Object,
    ports::{BadSecret, SecretKeys},
};
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
    /// user service takes them, without white space around it; other members are ignored.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: not such an object, or a key under 32 bytes.
    pub fn from_secret(json: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(json.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let text = object.text("access_secret").ok_or(BadSecret("no text `access_secret`"))?;
        let key = text.trim().as_bytes();
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

impl SecretKeys for AuthKey {
    fn read(text: &str) -> Result<Self, BadSecret> {
        Self::from_secret(text)
    }

    fn unusable(&self) -> Vec<(&'static str, BadSecret)> {
        Vec::new()
    }

    fn fill_from(&mut self, _older: &Self) {}
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::sign;

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
    fn white_space_around_a_key_is_no_part_of_it() {
        let signed = |text: &str| {
            let key = AuthKey::from_secret(&json!({ "access_secret": text }).to_string()).unwrap();
            sign(&key, &json!({"uid": 7}))
        };
        let (bare, inner) = ("k".repeat(32), format!("{} {}", "k".repeat(16), "k".repeat(16)));
        for padded in [format!("{bare}\n"), format!(" \t{bare}\r\n")] {
            assert_eq!(signed(&padded), signed(&bare), "{padded:?}");
        }
        assert_ne!(signed(&inner), signed(&bare));
        // It does not make a short key long, either.
        let short = json!({"access_secret": format!("{}\n", "k".repeat(31))}).to_string();
        assert!(AuthKey::from_secret(&short).is_err());
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
