//! What stands before the engine: it counts calls, and does to them what the engine never does.
//!
//! The engine knows no throttling, no conflicts and no lost answers; the functions must.

use std::io;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::{DynamoDb, DynamoDbFault};
use crate::client;

#[derive(Debug, Clone)]
struct Front {
    control: DynamoDb,
    http: reqwest::Client,
    engine: String,
}

pub(super) fn router(control: DynamoDb, engine: String) -> Result<Router> {
    let http = client::client("")?;
    let front = Front { control, http, engine };
    Ok(Router::new().fallback(serve).layer(DefaultBodyLimit::disable()).with_state(front))
}

async fn serve(State(front): State<Front>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let name = target.and_then(|target| target.rsplit_once('.')).map_or("", |(_, name)| name);
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let index = request.get("IndexName").and_then(Value::as_str);
    let operation = index.map_or_else(|| name.to_owned(), |index| format!("{name} {index}"));
    match front.control.arrive(&operation) {
        None => front.pass_on(headers, body).await,
        Some(DynamoDbFault::LoseAnswer) => {
            drop(front.pass_on(headers, body).await);
            // A body that breaks off before its end takes the connection with it.
            let broken = stream::once(async { Err::<Bytes, _>(io::Error::other("as told to")) });
            Body::from_stream(broken).into_response()
        }
        Some(DynamoDbFault::Hang) => std::future::pending().await,
        Some(DynamoDbFault::Throttle) => {
            let error = "ProvisionedThroughputExceededException";
            refusal(StatusCode::BAD_REQUEST, error, &json!({}))
        }
        Some(DynamoDbFault::Error) => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &json!({}))
        }
        Some(DynamoDbFault::Conflict) => conflict(&request),
        Some(DynamoDbFault::FindNothing) => {
            answer(StatusCode::OK, &json!({"Items": [], "Count": 0, "ScannedCount": 0}))
        }
    }
}

impl Front {
    async fn pass_on(&self, mut headers: HeaderMap, body: Bytes) -> Response {
        // The engine has another address, and the length is counted anew.
        headers.remove("host");
        headers.remove("content-length");
        let request = self.http.post(&self.engine).headers(headers).body(body);
        let Ok(response) = request.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let Ok(body) = response.bytes().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let mut answer = (status, body).into_response();
        *answer.headers_mut() = headers;
        answer
    }
}

/// A whole transaction is cancelled with a reason for each item; a single call is just refused.
fn conflict(request: &Value) -> Response {
    let Some(items) = request.get("TransactItems").and_then(Value::as_array) else {
        return refusal(StatusCode::BAD_REQUEST, "TransactionConflictException", &json!({}));
    };
    let reason = |at: usize| match at {
        0 => {
            json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"})
        }
        _ => json!({"Code": "None"}),
    };
    let reasons: Vec<Value> = (0..items.len()).map(reason).collect();
    let reasons = json!({"CancellationReasons": reasons});
    refusal(StatusCode::BAD_REQUEST, "TransactionCanceledException", &reasons)
}

fn refusal(status: StatusCode, error: &str, more: &Value) -> Response {
    let mut body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{error}"),
        "message": "as told to",
    });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    answer(status, &body)
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}
