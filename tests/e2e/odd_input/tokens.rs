//! Odd tokens: all of them get the same problem.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use local::{binaries, clock, tokens};
use pay_service::auth::TokenFault;
use serde_json::{Value, json};

use crate::echo::eventually;
use crate::stage::{assert_unharmed, own_with, pids, shared};
use crate::{api, operations};

/// A token of this header and these claims, signed with HS256 whatever the header says.
fn forged(header: &Value, claims: &str) -> String {
    let secret = &shared().access_secret;
    let head = BASE64URL.encode(header.to_string());
    let message = format!("{head}.{}", BASE64URL.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64URL.encode(tag))
}

async fn response(operation: &str, authorization: &str) -> api::Reply {
    let request = api::post(shared(), operation).header("authorization", authorization);
    request.json(&json!({"id": 1})).send().await
}

/// Tokens that do not count, one of each kind; the tests of `auth/token` have every case.
fn odd(good: &str, now: u64) -> Vec<String> {
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let soon = now.saturating_add(60);
    let claims = json!({"uid": 1, "iat": now, "exp": soon});
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        forged(&hs256, &claims.to_string())
    };
    vec![
        String::new(),
        "x".repeat(5000),
        format!("{good},{good}"),
        good.replace('.', ""),
        forged(&json!({"alg": "none"}), &claims.to_string()),
        forged(&hs256, "not JSON"),
        forged(&hs256, r#"{"uid":1}"#),
        with("exp", json!(now)),
        with("nbf", json!(soon)),
        with("uid", json!("1")),
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
async fn a_token_that_does_not_count_is_rejected_with_one_text() {
    let stack = shared();
    let before = pids(stack);
    let good = stack.payer_token(1);
    for scheme in ["Bearer ", "bEARER ", ""] {
        response("detail", &format!("{scheme}{good}")).await.problem("payment-not-found");
    }
    let odd = [odd(&good, clock::now_secs()), flipped(&good)].concat();
    let schemes = ["Basic MTox", "Bearer", "Bearer "].map(str::to_owned);
    let headers = odd.into_iter().map(|token| format!("Bearer {token}"));
    let headers = headers.chain(schemes).chain([format!("{good} x"), format!("Token {good}")]);
    let mut texts = BTreeSet::new();
    for header in headers {
        for operation in operations::of_payers() {
            let mut problem = response(operation, &header).await.problem("unauthenticated");
            problem["request_id"] = Value::Null;
            texts.insert(problem.to_string());
        }
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_unharmed(stack, &before);
}

/// The same for services: their tokens need no uid, but exactly the right scope.
#[tokio::test]
async fn an_odd_token_does_not_authorize_a_callback() {
    let stack = shared();
    let good = stack.service_token();
    response("callback", &format!("Bearer {good}")).await.problem("invalid-request");
    let now = clock::now_secs();
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let scoped = |scope: Value| {
        let claims = json!({"uid": 1, "iat": now, "exp": now.saturating_add(60), "scope": scope});
        forged(&hs256, &claims.to_string())
    };
    let timed = |iat: Value, life: u64| {
        let exp = now.saturating_add(life);
        let claims = json!({"uid": 1, "iat": iat, "exp": exp, "scope": "pay:callback"});
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
        (timed(json!(now), 86_400), "invalid-request"),
        (timed(json!(now), 86_401), "unauthenticated"),
        (timed(Value::Null, 60), "unauthenticated"),
    ] {
        response("callback", &format!("Bearer {token}")).await.problem(slug);
    }
    for token in flipped(&good) {
        response("callback", &format!("Bearer {token}")).await.problem("unauthenticated");
    }
}

/// The response has one text for all of them; the log and a metric say which it was.
#[tokio::test]
async fn each_fault_of_a_token_has_its_reason_in_the_log_and_in_a_metric() {
    let stack = own_with(&[("JWT_ISSUER", "mall"), ("JWT_AUDIENCE", "pay")]).await;
    let now = clock::now_secs();
    let hs256 = json!({"alg": "HS256"});
    let token = |name: &str, value: Value| {
        let mut claims =
            json!({"uid": 1, "iat": now, "exp": now + 60, "iss": "mall", "aud": "pay"});
        claims[name] = value;
        format!("Bearer {}", forged(&hs256, &claims.to_string()))
    };
    let good = token("uid", json!(1));
    let (message, _) = good.rsplit_once('.').unwrap();
    let long = json!({"exp": now + 90_000, "iat": now, "scope": "pay:callback", "iss": "mall",
                      "aud": "pay"});
    let long = format!("Bearer {}", forged(&hs256, &long.to_string()));
    let of_payers = [
        ("scheme-not-bearer", format!("Basic {message}")),
        ("too-long", format!("Bearer {}", "x".repeat(5000))),
        ("malformed", format!("Bearer {message}.")),
        ("algorithm", format!("Bearer {}", forged(&json!({"alg": "none"}), "{}"))),
        ("signature", format!("{message}.{}", "A".repeat(43))),
        ("claims-not-json", format!("Bearer {}", forged(&hs256, "x"))),
        ("no-expiry", token("exp", json!("soon"))),
        ("expired", token("exp", json!(now))),
        ("not-yet-valid", token("nbf", json!(now + 60))),
        ("issuer", token("iss", json!("Mall"))),
        ("audience", token("aud", json!("other"))),
        ("scope-not-text", token("scope", json!(1))),
        ("no-uid", token("uid", json!("1"))),
        ("service-token", token("scope", json!("pay:callback"))),
    ];
    let mut seen = BTreeSet::new();
    let mut send = async |operation: &str, reason: &'static str, header: Option<&str>| {
        let mut request = api::post(&stack, operation).json(&json!({"id": 1}));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let status = request.send().await.status;
        assert_eq!(status, if ["service-token", "scope"].contains(&reason) { 403 } else { 401 });
        let (logged, counted) =
            (format!(r#""reason":"{reason}""#), format!(r#""Reason":"{reason}""#));
        let is_there = || {
            let logs = stack.logs();
            let of = |what: &str, text: &str| {
                logs.lines().any(|line| line.contains(what) && line.contains(text))
            };
            of("token rejected", &logged) && of("TokensRejected", &counted)
        };
        eventually(reason, is_there).await;
        seen.insert(reason);
    };
    send("detail", "no-header", None).await;
    for (reason, header) in &of_payers {
        send("detail", reason, Some(header)).await;
    }
    send("callback", "lifetime", Some(&long)).await;
    send("callback", "scope", Some(&good)).await;
    let all = TokenFault::ALL.map(TokenFault::as_str);
    assert_eq!(seen, BTreeSet::from(all));
    let table =
        fs::read_to_string(binaries::workspace().unwrap().join("docs/operations.md")).unwrap();
    for reason in all {
        assert!(
            table.contains(&format!("| `{reason}` |")),
            "{reason} is not in docs/operations.md"
        );
    }
    for line in stack.logs().lines() {
        assert!(!line.contains("eyJ"), "{line}");
    }
}
