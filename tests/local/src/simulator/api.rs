//! The calls that a provider's API gets, and what it responds. One [`Api`] a provider.

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use rsa::PublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;
use serde_json::Value;

use super::ledger::{Ledger, Trade, TradeRefund};
use super::shop_keys::ShopKey;

/// What a provider's API is: one constant in each provider's file.
#[derive(Debug)]
pub struct Api {
    /// The setting that has its URL, and what follows the server's address in it.
    pub url: (&'static str, &'static str),
    /// Makes its entry of the provider secret: what our calls are made with, by this key.
    pub entry: fn(ShopKey) -> Result<Value>,
    /// The name of a call in fault rules; empty for a call that there is not.
    pub point: fn(&Call) -> &'static str,
    /// Whether it closes by itself what was begun and was not paid in time.
    pub closes_what_is_over: bool,
    /// Checks a call at this time, in Unix seconds, and carries it out.
    pub respond: fn(&mut Ledger, &Call, u64) -> Result<Reply>,
    /// Shows a payer's page that is no API, at this time: the transaction that the payer can pay there, or why
    /// there is none. `None` for a call that is none of these.
    pub open: fn(&mut Ledger, &Call, u64) -> Result<Option<Opened>>,
    /// Writes a reply as HTTP, signed if [`Reply::signed`] says so.
    pub write: fn(&Reply) -> Result<Response<Bytes>>,
    /// The error with this status.
    pub problem: fn(StatusCode) -> Reply,
    /// The error of a call that is throttled.
    pub throttled: fn() -> Reply,
    /// The error that has a status of 200, where there is one.
    pub error_envelope: fn() -> Reply,
    /// The reply that nothing was found, of a call that searches.
    pub nothing_found: fn() -> Reply,
    /// The members of a reply that name what it is about, at least by our reference.
    pub references: &'static [&'static str],
}

/// A call as it came in.
#[derive(Debug)]
pub struct Call {
    /// Its first line and its headers.
    pub head: Parts,
    /// Its body.
    pub body: Bytes,
}

/// A response before it is written.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// The member around the content, where there is one.
    pub member: String,
    /// What it says.
    pub content: Value,
    /// Whether it is signed.
    pub signed: bool,
    /// What the call did that is reported by a webhook.
    pub effect: Option<Effect>,
}

/// The transaction that a payer can pay on a page, or why there is none.
pub type Opened = Result<String, String>;

/// What a call did that is reported by a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It began the refund with this id of the provider.
    Refund(String),
    /// It closed the payment with this transaction.
    Closed(String),
}

impl Call {
    /// Whether it asks for something to be done.
    #[must_use]
    pub fn is_post(&self) -> bool {
        self.head.method == Method::POST
    }

    /// Whether it reads.
    #[must_use]
    pub fn is_get(&self) -> bool {
        self.head.method == Method::GET
    }

    /// The parts of its path.
    #[must_use]
    pub fn path(&self) -> Vec<&str> {
        self.head.uri.path().split('/').skip(1).collect()
    }

    /// Its path and query, as it was sent.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        self.head.uri.path_and_query().map_or("", |both| both.as_str())
    }

    /// The first parameter of this name in its query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).next()
    }

    /// Every parameter of this name in its query.
    pub fn parameters(&self, name: &str) -> impl Iterator<Item = String> {
        let query = self.head.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        pairs.filter(move |(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Where the server is, as the caller sees it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("https://{}", self.header("host").unwrap_or("localhost"))
    }

    /// A header; an empty one counts as absent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.head.headers.get(name)?.to_str().ok()?;
        Some(value).filter(|value| !value.trim().is_empty())
    }
}

impl Reply {
    /// A reply that is not signed.
    #[must_use]
    pub fn unsigned(status: StatusCode, content: Value) -> Self {
        Self { status, member: String::new(), content, signed: false, effect: None }
    }

    /// The same of a call that began this refund.
    #[must_use]
    pub(crate) fn beginning(self, refund: &TradeRefund) -> Self {
        Self { effect: Some(Effect::Refund(refund.id.clone())), ..self }
    }

    /// The same of a call that closed this payment.
    #[must_use]
    pub(crate) fn closing(self, trade: &Trade) -> Self {
        Self { effect: Some(Effect::Closed(trade.transaction.clone())), ..self }
    }

    /// The same about another payment: in every member of these names the number at the end is raised.
    #[must_use]
    pub(crate) fn about_another(mut self, references: &[&str]) -> Self {
        raise(&mut self.content, references);
        self
    }
}

fn raise(value: &mut Value, references: &[&str]) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| raise(value, references)),
        Value::Object(members) => {
            for (name, value) in members {
                raise(value, references);
                if let Value::String(text) = value
                    && references.contains(&name.as_str())
                {
                    *text = raised(text);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn raised(text: &str) -> String {
    let before = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = text.strip_prefix(before).unwrap_or_default();
    let width = number.len();
    let number = number.parse::<u64>().unwrap_or_default().saturating_add(1);
    format!("{before}{number:0width$}")
}

/// Whether a signature in base64 is that of a message: RSA PKCS#1 v1.5 over its SHA-256.
///
/// Judged by another library than the one that signs.
///
/// # Errors
///
/// The key is not a public key in PEM.
pub(crate) fn verifies(public_pem: &str, message: &[u8], signature: &str) -> Result<bool> {
    let key = PublicKey::from_public_key_pem(public_pem)
        .map_err(|error| anyhow!("the public key is unusable: {error}"))?;
    let Ok(signature) = BASE64.decode(signature) else { return Ok(false) };
    let Ok(signature) = Signature::try_from(signature.as_slice()) else { return Ok(false) };
    Ok(VerifyingKey::<Sha256>::new(key).verify(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{Reply, StatusCode, raised};
    use serde_json::json;

    #[test]
    fn a_reply_about_another_payment_differs_in_its_references_alone() {
        assert_eq!(["pi_42", "0099", "x"].map(raised), ["pi_43", "0100", "x1"]);
        let content = json!({"data": [{"metadata": {"payment_id": "42"}, "id": "42"}], "n": 42});
        let reply = Reply::unsigned(StatusCode::OK, content).about_another(&["payment_id"]);
        let want = json!({"data": [{"metadata": {"payment_id": "43"}, "id": "42"}], "n": 42});
        assert_eq!(reply.content, want);
    }
}
