//! The cases of the official libraries, and lines of any kind.

use serde_json::{Value, json};

use super::*;

const STANDARD: &str = include_str!("../../vectors/standard_webhooks.json");
const STRIPE: &str = include_str!("../../vectors/stripe.json");
const WECHAT: &str = include_str!("../../vectors/wechat.json");
const ALIPAY: &str = include_str!("../../vectors/alipay.json");

fn cases(vectors: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter();
    // A case with a `kind` is about one primitive, and is no message.
    cases.filter(|case| case.get("kind").is_none()).cloned().collect()
}

fn answer(line: &Value) -> Value {
    let diagnosis = diagnose(line.to_string().as_bytes(), 0);
    assert!(diagnosis.is_readable(), "{line}");
    serde_json::to_value(&diagnosis).unwrap()
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
    match &case["body_repeat"] {
        Value::Null => case["body"].as_str().unwrap().to_owned(),
        repeat => {
            let times = repeat["count"].as_u64().unwrap().try_into().unwrap();
            repeat["char"].as_str().unwrap().repeat(times)
        }
    }
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
