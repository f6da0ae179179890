//! The provider secret: the keys that providers are queried with.

use std::sync::Arc;

use pay_core::{
    domain::Provider,
    json::Object,
    ports::{BadSecret, QueryError, SecretKeys},
};

use crate::{Querier, adapter, keys::SchemeEntry};

/// The keys of every provider that can be queried.
#[derive(Clone, Debug, Default)]
pub struct ProviderKeys(Vec<(Provider, SchemeEntry<Arc<dyn Querier>>)>);

impl ProviderKeys {
    /// The keys of a provider.
    ///
    /// # Errors
    ///
    /// [`QueryError::NoKey`] where it has no entry, [`QueryError::Rejected`] where its entry is unusable
    /// and no older one is known.
    pub fn querier(&self, provider: Provider) -> Result<&dyn Querier, QueryError> {
        let entry = self.entry(provider).ok_or(QueryError::NoKey)?;
        match (entry.keys.as_deref(), entry.bad) {
            (Some(querier), _) => Ok(querier),
            (None, Some(bad)) => Err(QueryError::Rejected(bad.into())),
            (None, None) => Err(QueryError::NoKey),
        }
    }

    /// The providers that have an entry, usable or not: an unusable one must not look as if there were
    /// nobody to ask.
    pub fn configured(&self) -> impl Iterator<Item = Provider> {
        self.0.iter().map(|(provider, _)| *provider)
    }

    /// The names of the entries that have keys.
    pub fn usable(&self) -> impl Iterator<Item = &'static str> {
        let usable = self.0.iter().filter(|(_, entry)| entry.keys.is_some());
        usable.map(|(provider, _)| provider.as_str())
    }

    fn entry(&self, provider: Provider) -> Option<&SchemeEntry<Arc<dyn Querier>>> {
        self.0.iter().find(|(known, _)| *known == provider).map(|(_, entry)| entry)
    }
}

impl SecretKeys for ProviderKeys {
    /// Reads the secret's JSON: an object with one optional entry a provider, which is described in its
    /// module. Other entries are ignored.
    fn read(text: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(text.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let entry = |provider: &Provider| {
            let entry = object.get(provider.as_str())?;
            Some((*provider, SchemeEntry::new((adapter(*provider).querier)(entry))))
        };
        Ok(Self(Provider::ALL.iter().filter_map(entry).collect()))
    }

    fn unusable(&self) -> Vec<(&'static str, BadSecret)> {
        let all = self.0.iter().map(|(name, entry)| (name.as_str(), entry.bad));
        all.filter_map(|(name, bad)| Some((name, bad?))).collect()
    }

    fn fill_from(&mut self, older: &Self) {
        for (provider, entry) in &mut self.0 {
            if let Some(older) = older.entry(*provider) {
                entry.fill_from(older);
            }
        }
    }
}
