//! Which answers there must be an event for.

use pay_service::http::Code;
use serde_json::{Value, json};

/// What an API can answer, by function, whatever else is refused on the way.
pub(crate) const API: [(&str, &[&str]); 3] = [
    (
        "create",
        &[
            "ok",
            "replayed",
            "body-too-large",
            "unauthenticated",
            "unsupported-media-type",
            "invalid-request",
            "forbidden",
            "user-not-found",
            "order-not-found",
            "payment-exists",
            "key-reused",
            "order-paid",
            "amount-mismatch",
        ],
    ),
    (
        "detail",
        &[
            "ok",
            "body-too-large",
            "unauthenticated",
            "unsupported-media-type",
            "invalid-request",
            "forbidden",
            "payment-not-found",
        ],
    ),
    (
        "callback",
        &[
            "ok",
            "body-too-large",
            "provider-not-found",
            "bad-signature",
            "unauthenticated",
            "forbidden",
            "unsupported-media-type",
            "invalid-request",
            "user-not-found",
            "order-not-found",
            "payment-not-found",
            "amount-mismatch",
            "record-mismatch",
            "status-conflict",
        ],
    ),
];

/// What only a caller from outside can hear: IAM lets a direct caller in, and there is no header.
pub(super) const API_ONLY: [&str; 5] = [
    "unauthenticated",
    "bad-signature",
    "forbidden",
    "unsupported-media-type",
    "provider-not-found",
];

/// What no event causes: a dependency must be down for the one, and our code wrong for the other.
pub(crate) const NO_EVENT: [Code; 2] = [Code::Unavailable, Code::Internal];

/// How whoever sent an event to callback is thanked.
pub(super) fn thanks(event: &Value) -> Value {
    match event["pathParameters"]["provider"].as_str() {
        None | Some("stripe") => json!({}),
        Some("wechat") => json!({"code": "SUCCESS", "message": "OK"}),
        Some("alipay") => json!("success"),
        Some(other) => panic!("how is {other} thanked?"),
    }
}

/// What WeChat Pay is told instead of a problem.
pub(super) fn wechats_refusal(code: Code) -> Value {
    json!({"code": "FAIL", "message": code.title()})
}
