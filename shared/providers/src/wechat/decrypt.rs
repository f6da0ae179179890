//! The encrypted part of a notification: AES-256-GCM under the merchant's APIv3 key.
//!
//! Source: wechatpay-java `AeadAesCipher`, wechatpay-php `AesGcm`.

use pay_core::json::{Json, Object};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::verify::base64;

/// The name of the one algorithm.
const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// The merchant's APIv3 key: its 32 characters are the key's bytes.
#[derive(Clone)]
pub(super) struct ApiV3Key(Option<LessSafeKey>);

impl ApiV3Key {
    /// Uses the bytes of the text as the key. A text that is not 32 bytes long decrypts nothing.
    pub(super) fn new(text: &str) -> Self {
        Self(UnboundKey::new(&AES_256_GCM, text.as_bytes()).ok().map(LessSafeKey::new))
    }

    /// Whether it is 32 bytes long.
    pub(super) const fn is_usable(&self) -> bool {
        self.0.is_some()
    }

    /// The plain text; `None` if this is not the key it was encrypted with.
    pub(super) fn decrypt(&self, encrypted: &Encrypted<'_>) -> Option<Vec<u8>> {
        let mut text = encrypted.ciphertext.clone();
        let nonce = Nonce::assume_unique_for_key(encrypted.nonce);
        let aad = Aad::from(encrypted.associated_data.as_bytes());
        let len = self.0.as_ref()?.open_in_place(nonce, aad, &mut text).ok()?.len();
        text.truncate(len);
        Some(text)
    }
}

/// The `resource` of a notification.
pub(super) struct Encrypted<'a> {
    nonce: [u8; NONCE_LEN],
    associated_data: &'a str,
    /// With the tag at its end.
    ciphertext: Vec<u8>,
}

impl<'a> Encrypted<'a> {
    /// Reads the resource; `None` if no key could decrypt it.
    pub(super) fn read(resource: &'a Object) -> Option<Self> {
        if resource.text("algorithm") != Some(ALGORITHM) {
            return None;
        }
        Some(Self {
            nonce: resource.text("nonce")?.as_bytes().try_into().ok()?,
            // An absent member counts as empty.
            associated_data: match resource.get("associated_data") {
                None | Some(Json::Other) => "",
                Some(data) => data.as_text()?,
            },
            ciphertext: base64(resource.text("ciphertext")?)?,
        })
    }
}
