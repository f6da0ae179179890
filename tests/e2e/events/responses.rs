//! Which responses there must be an event for, and what providers get.

use pay_core::domain::Provider;
use pay_providers::{Acknowledgement, adapter};
use pay_service::http::Code;
use serde_json::{Value, json};

/// The outcomes of each function that an event can cause, whatever else stands in its way.
pub(crate) const OUTCOMES: [(&str, &str); 3] = [
    (
        "create",
        "ok replayed body-too-large unauthenticated unsupported-media-type invalid-request forbidden user-not-found order-not-found payment-exists key-reused order-paid amount-mismatch payment-not-found payment-not-payable provider-refused",
    ),
    (
        "detail",
        "ok body-too-large unauthenticated unsupported-media-type invalid-request forbidden payment-not-found",
    ),
    (
        "callback",
        "ok body-too-large provider-not-found bad-signature unauthenticated forbidden unsupported-media-type invalid-request user-not-found order-not-found payment-not-found amount-mismatch record-mismatch status-conflict key-reused payment-not-payable refund-exceeds-payment provider-refused",
    ),
];

/// The outcomes that only a caller through the API can get: IAM authenticates a direct caller, and a
/// direct event has no header.
pub(super) const API_ONLY: [&str; 5] = [
    "unauthenticated",
    "bad-signature",
    "forbidden",
    "unsupported-media-type",
    "provider-not-found",
];

/// The problems that no event causes: a dependency must be down, or our code wrong.
pub(crate) const NO_EVENT: [Code; 2] = [Code::Unavailable, Code::Internal];

/// The provider that an event of callback is from; `None` for a gateway of the shop's own.
pub(super) fn provider(event: &Value) -> Option<Provider> {
    Provider::new(event["pathParameters"]["provider"].as_str()?).ok()
}

/// The body of the success response to an event of callback.
pub(super) fn acknowledgement(event: &Value) -> Value {
    match provider(event).map(|provider| adapter(provider).acknowledgement) {
        None => json!({}),
        Some(Acknowledgement::Json(text)) => serde_json::from_str(text).unwrap(),
        Some(Acknowledgement::Text(text)) => json!(text),
    }
}

/// The body of an error response to an event of a provider that has a form of its own for them.
pub(super) fn rejection(event: &Value, code: Code) -> Option<Value> {
    let write = adapter(provider(event)?).rejection?;
    Some(serde_json::from_str(&write(code.title())).unwrap())
}
