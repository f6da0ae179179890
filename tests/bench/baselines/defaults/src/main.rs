//! The comparison: a function that does for a request what `detail` does, and asks the shop besides,
//! written with the libraries' defaults as their guides show them.

use std::env;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use lambda_http::{Body, Error, Request, RequestExt as _, Response, run, service_fn, tracing};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

struct App {
    dynamodb: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    http: reqwest::Client,
    key: OnceCell<DecodingKey>,
    table: String,
    secret_id: String,
    orders: String,
}

#[derive(Deserialize)]
struct Claims {
    uid: u64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let app = App {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        secrets: aws_sdk_secretsmanager::Client::new(&config),
        http: reqwest::Client::new(),
        key: OnceCell::new(),
        table: env::var("TABLE_NAME")?,
        secret_id: env::var("AUTH_SECRET_ID")?,
        orders: env::var("ORDER_DETAIL_URL")?,
    };
    run(service_fn(|request| handle(&app, request))).await
}

async fn handle(app: &App, request: Request) -> Result<Response<Body>, Error> {
    tracing::info!(path = request.raw_http_path(), "request");
    let token = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).ok_or("no token")?;
    let key = app.key.get_or_try_init(|| read_key(app)).await?;
    let payer = decode::<Claims>(token, key, &Validation::new(Algorithm::HS256))?.claims.uid;
    let wanted: Value = serde_json::from_slice(request.body())?;
    let id = wanted["id"].as_u64().ok_or("no id")?;

    let found = app
        .dynamodb
        .get_item()
        .table_name(&app.table)
        .key("pk", AttributeValue::S(format!("pay#{id}")))
        .key("sk", AttributeValue::S("record".to_owned()))
        .consistent_read(true)
        .send()
        .await?;
    let payment = found.item.ok_or("no payment")?;
    let number = |name: &str| payment.get(name).and_then(|value| value.as_n().ok()).cloned();
    let oid: u64 = number("oid").ok_or("no order")?.parse()?;
    let order: Value = app
        .http
        .post(&app.orders)
        .bearer_auth(token)
        .json(&json!({"id": oid}))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let answer = json!({
        "id": id, "uid": payer, "oid": oid, "amount": number("amount"),
        "status": number("status"), "order": order["status"],
    });
    Ok(Response::builder()
        .header("content-type", "application/json")
        .body(Body::from(answer.to_string()))?)
}

async fn read_key(app: &App) -> Result<DecodingKey, Error> {
    let secret = app.secrets.get_secret_value().secret_id(&app.secret_id).send().await?;
    let secret: Value = serde_json::from_str(secret.secret_string().ok_or("no text")?)?;
    let secret = secret["access_secret"].as_str().ok_or("no secret")?;
    Ok(DecodingKey::from_secret(secret.as_bytes()))
}
