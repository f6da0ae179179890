//! The webhook secret: the keys of every scheme that is configured.

use std::sync::Arc;

use pay_core::{
    domain::{Provider, Timestamp},
    json::{Json, Object},
    ports::{BadSecret, SecretKeys},
};

use crate::{
    Headers, Verified, Verifier, VerifyError, adapter,
    standard::{self, StandardKey},
};

/// The name of the entry of the shop's own gateways.
const STANDARD: &str = "standard";

/// The keys of every scheme that is configured, each list newest first.
#[derive(Clone, Debug, Default)]
pub struct WebhookKeys {
    standard: SchemeEntry<Vec<StandardKey>>,
    providers: ProviderEntries<Arc<dyn Verifier>>,
}

/// One scheme's entry.
#[derive(Clone, Debug)]
pub(crate) struct SchemeEntry<T> {
    /// The keys: the entry's own or, where that is unusable, older ones.
    pub(crate) keys: Option<T>,
    /// Why the entry is unusable.
    pub(crate) bad: Option<BadSecret>,
}

impl WebhookKeys {
    /// Reads the secret's JSON: an object with one optional entry a scheme: `standard` is a list of
    /// one key or more, a provider's entry is described in its module and must be complete. Other
    /// entries are ignored.
    ///
    /// An entry is used whole or not at all: one malformed key makes it unusable, because messages
    /// signed with a key that was silently left out look forged later. An unusable entry touches no
    /// other.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: not one JSON object.
    pub fn from_secret(json: &str) -> Result<Self, BadSecret> {
        let object = Object::parse(json.as_bytes()).ok_or(BadSecret("not a JSON object"))?;
        let standard = object.get(STANDARD).map(|entry| SchemeEntry::new(StandardKey::list(entry)));
        let providers = ProviderEntries::read(&object, |provider, entry| {
            (adapter(provider).keys)(entry).and_then(|keys| keys.complete().map(|()| keys))
        });
        Ok(Self { standard: standard.unwrap_or_default(), providers })
    }

    /// Verifies a message of a gateway of the shop's own; returns its id.
    ///
    /// # Errors
    ///
    /// As [`standard::verify`]; [`VerifyError::UnusableKeys`] where the entry is unusable and no older
    /// key fits.
    pub fn verify_standard(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<String, VerifyError> {
        let keys = self.standard.keys.as_deref().unwrap_or_default();
        self.standard.judged(standard::verify(headers, body, keys, now))
    }

    /// Verifies and reads a message of a provider.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`]; [`VerifyError::NoKeys`] for a provider that is not configured,
    /// [`VerifyError::UnusableKeys`] where its entry is unusable and no older key fits.
    pub fn verify(
        &self,
        provider: Provider,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        let entry = self.providers.get(provider).ok_or(VerifyError::NoKeys)?;
        let keys = entry.keys.as_ref().ok_or(VerifyError::NoKeys);
        entry.judged(keys.and_then(|keys| keys.verify(headers, body, now)))
    }

    /// The names of the entries that have keys.
    pub fn usable(&self) -> impl Iterator<Item = &'static str> {
        let standard = self.standard.keys.as_ref().map(|_keys| STANDARD);
        standard.into_iter().chain(self.providers.usable())
    }
}

impl SecretKeys for WebhookKeys {
    fn read(text: &str) -> Result<Self, BadSecret> {
        Self::from_secret(text)
    }

    fn unusable(&self) -> Vec<(&'static str, BadSecret)> {
        let standard = self.standard.bad.map(|bad| (STANDARD, bad));
        standard.into_iter().chain(self.providers.unusable()).collect()
    }

    fn fill_from(&mut self, older: &Self) {
        self.standard.fill_from(&older.standard);
        self.providers.fill_from(&older.providers);
    }
}

/// The entries of providers in a secret, of those that have one.
#[derive(Clone, Debug)]
pub(crate) struct ProviderEntries<T>(Vec<(Provider, SchemeEntry<T>)>);

impl<T> ProviderEntries<T> {
    /// Reads each provider's entry by `keys`.
    pub(crate) fn read(
        secret: &Object,
        keys: impl Fn(Provider, &Json) -> Result<T, BadSecret>,
    ) -> Self {
        let entry = |provider: &Provider| {
            let entry = secret.get(provider.as_str())?;
            Some((*provider, SchemeEntry::new(keys(*provider, entry))))
        };
        Self(Provider::ALL.iter().filter_map(entry).collect())
    }

    pub(crate) fn get(&self, provider: Provider) -> Option<&SchemeEntry<T>> {
        self.0.iter().find(|(known, _)| *known == provider).map(|(_, entry)| entry)
    }

    /// The providers that have an entry, usable or not.
    pub(crate) fn configured(&self) -> impl Iterator<Item = Provider> {
        self.0.iter().map(|(provider, _)| *provider)
    }

    /// The names of the entries that have keys.
    pub(crate) fn usable(&self) -> impl Iterator<Item = &'static str> {
        let usable = self.0.iter().filter(|(_, entry)| entry.keys.is_some());
        usable.map(|(provider, _)| provider.as_str())
    }

    /// The names of the entries that are unusable, and why.
    pub(crate) fn unusable(&self) -> impl Iterator<Item = (&'static str, BadSecret)> {
        self.0.iter().filter_map(|(provider, entry)| Some((provider.as_str(), entry.bad?)))
    }
}

impl<T: Clone> ProviderEntries<T> {
    pub(crate) fn fill_from(&mut self, older: &Self) {
        for (provider, entry) in &mut self.0 {
            if let Some(older) = older.get(*provider) {
                entry.fill_from(older);
            }
        }
    }
}

impl<T> Default for ProviderEntries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> SchemeEntry<T> {
    pub(crate) fn new(read: Result<T, BadSecret>) -> Self {
        match read {
            Ok(keys) => Self { keys: Some(keys), bad: None },
            Err(bad) => Self { keys: None, bad: Some(bad) },
        }
    }

    /// What verification found; with an unusable entry, a key that is not known may have signed.
    fn judged<V>(&self, found: Result<V, VerifyError>) -> Result<V, VerifyError> {
        match (found, self.bad) {
            (Err(error), Some(bad)) if error.is_of_unknown_key() && !error.is_our_fault() => {
                Err(VerifyError::UnusableKeys(bad))
            }
            (found, _) => found,
        }
    }
}

impl<T: Clone> SchemeEntry<T> {
    pub(crate) fn fill_from(&mut self, older: &Self) {
        if self.bad.is_some() && self.keys.is_none() {
            self.keys.clone_from(&older.keys);
        }
    }
}

impl<T> Default for SchemeEntry<T> {
    fn default() -> Self {
        Self { keys: None, bad: None }
    }
}

/// The items of a list that must not be empty.
pub(crate) fn one_or_more(list: Option<&Json>, bad: BadSecret) -> Result<&[Json], BadSecret> {
    list.and_then(Json::as_array).filter(|items| !items.is_empty()).ok_or(bad)
}

/// An optional text member of an entry, without white space around it; it must not be empty where it
/// is present.
pub(crate) fn optional_text(
    entry: &Object,
    name: &str,
    bad: BadSecret,
) -> Result<Option<String>, BadSecret> {
    match entry.get(name).map(|value| value.as_text().map(str::trim)) {
        None => Ok(None),
        Some(Some(text)) if !text.is_empty() => Ok(Some(text.to_owned())),
        Some(_) => Err(bad),
    }
}

/// An optional member of an entry that is one text, or a list of one or more; none may be empty, and
/// white space around them is no part of them.
pub(crate) fn optional_texts(
    entry: &Object,
    name: &str,
    bad: BadSecret,
) -> Result<Vec<String>, BadSecret> {
    let Some(list @ Json::Array(_)) = entry.get(name) else {
        return Ok(optional_text(entry, name, bad)?.into_iter().collect());
    };
    let texts = one_or_more(Some(list), bad)?.iter().map(|text| text.as_text().map(str::trim));
    texts.map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned).ok_or(bad)).collect()
}

#[cfg(test)]
mod tests;
