//! The gateway of the local stack, on a function that echoes, and for CORS on the real functions.

use local::{BODY_MAX, PAYLOAD_MAX, Stack, StackOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::echo::{http, post, stack};
use crate::stage::{options, payment, shared};

#[tokio::test]
async fn the_gateways_own_responses_have_its_wording() {
    let stack = stack().await;
    let not_found = (404, json!({"message": "Not Found"}));
    assert_eq!(post(&stack, "/", &[], b"").await, not_found);
    assert_eq!(post(&stack, "/echo/", &[], b"").await, not_found);
    let get = http().get(format!("{}/echo", stack.api)).send().await.unwrap();
    assert!(get.headers().contains_key("apigw-requestid"));
    assert_eq!(get.status(), 404);

    let too_large = (413, json!({"message": "Request Entity Too Large"}));
    for weight in [BODY_MAX + 1, 2 * BODY_MAX, PAYLOAD_MAX] {
        let response = post(&stack, "/echo", &[], &vec![b'a'; weight]).await;
        assert_eq!(response, too_large, "{weight}");
    }
    let (status, _) = post(&stack, "/echo", &[], &vec![b'a'; PAYLOAD_MAX / 2]).await;
    assert_eq!(status, 200);

    let broken = (500, json!({"message": "Internal Server Error"}));
    for order in ["error", "panic", "exit", "big"] {
        assert_eq!(post(&stack, "/echo", &[("x-do", order)], b"").await, broken, "{order}");
    }
    let (status, bare) = post(&stack, "/echo", &[("x-do", "bare")], b"").await;
    assert_eq!((status, bare), (200, json!({"bare": true})));
}

#[tokio::test]
async fn the_gateway_responds_to_every_odd_request() {
    let stack = stack().await;
    let long = format!("POST /echo?{} HTTP/1.1\r\nHost: x", "a".repeat(60_000));
    let longer = format!("POST /echo?{} HTTP/1.1\r\nHost: x", "a".repeat(70_000));
    for (head, want) in [
        // Rejected by the HTTP server here; a function can still be invoked with such an event.
        ("POST /echo?<> HTTP/1.1\r\nHost: x", 400),
        ("POST /echo?{}|^` HTTP/1.1\r\nHost: x", 200),
        ("POST /echo?%&=&&= HTTP/1.1\r\nHost: x", 200),
        ("POST /echo/%00%ff HTTP/1.1\r\nHost: x", 200),
        (long.as_str(), 200),
        (longer.as_str(), 414),
        ("POST /echo HTTP/1.1\r\nHost: a b", 200),
        ("POST /echo HTTP/1.1\r\nHost: [:::", 200),
        ("POST /echo HTTP/1.1\r\nHost:", 200),
        ("POST /echo HTTP/1.1\r\nx: 1", 200),
        ("POST http://[::1]:9/echo HTTP/1.1\r\nHost: x", 200),
        ("POST * HTTP/1.1\r\nHost: x", 404),
        ("CONNECT a:1 HTTP/1.1\r\nHost: x", 404),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nx: a\x01b", 400),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nx: \u{e9}\t<", 200),
        ("POST /echo HTTP/1.1\r\nx-forwarded-proto: a\r\nx-forwarded-proto: <", 200),
        ("POST /echo HTTP/1.1\r\nHost: x\r\ncontent-type: \u{1f}", 400),
        ("POST /echo HTTP/1.1\r\nHost: x\r\ncookie: ;;=;", 200),
        ("POST /echo HTTP/1.1\r\nHost: x\r\nconnection: close\r\ncontent-length: -1", 400),
        ("nonsense", 400),
    ] {
        let status = raw(&stack, &format!("{head}\r\n\r\n")).await;
        assert_eq!(status, want, "{head:.60}");
    }
}

/// Sends bytes that a well-behaved client would not. The status of the response.
async fn raw(stack: &Stack, request: &str) -> u16 {
    let address = stack.api.strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let mut buffer = [0; 1024];
    while !response.contains(&b'\n') {
        match socket.read(&mut buffer).await.unwrap() {
            0 => panic!("no response to {request:.60}"),
            read => response.extend_from_slice(&buffer[..read]),
        }
    }
    String::from_utf8_lossy(&response).split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_direct_call_gets_the_bare_response_or_a_function_error() {
    let stack = stack().await;
    let event = json!({"a": [1, {"b": null}]});
    assert_eq!(stack.invoke("echo", &event).await.unwrap(), event);

    let call = |name: &str, body: &'static str| {
        let url = format!("{}/2015-03-31/functions/{name}/invocations", stack.api);
        let request = http().post(url).body(body);
        async move {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let failed = response.headers().get("x-amz-function-error").cloned();
            let body = response.bytes().await.unwrap();
            (status, failed.is_some(), serde_json::from_slice::<Value>(&body).unwrap())
        }
    };
    assert_eq!(call("echo", r#"{"a":1}"#).await, (200, false, json!({"a": 1})));
    assert_eq!(call("echo:$LATEST", "").await, (200, false, json!({})));
    let failed = json!({"errorType": "told-to", "errorMessage": "told to fail"});
    assert_eq!(call("echo", r#"{"do":"error"}"#).await, (200, true, failed));
    assert_eq!(call("nobody", "{}").await.0, 404);
    assert_eq!(call("echo", "{").await.0, 400);
}

const PAGE: &str = "http://localhost:5173";

/// The headers of a response that a browser judges by.
async fn of_cors(request: reqwest::RequestBuilder) -> (u16, Vec<(String, String)>) {
    let response = request.send().await.unwrap();
    let headers = response.headers().iter();
    let headers = headers.filter(|(name, _)| name.as_str().starts_with("access-control-"));
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), text(value))).collect();
    headers.sort_unstable();
    (response.status().as_u16(), headers)
}

fn preflight(stack: &Stack, origin: &str) -> reqwest::RequestBuilder {
    let url = format!("{}/api/pay/create", stack.api);
    let request = http().request(reqwest::Method::OPTIONS, url).header("origin", origin);
    request
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,idempotency-key")
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_the_api_and_no_other_page() {
    let cors_origins = vec!["https://shop.example".to_owned(), PAGE.to_owned()];
    let stack = StackOptions { cors_origins, instances: 1, ..options().await };
    let stack = Stack::start(stack).await.unwrap();
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let allowed = [
        ("access-control-allow-headers", "Authorization,Content-Type,Idempotency-Key"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-origin", PAGE),
        ("access-control-max-age", "600"),
    ];
    assert_eq!(of_cors(preflight(&stack, PAGE)).await, (204, allowed.map(pair).to_vec()));
    for other in
        ["http://localhost:5174", "https://localhost:5173", "null", "http://localhost:5173/"]
    {
        assert_eq!(of_cors(preflight(&stack, other)).await, (204, vec![]), "{other}");
    }

    // The response is read by the page, be it a success or a problem.
    let payment = payment(&stack).await;
    let readable = [
        ("access-control-allow-origin", PAGE),
        ("access-control-expose-headers", "Idempotent-Replayed,Retry-After,WWW-Authenticate"),
    ];
    let detail = |token: &str, origin: &str| {
        let request = http().post(format!("{}/api/pay/detail", stack.api)).header("origin", origin);
        let request = request.header("authorization", format!("Bearer {token}"));
        request
            .header("content-type", "application/json")
            .body(json!({"id": payment.id}).to_string())
    };
    let token = stack.payer_token(payment.uid);
    for (token, status) in [(token.as_str(), 200), ("none", 401)] {
        let sent = of_cors(detail(token, PAGE)).await;
        assert_eq!(sent, (status, readable.map(pair).to_vec()));
        assert_eq!(of_cors(detail(token, "https://other.example")).await, (status, vec![]));
    }
}

#[tokio::test]
async fn without_an_allowed_origin_the_api_knows_nothing_of_cors() {
    let stack = shared();
    assert_eq!(of_cors(preflight(stack, PAGE)).await, (404, vec![]));
    let request = http().post(format!("{}/api/pay/detail", stack.api)).header("origin", PAGE);
    assert_eq!(of_cors(request).await, (401, vec![]));
}
