//! The private keys with which WeChat Pay and Alipay sign on the local stack.
//!
//! They are made when they are first needed and kept below `target`, so that `sign` and `event`
//! make what a stack takes that was started before or after them. They guard nothing but a
//! developer's own stack, and `cargo clean` is their rotation.

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::PrivateKey;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};

use crate::binaries;

/// The keys of both.
#[derive(Debug)]
pub struct SigningKeys {
    /// WeChat Pay's.
    pub wechat: SigningKey,
    /// Alipay's.
    pub alipay: SigningKey,
}

/// An RSA key of 2048 bits.
pub struct SigningKey {
    pair: RsaKeyPair,
    private_pem: String,
    public_pem: String,
}

impl SigningKeys {
    /// The keys of this workspace, made now if they never were.
    ///
    /// # Errors
    ///
    /// They cannot be read from or written to `target/local-stack`.
    pub fn of_the_stack() -> Result<&'static Self> {
        static KEYS: OnceLock<Result<SigningKeys, String>> = OnceLock::new();
        let directory = || binaries::workspace().join("target").join("local-stack");
        let keys =
            KEYS.get_or_init(|| Self::kept_in(&directory()).map_err(|error| format!("{error:#}")));
        keys.as_ref().map_err(|error| anyhow!("{error}"))
    }

    fn kept_in(directory: &Path) -> Result<Self> {
        Ok(Self {
            wechat: SigningKey::kept_as(directory.join("wechat.pem"))?,
            alipay: SigningKey::kept_as(directory.join("alipay.pem"))?,
        })
    }
}

impl SigningKey {
    /// The signature of a message, in base64: RSA PKCS#1 v1.5 over its SHA-256.
    ///
    /// # Errors
    ///
    /// There is no randomness to blind the key with.
    pub fn sign(&self, message: &[u8]) -> Result<String> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|error| anyhow!("cannot sign: {error}"))?;
        Ok(BASE64.encode(signature))
    }

    /// What the provider publishes: a public key in PEM.
    #[must_use]
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// What the provider keeps to itself: PKCS#8 in PEM.
    #[must_use]
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }

    fn kept_as(path: PathBuf) -> Result<Self> {
        let shown = path.display().to_string();
        if !path.exists() {
            make(&path).with_context(|| format!("cannot make the key {shown}"))?;
        }
        let pem = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        Self::read(pem).with_context(|| format!("{shown} is no RSA key; remove it for a new one"))
    }

    fn read(private_pem: String) -> Result<Self> {
        let key = PrivateKey::from_pkcs8_pem(&private_pem)?;
        let pair = RsaKeyPair::from_pkcs8(key.to_pkcs8_der()?.as_bytes())
            .map_err(|error| anyhow!("the key is rejected: {error}"))?;
        let public_pem = key.to_public_key().to_public_key_pem(LineEnding::LF)?;
        Ok(Self { pair, private_pem, public_pem })
    }
}

/// Writes a new key, unless somebody else has written one meanwhile.
fn make(path: &Path) -> Result<()> {
    let pem = PrivateKey::new(&mut UnwrapErr(SysRng), 2048)?.to_pkcs8_pem(LineEnding::LF)?;
    let directory = path.parent().context("a path without a directory")?;
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(pem.as_bytes())?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(failed) => Err(failed.into()),
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::SigningKeys;

    #[test]
    fn keys_are_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let kept = directory.path().join("keys");
        let public = |keys: &SigningKeys| {
            [keys.wechat.public_pem().to_owned(), keys.alipay.public_pem().to_owned()]
        };
        let [wechat, alipay] = public(&SigningKeys::kept_in(&kept).unwrap());
        assert_ne!(wechat, alipay);
        assert_eq!(public(&SigningKeys::kept_in(&kept).unwrap()), [wechat, alipay]);
        std::fs::write(kept.join("alipay.pem"), "x").unwrap();
        let error = format!("{:#}", SigningKeys::kept_in(&kept).unwrap_err());
        assert!(error.contains("alipay.pem is no RSA key; remove it"), "{error}");
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 2, "nothing is left behind");
    }
}
