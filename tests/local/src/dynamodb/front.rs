//! The server in front of the engine: it counts calls and makes them fail.
//!
//! The engine itself never throttles, has no conflicts and loses no response; the functions must
//! cope with all of these.

use anyhow::Result;
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::{DynamoDb, actions};
use crate::client;
use crate::faults::server::{self, Service};

#[derive(Debug, Clone)]
pub(super) struct Front {
    control: DynamoDb,
    http: reqwest::Client,
    engine: String,
}

impl Front {
    /// A front for the engine at this URL.
    pub(super) fn new(control: DynamoDb, engine: String) -> Result<Self> {
        Ok(Self { control, http: client::client("")?, engine })
    }

    async fn pass_on(&self, mut head: Parts, body: Bytes) -> reqwest::Result<Response<Bytes>> {
        // The engine has another address, and the body may get another length.
        head.headers.remove("host");
        head.headers.remove("content-length");
        let body = if self.control.faults.journal().is_on() { with_cost(body) } else { body };
        let request = self.http.post(&self.engine).headers(head.headers).body(body);
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut response = Response::new(response.bytes().await?);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        // A fault may change the body.
        response.headers_mut().remove("content-length");
        Ok(response)
    }
}

impl Service for Front {
    fn arrived(&self, head: &Parts, body: &[u8]) -> String {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let name = target.and_then(|target| target.rsplit_once('.')).map_or("", |(_, name)| name);
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let index = request.get("IndexName").and_then(Value::as_str);
        let operation = index.map_or_else(|| name.to_owned(), |index| format!("{name} {index}"));
        let point = format!("dynamodb:{operation}");
        self.control.actions().extend(actions::needed(name, &request));
        self.control.lock().push(operation);
        point
    }

    async fn response(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        let response = self.pass_on(head, body).await;
        response.unwrap_or_else(|_broken| self.problem(StatusCode::BAD_GATEWAY))
    }

    fn problem(&self, status: StatusCode) -> Response<Bytes> {
        let error = match status {
            StatusCode::FORBIDDEN => "AccessDeniedException",
            status if status.is_client_error() => "ValidationException",
            _ => "InternalServerError",
        };
        problem(status, error, &json!({}))
    }

    fn throttled(&self) -> Response<Bytes> {
        let error = "ProvisionedThroughputExceededException";
        problem(StatusCode::BAD_REQUEST, error, &json!({}))
    }

    fn in_conflict(&self, body: &[u8]) -> Response<Bytes> {
        conflict(body)
    }

    fn nothing_found(&self) -> Response<Bytes> {
        response(StatusCode::OK, &json!({"Items": [], "Count": 0, "ScannedCount": 0}))
    }

    async fn about_another(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        self.response(head, body).await.map(|response| {
            let Ok(mut object) = serde_json::from_slice::<Value>(&response) else {
                return response;
            };
            if let Some(Value::String(pk)) = object.pointer_mut("/Item/pk/S") {
                pk.push('1');
            }
            object.to_string().into()
        })
    }
}

/// The same request, whose response includes what it costs.
fn with_cost(body: Bytes) -> Bytes {
    let Ok(Value::Object(mut request)) = serde_json::from_slice(&body) else { return body };
    request.insert("ReturnConsumedCapacity".to_owned(), json!("INDEXES"));
    Value::Object(request).to_string().into()
}

/// A transaction is cancelled with a reason for each item; a single call is rejected.
fn conflict(body: &[u8]) -> Response<Bytes> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(items) = request.get("TransactItems").and_then(Value::as_array) else {
        return problem(StatusCode::BAD_REQUEST, "TransactionConflictException", &json!({}));
    };
    let reason = |at: usize| match at {
        0 => {
            json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"})
        }
        _ => json!({"Code": "None"}),
    };
    let reasons: Vec<Value> = (0..items.len()).map(reason).collect();
    let reasons = json!({"CancellationReasons": reasons});
    problem(StatusCode::BAD_REQUEST, "TransactionCanceledException", &reasons)
}

fn problem(status: StatusCode, error: &str, more: &Value) -> Response<Bytes> {
    let mut body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{error}"),
        "message": "an injected fault",
    });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    response(status, &body)
}

fn response(status: StatusCode, body: &Value) -> Response<Bytes> {
    server::response(status, "application/x-amz-json-1.0", body.to_string())
}
