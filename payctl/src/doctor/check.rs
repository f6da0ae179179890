//! The verification that the callback handler uses, called in one way for all schemes.

use std::sync::Arc;

use pay_core::domain::{Provider, Timestamp};
use pay_core::json::Json;
use pay_core::ports::BadSecret;
use pay_providers::standard::{self, StandardKey};
use pay_providers::{
    Headers, Verified, Verifier, VerifyError, adapter, alipay::AlipayKeys, stripe::StripeKeys,
    wechat::WeChatKeys,
};

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
    /// Whether a timestamp is part of what is signed.
    pub(super) const fn is_timed(self) -> bool {
        match self {
            Self::Standard | Self::Provider(Provider::Stripe | Provider::WeChat) => true,
            Self::Provider(Provider::Alipay) => false,
        }
    }

    /// Whether the signature is in headers.
    pub(super) const fn has_headers(self) -> bool {
        self.is_timed()
    }

    pub(super) fn keys(self, entry: &Json) -> Result<SchemeKeys, BadSecret> {
        match self {
            Self::Standard => StandardKey::list(entry).map(SchemeKeys::Standard),
            Self::Provider(provider) => (adapter(provider).keys)(entry).map(SchemeKeys::Provider),
        }
    }

    /// No keys: what a message is verified with where the configured ones are unusable.
    pub(super) fn no_keys(self) -> SchemeKeys {
        match self {
            Self::Standard => SchemeKeys::Standard(Vec::new()),
            Self::Provider(Provider::Stripe) => {
                SchemeKeys::Provider(Arc::new(StripeKeys::default()))
            }
            Self::Provider(Provider::WeChat) => {
                SchemeKeys::Provider(Arc::new(WeChatKeys::default()))
            }
            Self::Provider(Provider::Alipay) => {
                SchemeKeys::Provider(Arc::new(AlipayKeys::default()))
            }
        }
    }
}

impl SchemeKeys {
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
