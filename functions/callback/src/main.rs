//! Wires callback.

use std::sync::Arc;

use callback::{App, BODY_MAX, handle};
use lambda_runtime::Error;
use pay_core::ports::Cause;
use pay_providers::WebhookKeys;
use pay_service::{
    adapters::{
        dynamodb::DynamoDbPayments,
        secrets_manager::RotatingSecret,
        shop::{HttpOrders, HttpUsers},
        wiring::{self, Aws},
    },
    auth::AuthKey,
    config::Reader,
    start::{self, clock, environment},
    telemetry,
};

type AuthKeys = RotatingSecret<AuthKey>;
type Wired = App<
    DynamoDbPayments,
    HttpUsers<AuthKeys>,
    HttpOrders<AuthKeys>,
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
    start::run(BODY_MAX, |door, invocation| handle(app, door, invocation)).await
}

fn wire() -> Result<Wired, Cause> {
    let mut reader = Reader::new(&environment);
    let (settings, shop) = (reader.settings(), reader.shop());
    let webhook_secret_id = reader.webhook_secret_id();
    let (settings, (shop, webhook_secret_id)) =
        reader.finish(settings.zip(shop.zip(webhook_secret_id)))?;
    telemetry::init(settings.log_level, environment);
    let aws = Aws::load(environment)?;
    let overlap = settings.secret_overlap;
    let auth_keys = Arc::new(aws.keys(settings.auth_secret_id, AuthKey::from_secret, overlap));
    let (users, orders) = wiring::shop(shop, &auth_keys, clock)?;
    Ok(App {
        store: aws.payments(settings.table),
        users,
        orders,
        auth_keys,
        webhook_keys: aws.keys(webhook_secret_id, WebhookKeys::from_secret, overlap),
        rules: settings.rules,
    })
}
