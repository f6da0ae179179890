//! Wires detail.

use detail::{BODY_MAX, DetailApp};
use lambda_runtime::Error;
use pay_core::ports::Cause;
use pay_service::{
    adapters::{dynamodb::DynamoDbPayments, secrets_manager::RotatingSecret, wiring::Aws},
    auth::AuthKey,
    config,
    start::{self, clock, environment},
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = match wire() {
        Ok(app) => app,
        Err(error) => return start::out_of_order(error).await,
    };
    let app = &app;
    tokio::join!(app.auth_keys.warm(clock()), app.store.warm());
    start::run(BODY_MAX, |entry_point, invocation| app.handle(entry_point, invocation)).await
}

fn wire() -> Result<DetailApp<DynamoDbPayments, RotatingSecret<AuthKey>>, Cause> {
    let settings = config::detail(&environment)?;
    telemetry::init(settings.log_level, environment);
    let aws = Aws::load(environment)?;
    Ok(DetailApp {
        store: aws.payments(settings.table),
        auth_keys: aws.keys(settings.auth_secret_id, settings.secret_overlap),
        rules: settings.rules,
    })
}
