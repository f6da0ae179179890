//! The payment providers whose messages are taken, and what the module of each has to offer.

use std::{fmt, sync::Arc};

use pay_core::{
    domain::{Provider, Source, Timestamp},
    json::Json,
    ports::BadSecret,
};

use super::{AlipayKeys, Headers, Reading, StripeKeys, WeChatKeys, WebhookError};

/// A payment provider whose messages are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentProvider {
    /// Stripe.
    Stripe,
    /// WeChat Pay, API v3.
    WeChat,
    /// Alipay.
    Alipay,
}

/// A provider's keys, and the rules by which a message is checked with them and read.
///
/// No method has a default: whoever adds a provider says what makes its messages genuine.
pub trait Verifier: fmt::Debug + Send + Sync {
    /// Checks that a message is authentic and recent, then reads what it reports.
    ///
    /// `body` is the request's body byte for byte. Pure: the same arguments give the same verdict.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]; the implementation says which, in the order they are checked.
    fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Reading, WebhookError>;

    /// Whether all that a running service needs is there, also what only narrows: a merchant id
    /// that is left out would let another merchant's messages pass for ours.
    ///
    /// # Errors
    ///
    /// [`BadSecret`] names what is missing or could never work.
    fn complete(&self) -> Result<(), BadSecret>;
}

impl PaymentProvider {
    /// Every provider.
    pub const ALL: [Self; 3] = [Self::Stripe, Self::WeChat, Self::Alipay];

    /// The name in the path, in the webhook secret and in the event log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.sender().as_str()
    }

    /// The provider of a name, to the letter.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }

    /// The sender of its messages.
    #[must_use]
    pub const fn sender(self) -> Provider {
        match self {
            Self::Stripe => Provider::Stripe,
            Self::WeChat => Provider::WeChat,
            Self::Alipay => Provider::Alipay,
        }
    }

    /// The source of the money that its messages report.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::Stripe => Source::STRIPE,
            Self::WeChat => Source::WECHAT,
            Self::Alipay => Source::ALIPAY,
        }
    }

    /// Reads its entry of the webhook secret. What is left out is not checked for here but by
    /// [`Verifier::complete`].
    ///
    /// # Errors
    ///
    /// [`BadSecret`] for keys that could never work: none, empty ones, undecodable ones.
    pub fn keys(self, entry: &Json) -> Result<Arc<dyn Verifier>, BadSecret> {
        Ok(match self {
            Self::Stripe => Arc::new(StripeKeys::from_json(entry)?),
            Self::WeChat => Arc::new(WeChatKeys::from_json(entry)?),
            Self::Alipay => Arc::new(AlipayKeys::from_json(entry)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_matched_to_the_letter() {
        for provider in PaymentProvider::ALL {
            assert_eq!(PaymentProvider::named(provider.as_str()), Some(provider));
        }
        for other in ["", "native", "standard", "Stripe", "stripe ", "paypal", "wechatpay"] {
            assert_eq!(PaymentProvider::named(other), None, "{other}");
        }
    }
}
