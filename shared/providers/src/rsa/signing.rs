//! The private key that we sign requests with.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use pay_core::ports::BadSecret;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls_pki_types::pem::{PemObject, SectionKind};

use crate::verify::base64;

/// A private RSA key of 2048 to 4096 bits, which signs with PKCS#1 v1.5 over SHA-256. Never printed.
pub(crate) struct SigningKey(RsaKeyPair);

impl SigningKey {
    /// Reads PKCS#8 or PKCS#1, in PEM or only its base64. White space as in public keys.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: other text, a key of another algorithm or length.
    pub(crate) fn parse(text: &str) -> Result<Self, BadSecret> {
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let key = if text.contains("-----BEGIN") { pem(&text) } else { bare(&text) };
        key.map(Self).ok_or(BadSecret(
            "a `private_key` is no RSA key of 2048 to 4096 bits in PKCS#8 or PKCS#1",
        ))
    }

    /// The signature of a message, in base64; `None` only where the system has no randomness.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<String> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        // The signature itself uses none: it is the same each time.
        let randomness = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &randomness, message, &mut signature).ok()?;
        Some(STANDARD.encode(signature))
    }
}

fn pem(text: &str) -> Option<RsaKeyPair> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    match <(SectionKind, Vec<u8>)>::from_pem_slice(lines.join("\n").as_bytes()).ok()? {
        (SectionKind::PrivateKey, der) => RsaKeyPair::from_pkcs8(&der).ok(),
        (SectionKind::RsaPrivateKey, der) => RsaKeyPair::from_der(&der).ok(),
        _ => None,
    }
}

fn bare(text: &str) -> Option<RsaKeyPair> {
    let compact: String = text.split_ascii_whitespace().collect();
    let der = base64(&compact)?;
    RsaKeyPair::from_pkcs8(&der).or_else(|_no_pkcs8| RsaKeyPair::from_der(&der)).ok()
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}
