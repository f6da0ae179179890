//! Requests that are odd as a whole, on each of our own routes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::api::{self, Request, function, send_event};
use crate::operations;
use crate::stage::{Payment, assert_unharmed, payment, pids, shared};

/// A request by a caller who may make it, without a body.
fn by<'a>(operation: &str, uid: u64) -> Request<'a> {
    api::authorized(shared(), operation, uid)
}

/// A valid body of each operation, that of a create for a new order.
fn body(operation: &str, payment: Payment) -> Value {
    let mut body = payment.valid(operation);
    if operation == "create" {
        body["oid"] = shared().shop().add_order(payment.uid, payment.amount).into();
    }
    body
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_rejected_on_every_route() {
    let stack = shared();
    let before = pids(stack);
    let payment = payment(stack).await;
    for operation in operations::on_both_entry_points() {
        let good = body(operation, payment).to_string();
        let members = good.trim_start_matches('{').trim_end_matches('}');
        let with = |rest: &str| format!("{{{members},{rest}}}").into_bytes();
        let array: Vec<Value> = serde_json::from_str::<Value>(&good)
            .unwrap()
            .as_object()
            .unwrap()
            .values()
            .cloned()
            .collect();
        let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
        // One of each kind; the tests of `pay_core::json` have every case.
        for odd in [
            Vec::new(),
            b"null".to_vec(),
            "[".repeat(60_000).into_bytes(),
            json!(array).to_string().into_bytes(),
            format!("[{good}]").into_bytes(),
            json!(good).to_string().into_bytes(),
            format!("\u{feff}{good}").into_bytes(),
            [b"\xff\xfe".to_vec(), utf16.clone()].concat(),
            utf16,
            format!("{good}\n{good}").into_bytes(),
            good.trim_end_matches('}').to_owned().into_bytes(),
            format!("{{{members},{members}}}").into_bytes(),
            with(r#""x":{"a":[{"b":1,"b":1}]}"#),
            with(r#""x":"\udc00\ud800""#),
            with(r#""x":[-1e999]"#),
            with("\"x\":\"\u{0}\""),
            with(&format!("\"x\":{}{}", "[".repeat(32), "]".repeat(32))),
            [format!("{{{members},").as_bytes(), b"\"\xff\":1}"].concat(),
        ] {
            let shown = String::from_utf8_lossy(&odd).chars().take(120).collect::<String>();
            let response = by(operation, payment.uid).text(odd).send().await;
            assert_eq!(response.status, 400, "{operation} {shown:?}: {}", response.body);
            response.problem("invalid-request");
        }
        let deepest = with(&format!("\"x\":{}{}", "[".repeat(31), "]".repeat(31)));
        by(operation, payment.uid).text(deepest).send().await.taken(operation);
    }
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn only_plain_utf8_json_is_accepted_on_every_route() {
    let payment = payment(shared()).await;
    for operation in operations::on_both_entry_points() {
        let text = body(operation, payment).to_string();
        let typed = |kind: &str| {
            by(operation, payment.uid).header("content-type", kind).bytes(text.clone())
        };
        // One of each kind; the tests of `http::api` have every case.
        for bad in ["", "text/plain", "application/json; charset=gbk"] {
            typed(bad).send().await.problem("unsupported-media-type");
        }
        by(operation, payment.uid)
            .bytes(text.clone())
            .send()
            .await
            .problem("unsupported-media-type");
        for encoding in ["gzip", "br", "identity", ""] {
            let encoded = typed("application/json").header("content-encoding", encoding);
            encoded.send().await.problem("unsupported-media-type");
        }
        if operation == "create" {
            continue;
        }
        for good in ["Application/Json;Charset=UTF-8", "application/json; charset=\"utf-8\"; x=y"] {
            typed(good).send().await.taken(operation);
        }
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_accepted() {
    let payment = payment(shared()).await;
    // The callback's limit is in `webhooks`, signed.
    for operation in operations::of_payers() {
        let most = operations::named(operation).body_max;
        let mut wanted = body(operation, payment);
        wanted["x"] = json!("");
        let filler = "x".repeat(most - wanted.to_string().len());
        wanted["x"] = json!(filler);
        let request = by(operation, payment.uid).json(&wanted);
        request.clone().send().await.taken(operation);
        let response = send_event(shared(), function(operation), &request.event()).await;
        let is_done = !["create", "checkout"].contains(&operation);
        assert_eq!(response.status, if is_done { 200 } else { 409 });
        wanted["x"] = json!(format!("{filler}x"));
        let request = by(operation, payment.uid).json(&wanted);
        send_event(shared(), function(operation), &request.event()).await.problem("body-too-large");
        request.send().await.problem("body-too-large");
    }
}

/// Odd parts of an event that are no reason to reject it: where, and what.
fn odd_but_fine() -> Vec<(&'static [&'static str], Value)> {
    vec![
        (&["rawQueryString"], json!("<a>&=%%&\u{1}")),
        (&["rawQueryString"], json!("x".repeat(70 * 1024))),
        (&["rawPath"], json!("//..//%ff")),
        (&["headers", "x-forwarded-port"], json!("not a port")),
        (&["headers", "cookie"], json!("a=b; c")),
        (&["queryStringParameters"], json!({"<": "\u{0}"})),
        (&["cookies"], json!(["", ";;=", "a=b"])),
        (&["headers", "x-forwarded-proto"], json!("https,http")),
        (&["headers", "host"], json!("a b<c>:99999")),
        (&["headers", "traceparent"], json!("00-\u{e9}")),
        (&["requestContext", "http", "sourceIp"], json!("nowhere")),
        (&["requestContext", "authorizer"], json!({"new": [1]})),
        (&["new"], json!({"x": []})),
    ]
}

/// Parts that make an event unreadable.
fn unreadable() -> Vec<(&'static [&'static str], Value)> {
    let junk = ["%", "=", "a", "A=A=", "e30\n", "\u{0}", "é", "e-_"];
    let mut all: Vec<(&'static [&'static str], Value)> = vec![
        (&["headers"], json!({"x": "a\u{1}b"})),
        (&["headers", "x"], json!("a\nb")),
        (&["headers", "x y"], json!("a")),
        (&["headers", "x"], json!(1)),
        (&["headers"], json!("x")),
        (&["headers"], json!([])),
        (&["body"], Value::Null),
        (&["isBase64Encoded"], json!("true")),
        (&["body"], json!([1])),
        (&["version"], json!(2)),
        (&["version"], json!("1.0")),
        (&["version"], Value::Null),
        (&["requestContext"], json!([])),
        (&["requestContext", "http"], json!(1)),
    ];
    let body: &[&str] = &["body"];
    all.extend(junk.map(|junk| (body, json!(junk))));
    all
}

#[tokio::test]
async fn an_odd_event_gets_a_response_on_every_route() {
    let stack = shared();
    let before = pids(stack);
    let payment = payment(stack).await;
    for operation in operations::on_both_entry_points() {
        let send = async |path: &[&str], value: Value| {
            let mut event = by(operation, payment.uid).json(&body(operation, payment)).event();
            *path.iter().fold(&mut event, |event, name| &mut event[*name]) = value;
            send_event(stack, function(operation), &event).await
        };
        for (path, value) in odd_but_fine() {
            send(path, value).await.taken(operation);
        }
        // Of each length modulo three, padded as API Gateway does, and unpadded.
        for filler in ["", "x", "xx"] {
            let mut wanted = body(operation, payment);
            wanted["filler"] = json!(filler);
            let padded = BASE64.encode(wanted.to_string());
            let unpadded = padded.trim_end_matches('=').to_owned();
            send(&["body"], json!(padded)).await;
            let response = send(&["body"], json!(unpadded)).await;
            let is_done = !["create", "checkout", "refund"].contains(&operation);
            assert_eq!(response.status, if is_done { 200 } else { 409 });
        }
        for (path, value) in unreadable() {
            send(path, value).await.problem("invalid-request");
        }
    }
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn other_methods_and_paths_are_not_there() {
    let client = crate::echo::http();
    for (method, path) in [
        ("GET", "/api/pay/callback"),
        ("GET", "/api/pay/create"),
        ("PUT", "/api/pay/detail"),
        ("DELETE", "/api/pay/list"),
        ("PATCH", "/api/pay/callback/stripe"),
        ("POST", "/api/pay/list/"),
        ("POST", "/api/pay/create/"),
        ("POST", "/prod/api/pay/create"),
        ("POST", "/api/pay"),
        ("POST", "/api/pay/callback/stripe/x"),
        ("POST", "/api/pay/callback/"),
        ("POST", "/api/pay/callback/stripe/"),
        ("POST", "/api//pay/create"),
        ("POST", "//api/pay/create"),
        ("POST", "/$default/api/pay/create"),
        ("POST", "/API/PAY/CREATE"),
        ("POST", "/api/pay/create%20"),
        ("POST", "/"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", shared().api);
        let response = client.request(method, url).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(response.text().await.unwrap(), r#"{"message":"Not Found"}"#);
    }
}
