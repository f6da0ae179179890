//! What each payment provider speaks. Sans-IO: functions of (headers, bytes, keys, now).
//!
//! One folder a provider holds everything that a provider is: its keys, how a notification is
//! verified and read, how it is acknowledged and rejected. [`adapter()`] is the registry: one line
//! a provider. [`standard`] is the signature scheme of the shop's own gateways.
//!
//! Nothing here opens a connection or reads a clock. Where a provider's verification needs
//! something fetched, such as a certificate, it is fetched by the service and passed in as keys.

mod adapter;
pub mod alipay;
mod asked;
mod beijing;
mod decimal;
mod encoding;
mod error;
mod headers;
mod ignored;
mod keys;
pub mod limits;
mod out_trade_no;
mod provider_keys;
mod query;
mod rsa;
#[cfg(test)]
mod samples;
mod sha;
pub mod standard;
pub mod stripe;
mod verify;
pub mod wechat;

pub use adapter::{Acknowledgement, Adapter, Verified, Verifier};
pub use error::VerifyError;
pub use headers::{Doubled, Headers};
pub use ignored::Ignored;
pub use keys::WebhookKeys;
pub use provider_keys::ProviderKeys;
pub use query::{CheckoutStep, Querier, RawRequest, RawResponse, SignedQuery};
pub use sha::sha256;

use pay_core::domain::Provider;

/// Signatures of our own, made by another program.
#[cfg(test)]
pub(crate) const SIGNING_VECTORS: &str = include_str!("../vectors/signing.json");

/// The adapter of a provider.
#[must_use]
pub const fn adapter(provider: Provider) -> &'static Adapter {
    match provider {
        Provider::Stripe => &stripe::ADAPTER,
        Provider::WeChat => &wechat::ADAPTER,
        Provider::Alipay => &alipay::ADAPTER,
    }
}

#[cfg(test)]
mod tests {
    use pay_core::domain::Provider;

    use super::{Acknowledgement, adapter};

    /// Byte for byte: a provider that does not recognize its success response repeats the message
    /// for days.
    #[test]
    fn each_provider_gets_its_own_success_and_error_bodies() {
        let wechat_success = r#"{"code":"SUCCESS","message":"OK"}"#;
        let wechat_error = r#"{"code":"FAIL","message":"Not \"signed\""}"#;
        let table = [
            (Provider::Stripe, Acknowledgement::Json("{}"), None),
            (Provider::WeChat, Acknowledgement::Json(wechat_success), Some(wechat_error)),
            (Provider::Alipay, Acknowledgement::Text("success"), None),
        ];
        let providers: Vec<_> = table.iter().map(|(provider, ..)| *provider).collect();
        assert_eq!(providers, Provider::ALL);
        for (provider, acknowledgement, rejection) in table {
            let found = adapter(provider);
            assert_eq!(found.acknowledgement, acknowledgement, "{provider:?}");
            let written = found.rejection.map(|write| write(r#"Not "signed""#));
            assert_eq!(written.as_deref(), rejection, "{provider:?}");
        }
    }

    /// Names are compared to the letter, and no provider has the name of another entry of the
    /// webhook secret or of another sender.
    #[test]
    fn a_name_that_is_not_a_providers_has_no_adapter() {
        for provider in Provider::ALL {
            assert_eq!(Provider::new(provider.as_str()), Ok(*provider));
        }
        for other in [
            "",
            "native",
            "operator",
            "standard",
            "Stripe",
            "stripe ",
            "wechatpay",
            "no-such-provider",
        ] {
            assert!(Provider::new(other).is_err(), "{other}");
        }
    }
}
