//! Tokens of every odd kind: one text for all of them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use local::{clock, tokens};
use serde_json::{Value, json};

use crate::api;
use crate::stage::{assert_unharmed, pids, shared};

/// A token of these parts, signed with HS256 whatever its header says.
fn forged(header: &Value, claims: &str) -> String {
    let secret = &shared().access_secret;
    let head = BASE64URL.encode(header.to_string());
    let message = format!("{head}.{}", BASE64URL.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64URL.encode(tag))
}

async fn answer(operation: &str, authorization: &str) -> api::Reply {
    let request = api::post(shared(), operation).header("authorization", authorization);
    request.json(&json!({"id": 1})).send().await
}

/// Tokens that do not count, signed with the right secret for the most part.
fn odd(good: &str, now: u64) -> Vec<String> {
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let soon = now.saturating_add(60);
    let claims = json!({"uid": 1, "iat": now, "exp": soon});
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        forged(&hs256, &claims.to_string())
    };
    let under = |header: Value| forged(&header, &claims.to_string());
    let doubled = format!(r#"{{"uid":1,"uid":2,"exp":{soon}}}"#);
    let timeless = r#"{"uid":1}"#;
    let nobody = json!({"exp": soon}).to_string();
    let long = json!({"uid": 1, "exp": soon, "x": "x".repeat(4096)}).to_string();
    vec![
        String::new(),
        "x".repeat(5000),
        format!("{good},{good}"),
        format!("{good} {good}"),
        format!("{good}."),
        good.replace('.', ""),
        under(json!({"alg": "none"})),
        under(json!({"alg": "NoNe"})),
        under(json!({"alg": "RS256"})),
        under(json!({"alg": "HS512"})),
        under(json!({"alg": "HS256", "crit": ["exp"]})),
        under(json!({"typ": "JWT"})),
        with("exp", json!(soon.to_string())),
        with("exp", json!(1.0e10)),
        with("exp", json!(-1)),
        with("exp", json!(now)),
        with("exp", json!(now.saturating_sub(1))),
        with("nbf", json!(soon)),
        with("nbf", json!("0")),
        with("uid", Value::Null),
        with("uid", json!("1")),
        with("uid", json!(1.0)),
        with("uid", json!(0)),
        with("uid", json!(-1)),
        with("uid", json!(1_u64 << 53)),
        with("uid", json!([1])),
        forged(&hs256, timeless),
        forged(&hs256, &nobody),
        forged(&hs256, &long),
        forged(&hs256, &doubled),
        forged(&hs256, "[]"),
        forged(&hs256, "not JSON"),
        tokens::issue("another-secret-of-at-least-32-bytes!", 1, None, now),
    ]
}

/// A token with one character of each of its parts changed.
fn flipped(good: &str) -> Vec<String> {
    let inside = |part: &str| good.find(part).map_or(0, |at| at.saturating_add(3));
    let flip = |at: usize| {
        let mut flipped = good.to_owned().into_bytes();
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(flipped).unwrap()
    };
    good.split('.').map(|part| flip(inside(part))).collect()
}

#[tokio::test]
async fn a_token_that_does_not_count_is_refused_with_one_text() {
    let stack = shared();
    let before = pids(stack);
    let good = stack.payer_token(1);
    for scheme in ["Bearer", "bEARER"] {
        answer("detail", &format!("{scheme} {good}")).await.problem("payment-not-found");
    }
    let odd = [odd(&good, clock::now_secs()), flipped(&good)].concat();
    let schemes = ["Basic MTox", "Bearer", "Bearer "].map(str::to_owned);
    let headers = odd.into_iter().map(|token| format!("Bearer {token}"));
    let headers = headers.chain(schemes).chain([good.clone(), format!("Token {good}")]);
    let mut texts = BTreeSet::new();
    for header in headers {
        for operation in ["create", "detail", "list"] {
            let mut problem = answer(operation, &header).await.problem("unauthenticated");
            problem["request_id"] = Value::Null;
            texts.insert(problem.to_string());
        }
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_unharmed(stack, &before);
}

/// The same for services: what names nobody may still be one, but not by an odd scope.
#[tokio::test]
async fn an_odd_token_opens_no_callback() {
    let stack = shared();
    let good = stack.service_token();
    answer("callback", &format!("Bearer {good}")).await.problem("invalid-request");
    let now = clock::now_secs();
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let scoped = |scope: Value| {
        let claims = json!({"uid": 1, "exp": now.saturating_add(60), "scope": scope});
        forged(&hs256, &claims.to_string())
    };
    for (token, slug) in [
        (scoped(json!("")), "forbidden"),
        (scoped(json!("pay:callbacks")), "forbidden"),
        (scoped(json!("PAY:CALLBACK")), "forbidden"),
        (scoped(json!("pay:callback,pay:service")), "forbidden"),
        (scoped(json!(["pay:service"])), "forbidden"),
        (scoped(json!({"pay:callback": true})), "unauthenticated"),
        (scoped(json!(["pay:callback", 1])), "unauthenticated"),
        (scoped(Value::Null), "unauthenticated"),
    ] {
        answer("callback", &format!("Bearer {token}")).await.problem(slug);
    }
    for token in flipped(&good) {
        answer("callback", &format!("Bearer {token}")).await.problem("unauthenticated");
    }
}
