//! Messages of webhooks: headers and a body, signed and not.

use std::cell::OnceCell;

use local::messages::{Message, Outcome, Signed, seal};
use local::{defaults, signing};
use pay_providers::{Headers, PaymentProvider, WebhookError, WebhookKeys, standard};
use serde_json::{Value, json};

use crate::NOW_SECS;
use crate::change::edited;
use crate::handlers::at;

thread_local! {
    static KEYS: OnceCell<WebhookKeys> = const { OnceCell::new() };
}

fn with_keys<T>(check: impl FnOnce(&WebhookKeys) -> T) -> T {
    let known = || WebhookKeys::from_secret(&defaults::webhook_secrets().unwrap().to_string());
    KEYS.with(|keys| check(keys.get_or_init(|| known().unwrap())))
}

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

/// Whether a provider's rules take it for genuine.
fn passes(provider: PaymentProvider, headers: &Pairs, body: &[u8]) -> bool {
    with_keys(|keys| {
        let keys = keys.provider(provider).unwrap();
        let verdict = keys.verify(&Headers::from_pairs(headers), body, at(NOW_SECS));
        matches!(verdict, Ok(_) | Err(WebhookError::Undecryptable))
    })
}

/// The id that a message passes under by the Standard Webhooks rules.
fn passes_standard(headers: &Pairs, body: &[u8]) -> Option<String> {
    let headers = Headers::from_pairs(headers);
    let verified =
        with_keys(|keys| standard::verify(&headers, body, keys.standard(), at(NOW_SECS)));
    verified.ok().map(|verified| verified.id)
}

/// What is not signed does not pass, nor does what was changed since.
pub(crate) fn only_what_is_signed_passes(input: &[u8]) {
    let (headers, body) = read(input);
    assert_eq!(passes_standard(&headers, &body), None);
    for provider in PaymentProvider::ALL {
        assert!(!passes(provider, &headers, &body), "{provider:?}");
    }
    let message = Message {
        id: "fixed".to_owned(),
        now_secs: NOW_SECS,
        ..Message::new(42, 100, Outcome::Paid)
    };
    for provider in PaymentProvider::ALL {
        let signed = message.from(provider).unwrap();
        let (headers, body) = tampered(&signed.headers, &signed.body, input);
        if passes(provider, &headers, &body) {
            let same = says_the_same(provider, (&headers, &body), &signed);
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

/// Whether all that was signed is as it was. Of a form that is its fields.
fn says_the_same(
    provider: PaymentProvider,
    (headers, body): (&Pairs, &[u8]),
    signed: &Signed,
) -> bool {
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
        PaymentProvider::Stripe => {
            body == signed.body && is("stripe-signature", &format!("t={now}"))
        }
        PaymentProvider::WeChat => {
            body == signed.body && is("wechatpay-timestamp", &now) && is("wechatpay-nonce", "fixed")
        }
        PaymentProvider::Alipay => fields(body) == fields(&signed.body),
    }
}

/// Whatever is signed passes and is read, the same each time; only a seal can be another's.
pub(crate) fn whatever_is_signed_is_read(input: &[u8]) {
    let secret = defaults::WEBHOOK_SECRET;
    let headers = owned(&signing::standard(secret, "msg_1", NOW_SECS, input).unwrap());
    assert_eq!(passes_standard(&headers, input).as_deref(), Some("msg_1"));

    let stripe = owned(&signing::stripe(defaults::STRIPE_SECRET, NOW_SECS, input));
    assert_read(PaymentProvider::Stripe, &stripe, input);

    for body in [input.to_vec(), sealed(input)] {
        let wechat = owned(&signing::wechat(NOW_SECS, "nonce", &body).unwrap());
        assert_read(PaymentProvider::WeChat, &wechat, &body);
    }

    let mut fields: Vec<(String, String)> = form_urlencoded::parse(input).into_owned().collect();
    fields.sort_unstable();
    fields.dedup_by(|one, other| one.0 == other.0);
    fields.retain(|(name, _)| name != "charset");
    let form = signing::alipay(&fields).unwrap();
    assert_read(PaymentProvider::Alipay, &Pairs::new(), form.as_bytes());
}

/// A notification whose seal is ours and holds the input.
fn sealed(input: &[u8]) -> Vec<u8> {
    let held: Value =
        serde_json::from_slice(input).unwrap_or_else(|_| json!(String::from_utf8_lossy(input)));
    let kind = if input.len().is_multiple_of(2) { "TRANSACTION.SUCCESS" } else { "REFUND.SUCCESS" };
    let resource = seal("transaction", &held).unwrap();
    json!({"id": "EV-1", "event_type": kind, "resource": resource}).to_string().into_bytes()
}

fn owned(headers: &[(&'static str, String)]) -> Pairs {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn assert_read(provider: PaymentProvider, headers: &Pairs, body: &[u8]) {
    let headers = Headers::from_pairs(headers);
    with_keys(|keys| {
        let keys = keys.provider(provider).unwrap();
        let read = keys.verify(&headers, body, at(NOW_SECS));
        let sealed = provider == PaymentProvider::WeChat;
        let genuine = read.is_ok() || (sealed && read == Err(WebhookError::Undecryptable));
        assert!(genuine, "{provider:?} {read:?}");
        assert_eq!(keys.verify(&headers, body, at(NOW_SECS)), read);
    });
}
