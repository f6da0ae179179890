//! The functions that the callback handler calls, one way to call them for all schemes.

use std::sync::Arc;

use pay_core::domain::Timestamp;
use pay_core::json::Json;
use pay_core::ports::BadSecret;
use pay_providers::standard::{self, StandardKey};
use pay_providers::{
    AlipayKeys, Headers, PaymentProvider, Reading, StripeKeys, Verifier, WeChatKeys, WebhookError,
};

/// Names and values, in the order they came.
pub(super) type HeaderList = Vec<(String, String)>;

/// How a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Standard Webhooks: a gateway of ours.
    Standard,
    /// A payment provider's own way.
    Provider(PaymentProvider),
}

/// The keys of one scheme.
#[derive(Debug)]
pub(super) enum Keys {
    Standard(Vec<StandardKey>),
    Provider(Arc<dyn Verifier>),
}

impl Scheme {
    /// The scheme of a name, to the letter.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "standard" => Some(Self::Standard),
            _ => PaymentProvider::named(name).map(Self::Provider),
        }
    }

    /// The name in the webhook secret.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Provider(provider) => provider.as_str(),
        }
    }

    /// Whether a timestamp is part of what is signed.
    pub(super) const fn is_timed(self) -> bool {
        match self {
            Self::Standard | Self::Provider(PaymentProvider::Stripe | PaymentProvider::WeChat) => {
                true
            }
            Self::Provider(PaymentProvider::Alipay) => false,
        }
    }

    /// Whether headers are looked at.
    pub(super) const fn has_headers(self) -> bool {
        self.is_timed()
    }

    pub(super) fn keys(self, entry: &Json) -> Result<Keys, BadSecret> {
        match self {
            Self::Standard => StandardKey::list(entry).map(Keys::Standard),
            Self::Provider(provider) => provider.keys(entry).map(Keys::Provider),
        }
    }

    /// What a message is checked with where no key could be read.
    pub(super) fn no_keys(self) -> Keys {
        match self {
            Self::Standard => Keys::Standard(Vec::new()),
            Self::Provider(PaymentProvider::Stripe) => {
                Keys::Provider(Arc::new(StripeKeys::default()))
            }
            Self::Provider(PaymentProvider::WeChat) => {
                Keys::Provider(Arc::new(WeChatKeys::default()))
            }
            Self::Provider(PaymentProvider::Alipay) => {
                Keys::Provider(Arc::new(AlipayKeys::default()))
            }
        }
    }
}

impl Keys {
    /// Checks a message; what it says is read of a payment provider's alone.
    pub(super) fn verify(
        &self,
        headers: &HeaderList,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Reading>, WebhookError> {
        let headers = Headers::from_pairs(headers);
        match self {
            Self::Standard(keys) => standard::verify(&headers, body, keys, now).map(|_id| None),
            Self::Provider(keys) => keys.verify(&headers, body, now).map(Some),
        }
    }
}
