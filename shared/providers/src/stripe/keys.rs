//! The entry `stripe` of the webhook secret.

use std::fmt;

use pay_core::{
    json::{Json, Object},
    ports::BadSecret,
};
use ring::hmac;

use crate::keys::{one_or_more, optional_text};

/// The keys that verify a notification. Never printed.
#[derive(Clone, Default)]
pub struct StripeKeys {
    pub(super) secrets: Vec<hmac::Key>,
    pub(super) livemode: Option<bool>,
    pub(super) account: Option<String>,
    pub(super) shared: bool,
}

impl StripeKeys {
    /// Reads the entry: `{"secrets": ["whsec_…"], "livemode": true, "account": "acct_…"}`, newest
    /// first.
    ///
    /// The key is the whole text, prefix and all, without white space around it. Without `livemode`
    /// both modes are accepted. `account` is the one connected account whose events count; without
    /// it none does. With `"shared": true` other products use the account, and what names no
    /// payment is not ours.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no secret, or one that is empty or has white space inside: an empty key
    /// verifies what anyone can sign, and white space is a copying error; another `livemode`,
    /// `shared` or `account` than a truth value or a non-empty text.
    pub fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let entry = entry.as_object().ok_or(BadSecret("`stripe` is not an object"))?;
        let bad = BadSecret("`stripe` has no list `secrets` of one or more");
        let secrets = one_or_more(entry.get("secrets"), bad)?;
        let secrets = secrets.iter().map(secret).collect::<Result<_, _>>()?;
        let livemode = truth(entry, "livemode", BadSecret("`livemode` is not true or false"))?;
        let bad = BadSecret("`shared` of `stripe` is not true or false");
        let shared = truth(entry, "shared", bad)?.unwrap_or(false);
        let bad = BadSecret("`account` of `stripe` is empty or no text");
        let account = optional_text(entry, "account", bad)?;
        Ok(Self { secrets, livemode, account, shared })
    }
}

pub(super) fn truth(entry: &Object, name: &str, bad: BadSecret) -> Result<Option<bool>, BadSecret> {
    entry.get(name).map(|value| value.as_bool().ok_or(bad)).transpose()
}

fn secret(entry: &Json) -> Result<hmac::Key, BadSecret> {
    let text = entry.as_text().unwrap_or_default().trim();
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(BadSecret("a `stripe` secret is empty or has white space in it"));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
}

impl fmt::Debug for StripeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StripeKeys({} secrets, livemode {:?})", self.secrets.len(), self.livemode)
    }
}
