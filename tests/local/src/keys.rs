//! The private keys with which providers, and their callers, sign on the local stack.
//!
//! A key is made when it is first needed and kept below `target`, so that `sign`, `event` and every
//! stack use the same one. They protect nothing but a developer's own stack, and `cargo
//! clean` removes them.

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

/// The private key that has this name below `target/local-stack`.
#[derive(Debug)]
pub struct KeptKey {
    file: &'static str,
    key: OnceLock<Result<SigningKey, String>>,
}

/// An RSA key of 2048 bits.
pub struct SigningKey {
    pair: RsaKeyPair,
    private_pem: String,
    public_pem: String,
}

impl KeptKey {
    /// The key with this file name.
    #[must_use]
    pub const fn named(file: &'static str) -> Self {
        Self { file, key: OnceLock::new() }
    }

    /// The key of this workspace; made now if there is none.
    pub fn get(&self) -> Result<&SigningKey> {
        let kept = || SigningKey::kept_as(directory()?.join(self.file));
        let kept = || kept().map_err(|error: anyhow::Error| format!("{error:#}"));
        self.key.get_or_init(kept).as_ref().map_err(|error| anyhow!("{error}"))
    }
}

/// Where the keys of this checkout are kept.
fn directory() -> Result<PathBuf> {
    Ok(binaries::workspace()?.join("target").join("local-stack"))
}

impl SigningKey {
    /// The signature of a message, in base64: RSA PKCS#1 v1.5 over its SHA-256.
    pub fn sign(&self, message: &[u8]) -> Result<String> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|error| anyhow!("cannot sign: {error}"))?;
        Ok(BASE64.encode(signature))
    }

    /// The public key in PEM, as the provider publishes it.
    #[must_use]
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The private key: PKCS#8 in PEM.
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
        Self::read(pem)
            .with_context(|| format!("{shown} is not an RSA key; remove it for a new one"))
    }

    fn read(private_pem: String) -> Result<Self> {
        let key = PrivateKey::from_pkcs8_pem(&private_pem)?;
        let pair = RsaKeyPair::from_pkcs8(key.to_pkcs8_der()?.as_bytes())
            .map_err(|error| anyhow!("the key is rejected: {error}"))?;
        let public_pem = key.to_public_key().to_public_key_pem(LineEnding::LF)?;
        Ok(Self { pair, private_pem, public_pem })
    }
}

/// Writes a new key, unless another process has written one meanwhile.
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
    use super::SigningKey;

    #[test]
    fn keys_are_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let kept = directory.path().join("keys");
        let public = |file: &str| {
            SigningKey::kept_as(kept.join(file)).map(|key| key.public_pem().to_owned())
        };
        let [one, other] = ["one.pem", "other.pem"].map(|file| public(file).unwrap());
        assert_ne!(one, other);
        assert_eq!(["one.pem", "other.pem"].map(|file| public(file).unwrap()), [one, other]);
        std::fs::write(kept.join("other.pem"), "x").unwrap();
        let error = format!("{:#}", public("other.pem").unwrap_err());
        assert!(error.contains("other.pem is not an RSA key; remove it"), "{error}");
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 2, "nothing is left behind");
    }
}
