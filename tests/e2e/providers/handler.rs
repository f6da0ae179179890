//! The handler of callback in this process, at a time that the test chooses, over a store and a
//! shop in memory.

use std::sync::Arc;

use callback::{App, BODY_MAX, handle};
use lambda_runtime::{Context, LambdaEvent};
use pay::auth::{AuthKey, TokenRules};
use pay::domain::Timestamp;
use pay::http::serve;
use pay::ports::{Generations, Keys, NoKeys};
use pay::testing::{FakeShop, FakeStore, Gate};
use pay::webhooks::WebhookKeys;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Keys that never change; none are none.
struct Fixed<K>(Option<Arc<Generations<K>>>);

impl<K: Send + Sync> Keys<K> for Fixed<K> {
    async fn keys(&self, _now: Timestamp) -> Result<Arc<Generations<K>>, NoKeys> {
        self.0.clone().ok_or_else(|| NoKeys("there are none".into()))
    }

    async fn reread(&self, _now: Timestamp) -> Option<Arc<Generations<K>>> {
        None
    }
}

/// The answer to an event at this time, by a function with this webhook secret.
pub(super) async fn answer(secret: WebhookKeys, event: &Value, now_secs: u64) -> Value {
    let gate = Gate::default();
    let shop = FakeShop::behind(gate.clone());
    let app = App {
        store: FakeStore::behind(gate),
        users: shop.clone(),
        orders: shop,
        auth_keys: Fixed::<AuthKey>(None),
        webhook_keys: Fixed(Some(Arc::new(Generations { current: secret, previous: None }))),
        rules: TokenRules::default(),
    };
    let mut context = Context::default();
    let now_ms = now_secs.saturating_mul(1000);
    context.deadline = now_ms.saturating_add(60_000);
    let payload = RawValue::from_string(event.to_string()).unwrap();
    let clock = || Timestamp::from_millis(now_ms).unwrap();
    let event = LambdaEvent { payload, context };
    let serve = serve(event, clock, BODY_MAX, |door, invocation| handle(&app, door, invocation));
    serde_json::to_value(serve.await.unwrap()).unwrap()
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
