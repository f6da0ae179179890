//! The encrypted part of a message: AES-256-GCM under the merchant's APIv3 key.
//!
//! Source: wechatpay-java `AeadAesCipher`, wechatpay-php `AesGcm`.

use pay_core::json::Object;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::base64;

/// The name of the one algorithm.
const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// The merchant's APIv3 key: its 32 characters are the key's bytes.
#[derive(Clone)]
pub(super) struct ApiV3Key(Option<LessSafeKey>);

impl ApiV3Key {
    /// Takes the text as it is. One that is not 32 bytes long opens nothing.
    pub(super) fn new(text: &str) -> Self {
        Self(UnboundKey::new(&AES_256_GCM, text.as_bytes()).ok().map(LessSafeKey::new))
    }

    /// Whether it is a key at all.
    pub(super) const fn is_usable(&self) -> bool {
        self.0.is_some()
    }

    /// What was sealed; `None` if this is not the key it was sealed with.
    pub(super) fn open(&self, sealed: &Sealed<'_>) -> Option<Vec<u8>> {
        let mut text = sealed.ciphertext.clone();
        let nonce = Nonce::assume_unique_for_key(sealed.nonce);
        let aad = Aad::from(sealed.associated_data.as_bytes());
        let len = self.0.as_ref()?.open_in_place(nonce, aad, &mut text).ok()?.len();
        text.truncate(len);
        Some(text)
    }
}

/// The `resource` of a message.
pub(super) struct Sealed<'a> {
    nonce: [u8; NONCE_LEN],
    associated_data: &'a str,
    /// With the tag at its end.
    ciphertext: Vec<u8>,
}

impl<'a> Sealed<'a> {
    /// Reads it; `None` if it could not be opened with any key.
    pub(super) fn read(resource: &'a Object) -> Option<Self> {
        if resource.text("algorithm") != Some(ALGORITHM) {
            return None;
        }
        Some(Self {
            nonce: resource.text("nonce")?.as_bytes().try_into().ok()?,
            // Absent and empty are the same.
            associated_data: resource.text("associated_data").unwrap_or_default(),
            ciphertext: base64(resource.text("ciphertext")?)?,
        })
    }
}
