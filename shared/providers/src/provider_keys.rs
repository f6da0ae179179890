//! The provider secret: the keys that providers are queried with.

use std::sync::Arc;

use pay_core::{
    domain::Provider,
    json::{Json, Object},
    ports::{BadSecret, QueryError, SecretKeys},
};

use crate::{Querier, adapter, keys::ProviderEntries};

/// The keys of every provider that can be queried.
#[derive(Clone, Debug, Default)]
pub struct ProviderKeys(ProviderEntries<Arc<dyn Querier>>);

impl ProviderKeys {
    /// The keys of a provider.
    ///
    /// # Errors
    ///
    /// [`QueryError::NoKey`] where it has no entry, [`QueryError::Rejected`] where its entry is unusable
    /// and no older one is known.
    pub fn querier(&self, provider: Provider) -> Result<&dyn Querier, QueryError> {
        let entry = self.0.get(provider).ok_or(QueryError::NoKey)?;
        match (entry.keys.as_deref(), entry.bad) {
            (Some(querier), _) => Ok(querier),
            (None, Some(bad)) => Err(QueryError::Rejected(bad.into())),
            (None, None) => Err(QueryError::NoKey),
        }
    }

    /// The providers that have an entry, usable or not: an unusable one must not look as if there were
    /// nobody to ask.
    pub fn configured(&self) -> impl Iterator<Item = Provider> {
        self.0.configured()
    }

    /// The names of the entries that have keys.
    pub fn usable(&self) -> impl Iterator<Item = &'static str> {
        self.0.usable()
    }
}

impl SecretKeys for ProviderKeys {
    /// Reads the secret's JSON: an object with one optional entry a provider, which is described in its
    /// module. Other entries are ignored.
    fn read(text: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(text.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let read = |provider, entry: &Json| (adapter(provider).querier)(entry);
        Ok(Self(ProviderEntries::read(&object, read)))
    }

    fn unusable(&self) -> Vec<(&'static str, BadSecret)> {
        self.0.unusable().collect()
    }

    fn fill_from(&mut self, older: &Self) {
        self.0.fill_from(&older.0);
    }
}

#[cfg(test)]
mod tests {
    use pay_core::{
        domain::{Provider, ProviderTxn, Timestamp},
        ports::{Query, QueryError, SecretKeys as _},
    };
    use serde_json::{Value, json};

    use super::ProviderKeys;

    fn read(secret: &Value) -> ProviderKeys {
        ProviderKeys::read(&secret.to_string()).unwrap()
    }

    fn configured(keys: &ProviderKeys) -> Vec<Provider> {
        keys.configured().collect()
    }

    fn unusable(keys: &ProviderKeys) -> Vec<&'static str> {
        keys.unusable().into_iter().map(|(name, _)| name).collect()
    }

    /// The key that a request to Stripe is made with.
    fn stripe_key(keys: &ProviderKeys) -> Option<String> {
        let query = Query::Object(ProviderTxn::new("pi_1").unwrap());
        let now = Timestamp::from_millis(1_800_000_000_000).unwrap();
        let querier = keys.querier(Provider::Stripe).ok()?;
        let request = querier.request(&query, "nonce", now).unwrap();
        let mut headers = request.headers.into_iter();
        headers.find(|(name, _)| *name == "authorization").map(|(_, value)| value)
    }

    fn stripe(key: &str) -> Value {
        json!({ "api_key": key })
    }

    #[test]
    fn only_a_provider_with_an_entry_can_be_queried() {
        for secret in [json!({}), json!({"paypal": {"id": "x"}}), json!({"standard": ["whsec_x"]})]
        {
            let keys = read(&secret);
            assert_eq!((configured(&keys), unusable(&keys)), (vec![], vec![]), "{secret}");
            for provider in Provider::ALL {
                let found = keys.querier(*provider);
                assert!(matches!(found, Err(QueryError::NoKey)), "{provider:?}");
            }
        }
        let keys = read(&json!({"stripe": stripe("rk_test_1"), "paypal": 5}));
        assert_eq!((configured(&keys), unusable(&keys)), (vec![Provider::Stripe], vec![]));
        assert_eq!(stripe_key(&keys).as_deref(), Some("Bearer rk_test_1"));
        for bad in ["", "[]", "null", "rk_test_1", r#"{"stripe": 1, "stripe": 2}"#] {
            assert!(ProviderKeys::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_entry_that_is_unusable_touches_no_other() {
        let keys = read(&json!({"stripe": stripe("rk_test_1"), "wechat": {}, "alipay": null}));
        // It must not look as if there were nobody to ask.
        assert_eq!(configured(&keys), Provider::ALL);
        assert_eq!(unusable(&keys), ["wechat", "alipay"]);
        assert!(stripe_key(&keys).is_some());
        for provider in [Provider::WeChat, Provider::Alipay] {
            let found = keys.querier(provider);
            assert!(matches!(found, Err(QueryError::Rejected(_))), "{provider:?}");
        }
        let keys = read(&json!({"stripe": stripe("whsec_1")}));
        assert_eq!((configured(&keys), unusable(&keys)), (vec![Provider::Stripe], vec!["stripe"]));
        assert_eq!(stripe_key(&keys), None);
    }

    /// A copying error must not stop what worked before.
    #[test]
    fn older_keys_stand_in_for_an_unusable_entry_and_for_no_other() {
        let older = read(&json!({"stripe": stripe("rk_test_old")}));
        let filled = |secret: Value| {
            let mut keys = read(&secret);
            keys.fill_from(&older);
            keys
        };
        let keys = filled(json!({"stripe": stripe(""), "wechat": {}}));
        assert_eq!(stripe_key(&keys).as_deref(), Some("Bearer rk_test_old"));
        // It is still to be corrected.
        assert_eq!(unusable(&keys), ["stripe", "wechat"]);
        assert!(keys.querier(Provider::WeChat).is_err());
        let keys = filled(json!({"stripe": stripe("rk_test_new")}));
        assert_eq!(stripe_key(&keys).as_deref(), Some("Bearer rk_test_new"));
        // It was removed on purpose.
        assert_eq!(stripe_key(&filled(json!({}))), None);
        let mut keys = read(&json!({"stripe": {}}));
        keys.fill_from(&ProviderKeys::default());
        assert_eq!((stripe_key(&keys), unusable(&keys)), (None, vec!["stripe"]));
    }

    #[test]
    fn no_key_is_printed() {
        let canary = "canary";
        let keys = read(&json!({
            "stripe": stripe("rk_test_canary"),
            "wechat": {"api_v3_key": canary, "private_key": canary},
            "alipay": {"private_key": canary},
        }));
        assert!(!format!("{keys:?}").contains(canary), "{keys:?}");
    }
}
