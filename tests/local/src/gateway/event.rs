//! The event of an HTTP API, payload format 2.0.
//!
//! Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs".

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::route::Matched;
use crate::clock;
use crate::defaults::{ACCOUNT, REGION};

/// Name of the API in events.
const API_ID: &str = "local00000";

/// What the event says beyond the request itself.
#[derive(Debug)]
pub(super) struct About<'a> {
    pub(super) source: SocketAddr,
    pub(super) request_id: &'a str,
    pub(super) now_ms: u64,
}

/// A request id as the gateway makes them: 11 bytes in base64.
pub(super) fn request_id() -> String {
    BASE64.encode(clock::random::<11>())
}

/// The event for a request that takes this route.
pub(super) fn build(matched: &Matched<'_>, parts: &Parts, body: &[u8], about: &About<'_>) -> Value {
    let route_key = format!("{} {}", matched.route.method, matched.route.path);
    let path = decode(parts.uri.path(), false);
    let headers = headers(&parts.headers, body.len(), about);
    let host = headers.get(HOST.as_str()).map_or("", String::as_str);
    // The domain is the API's own name: the port is no part of it.
    let domain = host.rsplit_once(':').map_or(host, |(domain, _)| domain);
    let event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": about.source.ip().to_string(),
                "userAgent": headers.get(USER_AGENT.as_str()).map_or("", String::as_str),
            },
            "requestId": about.request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": time(about.now_ms),
            "timeEpoch": about.now_ms,
        },
        "headers": headers,
    });
    let mut optional = Map::new();
    let mut add = |key: &str, value: Value| optional.insert(key.to_owned(), value);
    // What is empty is left out, not sent empty.
    let query = query(parts.uri.query().unwrap_or_default());
    if !query.is_empty() {
        add("queryStringParameters", json!(query));
    }
    if !matched.parameters.is_empty() {
        add("pathParameters", matched.parameters.iter().cloned().collect());
    }
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        add("cookies", json!(cookies));
    }
    match std::str::from_utf8(body) {
        Ok("") => add("isBase64Encoded", json!(false)),
        Ok(text) if is_text(&parts.headers) => {
            add("body", json!(text));
            add("isBase64Encoded", json!(false))
        }
        Ok(_) | Err(_) => {
            add("body", json!(BASE64.encode(body)));
            add("isBase64Encoded", json!(true))
        }
    };
    if let Value::Object(event) = event {
        optional.extend(event);
    }
    Value::Object(optional)
}

/// Whether a body of this content type reaches the function as text. All others, and a body
/// without a type, reach it in base64.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_lowercase();
    essence.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"]
            .contains(&essence.as_str())
}

/// Lower-case names; values of one name joined with a comma; cookies have a field of their own.
fn headers(given: &HeaderMap, length: usize, about: &About<'_>) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in given {
        if name == COOKIE {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    // What the gateway adds on the way.
    let forwarded = headers.entry("x-forwarded-for".to_owned()).or_default();
    if !forwarded.is_empty() {
        forwarded.push_str(", ");
    }
    forwarded.push_str(&about.source.ip().to_string());
    let trace = format!("Root=1-{:08x}-{}", about.now_ms / 1000, "0".repeat(24));
    for (name, value) in [
        ("content-length", length.to_string()),
        ("x-amzn-trace-id", trace),
        ("x-forwarded-port", "443".to_owned()),
        ("x-forwarded-proto", "https".to_owned()),
        ("host", format!("{API_ID}.execute-api.{REGION}.amazonaws.com")),
    ] {
        headers.entry(name.to_owned()).or_insert(value);
    }
    headers
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values =
        headers.get_all(COOKIE).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values
        .flat_map(|value| value.split(';').map(|one| one.trim().to_owned()).collect::<Vec<_>>())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// The parameters of a query, decoded; values of one name joined with a comma.
fn query(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value, true);
        parameters
            .entry(decode(name, true))
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert_with(|| value.clone());
    }
    parameters
}

/// Undoes percent-encoding; what is not a valid escape stays, what is not UTF-8 is replaced.
pub(super) fn decode(text: &str, plus_is_space: bool) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, after) = match (first, tail) {
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', tail),
            },
            (b'+', _) if plus_is_space => (b' ', tail),
            (other, _) => (*other, tail),
        };
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `21/Apr/2020:15:08:21 +0000`
fn time(now_ms: u64) -> String {
    let now = i64::try_from(now_ms / 1000)
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok());
    let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let month: String = now.month().to_string().chars().take(3).collect();
    let (year, day) = (now.year(), now.day());
    let (hour, minute, second) = now.to_hms();
    format!("{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use super::{About, build, decode, time};
    use crate::gateway::route::Matched;
    use crate::template::Route;
    use axum::http::Request;
    use axum::http::request::Builder;
    use serde_json::{Value, json};

    fn event(request: Builder, body: &[u8]) -> Value {
        let route = Route {
            method: "POST".to_owned(),
            path: "/p/{x}".to_owned(),
            function: "f".to_owned(),
        };
        let matched = Matched { route: &route, parameters: vec![("x".to_owned(), "y".to_owned())] };
        let (parts, ()) = request.method("POST").body(()).unwrap().into_parts();
        let about = About {
            source: ([192, 0, 2, 1], 5).into(),
            request_id: "id",
            now_ms: 1_587_481_701_067,
        };
        build(&matched, &parts, body, &about)
    }

    #[test]
    fn an_event_has_the_fields_of_the_published_example() {
        let request = Request::builder()
            .uri("/p/%79?a=1&b=%20+&a=2&c")
            .header("Host", "example.com:8003")
            .header("X-Twice", "1")
            .header("x-twice", "2")
            .header("Cookie", "k=v; l=w")
            .header("User-Agent", "curl")
            .header("X-Forwarded-For", "198.51.100.7")
            .header("Content-Type", "application/json");
        let mut event = event(request, b"{}");
        let headers = event["headers"].take();
        assert_eq!(
            event,
            json!({
                "version": "2.0",
                "routeKey": "POST /p/{x}",
                "rawPath": "/p/y",
                "rawQueryString": "a=1&b=%20+&a=2&c",
                "queryStringParameters": {"a": "1,2", "b": "  ", "c": ""},
                "pathParameters": {"x": "y"},
                "cookies": ["k=v", "l=w"],
                "headers": null,
                "requestContext": {
                    "accountId": "000000000000",
                    "apiId": "local00000",
                    "domainName": "example.com",
                    "domainPrefix": "example",
                    "http": {
                        "method": "POST",
                        "path": "/p/y",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "192.0.2.1",
                        "userAgent": "curl",
                    },
                    "requestId": "id",
                    "routeKey": "POST /p/{x}",
                    "stage": "$default",
                    "time": "21/Apr/2020:15:08:21 +0000",
                    "timeEpoch": 1_587_481_701_067_u64,
                },
                "body": "{}",
                "isBase64Encoded": false,
            })
        );
        assert_eq!(headers["x-twice"], "1,2");
        assert_eq!(headers["x-forwarded-for"], "198.51.100.7, 192.0.2.1");
        assert_eq!(headers["content-length"], "2");
        assert!(headers.get("cookie").is_none());
    }

    #[test]
    fn a_body_is_text_by_its_content_type_and_base64_otherwise() {
        let table: [(Option<&str>, &[u8], bool); 12] = [
            (Some("application/json"), b"{}", false),
            (Some("Application/JSON; charset=utf-8"), b"{}", false),
            (Some("application/xml"), b"<a/>", false),
            (Some("application/javascript"), b"1", false),
            (Some("text/anything"), b"a", false),
            (Some("text/plain"), b"\xff", true),
            (Some("application/x-www-form-urlencoded"), b"a=b", true),
            (Some("application/problem+json"), b"{}", true),
            (Some("application/octet-stream"), b"a", true),
            (Some(""), b"a", true),
            (None, b"a", true),
            (None, b"", false),
        ];
        for (content_type, body, want) in table {
            let mut request = Request::builder().uri("/p/y");
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let event = event(request, body);
            assert_eq!(event["isBase64Encoded"], want, "{content_type:?} {body:?}");
            assert_eq!(event.get("body").is_some(), !body.is_empty(), "{content_type:?}");
        }
    }

    #[test]
    fn decoding_never_fails() {
        for (text, want) in
            [("%41%zz%4", "A%zz%4"), ("%", "%"), ("%ff", "\u{fffd}"), ("a+b", "a b")]
        {
            assert_eq!(decode(text, true), want);
        }
        assert_eq!(time(u64::MAX), "01/Jan/1970:00:00:00 +0000");
    }
}
