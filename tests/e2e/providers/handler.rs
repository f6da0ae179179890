//! Messages of providers to the handler of callback in this process.

use pay_core::testing::{FakeShop, FakeStore, Gate};
use pay_providers::WebhookKeys;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::handlers::{Fixed, World, callback};

/// The answer to an event at this time, by a function with this webhook secret.
pub(super) async fn answer(secret: WebhookKeys, event: &Value, now_secs: u64) -> Value {
    let gate = Gate::default();
    let world = World {
        store: FakeStore::behind(gate.clone()),
        shop: FakeShop::behind(gate),
        auth_keys: Fixed::new(None),
        webhook_keys: Fixed::new(Some(secret)),
    };
    let event = RawValue::from_string(event.to_string()).unwrap();
    serde_json::to_value(callback(world, event, now_secs).await.unwrap()).unwrap()
}

/// An event of the gateway for a provider's route, or for our own with `standard`.
pub(super) fn event(provider: &str, headers: &Value, body: &str, encoded: bool) -> Value {
    let own = provider == "standard";
    let path = if own { String::new() } else { format!("/{provider}") };
    let path = format!("/api/pay/callback{path}");
    let mut event = json!({
        "version": "2.0", "routeKey": format!("POST {path}"), "rawPath": path, "headers": headers,
        "requestContext": {"http": {"method": "POST"}}, "body": body, "isBase64Encoded": encoded,
    });
    if !own {
        event["pathParameters"] = json!({"provider": provider});
    }
    event
}
