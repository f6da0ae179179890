//! Tokens of every odd kind: one text for all of them.

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

async fn answer(authorization: &str) -> api::Reply {
    let request = api::post(shared(), "detail").header("authorization", authorization);
    request.json(&json!({"id": 1})).send().await
}

#[tokio::test]
async fn a_token_that_does_not_count_is_refused_with_one_text() {
    let stack = shared();
    let before = pids(stack);
    let (now, good) = (clock::now_secs(), stack.payer_token(1));
    answer(&format!("Bearer {good}"))
        .await
        .problem("payment-not-found");
    answer(&format!("bEARER {good}"))
        .await
        .problem("payment-not-found");

    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let claims = json!({"uid": 1, "iat": now, "exp": now + 60});
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        forged(&hs256, &claims.to_string())
    };
    let under = |header: Value| forged(&header, &claims.to_string());
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        forged(&hs256, &claims.to_string())
    };
    let mut odd = vec![
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
        without("exp"),
        without("uid"),
        with("exp", json!((now + 60).to_string())),
        with("exp", json!(1.0e10)),
        with("exp", json!(-1)),
        with("exp", json!(now.saturating_sub(1))),
        with("nbf", json!(now + 1000)),
        with("nbf", json!("0")),
        with("uid", json!("1")),
        with("uid", json!(1.0)),
        with("uid", json!(0)),
        with("uid", json!(-1)),
        with("uid", json!(1_u64 << 53)),
        with("uid", json!([1])),
        forged(
            &hs256,
            &format!(r#"{{"uid":1,"uid":2,"exp":{}}}"#, now + 60),
        ),
        forged(&hs256, "[]"),
        forged(&hs256, "not JSON"),
        tokens::issue("another-secret-of-at-least-32-bytes!", 1, None, now),
    ];
    // One bit of each part.
    let dots: Vec<usize> = good.match_indices('.').map(|(at, _)| at).collect();
    for at in [2, dots[0] + 3, dots[1] + 3] {
        let mut flipped = good.clone().into_bytes();
        flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
        odd.push(String::from_utf8(flipped).unwrap());
    }
    let mut texts = std::collections::BTreeSet::new();
    for token in &odd {
        let mut problem = answer(&format!("Bearer {token}"))
            .await
            .problem("unauthenticated");
        problem["request_id"] = Value::Null;
        texts.insert(problem.to_string());
    }
    for header in [
        "Basic MTox",
        "Bearer",
        "Bearer ",
        &good,
        &format!("Token {good}"),
    ] {
        let mut problem = answer(header).await.problem("unauthenticated");
        problem["request_id"] = Value::Null;
        texts.insert(problem.to_string());
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_unharmed(stack, &before);
}
