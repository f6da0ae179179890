//! The handler of callback in the process of a test, at a time that the test chooses, over a store
//! and a shop in memory. The end-to-end tests include this file too.

use std::sync::Arc;

use callback::{BODY_MAX, CallbackApp, Operation};
use lambda_runtime::{Context, LambdaEvent};
use pay_core::domain::Timestamp;
use pay_core::ports::{Keys, NoKeys};
use pay_core::testing::{FakeProviders, FakeShop, FakeStore, Gate};
use pay_providers::WebhookKeys;
use pay_service::auth::{AuthKey, TokenRules};
use pay_service::http::{FunctionError, Reply, serve};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Keys that never change, or none.
#[derive(Clone)]
pub(crate) struct Fixed<K>(Option<Arc<K>>);

impl<K> Fixed<K> {
    pub(crate) fn new(key: Option<K>) -> Self {
        Self(key.map(Arc::new))
    }
}

impl<K: Send + Sync> Keys<K> for Fixed<K> {
    async fn current(&self, _now: Timestamp) -> Result<Arc<K>, NoKeys> {
        self.0.clone().ok_or_else(|| NoKeys("none are configured".into()))
    }

    async fn previous(&self, _now: Timestamp) -> Result<Option<Arc<K>>, NoKeys> {
        Ok(None)
    }

    async fn reread(&self, _now: Timestamp) -> Option<Arc<K>> {
        None
    }
}

/// The dependencies of the handlers, in memory.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: FakeStore,
    pub(crate) shop: FakeShop,
    pub(crate) auth_keys: Fixed<AuthKey>,
    pub(crate) webhook_keys: Fixed<WebhookKeys>,
}

/// A time, from Unix seconds.
pub(crate) fn at(now_secs: u64) -> Timestamp {
    Timestamp::from_millis(now_secs.saturating_mul(1000)).unwrap()
}

/// An invocation at this time, with a deadline a minute later.
pub(crate) fn invocation(payload: Box<RawValue>, now_secs: u64) -> LambdaEvent<Box<RawValue>> {
    let mut context = Context::default();
    context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
    context.deadline = at(now_secs).plus_millis(60_000).millis();
    LambdaEvent { payload, context }
}

/// What callback replies to an event at this time.
pub(crate) async fn callback(
    world: World,
    event: Box<RawValue>,
    now_secs: u64,
) -> Result<Reply, FunctionError> {
    let app = CallbackApp {
        store: world.store,
        users: world.shop.clone(),
        orders: world.shop,
        providers: FakeProviders::default(),
        auth_keys: world.auth_keys,
        webhook_keys: world.webhook_keys,
        rules: TokenRules::default(),
        tokens: true,
        time_to_live: None,
    };
    let event = invocation(event, now_secs);
    let handle = |entry_point, invocation| app.handle(entry_point, invocation);
    serve(event, || at(now_secs), BODY_MAX, handle).await
}

/// The response of callback to a notification, with this webhook secret and without any payment.
pub(crate) async fn response(secret: WebhookKeys, event: &Value, now_secs: u64) -> Value {
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

/// An event of the gateway for a provider's route, or for the native route with `standard`.
pub(crate) fn event(provider: &str, headers: &Value, body: &str, encoded: bool) -> Value {
    let native = provider == "standard";
    let (operation, path) = if native {
        (Operation::Callback, "/api/pay/callback".to_owned())
    } else {
        (Operation::ProviderCallback, format!("/api/pay/callback/{provider}"))
    };
    let mut event = json!({
        "version": "2.0", "routeKey": operation.route(), "rawPath": path, "headers": headers,
        "requestContext": {"http": {"method": "POST"}}, "body": body, "isBase64Encoded": encoded,
    });
    if !native {
        event["pathParameters"] = json!({"provider": provider});
    }
    event
}
