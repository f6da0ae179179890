//! What the gateway makes of a function's answer, and its own answers.
//!
//! Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

/// An answer of the gateway itself.
pub(super) fn message(status: StatusCode, text: &str) -> Response<Body> {
    let body = json!({"message": text}).to_string();
    (status, [("content-type", "application/json")], body).into_response()
}

/// A refusal of Lambda's Invoke API.
pub(super) fn refusal(status: StatusCode, error_type: &str, text: &str) -> Response<Body> {
    let body = json!({"Type": "User", "Message": text}).to_string();
    let headers = [("content-type", "application/json"), ("x-amzn-errortype", error_type)];
    (status, headers, body).into_response()
}

/// The answer in a function's payload, or the gateway's 500 where there is none.
pub(super) fn from_function(payload: &[u8]) -> Response<Body> {
    read(payload)
        .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
}

/// What a function answers in format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: Option<u16>,
    headers: Option<BTreeMap<String, Value>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

fn read(payload: &[u8]) -> Option<Response<Body>> {
    let answer: Value = serde_json::from_slice(payload).ok()?;
    if answer.get("statusCode").is_none() {
        // Without a status the whole payload is the body.
        let body = payload.to_vec();
        return Some(([("content-type", "application/json")], body).into_response());
    }
    let answer: Answer = serde_json::from_value(answer).ok()?;
    let body = answer.body.unwrap_or_default();
    let body = match answer.is_base64_encoded {
        Some(true) => BASE64.decode(body).ok()?,
        Some(false) | None => body.into_bytes(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code?).ok()?;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in answer.headers.unwrap_or_default() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(text).ok()?);
    }
    for cookie in answer.cookies.unwrap_or_default() {
        headers.append("set-cookie", HeaderValue::try_from(cookie).ok()?);
    }
    // The server counts the bytes itself; a wrong count would break the connection.
    headers.remove("content-length");
    headers.remove("transfer-encoding");
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::from_function;

    #[test]
    fn a_payload_becomes_the_answer_it_describes() {
        let answer = from_function(
            br#"{"statusCode":201,"headers":{"Content-Type":"a/b","x-n":1},"cookies":["a=1","b=2"]}"#,
        );
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.headers()["content-type"], "a/b");
        assert_eq!(answer.headers()["x-n"], "1");
        assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
        let bare = from_function(br#"{"id":1}"#);
        assert_eq!(
            (bare.status(), &bare.headers()["content-type"]),
            (200.try_into().unwrap(), &"application/json".parse().unwrap())
        );
    }

    #[test]
    fn a_payload_that_is_no_answer_is_the_gateways_500() {
        for payload in [
            r#"{"statusCode":"two"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":200,"body":"***","isBase64Encoded":true}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"headers":{"a":"b\nc"}}"#,
            "not json",
            "",
        ] {
            assert_eq!(from_function(payload.as_bytes()).status(), 500, "{payload}");
        }
    }
}
