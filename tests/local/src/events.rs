//! Events with placeholders for what expires: tokens, times, signatures.
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{{token}}`, `{{token:UID}}` | a payer's token, of user 1 or of `UID` |
//! | `{{expired_token}}` | a token of user 1 that expired a second ago |
//! | `{{service_token}}` | the token of a gateway of the shop's own |
//! | `{{refund_token}}` | the token of a service of the shop's that may ask for refunds |
//! | `{{now}}`, `{{now-SECONDS}}` | Unix time in seconds, now or so many seconds ago |
//! | `{{filler:LENGTH}}` | so many `x` |
//! | `{{NAME}}`, `{{NAME=DEFAULT}}` | the value that the caller gives for `NAME` |
//! | `{{base64}}`, at the start of the body | nothing; the rest of the body is encoded in base64 |
//! | `{{content_length}}` | the length of the body in bytes |
//! | `{{signature}}` | Standard Webhooks: `v1,…` over `webhook-id`, `webhook-timestamp` and the body |
//! | `{{PROVIDER_…}}`, in a header | a part of a provider's signature over the body, as its [`simulator`] says |
//! | `{{message:PROVIDER:OUTCOME:NAME}}` | the body that a provider sends about the payment that `NAME` names, of 100; the outcome `refunded-in-part` is a refund of 30 |
//!
//! They are in strings, so that a file is valid JSON. A string that consists of one `NAME` becomes
//! a number if its value is one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::{Outcome, Provider};
use serde_json::Value;

use crate::messages::Message;
use crate::{clock, defaults, signing, simulator, tokens};

/// The values for the placeholders.
#[derive(Debug, Clone)]
pub struct Filling {
    /// The secret that signs tokens.
    pub access_secret: String,
    /// The secret that signs Standard Webhooks.
    pub webhook_secret: String,
    /// Unix time in seconds.
    pub now_secs: u64,
    /// Further values, by name.
    pub values: BTreeMap<String, String>,
}

impl Default for Filling {
    fn default() -> Self {
        Self {
            access_secret: defaults::ACCESS_SECRET.to_owned(),
            webhook_secret: defaults::WEBHOOK_SECRET.to_owned(),
            now_secs: clock::now_secs(),
            values: BTreeMap::new(),
        }
    }
}

/// Fills an event's text.
pub fn fill(text: &str, filling: &Filling) -> Result<Value> {
    let mut event: Value = serde_json::from_str(text).context("the event is not JSON")?;
    each_text(&mut event, &mut |text| first(text, filling))?;
    encode_body(&mut event);
    // Length and signatures are last: they cover the other values.
    let headers = event.get("headers").cloned().unwrap_or_default();
    let unsigned = Unsigned { headers, body: body(&event), now_secs: filling.now_secs };
    each_text(&mut event, &mut |text| {
        let value = |name: &str| match name {
            "content_length" => Ok(Some(unsigned.body.len().to_string())),
            "signature" => standard(&unsigned, &filling.webhook_secret).map(Some),
            _ => simulator::placeholder(name).map(|value| value(&unsigned)).transpose(),
        };
        Ok(Value::String(replace(text, value)?))
    })?;
    Ok(event)
}

/// An event that has everything but its length and its signatures.
#[derive(Debug)]
pub struct Unsigned {
    headers: Value,
    /// The bytes of its body.
    pub body: Vec<u8>,
    /// The present, in Unix seconds.
    pub now_secs: u64,
}

impl Unsigned {
    /// A header that a signature covers.
    pub fn header(&self, name: &str) -> Result<&str> {
        let mut headers = self.headers.as_object().into_iter().flatten();
        let found = headers.find(|(given, _)| given.eq_ignore_ascii_case(name));
        let value = found.and_then(|(_, value)| value.as_str());
        value.with_context(|| format!("the signature needs the header {name}"))
    }

    /// A header that a signature covers, and that is a number.
    pub fn number(&self, name: &str) -> Result<u64> {
        self.header(name)?.parse().with_context(|| format!("{name} is not a number"))
    }
}

fn standard(event: &Unsigned, secret: &str) -> Result<String> {
    let timestamp_secs = event.number("webhook-timestamp")?;
    let id = event.header("webhook-id")?;
    let [_, _, (_, signature)] = signing::standard(secret, id, timestamp_secs, &event.body)?;
    Ok(signature)
}

/// Replaces every text by what `change` returns for it.
fn each_text(value: &mut Value, change: &mut dyn FnMut(&str) -> Result<Value>) -> Result<()> {
    match value {
        Value::String(text) => *value = change(text)?,
        Value::Array(values) => values.iter_mut().try_for_each(|one| each_text(one, change))?,
        Value::Object(values) => values.values_mut().try_for_each(|one| each_text(one, change))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

/// A text with its placeholders replaced, but for those without a value so far.
fn replace(text: &str, value: impl Fn(&str) -> Result<Option<String>>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a {{ without its }}")?;
        filled.push_str(before);
        match value(name)? {
            Some(value) => filled.push_str(&value),
            None => filled.extend(["{{", name, "}}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A text with the placeholders filled that do not depend on the body.
fn first(text: &str, filling: &Filling) -> Result<Value> {
    let filled = replace(text, |name| value(name, filling))?;
    let name = text
        .strip_prefix("{{")
        .and_then(|text| text.strip_suffix("}}"))
        .filter(|name| given(name, filling).is_some());
    Ok(match (name, filled.parse::<u64>()) {
        (Some(_), Ok(number)) => Value::from(number),
        (None, _) | (Some(_), Err(_)) => Value::String(filled),
    })
}

/// A placeholder's value; `None` if it depends on the body.
fn value(name: &str, filling: &Filling) -> Result<Option<String>> {
    let token = |uid, scope, now| tokens::issue(&filling.access_secret, uid, scope, now);
    let now = filling.now_secs;
    let value = match name {
        "signature" | "content_length" | "base64" => return Ok(None),
        _ if simulator::placeholder(name).is_some() => return Ok(None),
        "token" => token(1, None, now),
        "expired_token" => {
            let issued = now.saturating_sub(tokens::LIFETIME_SECS.saturating_add(1));
            token(1, None, issued)
        }
        "service_token" => token(1, Some(tokens::CALLBACK_SCOPE), now),
        "refund_token" => token(1, Some(tokens::REFUND_SCOPE), now),
        "now" => now.to_string(),
        _ => {
            let number = |prefix: &str| {
                let text = name.strip_prefix(prefix)?;
                Some(text.parse::<u64>().with_context(|| format!("in {{{{{name}}}}}")))
            };
            if let Some(uid) = number("token:") {
                token(uid?, None, now)
            } else if let Some(ago) = number("now-") {
                now.saturating_sub(ago?).to_string()
            } else if let Some(length) = number("filler:") {
                "x".repeat(usize::try_from(length?)?)
            } else if let Some(spec) = name.strip_prefix("message:") {
                message(spec, filling).with_context(|| format!("in {{{{{name}}}}}"))?
            } else if let Some(value) = given(name, filling) {
                value.to_owned()
            } else {
                bail!("{{{{{name}}}}} has no value: give it one with --set {name}=VALUE")
            }
        }
    };
    Ok(Some(value))
}

/// The amount of an event's payment, in minor units.
const AMOUNT: u64 = 100;

/// How much of it is refunded in part, in minor units.
const PART: u64 = 30;

/// The outcome of a refund of a part.
const REFUNDED_IN_PART: &str = "refunded-in-part";

/// A provider's body, by `PROVIDER:OUTCOME:NAME`.
fn message(spec: &str, filling: &Filling) -> Result<String> {
    let mut parts = spec.splitn(3, ':');
    let mut part = || parts.next().unwrap_or_default();
    let provider = Provider::new(part()).ok().context("there is no such provider")?;
    let (outcome, refund) = match part() {
        REFUNDED_IN_PART => (Some(Outcome::Refunded), Some(PART)),
        word => (Outcome::ALL.into_iter().find(|known| known.as_str() == word), None),
    };
    let outcome = outcome.context("there is no such outcome")?;
    let name = part();
    let payment = given(name, filling)
        .with_context(|| format!("{name} has no value: give it one with --set {name}=VALUE"))?
        .parse()
        .context("the payment is not a number")?;
    let message = Message::new(payment, AMOUNT, outcome);
    let message = Message { now_secs: filling.now_secs, refund, ..message };
    Ok(String::from_utf8(message.from(provider)?.body)?)
}

/// The caller's value for a name, or the name's default.
fn given<'a>(name: &'a str, filling: &'a Filling) -> Option<&'a str> {
    let (name, default) = match name.split_once('=') {
        Some((name, default)) => (name, Some(default)),
        None => (name, None),
    };
    filling.values.get(name).map(String::as_str).or(default)
}

fn encode_body(event: &mut Value) {
    let Some(Value::String(body)) = event.get_mut("body") else {
        return;
    };
    if let Some(text) = body.strip_prefix("{{base64}}") {
        *body = BASE64.encode(text);
    }
}

/// The bytes of a filled event's body: what its sender signed.
#[must_use]
pub fn body(event: &Value) -> Vec<u8> {
    let text = event.get("body").and_then(Value::as_str).unwrap_or_default();
    let encoded = event.get("isBase64Encoded").and_then(Value::as_bool);
    // A body that cannot be decoded is signed as it is: there are events about that.
    let decoded = encoded.filter(|encoded| *encoded).and_then(|_| BASE64.decode(text).ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::{Filling, fill};
    use crate::simulator::stripe;
    use crate::{signing, tokens};
    use serde_json::json;

    fn filling() -> Filling {
        let values = [("oid".to_owned(), "7".to_owned())].into();
        Filling { now_secs: 1000, values, ..Filling::default() }
    }

    #[test]
    fn a_signature_covers_the_filled_body_whatever_its_encoding() {
        let filling = filling();
        for (body, encoded) in [
            (r#"{\"oid\":{{oid}}}"#, false),
            (r#"{{base64}}{\"oid\":{{oid}}}"#, true),
            ("eyJvaWQiOjd9", true),
        ] {
            let text = format!(
                r#"{{"headers": {{"Webhook-Id": "m", "webhook-timestamp": "{{{{now}}}}",
                    "webhook-signature": "v1,x {{{{signature}}}}", "s": "{{{{stripe_signature}}}}",
                    "content-length": "{{{{content_length}}}}"}},
                    "body": "{body}", "isBase64Encoded": {encoded}}}"#
            );
            let event = fill(&text, &filling).unwrap();
            let body = br#"{"oid":7}"#;
            let [_, _, (_, signature)] =
                signing::standard(&filling.webhook_secret, "m", 1000, body).unwrap();
            assert_eq!(event["headers"]["webhook-signature"], format!("v1,x {signature}"));
            let [(_, signature)] = stripe::sign(stripe::SECRET, 1000, body);
            assert_eq!(event["headers"]["s"], signature);
            assert_eq!(event["headers"]["content-length"], "9");
        }
    }

    #[test]
    fn tokens_are_fresh_and_numbers_stay_numbers() {
        let text = r#"{"a": "Bearer {{token:5}}", "b": "{{service_token}}", "c": "{{oid}}",
            "d": "{{other=8}}", "e": "{{oid=9}}.", "f": "{{now-60}}", "g": "{{filler:3}}"}"#;
        let event = fill(text, &filling()).unwrap();
        let token = |value: &str| tokens::verify(&filling().access_secret, value, 1000).unwrap();
        let payer = event["a"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
        assert_eq!(token(payer), json!({"exp": 87400, "iat": 1000, "uid": 5}));
        assert_eq!(token(event["b"].as_str().unwrap())["scope"], "pay:callback");
        assert_eq!(
            [&event["c"], &event["d"], &event["e"], &event["f"], &event["g"]],
            [&json!(7), &json!(8), &json!("7."), &json!("940"), &json!("xxx")]
        );
        let expired = fill(r#"{"a": "{{expired_token}}"}"#, &Filling::default()).unwrap();
        let expired = expired["a"].as_str().unwrap();
        let Filling { access_secret, now_secs, .. } = Filling::default();
        assert!(tokens::verify(&access_secret, expired, now_secs).is_err());
        assert!(tokens::verify(&access_secret, expired, now_secs - 2).is_ok());
    }

    #[test]
    fn what_cannot_be_filled_is_an_error_that_names_it() {
        for (text, why) in [
            (r#"{"a": "{{nobody}}"}"#, "--set nobody=VALUE"),
            (r#"{"a": "{{token"}"#, "without its }}"),
            (r#"{"a": {{now}}}"#, "not JSON"),
            (r#"{"a": "{{token:x}}"}"#, "in {{token:x}}"),
            (r#"{"a": "{{signature}}"}"#, "needs the header webhook-"),
            (r#"{"a": "{{wechat_signature}}"}"#, "needs the header wechatpay-"),
            (r#"{"a": "{{message:no-such-provider:paid:oid}}"}"#, "no such provider"),
            (r#"{"a": "{{message:stripe:won:oid}}"}"#, "no such outcome"),
            (r#"{"a": "{{message:stripe:paid:x}}"}"#, "--set x=VALUE"),
            (r#"{"a": "{{message:wechat:failed:oid}}"}"#, "sends no message"),
        ] {
            let error = format!("{:#}", fill(text, &filling()).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
