//! Stripe: signed in one header over the raw bytes, ids of ours in the metadata.
//!
//! Sources: stripe-go `webhooks.go`, stripe-python `_webhook.py`; docs.stripe.com/webhooks.

use std::fmt;

use pay_core::{
    domain::{Digest, Outcome, PaymentId, ProviderTxn, Report, Timestamp},
    json::{Json, Object},
    ports::BadSecret,
};
use ring::hmac;

use super::{
    Headers, Message, Reading, SIGNATURES_MAX, TOLERANCE_SECS, Verifier, WebhookError,
    keys::one_or_more, recent, required,
};

/// The one header: `t=<Unix seconds>,v1=<hex>[,v1=<hex>…][,v0=<hex>]`.
pub const SIGNATURE_HEADER: &str = "stripe-signature";

/// What a message is checked with. Never printed.
#[derive(Clone, Default)]
pub struct StripeKeys {
    secrets: Vec<hmac::Key>,
    livemode: Option<bool>,
}

impl StripeKeys {
    /// Reads the secret's entry: `{"secrets": ["whsec_…"], "livemode": true}`, newest first.
    ///
    /// The key is the whole text, prefix and all. Without `livemode` both modes are taken.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no secret, or one that is empty or has white space in it: an empty key
    /// verifies what everybody can sign, and white space was never meant.
    pub fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let entry = entry.as_object().ok_or(BadSecret("`stripe` is not an object"))?;
        let bad = BadSecret("`stripe` has no list `secrets` of one or more");
        let secrets = one_or_more(entry.get("secrets"), bad)?;
        let secrets = secrets.iter().map(secret).collect::<Result<_, _>>()?;
        let livemode = match entry.get("livemode") {
            None => None,
            Some(mode) => Some(mode.as_bool().ok_or(BadSecret("`livemode` is not true or false"))?),
        };
        Ok(Self { secrets, livemode })
    }
}

fn secret(entry: &Json) -> Result<hmac::Key, BadSecret> {
    let text = entry.as_text().unwrap_or_default();
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(BadSecret("a `stripe` secret is empty or has white space in it"));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
}

impl fmt::Debug for StripeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StripeKeys({} secrets, livemode {:?})", self.secrets.len(), self.livemode)
    }
}

impl Verifier for StripeKeys {
    /// Any `v1` that fits any secret is enough: that is how a secret is rolled. `v0` is a decoy of
    /// test mode, never checked; a `v1` that is no signature is passed over, and so is what comes
    /// after the first sixteen.
    ///
    /// Errors, in the order they are checked:
    /// - [`WebhookError::MissingHeader`], [`WebhookError::Doubled`]: also for a second `t`, as
    ///   gateways join doubled headers.
    /// - [`WebhookError::BadTimestamp`], [`WebhookError::Stale`], [`WebhookError::Early`].
    /// - [`WebhookError::NoSignature`], [`WebhookError::NoKeys`], [`WebhookError::BadSignature`].
    fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Reading, WebhookError> {
        let (timestamp, signatures) = parse(required(headers, SIGNATURE_HEADER)?)?;
        recent(timestamp, now, TOLERANCE_SECS)?;
        if signatures.is_empty() {
            return Err(WebhookError::NoSignature);
        }
        if self.secrets.is_empty() {
            return Err(WebhookError::NoKeys);
        }
        let message = [timestamp.as_bytes(), b".", body].concat();
        let fits = |key: &hmac::Key| {
            let mut looked_at = signatures.iter().take(SIGNATURES_MAX);
            looked_at.any(|tag| hmac::verify(key, &message, &tag.bytes()).is_ok())
        };
        if self.secrets.iter().any(fits) {
            Ok(read(body, self.livemode))
        } else {
            Err(WebhookError::BadSignature)
        }
    }

    fn complete(&self) -> Result<(), BadSecret> {
        self.livemode.map(drop).ok_or(BadSecret("`stripe` has no `livemode`"))
    }
}

/// The header's timestamp, and its `v1` entries that are 64 lower-case hex digits.
fn parse(header: &str) -> Result<(&str, Vec<Digest>), WebhookError> {
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for entry in header.split(',') {
        match entry.split_once('=') {
            // Also where a gateway joined two headers with a comma and a space.
            Some((name, _)) if name.trim_start() == "t" && timestamp.is_some() => {
                return Err(WebhookError::Doubled(SIGNATURE_HEADER));
            }
            Some(("t", text)) => timestamp = Some(text),
            Some(("v1", hex)) => signatures.extend(Digest::from_hex(hex)),
            Some(_) | None => {}
        }
    }
    Ok((timestamp.ok_or(WebhookError::BadTimestamp)?, signatures))
}

/// Reads a message that passed. What Stripe adds is passed over, what it lacks is lacking.
fn read(body: &[u8], expected: Option<bool>) -> Reading {
    let Some(event) = Object::parse(body) else {
        return Reading::Message(Message::unreadable(None));
    };
    if event.text("object") != Some("event") {
        return Reading::Ignored("not an event of the kind that carries its object");
    }
    let object = event.object("data").and_then(|data| data.object("object"));
    let kind = event.text("type").unwrap_or_default();
    let Some((report, txn, amount)) = object.and_then(|object| of_kind(kind, object)) else {
        return Reading::Ignored("no event that moves a payment");
    };
    let text = |name: &str| object.and_then(|object| object.text(name));
    let metadata = object.and_then(|object| object.object("metadata"));
    let livemode = event.get("livemode").and_then(Json::as_bool);
    Reading::Message(Message {
        event_id: event.text("id").map(str::to_owned),
        payment: metadata
            .and_then(|data| data.text("payment_id"))
            .and_then(|id| PaymentId::parse(id).ok()),
        txn: text(txn).and_then(|txn| ProviderTxn::new(txn).ok()),
        amount_minor: object.and_then(|object| object.integer(amount)),
        currency: text("currency").map(str::to_ascii_uppercase),
        report,
        foreign: expected.is_some() && livemode != expected,
    })
}

/// What an event of this type reports of its object, and where the object names the transaction
/// and the amount.
fn of_kind(kind: &str, object: &Object) -> Option<(Report, &'static str, &'static str)> {
    let refunded = object.get("refunded").and_then(Json::as_bool);
    match kind {
        "payment_intent.succeeded" => {
            Some((Report::Outcome(Outcome::Paid), "id", "amount_received"))
        }
        // Not final: the customer may try again.
        "payment_intent.payment_failed" => Some((Report::Outcome(Outcome::Failed), "id", "amount")),
        "payment_intent.canceled" => Some((Report::Outcome(Outcome::Closed), "id", "amount")),
        // True only once all of it went back; `amount_refunded` adds up until then.
        "charge.refunded" if refunded == Some(true) => {
            Some((Report::Outcome(Outcome::Refunded), "payment_intent", "amount"))
        }
        "charge.refunded" => Some((Report::PartialRefund, "payment_intent", "amount")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
