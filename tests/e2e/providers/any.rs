//! Any bytes at all: signed or not, whole or broken, they get an answer of the vocabulary.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use local::messages::{Message, Outcome};
use local::{defaults, signing};
use pay_providers::{PaymentProvider, WebhookKeys};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use super::handler::{answer, event};

const NOW_SECS: u64 = 1_800_000_000;

fn keys() -> WebhookKeys {
    WebhookKeys::from_secret(&defaults::webhook_secrets().unwrap().to_string()).unwrap()
}

/// The status that the handler answers this with.
fn status(provider: PaymentProvider, headers: &[(&str, String)], body: &[u8]) -> u64 {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let headers = Value::Object(headers.collect::<Map<String, Value>>());
    let event = event(provider.as_str(), &headers, &BASE64.encode(body), true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(answer(keys(), &event, NOW_SECS));
    answer["statusCode"].as_u64().unwrap()
}

fn providers() -> impl Strategy<Value = PaymentProvider> {
    prop_oneof![
        Just(PaymentProvider::Stripe),
        Just(PaymentProvider::WeChat),
        Just(PaymentProvider::Alipay),
    ]
}

/// The bytes as the provider would sign them.
fn signed(provider: PaymentProvider, body: &[u8]) -> (Vec<(&'static str, String)>, Vec<u8>) {
    match provider {
        PaymentProvider::Stripe => {
            let headers = signing::stripe(defaults::STRIPE_SECRET, NOW_SECS, body);
            (headers.to_vec(), body.to_vec())
        }
        PaymentProvider::WeChat => {
            (signing::wechat(NOW_SECS, "nonce", body).unwrap().to_vec(), body.to_vec())
        }
        PaymentProvider::Alipay => {
            let mut fields: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
            fields.sort_unstable();
            fields.dedup_by(|one, other| one.0 == other.0);
            fields.retain(|(name, _)| name != "charset");
            (Vec::new(), signing::alipay(&fields).unwrap().into_bytes())
        }
    }
}

/// A message with a few of its bytes changed.
fn broken() -> impl Strategy<Value = (PaymentProvider, Vec<u8>)> {
    let changes = proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4);
    (providers(), changes).prop_map(|(provider, changes)| {
        let message = Message { now_secs: NOW_SECS, ..Message::new(42, 100, Outcome::Paid) };
        let mut body = message.body(provider).unwrap();
        for (at, byte) in changes {
            let at = at.checked_rem(body.len()).unwrap();
            body[at] = byte;
        }
        (provider, body)
    })
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 96, failure_persistence: None, ..<_>::default() })]

    /// What is genuine is thanked for or, where its seal is of another key, asked for again.
    #[test]
    fn whatever_is_signed_is_taken(
        provider in providers(),
        body in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let (headers, body) = signed(provider, &body);
        assert_eq!(status(provider, &headers, &body), 200);
    }

    #[test]
    fn a_broken_message_that_is_signed_is_taken((provider, body) in broken()) {
        let (headers, body) = signed(provider, &body);
        let status = status(provider, &headers, &body);
        let sealed = provider == PaymentProvider::WeChat;
        assert!(status == 200 || (sealed && status == 503), "{status}");
    }

    /// What is not is refused, whatever it looks like.
    #[test]
    fn whatever_is_not_signed_is_refused(
        provider in providers(),
        body in proptest::collection::vec(any::<u8>(), 0..400),
        value in "[ -~]{0,80}",
    ) {
        let (good, _) = signed(provider, &body);
        let headers: Vec<_> = good.iter().map(|(name, _)| (*name, value.clone())).collect();
        assert_eq!(status(provider, &headers, &body), 401);
        assert_eq!(status(provider, &[], &body), 401);
    }

    #[test]
    fn a_signature_of_other_bytes_is_none((provider, body) in broken(), at in any::<usize>()) {
        let (headers, mut body) = signed(provider, &body);
        if provider != PaymentProvider::Alipay && !body.is_empty() {
            let at = at.checked_rem(body.len()).unwrap();
            body[at] ^= 0x20;
            assert_eq!(status(provider, &headers, &body), 401);
        }
    }
}
