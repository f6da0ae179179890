//! Messages of webhooks: headers and a body, signed and not.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue};
use local::messages::{Message, Signed, seal};
use local::{defaults, signing};
use pay_core::domain::{Outcome, Provider};
use pay_providers::{Headers, VerifyError, standard};
use serde_json::{Value, json};

use crate::NOW_SECS;
use crate::change::edited;
use crate::events::RUNTIME;
use crate::handlers::{at, event, response};
use crate::keys::WEBHOOK_KEYS;

type Pairs = Vec<(String, String)>;

/// A signed message, with its headers or its body changed as the input says.
fn tampered(headers: &[(&'static str, String)], body: &[u8], input: &[u8]) -> (Pairs, Vec<u8>) {
    let (which, changes) = input.split_first().unwrap_or((&0, &[]));
    if which % 4 == 0 || headers.is_empty() {
        return (owned(headers), edited(body, changes));
    }
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
    let head = edited(lines.collect::<String>().as_bytes(), changes);
    read(&[&head, &b"\n"[..], body].concat())
}

/// A message from its text: a line for each header, an empty line, the body.
fn read(text: &[u8]) -> (Pairs, Vec<u8>) {
    let mut headers = Pairs::new();
    let mut rest = text;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(line).into_owned();
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        headers.push((name.to_owned(), value.to_owned()));
    }
    (headers, rest.to_vec())
}

/// Whether it is authentic by the rules of a provider.
fn passes(provider: Provider, headers: &Pairs, body: &[u8]) -> bool {
    let keys = WEBHOOK_KEYS.provider(provider).unwrap();
    let verdict = keys.verify(&Headers::from_pairs(headers), body, at(NOW_SECS));
    matches!(verdict, Ok(_) | Err(VerifyError::Undecryptable))
}

/// The status of callback's response; `None` if the gateway would hand on other headers.
fn status(provider: Provider, headers: &Pairs, body: &[u8]) -> Option<u64> {
    let lower = headers.iter().map(|(name, value)| (name.to_lowercase(), value));
    let known: BTreeMap<String, &String> = lower.collect();
    if known.len() < headers.len() {
        return None;
    }
    let event = event(provider.as_str(), &json!(known), &BASE64.encode(body), true);
    let response = response(WEBHOOK_KEYS.clone(), &event, NOW_SECS);
    RUNTIME.with(|runtime| runtime.block_on(response))["statusCode"].as_u64()
}

/// The id of a message that is authentic by the rules of Standard Webhooks.
fn passes_standard(headers: &Pairs, body: &[u8]) -> Option<String> {
    let headers = Headers::from_pairs(headers);
    standard::verify(&headers, body, WEBHOOK_KEYS.standard(), at(NOW_SECS)).ok()
}

/// A message passes only as it was signed.
pub(crate) fn only_signed_messages_pass(input: &[u8]) {
    let (headers, body) = read(input);
    assert_eq!(passes_standard(&headers, &body), None);
    for provider in Provider::ALL.iter().copied() {
        assert!(!passes(provider, &headers, &body), "{provider:?}");
        // An event with headers that no request can have is unreadable.
        let can_be = |(name, value): &(String, String)| {
            name.parse::<HeaderName>().is_ok() && value.parse::<HeaderValue>().is_ok()
        };
        let odd = !headers.iter().all(can_be);
        let responded = status(provider, &headers, &body);
        let rejected = responded.is_none_or(|status| status == 401 || (odd && status == 400));
        assert!(rejected, "{provider:?} {responded:?} {headers:?}");
    }
    let message = Message {
        id: "fixed".to_owned(),
        now_secs: NOW_SECS,
        ..Message::new(42, 100, Outcome::Paid)
    };
    for provider in Provider::ALL.iter().copied() {
        let signed = message.from(provider).unwrap();
        let (headers, body) = tampered(&signed.headers, &signed.body, input);
        if passes(provider, &headers, &body) {
            let same = is_as_signed(provider, (&headers, &body), &signed);
            assert!(same, "{provider:?} {headers:?} {}", String::from_utf8_lossy(&body));
        }
    }
    let secret = defaults::WEBHOOK_SECRET;
    let good = signing::standard(secret, "msg_1", NOW_SECS, b"{\"id\":1}").unwrap();
    let (headers, body) = tampered(&good, b"{\"id\":1}", input);
    if let Some(id) = passes_standard(&headers, &body) {
        let timestamp = headers.iter().any(|(_, value)| *value == NOW_SECS.to_string());
        assert_eq!((id.as_str(), body.as_slice()), ("msg_1", &b"{\"id\":1}"[..]), "{headers:?}");
        assert!(timestamp, "{headers:?}");
    }
}

/// Whether everything that was signed is unchanged. Of a form these are the fields.
fn is_as_signed(provider: Provider, (headers, body): (&Pairs, &[u8]), signed: &Signed) -> bool {
    let is = |name: &str, value: &str| {
        headers
            .iter()
            .any(|(known, given)| known.eq_ignore_ascii_case(name) && given.contains(value))
    };
    let fields = |body: &[u8]| {
        let fields = form_urlencoded::parse(body).into_owned();
        let mut fields: Vec<_> = fields
            .filter(|(name, value)| !["sign", "sign_type"].contains(&&**name) && !value.is_empty())
            .collect();
        fields.sort_unstable();
        fields
    };
    let now = NOW_SECS.to_string();
    match provider {
        Provider::Stripe => body == signed.body && is("stripe-signature", &format!("t={now}")),
        Provider::WeChat => {
            body == signed.body && is("wechatpay-timestamp", &now) && is("wechatpay-nonce", "fixed")
        }
        Provider::Alipay => fields(body) == fields(&signed.body),
    }
}

/// Every signed message passes and is read, with the same result each time. Only encryption with
/// another key keeps one from being read.
pub(crate) fn every_signed_message_is_read(input: &[u8]) {
    let secret = defaults::WEBHOOK_SECRET;
    let headers = owned(&signing::standard(secret, "msg_1", NOW_SECS, input).unwrap());
    assert_eq!(passes_standard(&headers, input).as_deref(), Some("msg_1"));

    let stripe = owned(&signing::stripe(defaults::STRIPE_SECRET, NOW_SECS, input));
    assert_read(Provider::Stripe, &stripe, input);

    for body in [input.to_vec(), encrypted(input)] {
        let wechat = owned(&signing::wechat(NOW_SECS, "nonce", &body).unwrap());
        assert_read(Provider::WeChat, &wechat, &body);
    }

    let mut fields: Vec<(String, String)> = form_urlencoded::parse(input).into_owned().collect();
    fields.sort_unstable();
    fields.dedup_by(|one, other| one.0 == other.0);
    fields.retain(|(name, _)| name != "charset");
    let form = signing::alipay(&fields).unwrap();
    assert_read(Provider::Alipay, &Pairs::new(), form.as_bytes());
}

/// A notification that holds the input, encrypted with our key.
fn encrypted(input: &[u8]) -> Vec<u8> {
    let content: Value =
        serde_json::from_slice(input).unwrap_or_else(|_| json!(String::from_utf8_lossy(input)));
    let kind = if input.len().is_multiple_of(2) { "TRANSACTION.SUCCESS" } else { "REFUND.SUCCESS" };
    let resource = seal("transaction", &content).unwrap();
    json!({"id": "EV-1", "event_type": kind, "resource": resource}).to_string().into_bytes()
}

fn owned(headers: &[(&'static str, String)]) -> Pairs {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn assert_read(provider: Provider, headers: &Pairs, body: &[u8]) {
    let keys = WEBHOOK_KEYS.provider(provider).unwrap();
    let pairs = Headers::from_pairs(headers);
    let read = keys.verify(&pairs, body, at(NOW_SECS));
    let encrypts = provider == Provider::WeChat;
    let genuine = read.is_ok() || (encrypts && read == Err(VerifyError::Undecryptable));
    assert!(genuine, "{provider:?} {read:?}");
    assert_eq!(keys.verify(&pairs, body, at(NOW_SECS)), read);
    let want = if read.is_ok() { 200 } else { 503 };
    assert_eq!(status(provider, headers, body), Some(want), "{provider:?}");
}
