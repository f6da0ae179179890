//! The secret that holds the keys of every scheme.

use std::sync::Arc;

use pay_core::{
    json::{Json, Object},
    ports::BadSecret,
};

use super::{PaymentProvider, Verifier, standard::StandardKey};

/// The keys of every scheme that is configured, each list newest first.
#[derive(Clone, Debug, Default)]
pub struct WebhookKeys {
    standard: Vec<StandardKey>,
    providers: Vec<(PaymentProvider, Arc<dyn Verifier>)>,
}

impl WebhookKeys {
    /// Reads the secret's JSON: an object with one optional entry a scheme, `standard` a list of
    /// one key or more, a provider's as its module says, complete. Entries of schemes not known
    /// here are ignored.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: one malformed key is enough, as a key that is silently not there looks like
    /// a forged message later.
    pub fn from_secret(json: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(json.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let standard = object.get("standard").map_or(Ok(Vec::new()), StandardKey::list)?;
        let mut providers = Vec::new();
        for provider in PaymentProvider::ALL {
            if let Some(entry) = object.get(provider.as_str()) {
                let keys = provider.keys(entry)?;
                keys.complete()?;
                providers.push((provider, keys));
            }
        }
        Ok(Self { standard, providers })
    }

    /// The Standard Webhooks keys; none if the scheme is not configured.
    #[must_use]
    pub fn standard(&self) -> &[StandardKey] {
        &self.standard
    }

    /// A provider's keys, if it is configured.
    #[must_use]
    pub fn provider(&self, provider: PaymentProvider) -> Option<&dyn Verifier> {
        let mut providers = self.providers.iter();
        providers.find(|(known, _)| *known == provider).map(|(_, keys)| &**keys)
    }
}

/// The items of a list that must have one at least.
pub(super) fn one_or_more(list: Option<&Json>, bad: BadSecret) -> Result<&[Json], BadSecret> {
    list.and_then(Json::as_array).filter(|items| !items.is_empty()).ok_or(bad)
}

/// A text of an entry that may be left out, and may not be empty.
pub(super) fn optional_text(
    entry: &Object,
    name: &str,
    bad: BadSecret,
) -> Result<Option<String>, BadSecret> {
    match entry.get(name).map(Json::as_text) {
        None => Ok(None),
        Some(Some(text)) if !text.is_empty() => Ok(Some(text.to_owned())),
        Some(_) => Err(bad),
    }
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
        let none = WebhookKeys::from_secret("{}").unwrap();
        assert!(none.standard().is_empty());
        for provider in PaymentProvider::ALL {
            assert!(none.provider(provider).is_none(), "{provider:?}");
        }
    }

    #[test]
    fn a_provider_is_configured_by_its_own_entry() {
        let stripe = r#"{"stripe":{"secrets":["whsec_x"],"livemode":true}}"#;
        let keys = WebhookKeys::from_secret(stripe).unwrap();
        assert!(keys.provider(PaymentProvider::Stripe).is_some());
        assert!(keys.provider(PaymentProvider::Alipay).is_none());
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
            r#"{"stripe":{}}"#,
            r#"{"wechat":{}}"#,
            r#"{"alipay":{}}"#,
            // What only narrows is required as well.
            r#"{"stripe":{"secrets":["whsec_x"]}}"#,
        ] {
            assert!(WebhookKeys::from_secret(bad).is_err(), "{bad}");
        }
    }
}
