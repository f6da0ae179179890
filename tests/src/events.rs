//! Events with placeholders: what a file cannot hold because it ages.
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{{token}}`, `{{token:UID}}` | a payer's token, of user 1 or of `UID` |
//! | `{{service_token}}` | the token of a gateway of ours |
//! | `{{now}}` | Unix time in seconds |
//! | `{{signature}}` | Standard Webhooks: `v1,…` over `webhook-id`, `webhook-timestamp` and the body |
//! | `{{stripe_signature}}` | Stripe: `t=…,v1=…` over the present time and the body |
//! | `{{NAME}}` | a value that the caller gives for `NAME` |

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

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
/// A placeholder is unknown, what comes out is not JSON, or there is nothing to sign.
pub fn fill(text: &str, filling: &Filling) -> Result<Value> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a {{ without its }}")?;
        filled.push_str(before);
        match value(name, filling)? {
            Some(value) => filled.push_str(&value),
            // Signatures come last: they cover what the others put in.
            None => filled.extend(["{{", name, "}}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    let mut event: Value = serde_json::from_str(&filled).context("the filled event is not JSON")?;
    if filled.contains("{{") {
        let signatures = Signatures::of(&event, filling);
        sign(&mut event, &signatures)?;
    }
    Ok(event)
}

/// A placeholder's value; nothing for a signature.
fn value(name: &str, filling: &Filling) -> Result<Option<String>> {
    let token = |uid, scope| tokens::issue(&filling.access_secret, uid, scope, filling.now_secs);
    let value = match name {
        "signature" | "stripe_signature" => return Ok(None),
        "token" => token(1, None),
        "service_token" => token(1, Some(tokens::CALLBACK_SCOPE)),
        "now" => filling.now_secs.to_string(),
        _ => match (name.strip_prefix("token:"), filling.values.get(name)) {
            (Some(uid), _) => token(uid.parse().context("in {{token:UID}}")?, None),
            (None, Some(value)) => value.clone(),
            (None, None) => bail!("the placeholder {{{{{name}}}}} is unknown: give it a value"),
        },
    };
    Ok(Some(value))
}

struct Signatures {
    standard: Result<String>,
    stripe: String,
}

impl Signatures {
    fn of(event: &Value, filling: &Filling) -> Self {
        let body = body(event);
        let [(_, stripe)] = signing::stripe(&filling.stripe_secret, filling.now_secs, &body);
        Self {
            standard: standard(event, filling, &body),
            stripe,
        }
    }
}

fn standard(event: &Value, filling: &Filling, body: &[u8]) -> Result<String> {
    let header = |name: &str| {
        let headers = event.get("headers").and_then(Value::as_object);
        let mut headers = headers.into_iter().flatten();
        let found = headers.find(|(given, _)| given.eq_ignore_ascii_case(name));
        let value = found.and_then(|(_, value)| value.as_str());
        value.with_context(|| format!("{{{{signature}}}} needs the header {name}"))
    };
    let timestamp = header("webhook-timestamp")?
        .parse()
        .context("webhook-timestamp")?;
    let [_, _, (_, signature)] = signing::standard(
        &filling.webhook_secret,
        header("webhook-id")?,
        timestamp,
        body,
    )?;
    Ok(signature)
}

/// The bytes that the sender signed.
fn body(event: &Value) -> Vec<u8> {
    let text = event
        .get("body")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let encoded = event.get("isBase64Encoded").and_then(Value::as_bool);
    // Junk is signed as it stands: an event may well be about junk.
    let decoded = encoded
        .filter(|encoded| *encoded)
        .and_then(|_| BASE64.decode(text).ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

fn sign(value: &mut Value, signatures: &Signatures) -> Result<()> {
    match value {
        Value::String(text) => {
            if text.contains("{{signature}}") {
                match &signatures.standard {
                    Ok(signature) => *text = text.replace("{{signature}}", signature),
                    Err(error) => bail!("{error:#}"),
                }
            }
            *text = text.replace("{{stripe_signature}}", &signatures.stripe);
        }
        Value::Array(values) => values
            .iter_mut()
            .try_for_each(|one| sign(one, signatures))?,
        Value::Object(values) => values
            .values_mut()
            .try_for_each(|one| sign(one, signatures))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Filling, fill};
    use crate::{signing, tokens};
    use serde_json::json;

    fn filling() -> Filling {
        let values = [("oid".to_owned(), "7".to_owned())].into();
        Filling {
            now_secs: 1000,
            values,
            ..Filling::default()
        }
    }

    #[test]
    fn a_signature_covers_the_filled_body_whatever_its_encoding() {
        let filling = filling();
        for (body, encoded) in [(r#"{\"oid\":{{oid}}}"#, false), ("eyJvaWQiOjd9", true)] {
            let text = format!(
                r#"{{"headers": {{"Webhook-Id": "m", "webhook-timestamp": "{{{{now}}}}",
                    "webhook-signature": "v1,x {{{{signature}}}}", "s": "{{{{stripe_signature}}}}"}},
                    "body": "{body}", "isBase64Encoded": {encoded}}}"#
            );
            let event = fill(&text, &filling).unwrap();
            let body = br#"{"oid":7}"#;
            let [_, _, (_, signature)] =
                signing::standard(&filling.webhook_secret, "m", 1000, body).unwrap();
            assert_eq!(
                event["headers"]["webhook-signature"],
                format!("v1,x {signature}")
            );
            let [(_, signature)] = signing::stripe(&filling.stripe_secret, 1000, body);
            assert_eq!(event["headers"]["s"], signature);
        }
    }

    #[test]
    fn tokens_are_fresh_and_numbers_stay_numbers() {
        let text = r#"{"a": "Bearer {{token:5}}", "b": "{{service_token}}", "c": {{oid}}}"#;
        let event = fill(text, &filling()).unwrap();
        let token = |value: &str| tokens::verify(&filling().access_secret, value, 1000).unwrap();
        let payer = event["a"]
            .as_str()
            .unwrap()
            .strip_prefix("Bearer ")
            .unwrap();
        assert_eq!(token(payer), json!({"exp": 87400, "iat": 1000, "uid": 5}));
        assert_eq!(token(event["b"].as_str().unwrap())["scope"], "pay:callback");
        assert_eq!(event["c"], 7);
    }

    #[test]
    fn what_cannot_be_filled_is_said() {
        for (text, why) in [
            (r#"{"a": "{{nobody}}"}"#, "{{nobody}} is unknown"),
            (r#"{"a": "{{token"}"#, "without its }}"),
            (r#"{"a": {{now}}"#, "not JSON"),
            (r#"{"a": "{{token:x}}"}"#, "{{token:UID}}"),
            (r#"{"a": "{{signature}}"}"#, "needs the header webhook-"),
        ] {
            let error = format!("{:#}", fill(text, &filling()).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
