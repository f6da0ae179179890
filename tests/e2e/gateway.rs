//! The gateway of the local stack, on a function that echoes.

use local::{BODY_MAX, PAYLOAD_MAX, Stack};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::echo::{http, post, stack};

#[tokio::test]
async fn a_function_sees_a_request_as_the_gateway_describes_it() {
    let stack = stack().await;
    let headers = [("X-Twice", "a"), ("x-twice", "b"), ("content-type", "application/json")];
    let (status, event) = post(&stack, "/echo/a%20b?q=%3C&q=2", &headers, br#"{"a":1}"#).await;
    assert_eq!(status, 200);
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /echo/{name}");
    assert_eq!(event["rawPath"], "/echo/a b");
    assert_eq!(event["rawQueryString"], "q=%3C&q=2");
    assert_eq!(event["queryStringParameters"], json!({"q": "<,2"}));
    assert_eq!(event["pathParameters"], json!({"name": "a b"}));
    assert_eq!(event["headers"]["x-twice"], "a,b");
    assert_eq!(event["body"], r#"{"a":1}"#);
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["requestContext"]["stage"], "$default");
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
}

#[tokio::test]
async fn a_body_that_is_not_text_arrives_in_base64() {
    let stack = stack().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (headers, body) in [(&form[..], &b"a=b"[..]), (&[][..], b"a=b")] {
        let (status, event) = post(&stack, "/echo", headers, body).await;
        assert_eq!(
            (status, &event["body"], &event["isBase64Encoded"]),
            (200, &json!("YT1i"), &json!(true))
        );
    }
}

#[tokio::test]
async fn what_the_gateway_answers_itself_is_worded_as_its() {
    let stack = stack().await;
    let not_found = (404, json!({"message": "Not Found"}));
    assert_eq!(post(&stack, "/", &[], b"").await, not_found);
    assert_eq!(post(&stack, "/echo/", &[], b"").await, not_found);
    let get = http().get(format!("{}/echo", stack.api)).send().await.unwrap();
    assert!(get.headers().contains_key("apigw-requestid"));
    assert_eq!(get.status(), 404);

    let too_large = (413, json!({"message": "Request Entity Too Large"}));
    for weight in [BODY_MAX + 1, 2 * BODY_MAX, PAYLOAD_MAX] {
        let answer = post(&stack, "/echo", &[], &vec![b'a'; weight]).await;
        assert_eq!(answer, too_large, "{weight}");
    }
    let (status, _) = post(&stack, "/echo", &[], &vec![b'a'; PAYLOAD_MAX / 2]).await;
    assert_eq!(status, 200);

    let broken = (500, json!({"message": "Internal Server Error"}));
    for told in ["error", "panic", "exit", "big"] {
        assert_eq!(post(&stack, "/echo", &[("x-do", told)], b"").await, broken, "{told}");
    }
    let (status, bare) = post(&stack, "/echo", &[("x-do", "bare")], b"").await;
    assert_eq!((status, bare), (200, json!({"bare": true})));
}

#[tokio::test]
async fn no_request_is_too_odd_for_the_gateway() {
    let stack = stack().await;
    let long = format!("POST /echo?{} HTTP/1.1\r\nHost: x", "a".repeat(60_000));
    let longer = format!("POST /echo?{} HTTP/1.1\r\nHost: x", "a".repeat(70_000));
    for (head, want) in [
        // Refused by the HTTP server here; to try a function on it, invoke it with such an event.
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

/// Sends bytes that a well-behaved client would not, and answers the status.
async fn raw(stack: &Stack, request: &str) -> u16 {
    let address = stack.api.strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.contains(&b'\n') {
        match socket.read(&mut buffer).await.unwrap() {
            0 => panic!("no answer to {request:.60}"),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_direct_call_gets_the_bare_answer_or_a_function_error() {
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
    let told = json!({"errorType": "told-to", "errorMessage": "told to fail"});
    assert_eq!(call("echo", r#"{"do":"error"}"#).await, (200, true, told));
    assert_eq!(call("nobody", "{}").await.0, 404);
    assert_eq!(call("echo", "{").await.0, 400);
}
