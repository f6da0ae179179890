//! The webhook secret: the keys of every scheme that is configured.

use std::sync::Arc;

use pay_core::{
    domain::Provider,
    json::{Json, Object},
    ports::BadSecret,
};

use crate::{Verifier, adapter, standard::StandardKey};

/// The keys of every scheme that is configured, each list newest first.
#[derive(Clone, Debug, Default)]
pub struct WebhookKeys {
    standard: Vec<StandardKey>,
    providers: Vec<(Provider, Arc<dyn Verifier>)>,
}

impl WebhookKeys {
    /// Reads the secret's JSON: an object with one optional entry a scheme: `standard` is a list of
    /// one key or more, a provider's entry is described in its module and must be complete. Other
    /// entries are ignored.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: one malformed key is enough, because messages signed with a key that was
    /// silently left out look forged later.
    pub fn from_secret(json: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(json.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let standard = object.get("standard").map_or(Ok(Vec::new()), StandardKey::list)?;
        let mut providers = Vec::new();
        for provider in Provider::ALL.iter().copied() {
            if let Some(entry) = object.get(provider.as_str()) {
                let keys = (adapter(provider).keys)(entry)?;
                keys.complete()?;
                providers.push((provider, keys));
            }
        }
        Ok(Self { standard, providers })
    }

    /// The Standard Webhooks keys; empty if the scheme is not configured.
    #[must_use]
    pub fn standard(&self) -> &[StandardKey] {
        &self.standard
    }

    /// A provider's keys, if it is configured.
    #[must_use]
    pub fn provider(&self, provider: Provider) -> Option<&dyn Verifier> {
        let mut providers = self.providers.iter();
        providers.find(|(known, _)| *known == provider).map(|(_, keys)| &**keys)
    }
}

/// The items of a list that must not be empty.
pub(crate) fn one_or_more(list: Option<&Json>, bad: BadSecret) -> Result<&[Json], BadSecret> {
    list.and_then(Json::as_array).filter(|items| !items.is_empty()).ok_or(bad)
}

/// An optional text member of an entry; it must not be empty where it is present.
pub(crate) fn optional_text(
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

/// An optional member of an entry that is one text, or a list of one or more; none may be empty.
pub(crate) fn optional_texts(
    entry: &Object,
    name: &str,
    bad: BadSecret,
) -> Result<Vec<String>, BadSecret> {
    let Some(list @ Json::Array(_)) = entry.get(name) else {
        return Ok(optional_text(entry, name, bad)?.into_iter().collect());
    };
    let texts = one_or_more(Some(list), bad)?.iter().map(Json::as_text);
    texts.map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned).ok_or(bad)).collect()
}

#[cfg(test)]
mod tests {
    use pay_core::domain::Provider;

    use super::WebhookKeys;

    #[test]
    fn entries_are_optional_and_an_unknown_entry_is_ignored() {
        let keys = WebhookKeys::from_secret(
            r#"{"standard":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="],
                "no-such-provider":{"secrets":[]}}"#,
        );
        assert_eq!(keys.unwrap().standard().len(), 2);
        let none = WebhookKeys::from_secret("{}").unwrap();
        assert!(none.standard().is_empty());
        for provider in Provider::ALL {
            assert!(none.provider(*provider).is_none(), "{provider:?}");
        }
    }

    #[test]
    fn a_provider_is_configured_by_its_own_entry() {
        let stripe = r#"{"stripe":{"secrets":["whsec_x"],"livemode":true}}"#;
        let keys = WebhookKeys::from_secret(stripe).unwrap();
        assert!(keys.provider(Provider::Stripe).is_some());
        assert!(keys.provider(Provider::Alipay).is_none());
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
            // Required too: without it events of both modes would be accepted.
            r#"{"stripe":{"secrets":["whsec_x"]}}"#,
        ] {
            assert!(WebhookKeys::from_secret(bad).is_err(), "{bad}");
        }
    }
}
