//! Wires create.

use std::sync::Arc;

use create::{App, BODY_MAX, handle};
use lambda_runtime::Error;
use pay_core::ports::Cause;
use pay_service::{
    adapters::{
        dynamodb::DynamoDbPayments,
        ids::RandomIds,
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
type Wired =
    App<DynamoDbPayments, HttpUsers<AuthKeys>, HttpOrders<AuthKeys>, RandomIds, Arc<AuthKeys>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = match wire() {
        Ok(app) => app,
        Err(error) => return start::out_of_order(error).await,
    };
    let app = &app;
    let keys = app.auth_keys.warm(clock());
    tokio::join!(keys, app.store.warm(), app.users.warm(), app.orders.warm());
    start::run(BODY_MAX, |door, invocation| handle(app, door, invocation)).await
}

fn wire() -> Result<Wired, Cause> {
    let mut reader = Reader::new(&environment);
    let (settings, shop) = (reader.settings(), reader.shop());
    let (settings, shop) = reader.finish(settings.zip(shop))?;
    telemetry::init(settings.log_level, environment);
    let aws = Aws::load(environment)?;
    let auth_keys =
        Arc::new(aws.keys(settings.auth_secret_id, AuthKey::from_secret, settings.secret_overlap));
    let (users, orders) = wiring::shop(shop, &auth_keys, clock)?;
    Ok(App {
        store: aws.payments(settings.table),
        users,
        orders,
        ids: RandomIds,
        auth_keys,
        rules: settings.rules,
        currency: settings.currency,
    })
}
