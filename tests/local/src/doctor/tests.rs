//! The cases of the official libraries, and lines of any kind.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use getrandom::{SysRng, rand_core::UnwrapErr};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::PrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::{Value, json};

use super::*;
use crate::signing;

const STANDARD: &str = include_str!("../../../../shared/providers/vectors/standard_webhooks.json");
const STRIPE: &str = include_str!("../../../../shared/providers/vectors/stripe.json");
pub(super) const WECHAT: &str = include_str!("../../../../shared/providers/vectors/wechat.json");
pub(super) const ALIPAY: &str = include_str!("../../../../shared/providers/vectors/alipay.json");

fn cases(vectors: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    // A case with a `kind` is about one primitive, and is no message.
    cases.filter(|case| case.get("kind").is_none()).cloned().collect()
}

pub(super) fn answer(line: &Value) -> Value {
    let diagnosis = diagnose(line.to_string().as_bytes(), 0);
    assert!(diagnosis.is_readable(), "{line}");
    let answer = serde_json::to_value(&diagnosis).unwrap();
    let told = answer.to_string();
    for secret in ["canary", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "BEGIN PUBLIC KEY-----\\n"] {
        assert!(!told.contains(secret), "a key is told: {told}");
    }
    answer
}

/// The time of the messages that are made here.
pub(super) const NOW: u64 = 1_700_000_000;
pub(super) const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(super) const STRIPE_SECRET: &str = "whsec_canary";

fn line(provider: &str, headers: &[(&str, String)], body: &[u8], keys: &Value) -> Value {
    let headers: Value = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    json!({"provider": provider, "headers": headers, "body_base64": BASE64.encode(body),
           "keys": keys, "now": NOW})
}

/// A genuine message of Standard Webhooks.
pub(super) fn standard_line(body: &[u8]) -> Value {
    let headers = signing::standard(STANDARD_SECRET, "msg_1", NOW, body).unwrap();
    line("standard", &headers, body, &json!([STANDARD_SECRET]))
}

/// A genuine message of Stripe.
pub(super) fn stripe_line(body: &[u8]) -> Value {
    let headers = signing::stripe(STRIPE_SECRET, NOW, body);
    line("stripe", &headers, body, &json!({"secrets": [STRIPE_SECRET]}))
}

/// The genuine message of a case.
pub(super) fn case_line(vectors: &str, id: &str) -> Value {
    let case = cases(vectors).into_iter().find(|case| case["id"] == id).unwrap();
    if vectors == ALIPAY {
        json!({"provider": "alipay", "body_base64": BASE64.encode(text(&case["form_body"])),
               "keys": {"public_keys": [case["public_key"]]}, "now": NOW})
    } else {
        json!({"provider": "wechat", "headers": case["headers"], "now": case["now"],
               "body_base64": BASE64.encode(text(&case["body"])),
               "keys": {"public_keys": case["keys"]}})
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The message with another body than was signed.
pub(super) fn received(line: &Value, body: &[u8]) -> Value {
    let mut line = line.clone();
    line["body_base64"] = BASE64.encode(body).into();
    line
}

/// A provider's RSA keys, made for this run.
pub(super) struct Pair {
    private: RsaKeyPair,
    public_pem: String,
}

impl Pair {
    pub(super) fn one() -> &'static Self {
        static ONE: LazyLock<Pair> = LazyLock::new(|| {
            let key = PrivateKey::new(&mut UnwrapErr(SysRng), 2048).unwrap();
            let public_pem = key.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
            let pkcs8 = key.to_pkcs8_der().unwrap();
            Pair { private: RsaKeyPair::from_pkcs8(pkcs8.as_bytes()).unwrap(), public_pem }
        });
        &ONE
    }

    pub(super) fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The signature of a message, in base64.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        let mut tag = vec![0; self.private.public().modulus_len()];
        self.private.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut tag).unwrap();
        BASE64.encode(tag)
    }
}

/// The hint to a message that must not be accepted.
pub(super) fn hint(line: &Value) -> String {
    let answer = answer(line);
    assert_ne!(answer["verdict"], "accept", "{line}");
    let hint = answer["hint"].as_str();
    hint.unwrap_or_else(|| panic!("no hint to {line}: {answer}")).to_owned()
}

/// That nothing can be proven about a message that must not be accepted.
pub(super) fn no_hint(line: &Value) {
    let answer = answer(line);
    assert_ne!(answer["verdict"], "accept", "{line}");
    assert_eq!(answer.get("hint"), None, "{line}");
}

fn assert_verdict(case: &Value, line: &Value) {
    let answer = answer(line);
    assert_eq!(answer["verdict"], case["expect"], "{} {answer}", case["id"]);
}

/// A secret, or a list of them.
fn list(secret: &Value) -> Value {
    if secret.is_array() { secret.clone() } else { json!([secret]) }
}

fn body(case: &Value) -> String {
    let Some(repeat) = case.get("body_repeat") else {
        return text(&case["body"]).to_owned();
    };
    let times = repeat["count"].as_u64().unwrap().try_into().unwrap();
    text(&repeat["char"]).repeat(times)
}

#[test]
fn the_cases_of_standard_webhooks_get_their_verdicts() {
    let cases = cases(STANDARD);
    assert_eq!(cases.len(), 12);
    for case in cases {
        let line = json!({"provider": "standard", "headers": case["headers"], "body": body(&case),
                          "keys": list(&case["secret"]), "now": case["now"]});
        assert_verdict(&case, &line);
    }
}

#[test]
fn the_cases_of_stripe_get_their_verdicts() {
    let cases = cases(STRIPE);
    assert_eq!(cases.len(), 10);
    for case in cases {
        let line = json!({"provider": "stripe", "headers": case["headers"], "body": case["body"],
                          "keys": {"secrets": list(&case["secret"])}, "now": case["now"]});
        assert_verdict(&case, &line);
    }
}

#[test]
fn the_cases_of_wechat_pay_get_their_verdicts() {
    let cases = cases(WECHAT);
    assert_eq!(cases.len(), 5);
    for case in cases {
        let mut line = json!({"provider": "wechat", "headers": case["headers"],
                              "body": case["body"], "keys": {"public_keys": case["keys"]},
                              "now": case["now"]});
        assert_verdict(&case, &line);
        if let Some(key) = case.get("apiv3_key") {
            line["keys"]["api_v3_key"] = key.clone();
            assert_verdict(&case, &line);
        }
    }
}

#[test]
fn the_cases_of_alipay_get_their_verdicts() {
    let cases = cases(ALIPAY);
    assert_eq!(cases.len(), 5);
    for case in cases {
        let line = json!({"provider": "alipay", "body": case["form_body"],
                          "keys": {"public_keys": [case["public_key"]]}, "now": 0});
        assert_verdict(&case, &line);
    }
}

#[test]
fn the_members_of_an_answer_have_one_order() {
    let order = |line: &Value| {
        let answer = serde_json::to_string(&diagnose(line.to_string().as_bytes(), 0)).unwrap();
        let names = ["verdict", "reason", "hint", "ignored", "says"];
        let places = names.map(|name| answer.find(&format!("\"{name}\":")));
        let there: Vec<usize> = places.into_iter().flatten().collect();
        assert!(there.is_sorted(), "{answer}");
        names.into_iter().zip(places).filter_map(|(name, at)| at.map(|_| name)).collect::<Vec<_>>()
    };
    assert_eq!(order(&standard_line(b"{}")), ["verdict", "reason"]);
    let body = br#"{"object":"event","livemode":true,"type":"payment_intent.canceled",
        "data":{"object":{}}}"#;
    let mut line = stripe_line(body);
    line["keys"]["livemode"] = false.into();
    assert_eq!(order(&line), ["verdict", "reason", "hint", "says"]);
    assert_eq!(order(&stripe_line(b"{}")), ["verdict", "reason", "ignored"]);
    let says = serde_json::to_string(&diagnose(line.to_string().as_bytes(), 0)).unwrap();
    assert!(
        says.ends_with(
            r#""says":{"event_id":null,"payment_id":null,"provider_txn":null,"amount":null,"currency":null,"outcome":"closed","foreign":true}}"#
        ),
        "{says}"
    );
    assert_eq!(
        answer(&line)["hint"],
        "it would be quarantined as another mode's: it is not of the configured `livemode`"
    );
}

/// Text that is much like what messages are made of.
fn likely() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "",
        " ",
        ",",
        ", ",
        "=",
        "&",
        "+",
        "%",
        "%2B",
        "\"",
        "\\",
        "\\n",
        "\\u00e9",
        "\\ud83d",
        "/",
        "\n",
        "{",
        "}",
        "[",
        "]",
        ":",
        "é",
        "😀",
        "\u{feff}",
        "&quot;",
        "t=",
        "v1=",
        "v1,",
        "v1a,",
        "0",
        "1700000000",
        "1700000000000",
        "18446744073709551616",
        "a",
        "e30=",
        "whsec_",
        "whpk_",
        "sign",
        "sign_type",
        "sk_live_",
        "-----BEGIN PUBLIC KEY-----",
        "-----END",
    ]);
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

fn likely_keys() -> impl Strategy<Value = Value> {
    let texts = || prop::collection::vec(prop_oneof![likely(), Just(STANDARD_SECRET.into())], 0..3);
    prop_oneof![
        texts().prop_map(|keys| json!(keys)),
        texts().prop_map(|keys| json!({"secrets": keys, "livemode": true})),
        texts().prop_map(|keys| json!({"public_keys": keys, "app_id": "1"})),
        likely().prop_map(|key| json!({"public_keys": {"s": key}, "api_v3_key": key})),
        Just(json!({"public_keys": {"s": Pair::one().public_pem()}})),
        Just(json!({"public_keys": [Pair::one().public_pem()]})),
        Just(Value::Null),
    ]
}

proptest! {
    #[test]
    fn any_bytes_have_one_line_of_json(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let diagnosis = diagnose(&line, NOW);
        let answer = serde_json::to_string(&diagnosis).unwrap();
        prop_assert!(!answer.contains('\n'));
        prop_assert_eq!(diagnosis.verdict(), Verdict::ConfigError);
        prop_assert!(!diagnosis.is_readable());
    }

    #[test]
    fn any_message_has_one_line_of_json(
        provider in prop::sample::select(vec!["standard", "stripe", "wechat", "alipay"]),
        headers in prop::collection::vec((prop::sample::select(vec![
            "webhook-id", "webhook-timestamp", "webhook-signature", "stripe-signature",
            "svix-id", "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature",
            "wechatpay-serial", "HTTP_STRIPE_SIGNATURE", "",
        ]), likely()), 0..8),
        body in likely(),
        keys in likely_keys(),
        now in any::<u32>(),
    ) {
        let line = json!({"provider": provider, "headers": headers, "body": body, "keys": keys,
                          "now": now});
        let diagnosis = diagnose(line.to_string().as_bytes(), NOW);
        prop_assert!(diagnosis.is_readable());
        prop_assert_ne!(diagnosis.verdict(), Verdict::Accept);
        prop_assert!(!serde_json::to_string(&diagnosis).unwrap().contains('\n'));
    }
}
