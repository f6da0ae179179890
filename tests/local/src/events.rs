//! Events with placeholders: what a file cannot hold because it ages.
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{{token}}`, `{{token:UID}}` | a payer's token, of user 1 or of `UID` |
//! | `{{expired_token}}` | one of user 1 that ended a second ago |
//! | `{{service_token}}` | the token of a gateway of ours |
//! | `{{now}}`, `{{now-SECONDS}}` | Unix time in seconds, or that long ago |
//! | `{{filler:LENGTH}}` | so many `x` |
//! | `{{NAME}}`, `{{NAME=DEFAULT}}` | a value that the caller gives for `NAME` |
//! | `{{base64}}`, at the start of the body | nothing, and the rest of the body is put in base64 |
//! | `{{content_length}}` | the length of the body in bytes |
//! | `{{signature}}` | Standard Webhooks: `v1,…` over `webhook-id`, `webhook-timestamp` and the body |
//! | `{{stripe_signature}}` | Stripe: `t=…,v1=…` over the present time and the body |
//! | `{{wechat_signature}}` | WeChat Pay: over `wechatpay-timestamp`, `wechatpay-nonce` and the body |
//! | `{{wechat_serial}}` | the serial of the key that made it |
//! | `{{message:PROVIDER:OUTCOME:NAME}}` | the body that a provider sends about the payment that `NAME` names, of 100 |
//!
//! They stand in strings, so that a file is JSON as it is. A string that is nothing but one `NAME`
//! becomes a number if its value is one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_providers::PaymentProvider;
use serde_json::Value;

use crate::messages::{Message, Outcome};
use crate::{clock, defaults, signing, tokens};

/// What the placeholders are filled from.
#[derive(Debug, Clone)]
pub struct Filling {
    /// Signs the tokens.
    pub access_secret: String,
    /// Signs Standard Webhooks.
    pub webhook_secret: String,
    /// Signs Stripe's events.
    pub stripe_secret: String,
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
            stripe_secret: defaults::STRIPE_SECRET.to_owned(),
            now_secs: clock::now_secs(),
            values: BTreeMap::new(),
        }
    }
}

/// Fills an event's text.
///
/// # Errors
///
/// It is not JSON, a placeholder is unknown or has no value, or there is nothing to sign.
pub fn fill(text: &str, filling: &Filling) -> Result<Value> {
    let mut event: Value = serde_json::from_str(text).context("the event is not JSON")?;
    each_text(&mut event, &mut |text| first(text, filling))?;
    encode_body(&mut event);
    // Length and signatures come last: they cover what the others put in.
    let body = body(&event);
    let signatures = Signatures::of(&event, filling, &body);
    each_text(&mut event, &mut |text| {
        let value = |name: &str| match name {
            "content_length" => Ok(Some(body.len().to_string())),
            "stripe_signature" => Ok(Some(signatures.stripe.clone())),
            "wechat_signature" => match &signatures.wechat {
                Ok(signature) => Ok(Some(signature.clone())),
                Err(error) => bail!("{error:#}"),
            },
            "signature" => match &signatures.standard {
                Ok(signature) => Ok(Some(signature.clone())),
                Err(error) => bail!("{error:#}"),
            },
            _ => Ok(None),
        };
        Ok(Value::String(replace(text, value)?))
    })?;
    Ok(event)
}

/// Puts what `change` makes of it in the place of every text.
fn each_text(value: &mut Value, change: &mut dyn FnMut(&str) -> Result<Value>) -> Result<()> {
    match value {
        Value::String(text) => *value = change(text)?,
        Value::Array(values) => values.iter_mut().try_for_each(|one| each_text(one, change))?,
        Value::Object(values) => values.values_mut().try_for_each(|one| each_text(one, change))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

/// A text with its placeholders replaced; those that have no value yet stay.
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

/// A text with all that does not depend on the body.
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

/// A placeholder's value; nothing for one that depends on the body.
fn value(name: &str, filling: &Filling) -> Result<Option<String>> {
    let token = |uid, scope, now| tokens::issue(&filling.access_secret, uid, scope, now);
    let now = filling.now_secs;
    let value = match name {
        "signature" | "stripe_signature" | "wechat_signature" | "content_length" | "base64" => {
            return Ok(None);
        }
        "wechat_serial" => defaults::WECHAT_SERIAL.to_owned(),
        "token" => token(1, None, now),
        "expired_token" => {
            let issued = now.saturating_sub(tokens::LIFETIME_SECS.saturating_add(1));
            token(1, None, issued)
        }
        "service_token" => token(1, Some(tokens::CALLBACK_SCOPE), now),
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

/// What an event's payment amounts to.
const AMOUNT: u64 = 100;

/// A provider's body, by `PROVIDER:OUTCOME:NAME`.
fn message(spec: &str, filling: &Filling) -> Result<String> {
    let mut parts = spec.splitn(3, ':');
    let mut part = || parts.next().unwrap_or_default();
    let provider = PaymentProvider::named(part()).context("there is no such provider")?;
    let outcome = Outcome::named(part()).context("there is no such outcome")?;
    let name = part();
    let payment = given(name, filling)
        .with_context(|| format!("{name} has no value: give it one with --set {name}=VALUE"))?
        .parse()
        .context("the payment is no number")?;
    let message = Message { now_secs: filling.now_secs, ..Message::new(payment, AMOUNT, outcome) };
    Ok(String::from_utf8(message.body(provider)?)?)
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

struct Signatures {
    standard: Result<String>,
    stripe: String,
    wechat: Result<String>,
}

impl Signatures {
    fn of(event: &Value, filling: &Filling, body: &[u8]) -> Self {
        let [(_, stripe)] = signing::stripe(&filling.stripe_secret, filling.now_secs, body);
        Self { standard: standard(event, filling, body), stripe, wechat: wechat(event, body) }
    }
}

fn standard(event: &Value, filling: &Filling, body: &[u8]) -> Result<String> {
    let timestamp =
        header(event, "webhook-timestamp")?.parse().context("webhook-timestamp is no number")?;
    let id = header(event, "webhook-id")?;
    let [_, _, (_, signature)] = signing::standard(&filling.webhook_secret, id, timestamp, body)?;
    Ok(signature)
}

fn wechat(event: &Value, body: &[u8]) -> Result<String> {
    let timestamp = header(event, "wechatpay-timestamp")?
        .parse()
        .context("wechatpay-timestamp is no number")?;
    let nonce = header(event, "wechatpay-nonce")?;
    let [_, _, (_, signature), ..] = signing::wechat(timestamp, nonce, body)?;
    Ok(signature)
}

/// A header that a signature covers.
fn header<'a>(event: &'a Value, name: &str) -> Result<&'a str> {
    let mut headers = event.get("headers").and_then(Value::as_object).into_iter().flatten();
    let found = headers.find(|(given, _)| given.eq_ignore_ascii_case(name));
    let value = found.and_then(|(_, value)| value.as_str());
    value.with_context(|| format!("the signature needs the header {name}"))
}

/// The bytes of a filled event's body: what its sender signed.
#[must_use]
pub fn body(event: &Value) -> Vec<u8> {
    let text = event.get("body").and_then(Value::as_str).unwrap_or_default();
    let encoded = event.get("isBase64Encoded").and_then(Value::as_bool);
    // Junk is signed as it stands: an event may well be about junk.
    let decoded = encoded.filter(|encoded| *encoded).and_then(|_| BASE64.decode(text).ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::{Filling, fill};
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
            let [(_, signature)] = signing::stripe(&filling.stripe_secret, 1000, body);
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
    fn what_cannot_be_filled_is_said() {
        for (text, why) in [
            (r#"{"a": "{{nobody}}"}"#, "--set nobody=VALUE"),
            (r#"{"a": "{{token"}"#, "without its }}"),
            (r#"{"a": {{now}}}"#, "not JSON"),
            (r#"{"a": "{{token:x}}"}"#, "in {{token:x}}"),
            (r#"{"a": "{{signature}}"}"#, "needs the header webhook-"),
            (r#"{"a": "{{wechat_signature}}"}"#, "needs the header wechatpay-"),
            (r#"{"a": "{{message:paypal:paid:oid}}"}"#, "no such provider"),
            (r#"{"a": "{{message:stripe:won:oid}}"}"#, "no such outcome"),
            (r#"{"a": "{{message:stripe:paid:x}}"}"#, "--set x=VALUE"),
            (r#"{"a": "{{message:wechat:failed:oid}}"}"#, "sends no message"),
        ] {
            let error = format!("{:#}", fill(text, &filling()).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
