//! The official suites' own cases through the handler itself, at their own time: as plain text and
//! in base64, whatever the store makes of what they say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_providers::WebhookKeys;
use serde_json::{Value, json};

use super::handler::{answer, event};

/// One case: what is sent, with which entry of the secret, and the verdict.
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
        // Of a signature or a seal alone, without a message.
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
    all.extend(cases(
        "standard",
        include_str!("../../../shared/providers/vectors/standard_webhooks.json"),
        standard,
    ));
    all.extend(cases(
        "stripe",
        include_str!("../../../shared/providers/vectors/stripe.json"),
        stripe,
    ));
    all.extend(cases(
        "wechat",
        include_str!("../../../shared/providers/vectors/wechat.json"),
        wechat,
    ));
    all.extend(cases(
        "alipay",
        include_str!("../../../shared/providers/vectors/alipay.json"),
        alipay,
    ));
    all
}

#[tokio::test]
async fn the_official_vectors_get_their_verdicts_from_the_handler() {
    let (mut accepted, mut refused, mut unusable) = (0, 0, 0);
    for case in all() {
        let secret = json!({case.provider: case.entry}).to_string();
        let Ok(secret) = WebhookKeys::from_secret(&secret) else {
            // One comes with an empty secret and a header that is refused before it is looked at.
            let told = case.expect == "config_error" || case.name == "stripe-dotnet-012";
            assert!(told, "{}", case.name);
            unusable += 1;
            continue;
        };
        for encoded in [false, true] {
            let body = match (encoded, String::from_utf8(case.body.clone())) {
                (false, Ok(text)) => text,
                (false, Err(_)) => continue,
                (true, _) => BASE64.encode(&case.body),
            };
            let event = event(case.provider, &case.headers, &body, encoded);
            let answer = answer(secret.clone(), &event, case.now_secs).await;
            let status = answer["statusCode"].as_u64().unwrap();
            let told = format!("{} in base64: {encoded}: {answer}", case.name);
            match (case.expect.as_str(), case.provider) {
                // Genuine, and then not a native body: its type is not even said.
                ("accept", "standard") => assert_eq!(status, 415, "{told}"),
                ("accept", _) => assert_eq!(status, 200, "{told}"),
                _ => assert_eq!(status, 401, "{told}"),
            }
            if case.expect == "accept" { accepted += 1 } else { refused += 1 }
        }
    }
    assert_eq!((accepted, refused, unusable), (30, 30, 2));
}
