//! The cryptography behind `jsonwebtoken`: HS256 on ring, and nothing else.
//!
//! The crate's own back ends stay out of the build, so that no other algorithm exists in the
//! process that a header could name.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
};
use ring::hmac;
use signature::{Signer, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes the provider the process's; calling again changes nothing. Whether it is the process's.
pub(super) fn install() -> bool {
    match PROVIDER.install_default() {
        Ok(()) => true,
        Err(installed) => std::ptr::eq(installed, &raw const PROVIDER),
    }
}

struct Hs256(hmac::Key);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<Self, Error> {
        // An empty key makes a signature that everybody can make.
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac || key.is_empty() {
            return Err(ErrorKind::UnsupportedAlgorithm.into());
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the type `CryptoProvider` asks for")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Ok(Box::new(Hs256::new(*algorithm, key.family(), key.as_bytes())?))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the type `CryptoProvider` asks for")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Ok(Box::new(Hs256::new(*algorithm, key.family(), key.try_get_as_bytes()?)?))
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        // Compares in constant time, and rejects another length.
        hmac::verify(&self.0, message, tag).map_err(|_wrong| signature::Error::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_installed_once_and_stays() {
        assert!(install());
        assert!(install());
    }

    #[test]
    fn no_algorithm_but_hs256_exists() {
        let key = [7; 64];
        for algorithm in [
            Algorithm::HS384,
            Algorithm::HS512,
            Algorithm::RS256,
            Algorithm::PS256,
            Algorithm::ES256,
            Algorithm::EdDSA,
        ] {
            assert!(signer(&algorithm, &EncodingKey::from_secret(&key)).is_err());
            assert!(verifier(&algorithm, &DecodingKey::from_secret(&key)).is_err());
        }
        // A public key must not become the secret of an HMAC.
        assert!(verifier(&Algorithm::HS256, &DecodingKey::from_rsa_der(&key)).is_err());
        assert!(verifier(&Algorithm::HS256, &DecodingKey::from_secret(&key)).is_ok());
    }

    #[test]
    fn an_empty_key_signs_and_verifies_nothing() {
        assert!(signer(&Algorithm::HS256, &EncodingKey::from_secret(b"")).is_err());
        assert!(verifier(&Algorithm::HS256, &DecodingKey::from_secret(b"")).is_err());
    }
}
