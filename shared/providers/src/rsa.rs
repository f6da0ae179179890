//! RSA public keys as providers hand them out, and the one signature that they make:
//! PKCS#1 v1.5 over SHA-256.

#[cfg(test)]
pub(super) mod pair;

use std::fmt;

use pay_core::ports::BadSecret;
use rustls_pki_types::{
    CertificateDer, SubjectPublicKeyInfoDer,
    pem::{PemObject, SectionKind},
};
use webpki::{EndEntityCert, Error, RawPublicKeyEntity, ring::RSA_PKCS1_2048_8192_SHA256};

use super::base64;

/// A key of fewer bytes than its modulus must have.
const SHORTEST_DER: usize = 2048 / 8;

/// A public key of 2048 to 8192 bits. A certificate is a wrapping of one here: it was configured by
/// hand, so neither its issuer nor its dates say anything that its owner did not.
#[derive(Clone)]
pub(super) enum RsaKey {
    Certificate(CertificateDer<'static>),
    Bare(SubjectPublicKeyInfoDer<'static>),
}

impl RsaKey {
    /// Reads a certificate or a public key in PEM, or the base64 between the two lines of the
    /// latter, which is what Alipay's console shows.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: neither of the two, a key of another kind, a private key.
    pub(super) fn parse(text: &str) -> Result<Self, BadSecret> {
        let key = if text.contains("-----BEGIN") { pem(text) } else { bare(text) };
        let key = key.ok_or(BadSecret("a key is neither a certificate nor a public key in PEM"))?;
        // A wrong signature tells a key that could check it from one that never will.
        match key.check(&[], &[]) {
            Err(Error::InvalidSignatureForPublicKey) => Ok(key),
            Ok(()) | Err(_) => Err(BadSecret("a key is no RSA public key of 2048 to 8192 bits")),
        }
    }

    /// Whether its private half made this signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.check(message, signature).is_ok()
    }

    fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        match self {
            Self::Certificate(der) => EndEntityCert::try_from(der)?.verify_signature(
                RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Self::Bare(der) if der.len() < SHORTEST_DER => Err(Error::BadDer),
            Self::Bare(der) => RawPublicKeyEntity::try_from(der)?.verify_signature(
                RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        }
    }
}

fn pem(text: &str) -> Option<RsaKey> {
    match <(SectionKind, Vec<u8>)>::from_pem_slice(text.as_bytes()).ok()? {
        (SectionKind::Certificate, der) => Some(RsaKey::Certificate(der.into())),
        (SectionKind::PublicKey, der) => Some(RsaKey::Bare(der.into())),
        _ => None,
    }
}

fn bare(text: &str) -> Option<RsaKey> {
    let compact: String = text.split_ascii_whitespace().collect();
    base64(&compact).map(|der| RsaKey::Bare(der.into()))
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
    use ring::signature::KeyPair as _;
    use serde_json::Value;

    use super::{pair::Pair, *};

    fn parse(text: &str) -> Option<RsaKey> {
        RsaKey::parse(text).ok()
    }

    #[test]
    fn the_official_vectors_get_their_verdicts() {
        let vectors: Value = serde_json::from_str(super::super::wechat::VECTORS).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == "rsa_sha256_raw").collect();
        assert_eq!(cases.len(), 2);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let signature = base64(text("signature")).unwrap();
            let fits = parse(text("key")).unwrap().verifies(text("message").as_bytes(), &signature);
            assert_eq!(fits, text("expect") == "accept", "{}", text("id"));
        }
    }

    #[test]
    fn a_key_may_come_as_certificate_pem_or_base64() {
        let pair = Pair::one();
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&pair.pkcs8().into(), &PKCS_RSA_SHA256);
        let certificate = CertificateParams::default().self_signed(&key.unwrap()).unwrap();
        let signature = base64(&pair.sign(b"message")).unwrap();
        let public = pair.public_pem();
        let lines = public.lines().filter(|line| !line.starts_with('-'));
        let (bare, wrapped) = (lines.clone().collect::<String>(), lines.collect::<Vec<_>>());
        for text in [public, &bare, &wrapped.join("\n"), &certificate.pem()] {
            let key = parse(text).unwrap();
            assert!(key.verifies(b"message", &signature), "{text}");
            assert!(!key.verifies(b"massage", &signature), "{text}");
        }
        let other = parse(Pair::other().public_pem()).unwrap();
        assert!(!other.verifies(b"message", &signature));
        assert_eq!(format!("{other:?}"), "RsaKey(..)");
    }

    #[test]
    fn a_key_that_could_never_check_a_signature_is_refused() {
        let public = Pair::one().public_pem();
        let ec = KeyPair::generate().unwrap();
        let ec_certificate = CertificateParams::default().self_signed(&ec).unwrap();
        // A modulus of 1024 bits.
        let short = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8\
            +q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+F\
            UR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB";
        for bad in [
            "",
            " ",
            "x",
            "AAAA",
            short,
            &public.replace("PUBLIC KEY", "PRIVATE KEY"),
            &public.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
            &public.replace("PUBLIC KEY", "CERTIFICATE"),
            &public.replace('M', "N"),
            &public.replace('\n', " "),
            &ec.public_key_pem(),
            &ec.serialize_pem(),
            &ec_certificate.pem(),
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(Pair::one().public_key().as_ref().len() > SHORTEST_DER);
    }
}
