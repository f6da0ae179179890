//! What is measured: which function, which variables, which event.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{self, HMAC_SHA256, Key};
use serde::Serialize;
use serde_json::Value;

use crate::services::{RESPONSES, Services};
use crate::workspace;

/// Something to measure.
#[derive(Debug, Serialize)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// The package whose executable does it.
    pub(crate) function: &'static str,
    /// The event, below `events/`.
    event: &'static str,
    /// The calls that it may make: with a plus sign side by side, with a comma one after the other.
    pub(crate) design: &'static str,
}

/// All but the first two ship: the least that a function can be, and what most projects ship.
pub(crate) static OPERATIONS: [Operation; 8] = [
    operation("bare", "bare", "detail/ok", ""),
    operation("defaults", "defaults", "detail/ok", "store, shop"),
    operation("create", "create", "create/ok", "shop + shop + store, store"),
    operation("detail", "detail", "detail/ok", "store"),
    operation("callback", "callback", "callback/ok", "shop + shop + store, store, shop, store"),
    operation("callback-stripe", "callback", "callback/ok-stripe", "store, store, shop, store"),
    operation("detail-by-order", "detail", "detail/ok-oid", "store, store"),
    operation("list", "detail", "detail/ok-list", "store, store"),
];

/// A payment is one of each of these calls.
pub(crate) const OF_A_PAYMENT: [&str; 3] = ["create", "detail", "callback"];

/// The memory size that the template gives each function, in MB.
pub(crate) const MEMORY_MB: u64 = 256;

const fn operation(
    name: &'static str,
    function: &'static str,
    event: &'static str,
    design: &'static str,
) -> Operation {
    Operation { name, function, event, design }
}

impl Operation {
    /// Whether it is measured in every part, not for its hops alone.
    pub(crate) fn is_everyday(&self) -> bool {
        !["detail-by-order", "list"].contains(&self.name)
    }

    pub(crate) fn ships(&self) -> bool {
        !["bare", "defaults"].contains(&self.name)
    }

    pub(crate) fn is_of_a_payment(&self) -> bool {
        OF_A_PAYMENT.contains(&self.name)
    }

    /// The variables of its process: what the template gives a function, and what Lambda does.
    pub(crate) fn environment(&self, services: &Services) -> Vec<(&'static str, String)> {
        let value = |text: &str| {
            text.replace("{aws}", &services.aws.address.to_string())
                .replace("{shop}", &services.shop.address.to_string())
                .replace("{ca}", &services.file("ca.pem"))
                .replace("{roots}", &services.file("roots.pem"))
                .replace("{function}", self.function)
        };
        let lines = include_str!("../fixtures/environment").lines();
        lines
            .filter_map(|line| line.split_once('='))
            .map(|(name, text)| (name, value(text)))
            .collect()
    }

    /// The event as it would be sent now.
    pub(crate) fn event(&self, now_secs: u64) -> Result<String> {
        let path = workspace::file(&format!("events/{}.json", self.event))?;
        let text = std::fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        filled(&text, now_secs).with_context(|| format!("in {}", path.display()))
    }
}

/// Fills what an event's file leaves open: a token valid until 2100, a payment, and signatures.
fn filled(text: &str, now_secs: u64) -> Result<String> {
    let responses: Value = serde_json::from_str(RESPONSES)?;
    let secrets = responses.pointer("/pay~1webhooks/SecretString").context("no secrets")?;
    let secret = |pointer: &str| secrets.pointer(pointer).and_then(Value::as_str).context("no key");
    // Ahead, to last for the longest life: five minutes to either side are accepted.
    let signed_secs = now_secs.saturating_add(240);
    let text = text
        .replace("{{token}}", include_str!("../fixtures/token"))
        .replace("{{now}}", &signed_secs.to_string())
        .replace("{{pending_id}}", "115527352882704")
        .replace("{{pending_oid=1}}", "1");
    let event: Value = serde_json::from_str(&text).context("the event is not JSON")?;
    let member = |pointer| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (id, body) = (member("/headers/webhook-id"), member("/body"));
    let key = STANDARD.decode(secret("/standard/0")?.replace("whsec_", ""))?;
    let standard = STANDARD.encode(mac(&key, &format!("{id}.{signed_secs}.{body}")));
    // Of Stripe's secret the whole text is the key.
    let key = secret("/stripe/secrets/0")?;
    let stripe = mac(key.as_bytes(), &format!("{signed_secs}.{body}"));
    let stripe: Vec<_> = stripe.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let text = text
        .replace("{{content_length}}", &body.len().to_string())
        .replace("{{signature}}", &format!("v1,{standard}"))
        .replace("{{stripe_signature}}", &format!("t={signed_secs},v1={}", stripe.concat()));
    ensure!(!text.contains("{{"), "a placeholder has no value");
    Ok(text)
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&Key::new(HMAC_SHA256, key), text.as_bytes())
}
