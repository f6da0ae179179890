//! The handler of callback in the process of a test, at a time that the test chooses, over a store
//! and a shop in memory. Both test targets have this file.

use std::sync::Arc;

use callback::{App, BODY_MAX, handle};
use lambda_runtime::{Context, LambdaEvent};
use pay_core::domain::Timestamp;
use pay_core::ports::{Generations, Keys, NoKeys};
use pay_core::testing::{FakeShop, FakeStore};
use pay_providers::WebhookKeys;
use pay_service::auth::{AuthKey, TokenRules};
use pay_service::http::{FunctionError, Reply, serve};
use serde_json::value::RawValue;

/// Keys that never change; none are none.
#[derive(Clone)]
pub(crate) struct Fixed<K>(Option<Arc<Generations<K>>>);

impl<K> Fixed<K> {
    pub(crate) fn new(key: Option<K>) -> Self {
        Self(key.map(|current| Arc::new(Generations { current, previous: None })))
    }
}

impl<K: Send + Sync> Keys<K> for Fixed<K> {
    async fn keys(&self, _now: Timestamp) -> Result<Arc<Generations<K>>, NoKeys> {
        self.0.clone().ok_or_else(|| NoKeys("there are none".into()))
    }

    async fn reread(&self, _now: Timestamp) -> Option<Arc<Generations<K>>> {
        None
    }
}

/// What there is in memory, and what callers are known by.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: FakeStore,
    pub(crate) shop: FakeShop,
    pub(crate) auth_keys: Fixed<AuthKey>,
    pub(crate) webhook_keys: Fixed<WebhookKeys>,
}

/// That time.
pub(crate) fn at(now_secs: u64) -> Timestamp {
    Timestamp::from_millis(now_secs.saturating_mul(1000)).unwrap()
}

/// An invocation at this time that has a minute.
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
    let app = App {
        store: world.store,
        users: world.shop.clone(),
        orders: world.shop,
        auth_keys: world.auth_keys,
        webhook_keys: world.webhook_keys,
        rules: TokenRules::default(),
    };
    let event = invocation(event, now_secs);
    serve(event, || at(now_secs), BODY_MAX, |door, invocation| handle(&app, door, invocation)).await
}
