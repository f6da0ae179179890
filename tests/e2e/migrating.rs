//! What docs/migrating.md says a client of the go-zero service sees here, request by request.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local::{Stack, clock, tokens};
use reqwest::{Method, RequestBuilder};
use ring::hmac;
use serde_json::{Value, json};

use crate::echo::http;
use crate::readme::{rows, section, workspace_file};
use crate::stage::{Payment, order, payment, shared, user};

/// `{"id":4242}`, compressed by Python's gzip module.
const GZIPPED: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 76, 81, 178, 50, 49, 50, 49, 170, 5, 0, 166, 24,
    171, 74, 11, 0, 0, 0,
];

/// A request as the client of the replaced service sends it: `bearer` in lower case.
fn send(stack: &Stack, path: &str, token: &str, body: impl Into<String>) -> RequestBuilder {
    let request = http().post(format!("{}{path}", stack.api));
    let request = request.header("authorization", format!("bearer {token}"));
    request.header("content-type", "application/json").body(body.into())
}

/// A token with these claims, signed by HS512.
fn hs512(secret: &str, claims: &Value) -> String {
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let head = json!({"alg": "HS512", "typ": "JWT"});
    let message = format!("{}.{}", encode(head.to_string()), encode(claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes());
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// The request of a row of the page.
async fn request(stack: &Stack, row: &str) -> RequestBuilder {
    let (create, detail) = ("/api/pay/create", "/api/pay/detail");
    let made = payment(stack).await;
    let Payment { id, uid, .. } = made;
    let shown = json!({"id": id}).to_string();
    let payer = stack.payer_token(uid);
    let (buyer, oid, ordered) = order(stack);
    let with = |member: &str, value: Value| {
        let mut body = ordered.clone();
        body[member] = value;
        body.to_string()
    };
    let ask = |token: &str| send(stack, detail, token, shown.clone());
    let buy = |body: String| send(stack, create, &stack.payer_token(buyer), body);
    match row {
        "create" => buy(ordered.to_string()),
        "detail of a payment" => ask(&payer),
        "create again" => send(stack, create, &payer, made.request().to_string()),
        "create for an order that does not exist" => buy(with("oid", json!(999_999_999))),
        "create for another user's order" => {
            let other = user(stack);
            send(stack, create, &stack.payer_token(other), with("uid", json!(other)))
        }
        "create with another amount than the order's" => buy(with("amount", json!(99))),
        "create with the amount 0" => buy(with("amount", json!(0))),
        "create in another user's name" => send(stack, create, &payer, ordered.to_string()),
        "detail of a payment that does not exist" => send(stack, detail, &payer, r#"{"id":4242}"#),
        "detail of another user's payment" => ask(&stack.payer_token(buyer)),
        "callback with a user's token" => {
            send(stack, "/api/pay/callback", &payer, made.native(1, 1).to_string())
        }
        "a member is missing" => buy(json!({"uid": buyer, "oid": oid}).to_string()),
        "a member is twice there" => {
            buy(format!(r#"{{"uid":{buyer},"oid":1,"oid":{oid},"amount":100}}"#))
        }
        "a number as text" => send(stack, detail, &payer, format!(r#"{{"id":"{id}"}}"#)),
        "a number with a fraction, `1.0`" => {
            send(stack, detail, &payer, format!(r#"{{"id":{id}.0}}"#))
        }
        "an unknown member" => send(stack, detail, &payer, format!(r#"{{"id":{id},"x":1}}"#)),
        "no JSON" => send(stack, detail, &payer, "{"),
        "a body of 100 KB" => ask(&payer).body(format!("{shown}{}", " ".repeat(100_000))),
        "a body of 2 MB" => ask(&payer).body(format!("{shown}{}", " ".repeat(2_000_000))),
        "a gzip body" => ask(&payer).header("content-encoding", "gzip").body(GZIPPED),
        "no `Content-Type`" => {
            let request = http().post(format!("{}{detail}", stack.api)).body(shown);
            request.header("authorization", format!("bearer {payer}"))
        }
        "`Content-Type: application/json; charset=utf8`" => {
            let request = http().post(format!("{}{detail}", stack.api)).body(shown);
            let request = request.header("content-type", "application/json; charset=utf8");
            request.header("authorization", format!("bearer {payer}"))
        }
        "a slash after the path" => send(stack, "/api/pay/detail/", &payer, shown),
        "a doubled slash" => send(stack, "//api/pay/detail", &payer, shown),
        "another path" => send(stack, "/api/pay/nothing", &payer, shown),
        "another method" => http().request(Method::GET, format!("{}{detail}", stack.api)),
        _ => request_with_a_token(stack, row, made),
    }
}

/// The request of a row about the token: detail of a payment that is there.
fn request_with_a_token(stack: &Stack, row: &str, made: Payment) -> RequestBuilder {
    let now = clock::now_secs();
    let Payment { id, uid, .. } = made;
    let shown = json!({"id": id}).to_string();
    let anonymous = || {
        let request = http().post(format!("{}/api/pay/detail", stack.api)).body(shown.clone());
        request.header("content-type", "application/json")
    };
    let with = |token: &str| anonymous().header("authorization", token);
    let bearer = |token: &str| with(&format!("bearer {token}"));
    let secret = &stack.access_secret;
    let signed = |claims: Value| bearer(&tokens::sign(secret, &claims));
    match row {
        "no token" => anonymous(),
        "an expired token" => signed(json!({"exp": now.saturating_sub(10), "uid": uid})),
        "a token without `exp`" => signed(json!({"uid": uid})),
        "a token without `uid`" => signed(json!({"exp": now.saturating_add(60)})),
        "a token signed with HS512" => {
            let claims = json!({"exp": now.saturating_add(60), "uid": uid});
            bearer(&hs512(secret, &claims))
        }
        "a token with a fraction in `exp`" => {
            let claims = format!(r#"{{"exp":{}.5,"uid":{uid}}}"#, now.saturating_add(60));
            signed(serde_json::from_str(&claims).unwrap())
        }
        "a token without `Bearer` before it" => with(&stack.payer_token(uid)),
        other => panic!("docs/migrating.md has a row without a request: {other}"),
    }
}

/// A response in the words of the page: `200`, ``404 `order-not-found` ``, `404 of API Gateway`.
async fn seen(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    match body["type"].as_str().and_then(|kind| kind.strip_prefix("urn:problem:pay:")) {
        Some(slug) => format!("{status} `{slug}`"),
        None if status == 200 => "200".to_owned(),
        None => format!("{status} of API Gateway"),
    }
}

#[tokio::test]
async fn a_client_of_the_go_zero_service_sees_what_its_page_says() {
    let stack = shared();
    let page = workspace_file("docs/migrating.md");
    let table = rows(section(&page, "What a client sees differently"))
        .filter(|cells| !["request", "---"].contains(&cells[0]));
    let mut requests = BTreeSet::new();
    let mut wrong = Vec::new();
    for cells in table {
        let seen = seen(request(stack, cells[0]).await).await;
        // What follows a comma is about the body.
        if cells[3].split(',').next() != Some(&seen) {
            wrong.push(format!("{}: {seen}", cells[0]));
        }
        assert!(requests.insert(cells[0].to_owned()), "{} is there twice", cells[0]);
    }
    assert_eq!(wrong, [""; 0]);
    assert!(requests.len() >= 33, "{}", requests.len());
}
