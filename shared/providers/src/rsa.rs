//! RSA public keys in the forms in which providers publish them, and the one signature algorithm
//! that they use: PKCS#1 v1.5 over SHA-256.

#[cfg(test)]
pub(super) mod pair;
mod signing;

pub(super) use signing::SigningKey;

use std::fmt;

use pay_core::ports::BadSecret;
use rustls_pki_types::{
    CertificateDer, SubjectPublicKeyInfoDer,
    pem::{PemObject, SectionKind},
};
use webpki::{EndEntityCert, Error, RawPublicKeyEntity, ring::RSA_PKCS1_2048_8192_SHA256};

use crate::{limits::RSA_BITS_MIN, verify::base64};

/// The modulus alone has this many bytes, so no usable key is shorter.
const DER_BYTES_MIN: usize = RSA_BITS_MIN / 8;

/// A public key. A certificate only carries one: a person configured it, so its issuer and its
/// dates are not checked.
#[derive(Clone)]
pub(super) enum RsaKey {
    Certificate(CertificateDer<'static>),
    Bare(SubjectPublicKeyInfoDer<'static>),
}

impl RsaKey {
    /// Reads a certificate in PEM, a public key in PEM, or only the base64 of the latter, as
    /// Alipay's console shows it.
    ///
    /// White space around a line is ignored, and `\n` written as two characters ends a line: that is
    /// what tools make of a PEM that they put into JSON twice.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: other text, a key of another algorithm, a private key.
    pub(super) fn parse(text: &str) -> Result<Self, BadSecret> {
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let key = if text.contains("-----BEGIN") { pem(&text) } else { bare(&text) };
        let key = key.ok_or(BadSecret("a key is neither a certificate nor a public key in PEM"))?;
        // An empty signature fails in another way with a key of another algorithm than with an RSA
        // key.
        match key.check(&[], &[]) {
            Err(Error::InvalidSignatureForPublicKey) => Ok(key),
            Ok(()) | Err(_) => Err(BadSecret("a key is no RSA public key of 2048 to 8192 bits")),
        }
    }

    /// Whether the private half of this key made the signature.
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
            Self::Bare(der) if der.len() < DER_BYTES_MIN => Err(Error::BadDer),
            Self::Bare(der) => RawPublicKeyEntity::try_from(der)?.verify_signature(
                RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        }
    }
}

fn pem(text: &str) -> Option<RsaKey> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    match <(SectionKind, Vec<u8>)>::from_pem_slice(lines.join("\n").as_bytes()).ok()? {
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
    use rsa::{
        BoxedUint, PublicKey,
        pkcs8::{EncodePublicKey as _, LineEnding},
    };

    use super::{DER_BYTES_MIN, RsaKey, pair::Pair};
    use crate::{
        limits::{RSA_BITS_MAX, RSA_BITS_MIN},
        samples::cases,
        sha256,
        verify::base64,
    };

    fn parse(text: &str) -> Option<RsaKey> {
        RsaKey::parse(text).ok()
    }

    #[test]
    fn the_official_vectors_are_accepted_and_rejected_as_published() {
        let cases = cases(crate::wechat::VECTORS, Some("rsa_sha256_raw"));
        assert_eq!(cases.len(), 2);
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let signature = base64(text("signature")).unwrap();
            let key = parse(text("key")).unwrap();
            let verified = key.verifies(text("message").as_bytes(), &signature);
            assert_eq!(verified, text("expect") == "accept", "{}", text("id"));
        }
    }

    #[test]
    fn a_key_may_be_a_certificate_pem_or_base64() {
        let pair = Pair::one();
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&pair.pkcs8().into(), &PKCS_RSA_SHA256);
        let certificate = CertificateParams::default().self_signed(&key.unwrap()).unwrap();
        let signature = base64(&pair.sign(b"message")).unwrap();
        let public = pair.public_pem();
        let lines = public.lines().filter(|line| !line.starts_with('-'));
        let (bare, wrapped) = (lines.clone().collect::<String>(), lines.collect::<Vec<_>>());
        for text in [
            public,
            &bare,
            &wrapped.join("\n"),
            &certificate.pem(),
            &format!(" \t{bare}\n"),
            &format!("\n  {public}\t\n"),
            &public.replace('\n', "\r\n"),
            &public.replace('\n', " \n  "),
            &public.replace('\n', "\\n"),
            &public.replace('\n', "\\r\\n"),
            &public.trim_end().replace('\n', "\\n"),
            &certificate.pem().replace('\n', "\\n"),
            &wrapped.join("\\n"),
        ] {
            let key = parse(text).unwrap();
            assert!(key.verifies(b"message", &signature), "{text}");
            assert!(!key.verifies(b"massage", &signature), "{text}");
        }
        let other = parse(Pair::other().public_pem()).unwrap();
        assert!(!other.verifies(b"message", &signature));
        assert_eq!(format!("{other:?}"), "RsaKey(..)");
    }

    #[test]
    fn a_text_that_is_no_rsa_public_key_is_rejected() {
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
        assert!(Pair::one().public_key().as_ref().len() > DER_BYTES_MIN);
    }

    #[test]
    fn only_keys_of_2048_to_8192_bits_verify() {
        assert_eq!((RSA_BITS_MIN, RSA_BITS_MAX), (2048, 8192));
        for (third, bits, verifies) in
            [(84, 2024, false), (85, 2048, true), (341, 8192, true), (342, 8216, false)]
        {
            let (key, signature) = constructed(third, b"message");
            assert_eq!(signature.len() * 8, bits);
            let verified = parse(&key).is_some_and(|key| key.verifies(b"message", &signature));
            assert_eq!(verified, verifies, "{bits} bits");
        }
    }

    /// A public key of `3 * third + 1` bytes and its signature of a message, without a search for
    /// primes, which takes minutes for long keys.
    ///
    /// With the exponent 3 a signature is valid if its cube is the encoded message modulo the key's
    /// modulus. So the signature is chosen first, as a byte 6 and `third` zero bytes; the modulus
    /// is its cube, a byte 216 and `3 * third` zero bytes, less the encoded message.
    #[expect(clippy::arithmetic_side_effects, reason = "lengths of a few hundred bytes")]
    fn constructed(third: usize, message: &[u8]) -> (String, Vec<u8>) {
        // The encoding and the prefix of SHA-256 are of RFC 8017, section 9.2.
        let prefix =
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
        let digest = sha256(&[message]).bytes();
        let padding = vec![0xff; 3 * third + 1 - 3 - prefix.len() - digest.len()];
        let encoded = [&[0, 1], &*padding, &[0], prefix, &digest].concat();
        let cube = [&[216][..], &vec![0; 3 * third]].concat();
        let number = BoxedUint::from_be_slice_vartime;
        let modulus = number(&cube).wrapping_sub(number(&encoded));
        let signature = [&vec![0; 2 * third], &[6][..], &vec![0; third]].concat();
        let key = PublicKey::new_unchecked(modulus, BoxedUint::from(3_u8));
        (key.to_public_key_pem(LineEnding::LF).unwrap(), signature)
    }
}
