//! The cases of the official test suites through the handler, at their own time, as plain text and in
//! base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::ports::SecretKeys as _;
use pay_providers::WebhookKeys;
use serde_json::{Value, json};

use crate::handlers::{event, response};

/// A case: what is sent, the entry of the webhook secret, and what is expected.
struct Case {
    name: String,
    provider: &'static str,
    headers: Value,
    body: Vec<u8>,
    entry: Value,
    now_secs: u64,
    expect: String,
}

fn cases(
    provider: &'static str,
    file: &str,
    read: impl Fn(&Value) -> (Vec<u8>, Value),
) -> Vec<Case> {
    let file: Value = serde_json::from_str(file).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    cases
        // Cases of another kind are about a signature or a ciphertext alone.
        .filter(|case| case["kind"].is_null())
        .map(|case| {
            let (body, entry) = read(case);
            Case {
                name: case["id"].as_str().unwrap().to_owned(),
                provider,
                headers: case["headers"].as_object().map_or(json!({}), |given| json!(given)),
                body,
                entry,
                now_secs: case["now"].as_u64().unwrap_or(1_700_000_000),
                expect: case["expect"].as_str().unwrap().to_owned(),
            }
        })
        .collect()
}

fn text(value: &Value) -> Vec<u8> {
    value.as_str().unwrap().as_bytes().to_vec()
}

fn all() -> Vec<Case> {
    let standard = |case: &Value| {
        let body = if let Some(repeat) = case["body_repeat"].as_object() {
            let count = usize::try_from(repeat["count"].as_u64().unwrap()).unwrap();
            text(&repeat["char"]).repeat(count)
        } else {
            text(&case["body"])
        };
        (body, json!([case["secret"]]))
    };
    let stripe = |case: &Value| {
        (text(&case["body"]), json!({"secrets": [case["secret"]], "livemode": false}))
    };
    let wechat = |case: &Value| {
        let entry = json!({
            "public_keys": case["keys"], "mchid": "1", "appid": "1",
            "api_v3_key": "00000000000000000000000000000000",
        });
        (text(&case["body"]), entry)
    };
    let alipay = |case: &Value| {
        let entry = json!({"public_keys": [case["public_key"]], "app_id": "1", "seller_id": "1"});
        (text(&case["form_body"]), entry)
    };
    let mut all = Vec::new();
    macro_rules! vectors {
        ($file:literal) => {
            include_str!(concat!("../../../shared/providers/vectors/", $file))
        };
    }
    all.extend(cases("standard", vectors!("standard_webhooks.json"), standard));
    all.extend(cases("stripe", vectors!("stripe.json"), stripe));
    all.extend(cases("wechat", vectors!("wechat.json"), wechat));
    all.extend(cases("alipay", vectors!("alipay.json"), alipay));
    all
}

#[tokio::test]
async fn the_official_vectors_get_their_verdicts_from_the_handler() {
    let (mut accepted, mut rejected, mut unusable) = (0, 0, 0);
    for case in all() {
        let secret = json!({case.provider: case.entry}).to_string();
        let secret = WebhookKeys::from_secret(&secret).unwrap();
        // One has an empty secret, with which nothing can be judged.
        let is_unusable = case.name == "stripe-dotnet-012";
        assert_eq!(!secret.unusable().is_empty(), is_unusable, "{}", case.name);
        unusable += u32::from(is_unusable);
        // One has a space behind the secret: it is "trimmed or refused", says the vector.
        let trimmed = case.name == "stripe-node-004";
        let expect = if trimmed { "accept" } else { case.expect.as_str() };
        for encoded in [false, true] {
            let body = match (encoded, String::from_utf8(case.body.clone())) {
                (false, Ok(text)) => text,
                (false, Err(_)) => continue,
                (true, _) => BASE64.encode(&case.body),
            };
            let event = event(case.provider, &case.headers, &body, encoded);
            let response = response(secret.clone(), &event, case.now_secs).await;
            let status = response["statusCode"].as_u64().unwrap();
            let shown = format!("{} in base64: {encoded}: {response}", case.name);
            match (expect, case.provider) {
                _ if is_unusable => assert_eq!(status, 503, "{shown}"),
                // Authentic, and then no native body: it has no media type.
                ("accept", "standard") => assert_eq!(status, 415, "{shown}"),
                ("accept", _) => assert_eq!(status, 200, "{shown}"),
                _ => assert_eq!(status, 401, "{shown}"),
            }
            if expect == "accept" { accepted += 1 } else { rejected += 1 }
        }
    }
    assert_eq!((accepted, rejected, unusable), (32, 32, 1));
}
