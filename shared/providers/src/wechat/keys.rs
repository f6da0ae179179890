//! The entry `wechat` of the webhook secret.

use std::fmt;

use pay_core::{json::Json, ports::BadSecret};

use super::decrypt::ApiV3Key;
use crate::{
    keys::{optional_text, optional_texts},
    rsa::RsaKey,
};

/// The keys that verify and decrypt a notification. Never printed.
#[derive(Clone, Default)]
pub struct WeChatKeys {
    /// By serial: during a key change, messages signed with either key arrive.
    pub(super) public_keys: Vec<(String, RsaKey)>,
    pub(super) api_v3_key: Option<ApiV3Key>,
    pub(super) mchid: Option<String>,
    /// The applications of the merchant: one merchant may have fifty.
    pub(super) appids: Vec<String>,
}

impl WeChatKeys {
    /// Reads the entry: `{"public_keys": {"<serial>": "<certificate or public key>"},
    /// "api_v3_key": "…", "mchid": "…", "appid": "…" or ["…"]}`.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no public key, one that could never verify a signature, another value than a
    /// non-empty text.
    pub fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let entry = entry.as_object().ok_or(BadSecret("`wechat` is not an object"))?;
        let public_keys = entry
            .object("public_keys")
            .map(|keys| keys.iter().map(public_key).collect::<Result<Vec<_>, _>>())
            .transpose()?
            .filter(|keys| !keys.is_empty())
            .ok_or(BadSecret("`wechat` has no object `public_keys` of one serial or more"))?;
        let bad = BadSecret("`api_v3_key`, `mchid` or `appid` of `wechat` is empty or no text");
        let api_v3_key = optional_text(entry, "api_v3_key", bad)?;
        Ok(Self {
            public_keys,
            api_v3_key: api_v3_key.map(|text| ApiV3Key::new(&text)),
            mchid: optional_text(entry, "mchid", bad)?,
            appids: optional_texts(entry, "appid", bad)?,
        })
    }
}

fn public_key((serial, key): (&str, &Json)) -> Result<(String, RsaKey), BadSecret> {
    let serial = serial.trim();
    if serial.is_empty() {
        return Err(BadSecret("a serial in `public_keys` of `wechat` is empty"));
    }
    Ok((serial.to_owned(), RsaKey::parse(key.as_text().unwrap_or_default())?))
}

impl fmt::Debug for WeChatKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serials: Vec<&str> = self.public_keys.iter().map(|(serial, _)| &**serial).collect();
        write!(f, "WeChatKeys({serials:?}, ..)")
    }
}
