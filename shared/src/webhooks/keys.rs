//! The secret that holds the keys of every scheme.

use super::{standard::StandardKey, stripe::StripeKeys};
use crate::{
    json::{Json, Object},
    secret::BadSecret,
};

/// The keys of every scheme that is configured, each list newest first.
#[derive(Clone, Debug, Default)]
pub struct WebhookKeys {
    standard: Vec<StandardKey>,
    stripe: Option<StripeKeys>,
}

impl WebhookKeys {
    /// Reads the secret's JSON: an object with one optional entry a scheme, `standard` a list of
    /// one key or more. Entries of schemes not known here are ignored.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: one malformed key is enough, as a key that is silently not there looks like
    /// a forged message later.
    pub fn from_secret(json: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(json.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let standard = object.get("standard").map_or(Ok(Vec::new()), standard)?;
        let stripe = object.get("stripe").map(StripeKeys::from_json).transpose()?;
        Ok(Self { standard, stripe })
    }

    /// The Standard Webhooks keys; none if the scheme is not configured.
    #[must_use]
    pub fn standard(&self) -> &[StandardKey] {
        &self.standard
    }

    /// Stripe's keys, if it is configured.
    #[must_use]
    pub const fn stripe(&self) -> Option<&StripeKeys> {
        self.stripe.as_ref()
    }
}

fn standard(entry: &Json) -> Result<Vec<StandardKey>, BadSecret> {
    let keys = entry
        .as_array()
        .filter(|keys| !keys.is_empty())
        .ok_or(BadSecret("`standard` is not a list of one key or more"))?;
    keys.iter().map(|key| StandardKey::parse(key.as_text().unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_lists_keys_newest_first() {
        let keys = WebhookKeys::from_secret(
            r#"{"standard":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="], "paypal":{"secrets":[]}}"#,
        );
        assert_eq!(keys.unwrap().standard().len(), 2);
        assert!(WebhookKeys::from_secret("{}").unwrap().standard().is_empty());
    }

    #[test]
    fn one_malformed_key_makes_the_secret_bad() {
        for bad in [
            "",
            "null",
            "[]",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            r#"{"standard":[]}"#,
            r#"{"standard":null}"#,
            r#"{"standard":{}}"#,
            r#"{"standard":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#,
            r#"{"standard":[""]}"#,
            r#"{"standard":[null]}"#,
            r#"{"standard":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",""]}"#,
            r#"{"standard":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                "standard":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}"#,
        ] {
            assert!(WebhookKeys::from_secret(bad).is_err(), "{bad}");
        }
    }
}
