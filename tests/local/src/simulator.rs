//! The payment providers as this stack plays them: what each signs with, and what it sends.
//!
//! One file a provider. [`simulator()`] is the registry: one line a provider.

pub mod alipay;
pub mod stripe;
pub mod wechat;

use anyhow::{Result, ensure};
use pay_core::domain::Provider;
use serde_json::Value;

use crate::events::Unsigned;
use crate::keys::KeptKey;
use crate::messages::{Message, Signed};

/// The simulator of a provider.
#[must_use]
pub const fn simulator(provider: Provider) -> &'static Simulator {
    match provider {
        Provider::Stripe => &stripe::SIMULATOR,
        Provider::WeChat => &wechat::SIMULATOR,
        Provider::Alipay => &alipay::SIMULATOR,
    }
}

/// What each provider's file implements.
#[derive(Debug)]
pub struct Simulator {
    /// The provider's name for people.
    pub name: &'static str,
    /// The `Content-Type` of its messages.
    pub content_type: &'static str,
    /// The private key that it signs with; `None` if it signs with a secret.
    pub key: Option<&'static KeptKey>,
    /// Signs a body, for [`Self::sign`]: with secret, id of the message, its time and body. Returns
    /// the headers of the signature, or the body with the signature in it.
    sign: fn(Option<&str>, &str, u64, &[u8]) -> Result<Signed>,
    /// Makes its entry of the webhook secret: what its messages are verified with.
    pub entry: fn() -> Result<Value>,
    /// The id under which a message is logged.
    pub event_id: fn(&Message) -> String,
    /// What a message says, all of it in the clear. An error if the provider never reports such an
    /// outcome.
    pub content: fn(&Message) -> Result<Value>,
    /// Makes the body that has this content.
    pub encode: fn(&Value) -> Result<Vec<u8>>,
    /// Placeholders for headers of events: a name, and what makes the value.
    pub placeholders: &'static [(&'static str, Placeholder)],
}

/// Makes the value of a placeholder for an event.
pub type Placeholder = fn(&Unsigned) -> Result<String>;

impl Simulator {
    /// Signs a body, with `secret` in place of the secret of this stack if it is given.
    ///
    /// `now_secs` is the time of the message, in Unix seconds.
    ///
    /// # Errors
    ///
    /// The provider signs with a private key and a secret is given, or its key is unusable.
    pub fn sign(
        &self,
        secret: Option<&str>,
        id: &str,
        now_secs: u64,
        body: &[u8],
    ) -> Result<Signed> {
        let name = self.name;
        let takes = secret.is_none() || self.key.is_none();
        ensure!(takes, "{name} signs with a private key: there is no secret to give");
        (self.sign)(secret, id, now_secs, body)
    }
}

/// What makes the value of this placeholder, if it is a provider's.
pub(crate) fn placeholder(name: &str) -> Option<Placeholder> {
    let mut all = Provider::ALL.iter().flat_map(|provider| simulator(*provider).placeholders);
    all.find(|(known, _)| *known == name).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use pay_core::domain::{Outcome, PaymentId, Provider, Report, Timestamp};
    use pay_providers::{Headers, Verified, WebhookKeys};

    use super::simulator;
    use crate::defaults;
    use crate::messages::Message;

    #[test]
    fn each_message_is_verified_and_read_as_it_was_meant() {
        let secrets = defaults::webhook_secrets().unwrap().to_string();
        let keys = WebhookKeys::from_secret(&secrets).unwrap();
        let mut made = 0;
        for provider in Provider::ALL.iter().copied() {
            for outcome in Outcome::ALL {
                let message = Message::new(42, 10_050, outcome);
                let Ok(signed) = message.from(provider) else { continue };
                made += 1;
                let headers = Headers::from_pairs(&signed.headers);
                let now = Timestamp::from_millis(message.now_secs * 1000).unwrap();
                let verified = keys.verify(provider, &headers, &signed.body, now);
                let Ok(Verified::Notification(read) | Verified::Hint(read, _)) = verified else {
                    panic!("{provider:?} {outcome:?}: {verified:?}");
                };
                let named = (read.sender, read.payment, &read.wrong_account);
                assert_eq!(named, (provider.into(), PaymentId::new(42).ok(), &None));
                let id = message.event_id(provider);
                assert_eq!(read.event_id.as_str(), id, "{provider:?} {outcome:?}");
                let Report { outcome: reported, reference, amount_minor, currency, .. } =
                    &read.report;
                assert_eq!(*reported, Some(outcome), "{provider:?}");
                assert_eq!(*amount_minor, Some(10_050), "{provider:?} {outcome:?}");
                assert_eq!(currency.as_deref(), Some("CNY"));
                assert!(reference.source == provider.source() && reference.txn.is_some());
                // A message that is kept can be signed again.
                let again = simulator(provider).sign(None, "id", message.now_secs, &signed.body);
                assert_eq!(again.unwrap().body, signed.body, "{provider:?}");
            }
        }
        assert_eq!(made, 9);
    }

    #[test]
    fn a_secret_is_given_only_to_a_provider_that_signs_with_one() {
        for provider in Provider::ALL.iter().copied() {
            let simulator = simulator(provider);
            let own = simulator.sign(None, "id", 1000, b"a=1").unwrap();
            match (simulator.key, simulator.sign(Some("another"), "id", 1000, b"a=1")) {
                (None, Ok(signed)) => assert_ne!(signed.headers, own.headers, "{provider:?}"),
                (Some(_), Err(error)) => {
                    assert!(error.to_string().contains("signs with a private key"), "{error}");
                }
                (_, signed) => panic!("{provider:?}: {signed:?}"),
            }
        }
    }
}
