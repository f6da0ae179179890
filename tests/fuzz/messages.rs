//! Messages of webhooks: headers and a body, signed and not.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue};
use local::messages::{Message, Signed};
use local::simulator::simulator;
use local::{defaults, signing};
use pay_core::domain::{Outcome, Provider};
use pay_providers::{Headers, VerifyError};
use serde_json::{Value, json};

use crate::NOW_SECS;
use crate::change::edited;
use crate::events::RUNTIME;
use crate::handlers::{at, event, response};
use crate::keys::WEBHOOK_KEYS;

pub(crate) type Pairs = Vec<(String, String)>;

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
pub(crate) fn read(text: &[u8]) -> (Pairs, Vec<u8>) {
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
    let headers = Headers::from_pairs(headers);
    let verdict = WEBHOOK_KEYS.verify(provider, &headers, body, at(NOW_SECS));
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
    WEBHOOK_KEYS.verify_standard(&headers, body, at(NOW_SECS)).ok()
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
            let same = is_as_signed((&headers, &body), &signed);
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
fn is_as_signed((headers, body): (&Pairs, &[u8]), signed: &Signed) -> bool {
    let content_type = signed.headers.iter().find(|(name, _)| *name == "content-type").unwrap();
    if is_form(&content_type.1) {
        let fields = |body| {
            let mut fields = fields(body);
            fields.retain(|(name, value)| {
                !["sign", "sign_type"].contains(&&**name) && !value.is_empty()
            });
            fields
        };
        return fields(body) == fields(&signed.body);
    }
    // The time and the id, wherever the provider has them.
    let now = NOW_SECS.to_string();
    let covered = signed.headers.iter().flat_map(|(name, value)| {
        let parts = value.split(',').filter(|part| part.ends_with(&now) || *part == "fixed");
        parts.map(move |part| (name, part))
    });
    let covered: Vec<_> = covered.collect();
    assert!(!covered.is_empty(), "{signed:?}");
    let is_there = |name: &str, part: &str| {
        let mut named = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.any(|(_, given)| given.contains(part))
    };
    body == signed.body && covered.iter().all(|(name, part)| is_there(name, part))
}

fn is_form(content_type: &str) -> bool {
    content_type.starts_with("application/x-www-form-urlencoded")
}

/// The fields of a form, sorted. A byte order mark before it is no part of one.
fn fields(body: &[u8]) -> Pairs {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut fields: Pairs = form_urlencoded::parse(body).into_owned().collect();
    fields.sort_unstable();
    fields
}

/// Every signed message passes and is read, with the same result each time. Only encryption with
/// another key keeps one from being read.
pub(crate) fn every_signed_message_is_read(input: &[u8]) {
    let secret = defaults::WEBHOOK_SECRET;
    let headers = owned(&signing::standard(secret, "msg_1", NOW_SECS, input).unwrap());
    assert_eq!(passes_standard(&headers, input).as_deref(), Some("msg_1"));

    for provider in Provider::ALL.iter().copied() {
        let simulator = simulator(provider);
        let encode = |content: &Value| (simulator.encode)(content).unwrap();
        let bare = if is_form(simulator.content_type) { form(input) } else { input.to_vec() };
        let clear = encode(&json!({"resource": "clear"}));
        let encrypts = !String::from_utf8(clear).unwrap().contains("clear");
        for (body, may_be_unreadable) in [(bare, encrypts), (encode(&content(input)), false)] {
            let signed = simulator.sign(None, "nonce", NOW_SECS, &body).unwrap();
            assert_read(provider, &owned(&signed.headers), &signed.body, may_be_unreadable);
        }
    }
}

/// The input as a form without doubled fields, which has the charset that every form has.
fn form(input: &[u8]) -> Vec<u8> {
    let mut fields = fields(input);
    fields.dedup_by(|one, other| one.0 == other.0);
    fields.retain(|(name, _)| name != "charset");
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

/// What a notification says that holds the input.
fn content(input: &[u8]) -> Value {
    let content: Value =
        serde_json::from_slice(input).unwrap_or_else(|_| json!(String::from_utf8_lossy(input)));
    let kind = if input.len().is_multiple_of(2) { "TRANSACTION.SUCCESS" } else { "REFUND.SUCCESS" };
    json!({"id": "EV-1", "event_type": kind, "resource": content})
}

fn owned(headers: &[(&'static str, String)]) -> Pairs {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn assert_read(provider: Provider, headers: &Pairs, body: &[u8], may_be_unreadable: bool) {
    let pairs = Headers::from_pairs(headers);
    let verify = || WEBHOOK_KEYS.verify(provider, &pairs, body, at(NOW_SECS));
    let read = verify();
    let unreadable = may_be_unreadable && read == Err(VerifyError::Undecryptable);
    assert!(read.is_ok() || unreadable, "{provider:?} {read:?}");
    assert_eq!(verify(), read);
    let want = if read.is_ok() { 200 } else { 503 };
    assert_eq!(status(provider, headers, body), Some(want), "{provider:?}");
}
