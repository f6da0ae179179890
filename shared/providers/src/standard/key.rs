//! A key of the scheme, and the text form in which it is configured.

use std::fmt;

use pay_core::{json::Json, ports::BadSecret};
use ring::{hmac, signature};

use crate::{
    keys::one_or_more,
    limits::{STANDARD_SECRET_BYTES_MAX, STANDARD_SECRET_BYTES_MIN},
    verify::base64,
};

/// A key that verifies signatures. The key decides the algorithm, never the message. Never printed.
#[derive(Clone)]
pub struct StandardKey(Kind);

#[derive(Clone)]
enum Kind {
    Hmac(hmac::Key),
    Ed25519([u8; signature::ED25519_PUBLIC_KEY_LEN]),
}

impl StandardKey {
    /// Reads the entry `standard` of the webhook secret: a list of one key or more, newest first.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no list, an empty one, or as [`Self::parse`].
    pub fn list(entry: &Json) -> Result<Vec<Self>, BadSecret> {
        let bad = BadSecret("`standard` is not a list of one key or more");
        let keys = one_or_more(Some(entry), bad)?;
        keys.iter().map(|key| Self::parse(key.as_text().unwrap_or_default())).collect()
    }

    /// Reads `whsec_` (a shared secret; the prefix may be absent) or `whpk_` (an ed25519 public
    /// key) and standard, padded base64. White space around it is ignored.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: other text, a secret of fewer than [`STANDARD_SECRET_BYTES_MIN`] or more than
    /// [`STANDARD_SECRET_BYTES_MAX`] bytes, a public key of other than 32. An empty secret would
    /// verify what anyone can sign.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        let text = text.trim();
        if let Some(public) = text.strip_prefix("whpk_") {
            return base64(public)
                .and_then(|bytes| bytes.try_into().ok())
                .map(|key| Self(Kind::Ed25519(key)))
                .ok_or(BadSecret("a `whpk_` key is not base64 of 32 bytes"));
        }
        let allowed = STANDARD_SECRET_BYTES_MIN..=STANDARD_SECRET_BYTES_MAX;
        base64(text.strip_prefix("whsec_").unwrap_or(text))
            .filter(|bytes| allowed.contains(&bytes.len()))
            .map(|bytes| Self(Kind::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &bytes))))
            .ok_or(BadSecret("a `whsec_` key is not base64 of 24 to 64 bytes"))
    }

    /// The version of the signatures that it verifies.
    pub(super) fn version(&self) -> &'static str {
        match self.0 {
            Kind::Hmac(_) => "v1",
            Kind::Ed25519(_) => "v1a",
        }
    }

    /// Whether this key, or its private half, made the signature. Takes constant time for
    /// signatures of the right length.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Kind::Ed25519(key) => signature::UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(message, signature)
                .is_ok(),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Option<hmac::Tag> {
        match &self.0 {
            Kind::Hmac(key) => Some(hmac::sign(key, message)),
            Kind::Ed25519(_) => None,
        }
    }
}

impl fmt::Debug for StandardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StandardKey({}, ..)", self.version())
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::StandardKey;

    fn text(prefix: &str, len: usize) -> String {
        format!("{prefix}{}", STANDARD.encode(vec![0xfb; len]))
    }

    #[test]
    fn the_prefix_and_the_length_decide_whether_a_text_is_a_key() {
        for (good, version) in [
            (text("whsec_", 24), "v1"),
            (text("whsec_", 64), "v1"),
            (text("", 32), "v1"),
            (text("whpk_", 32), "v1a"),
            (text(" whsec_", 24), "v1"),
            (format!("{}\r\n", text("whpk_", 32)), "v1a"),
        ] {
            assert_eq!(StandardKey::parse(&good).unwrap().version(), version, "{good}");
        }
        for bad in [
            String::new(),
            "whsec_".to_owned(),
            "whpk_".to_owned(),
            text("whsec_", 23),
            text("whsec_", 65),
            text("whpk_", 31),
            text("whpk_", 33),
            text("whpk_", 64),
            text("whsk_", 64),
            text("whsk_", 32),
            text("WHSEC_", 24),
            text("whsec_whsec_", 24),
            text("whsec_ ", 24),
            text("whsec_", 24).replacen('+', "\n+", 1),
            text("whsec_", 25).trim_end_matches('=').to_owned(),
            text("whsec_", 24).replace('+', "-").replace('/', "_"),
        ] {
            assert!(StandardKey::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = StandardKey::parse(&text("whsec_", 24)).unwrap();
        assert_eq!(format!("{key:?}"), "StandardKey(v1, ..)");
    }
}
