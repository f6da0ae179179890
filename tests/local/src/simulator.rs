//! The payment providers as this stack plays them: what each signs with, what it sends, and what it
//! responds when it is asked.
//!
//! One file a provider. [`simulator()`] is the registry: one line a provider. An [`Account`] is a provider
//! that runs.

pub mod account;
pub mod alipay;
pub mod api;
pub mod checkouts;
mod controls;
pub mod ledger;
mod payer;
mod server;
pub mod shop_keys;
pub mod stripe;
#[cfg(test)]
mod tests;
pub mod wechat;

use anyhow::{Result, ensure};
use pay_core::domain::Provider;
use serde_json::Value;

pub use self::account::{Account, Delivery, Tracked, TrackedRefund};
use self::api::Api;
use self::ledger::{Occasion, Trade};
pub use self::shop_keys::ShopKey;
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
    /// Its id of the transaction by which a payment is paid, or the checkout of it with this number, which is 0
    /// for none.
    pub transaction: fn(u64, u32) -> String,
    /// Makes the webhooks that report what happened to a payment just now, in the order in which they are
    /// sent; none if the provider does not report it. The time is in Unix seconds.
    pub webhooks: fn(&Trade, Occasion<'_>, u64) -> Result<Vec<Webhook>>,
    /// How its webhooks report what went back.
    pub refund_reports: RefundReports,
    /// The name of its webhooks in fault rules.
    pub webhook_point: &'static str,
    /// Its API.
    pub api: &'static Api,
}

/// How a provider reports what went back of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundReports {
    /// Each webhook reports one refund, and nothing else does.
    OneByOne,
    /// Each webhook reports one refund or says to list them all.
    Listed,
    /// Each webhook reports how much went back so far in all.
    InAll,
}

/// A webhook, not encoded and not signed yet.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The provider's id of it.
    pub id: String,
    /// What it says, all of it in the clear.
    pub content: Value,
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

    /// A message with this content as it is sent, signed with `secret` in place of the secret of this
    /// stack if it is given.
    ///
    /// # Errors
    ///
    /// As [`Self::sign`].
    pub(crate) fn message(
        &self,
        secret: Option<&str>,
        webhook: &Webhook,
        now_secs: u64,
    ) -> Result<Signed> {
        let body = (self.encode)(&webhook.content)?;
        let mut signed = self.sign(secret, &webhook.id, now_secs, &body)?;
        signed.headers.insert(0, ("content-type", self.content_type.to_owned()));
        Ok(signed)
    }
}

/// What makes the value of this placeholder, if it is a provider's.
pub(crate) fn placeholder(name: &str) -> Option<Placeholder> {
    let mut all = Provider::ALL.iter().flat_map(|provider| simulator(*provider).placeholders);
    all.find(|(known, _)| *known == name).map(|(_, value)| *value)
}
