//! The entry `alipay` of the webhook secret.

use std::fmt;

use pay_core::{json::Json, ports::BadSecret};

use crate::{
    keys::{one_or_more, optional_text, optional_texts},
    rsa::RsaKey,
};

/// The keys that verify a notification. Never printed.
#[derive(Clone, Default)]
pub struct AlipayKeys {
    pub(super) public_keys: Vec<RsaKey>,
    pub(super) app_ids: Vec<String>,
    pub(super) seller_id: Option<String>,
}

impl AlipayKeys {
    /// Reads the entry: `{"public_keys": ["<certificate or public key>"], "app_id": "…" or ["…"],
    /// "seller_id": "…"}`, newest first. The keys are Alipay's, not the application's own. Without
    /// `seller_id` it is not compared.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no public key, one that could never verify a signature, another value than a
    /// non-empty text.
    pub fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let entry = entry.as_object().ok_or(BadSecret("`alipay` is not an object"))?;
        let bad = BadSecret("`alipay` has no list `public_keys` of one or more");
        let keys = one_or_more(entry.get("public_keys"), bad)?;
        let keys = keys.iter().map(|key| RsaKey::parse(key.as_text().unwrap_or_default()));
        let bad = BadSecret("`app_id` or `seller_id` of `alipay` is empty or no text");
        Ok(Self {
            public_keys: keys.collect::<Result<_, _>>()?,
            app_ids: optional_texts(entry, "app_id", bad)?,
            seller_id: optional_text(entry, "seller_id", bad)?,
        })
    }
}

impl fmt::Debug for AlipayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlipayKeys({} keys, ..)", self.public_keys.len())
    }
}
