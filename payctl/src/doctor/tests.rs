//! The cases of the official libraries, and lines of any kind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::*;
use local::signing;
use local::simulator::stripe;

const STANDARD: &str = include_str!("../../../shared/providers/vectors/standard_webhooks.json");
const STRIPE: &str = include_str!("../../../shared/providers/vectors/stripe.json");
pub(super) const WECHAT: &str = include_str!("../../../shared/providers/vectors/wechat.json");
pub(super) const ALIPAY: &str = include_str!("../../../shared/providers/vectors/alipay.json");

fn cases(vectors: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    // A case with a `kind` is about one primitive and has no message.
    cases.filter(|case| case.get("kind").is_none()).cloned().collect()
}

pub(super) fn response(line: &Value) -> Value {
    let diagnosis = diagnose(line.to_string().as_bytes(), 0);
    assert!(diagnosis.is_readable(), "{line}");
    let response = serde_json::to_value(&diagnosis).unwrap();
    let printed = response.to_string();
    for secret in ["canary", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "BEGIN PUBLIC KEY-----\\n"] {
        assert!(!printed.contains(secret), "it prints a key: {printed}");
    }
    response
}

/// The time of the messages of these tests.
pub(super) const NOW: u64 = 1_700_000_000;
pub(super) const BODY: &[u8] = b"{}";
pub(super) const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(super) const STRIPE_SECRET: &str = "whsec_canary";

pub(super) fn line(provider: &str, headers: &[(&str, String)], body: &[u8], keys: &Value) -> Value {
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
    let headers = stripe::sign(STRIPE_SECRET, NOW, body);
    line("stripe", &headers, body, &json!({"secrets": [STRIPE_SECRET]}))
}

pub(super) fn with_keys(line: &Value, keys: Value) -> Value {
    let mut line = line.clone();
    line["keys"] = keys;
    line
}

pub(super) fn stripe_with(secret: &str) -> Value {
    with_keys(&stripe_line(BODY), json!({"secrets": [secret]}))
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

/// The hint for a message that must not be accepted.
pub(super) fn hint(line: &Value) -> String {
    let response = response(line);
    assert_ne!(response["verdict"], "accept", "{line}");
    let hint = response["hint"].as_str();
    hint.unwrap_or_else(|| panic!("no hint for {line}: {response}")).to_owned()
}

/// What is read of a line.
pub(super) fn case(line: &Value, now_secs: u64) -> Case {
    Case::read(&case::object(line.to_string().as_bytes()).unwrap(), now_secs).unwrap()
}

/// Asserts that a message is not accepted and has no hint.
pub(super) fn no_hint(line: &Value) {
    let response = response(line);
    assert_ne!(response["verdict"], "accept", "{line}");
    assert_eq!(response.get("hint"), None, "{line}");
}

fn assert_verdict(case: &Value, line: &Value) {
    let response = response(line);
    // A space behind a secret: it is "trimmed or refused", says the vector. It is trimmed.
    let trimmed = case["id"] == "stripe-node-004";
    let expect = if trimmed { &json!("accept") } else { &case["expect"] };
    assert_eq!(&response["verdict"], expect, "{} {response}", case["id"]);
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
fn the_cases_of_the_official_libraries_get_their_verdicts() {
    type Read = fn(&Value) -> (Value, Value);
    let table: [(_, _, _, Read); 4] = [
        ("standard", STANDARD, 12, |case| (body(case).into(), list(&case["secret"]))),
        ("stripe", STRIPE, 10, |case| {
            (body(case).into(), json!({"secrets": list(&case["secret"])}))
        }),
        ("wechat", WECHAT, 5, |case| (body(case).into(), json!({"public_keys": case["keys"]}))),
        ("alipay", ALIPAY, 5, |case| {
            (case["form_body"].clone(), json!({"public_keys": [case["public_key"]]}))
        }),
    ];
    for (provider, vectors, count, read) in table {
        let cases = cases(vectors);
        assert_eq!(cases.len(), count, "{provider}");
        for case in cases {
            let (body, keys) = read(&case);
            let now = case["now"].as_u64().unwrap_or(0);
            let mut line = json!({"provider": provider, "body": body, "keys": keys, "now": now,
                                  "headers": case.get("headers").unwrap_or(&json!({}))});
            assert_verdict(&case, &line);
            if let Some(key) = case.get("apiv3_key") {
                line["keys"]["api_v3_key"] = key.clone();
                assert_verdict(&case, &line);
            }
        }
    }
}

#[test]
fn the_members_of_a_response_have_one_order() {
    let order = |line: &Value| {
        let response = serde_json::to_string(&diagnose(line.to_string().as_bytes(), 0)).unwrap();
        let names = ["verdict", "reason", "hint", "ignored", "notification"];
        let places = names.map(|name| response.find(&format!("\"{name}\":")));
        let there: Vec<usize> = places.into_iter().flatten().collect();
        assert!(there.is_sorted(), "{response}");
        names.into_iter().zip(places).filter_map(|(name, at)| at.map(|_| name)).collect::<Vec<_>>()
    };
    assert_eq!(order(&standard_line(b"{}")), ["verdict", "reason"]);
    let body = br#"{"object":"event","livemode":true,"type":"payment_intent.canceled",
        "data":{"object":{}}}"#;
    let mut line = stripe_line(body);
    line["keys"]["livemode"] = false.into();
    assert_eq!(order(&line), ["verdict", "reason", "hint", "notification"]);
    assert_eq!(order(&stripe_line(b"{}")), ["verdict", "reason", "ignored"]);
    let shown = serde_json::to_string(&diagnose(line.to_string().as_bytes(), 0)).unwrap();
    assert!(
        shown.ends_with(
            r#""notification":{"event_id":"1582d0859a3529e083b3395ab8f556b51d63fd1991710b301f9ab55e497bbf66","payment_id":null,"provider_txn":null,"amount":null,"currency":null,"outcome":"closed","wrong_account":true}}"#
        ),
        "{shown}"
    );
    let hint = |line: &Value| response(line)["hint"].clone();
    let quarantined = "it would be quarantined, as one of another account or mode than configured";
    let mode = "expected `livemode=false`, received `livemode=true`";
    assert_eq!(hint(&line), format!("{quarantined}: {mode}"));

    let body = br#"{"object":"event","livemode":true,"type":"payment_intent.canceled",
        "account":"acct_2","data":{"object":{}}}"#;
    let mut line = stripe_line(body);
    line["keys"]["livemode"] = false.into();
    let none = "no `account` is configured, received `account=acct_2`";
    assert_eq!(hint(&line), format!("{quarantined}: {mode}; {none}"));
    line["keys"]["account"] = "acct_1".into();
    let other = "expected `account=acct_1`, received `account=acct_2`";
    assert_eq!(hint(&line), format!("{quarantined}: {mode}; {other}"));
}

#[test]
fn what_waits_for_a_person_is_said() {
    let line = stripe_line(br#"{"object":"event","type":"refund.failed","data":{"object":{}}}"#);
    let hint = "it would be quarantined: outcome: expected nothing, received an unknown `id`";
    assert_eq!(response(&line)["hint"], hint);
}
