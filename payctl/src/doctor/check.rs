//! The verification that the callback handler uses, called in one way for all schemes.

use std::sync::Arc;

use pay_core::domain::Timestamp;
use pay_core::json::Json;
use pay_core::ports::BadSecret;
use pay_providers::standard::{self, StandardKey};
use pay_providers::{Headers, Verified, Verifier, VerifyError, adapter};

use crate::Scheme;

/// Names and values, in the order they came.
pub(super) type HeaderList = Vec<(String, String)>;

/// The keys of one scheme.
#[derive(Debug)]
pub(super) enum SchemeKeys {
    Standard(Vec<StandardKey>),
    Provider(Arc<dyn Verifier>),
}

impl Scheme {
    pub(super) fn keys(self, entry: &Json) -> Result<SchemeKeys, BadSecret> {
        match self {
            Self::Standard => StandardKey::list(entry).map(SchemeKeys::Standard),
            Self::Provider(provider) => (adapter(provider).keys)(entry).map(SchemeKeys::Provider),
        }
    }
}

impl SchemeKeys {
    /// A provider's keys, of which there are none.
    pub(super) fn none<K: Verifier + Default + 'static>() -> Self {
        Self::Provider(Arc::new(K::default()))
    }

    /// Verifies a message; only a payment provider's is read as well.
    pub(super) fn verify(
        &self,
        headers: &HeaderList,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Verified>, VerifyError> {
        let headers = Headers::from_pairs(headers);
        match self {
            Self::Standard(keys) => standard::verify(&headers, body, keys, now).map(|_id| None),
            Self::Provider(keys) => keys.verify(&headers, body, now).map(Some),
        }
    }
}
