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

#[cfg(test)]
mod tests {
    use rcgen::KeyPair;
    use rsa::{Pkcs1v15Sign, PublicKey, pkcs8::DecodePublicKey as _};

    use super::SigningKey;
    use crate::{
        rsa::{RsaKey, pair::Pair},
        samples::{cases, signing_vector},
        sha256,
        verify::base64,
    };

    fn parse(text: &str) -> Option<SigningKey> {
        SigningKey::parse(text).ok()
    }

    /// What another program has signed with the same key.
    #[test]
    fn a_signature_is_that_of_openssl() {
        let key = parse(&signing_vector("private_key")).unwrap();
        let cases = cases(crate::SIGNING_VECTORS, None);
        assert_eq!(cases.len(), 26);
        for case in cases {
            let signature = key.sign(case["message"].as_str().unwrap().as_bytes());
            assert_eq!(signature.as_deref(), case["signature"].as_str(), "{}", case["id"]);
        }
    }

    #[test]
    fn a_private_key_may_be_pkcs_8_or_pkcs_1_in_pem_or_base64() {
        let (pkcs8, pkcs1) = (signing_vector("private_key"), signing_vector("private_key_pkcs1"));
        let public = signing_vector("public_key");
        let (ours, theirs) =
            (RsaKey::parse(&public).unwrap(), PublicKey::from_public_key_pem(&public).unwrap());
        for pem in [&*pkcs8, &*pkcs1] {
            let lines: Vec<_> = pem.lines().filter(|line| !line.starts_with('-')).collect();
            for text in [
                pem,
                &lines.concat(),
                &lines.join("\n"),
                &lines.join("\\n"),
                &format!(" \t{}\n", lines.concat()),
                &format!("\n  {pem}\t\n"),
                &pem.replace('\n', "\r\n"),
                &pem.replace('\n', " \n  "),
                &pem.replace('\n', "\\n"),
                &pem.replace('\n', "\\r\\n"),
                &pem.trim_end().replace('\n', "\\n"),
            ] {
                let signature = parse(text).unwrap().sign(b"message").unwrap();
                let signature = base64(&signature).unwrap();
                assert!(ours.verifies(b"message", &signature), "{text}");
                assert!(!ours.verifies(b"massage", &signature), "{text}");
                let padding = Pkcs1v15Sign::new::<rsa::sha2::Sha256>();
                let digest = sha256(&[b"message"]).bytes();
                theirs.verify(padding, &digest, &signature).unwrap();
            }
        }
    }

    #[test]
    fn only_private_rsa_keys_of_2048_to_4096_bits_sign() {
        let (pkcs8, public) = (signing_vector("private_key"), signing_vector("public_key"));
        let ec = KeyPair::generate().unwrap();
        for bad in [
            "",
            " ",
            "x",
            "AAAA",
            &signing_vector("private_key_1024"),
            &signing_vector("private_key_1024_pkcs1"),
            &signing_vector("private_key_4104"),
            &public,
            Pair::one().public_pem(),
            &pkcs8.replace("PRIVATE KEY", "RSA PRIVATE KEY"),
            &pkcs8.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
            &pkcs8.replace("PRIVATE KEY", "CERTIFICATE"),
            &pkcs8.replace('M', "N"),
            &pkcs8.replace('\n', " "),
            &ec.serialize_pem(),
            &ec.public_key_pem(),
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(parse(&signing_vector("private_key_4096")).is_some());
        assert_eq!(format!("{:?}", parse(&pkcs8).unwrap()), "SigningKey(..)");
    }
}
