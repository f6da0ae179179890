//! The private side of a provider, for tests.

use std::{ops::Deref, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use getrandom::{SysRng, rand_core::UnwrapErr};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rsa::{
    PrivateKey,
    pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding},
};

static ONE: LazyLock<Pair> = LazyLock::new(Pair::new);
static OTHER: LazyLock<Pair> = LazyLock::new(Pair::new);

/// A private key made for this run.
pub(crate) struct Pair {
    private: RsaKeyPair,
    pkcs8: Vec<u8>,
    public_pem: String,
}

impl Pair {
    fn new() -> Self {
        let key = PrivateKey::new(&mut UnwrapErr(SysRng), 2048).unwrap();
        let pkcs8 = key.to_pkcs8_der().unwrap().as_bytes().to_vec();
        let public_pem = key.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
        Self { private: RsaKeyPair::from_pkcs8(&pkcs8).unwrap(), pkcs8, public_pem }
    }

    pub(crate) fn one() -> &'static Self {
        &ONE
    }

    pub(crate) fn other() -> &'static Self {
        &OTHER
    }

    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The signature of a message, in base64.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.private.public().modulus_len()];
        self.private
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        STANDARD.encode(signature)
    }
}

impl Deref for Pair {
    type Target = RsaKeyPair;

    fn deref(&self) -> &RsaKeyPair {
        &self.private
    }
}
