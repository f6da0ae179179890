//! Wires callback.

use std::sync::Arc;

use callback::{BODY_MAX, CallbackApp};
use lambda_runtime::Error;
use pay_core::ports::Cause;
use pay_providers::WebhookKeys;
use pay_service::{
    adapters::{
        dynamodb::DynamoDbPayments,
        secrets_manager::RotatingSecret,
        shop::{HttpOrders, HttpUsers},
        wiring::{self, AuthKeys, Aws, WiredProviders},
    },
    config,
    start::{self, clock, environment},
    telemetry,
};

type WiredCallback = CallbackApp<
    DynamoDbPayments,
    HttpUsers<AuthKeys>,
    HttpOrders<AuthKeys>,
    WiredProviders,
    Arc<AuthKeys>,
    RotatingSecret<WebhookKeys>,
>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = match wire() {
        Ok(app) => app,
        Err(error) => return start::out_of_order(error).await,
    };
    let app = &app;
    let now = clock();
    let (auth, webhook) = (app.auth_keys.warm(now), app.webhook_keys.warm(now));
    let (users, orders) = (app.users.warm(), app.orders.warm());
    tokio::join!(auth, webhook, app.store.warm(), users, orders);
    start::run(BODY_MAX, |entry_point, invocation| app.handle(entry_point, invocation)).await
}

fn wire() -> Result<WiredCallback, Cause> {
    let (settings, shop, callback) = config::callback(&environment)?;
    telemetry::init(settings.log_level, environment);
    let aws = Aws::load(environment)?;
    let overlap = settings.secret_overlap;
    let auth_keys = Arc::new(aws.keys(settings.auth_secret_id, overlap));
    let providers = aws.providers(callback.providers, overlap, shop.ca_bundle.clone());
    let (users, orders) = wiring::shop(shop, &auth_keys, clock)?;
    Ok(CallbackApp {
        store: aws.payments(settings.table),
        users,
        orders,
        providers,
        auth_keys,
        webhook_keys: aws.keys(callback.webhook_secret_id, overlap),
        rules: settings.rules,
        tokens: callback.tokens,
        time_to_live: callback.time_to_live,
    })
}
