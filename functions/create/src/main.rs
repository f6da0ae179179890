//! Wires create.

use std::sync::Arc;

use create::{BODY_MAX, CreateApp};
use lambda_runtime::Error;
use pay_core::ports::Cause;
use pay_service::{
    adapters::{
        dynamodb::DynamoDbPayments,
        ids::RandomIds,
        shop::{HttpOrders, HttpUsers},
        wiring::{self, AuthKeys, Aws, WiredProviders},
    },
    config,
    start::{self, clock, environment},
    telemetry,
};

type WiredCreate = CreateApp<
    DynamoDbPayments,
    HttpUsers<AuthKeys>,
    HttpOrders<AuthKeys>,
    WiredProviders,
    RandomIds,
    Arc<AuthKeys>,
>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = match wire() {
        Ok(app) => app,
        Err(error) => return start::out_of_order(error).await,
    };
    let app = &app;
    let keys = app.auth_keys.warm(clock());
    tokio::join!(keys, app.store.warm(), app.users.warm(), app.orders.warm());
    start::run(BODY_MAX, |entry_point, invocation| app.handle(entry_point, invocation)).await
}

fn wire() -> Result<WiredCreate, Cause> {
    let (settings, shop, create) = config::create(&environment)?;
    telemetry::init(settings.log_level, environment);
    let aws = Aws::load(environment)?;
    let auth_keys = Arc::new(aws.keys(settings.auth_secret_id, settings.secret_overlap));
    let queried = create.providers.is_some();
    let of_providers = create.providers.as_ref().map(|providers| providers.notify_urls.clone());
    let ca_bundle = shop.ca_bundle.clone();
    let providers = aws.providers(create.providers, settings.secret_overlap, ca_bundle);
    let (users, orders) = wiring::shop(shop, &auth_keys, clock)?;
    Ok(CreateApp {
        store: aws.payments(settings.table),
        users,
        orders,
        providers,
        ids: RandomIds,
        auth_keys,
        rules: settings.rules,
        currency: settings.currency,
        queried,
        notify_urls: of_providers.unwrap_or_default(),
        time_to_live: create.time_to_live,
    })
}
