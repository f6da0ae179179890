//! The Lambda Runtime API of one instance, on an address of its own.
//!
//! It only translates: each request becomes a [`Call`], and the supervisor decides.
//!
//! Source: AWS Lambda developer guide, "Using the Lambda runtime API".

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::task::Task;

/// What the runtime in the instance asks or tells.
#[derive(Debug)]
pub(super) enum Call {
    /// It wants the next invocation.
    Next(oneshot::Sender<Delivery>),
    /// It ends the invocation with this id.
    Done { request_id: String, outcome: Result<Bytes, Bytes>, verdict: oneshot::Sender<Verdict> },
    /// It could not start.
    InitError(Bytes, oneshot::Sender<Verdict>),
}

/// An invocation on its way into the instance.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    pub(super) deadline_ms: u64,
    pub(super) function_arn: String,
    pub(super) payload: Bytes,
}

/// What the runtime is told about its call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    /// 202.
    Accepted,
    /// 400: no such invocation is running here.
    NoSuchRequest,
    /// 413: the answer is over the limit.
    TooLarge,
}

/// A running Runtime API; dropping it closes the address.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    pub(super) calls: mpsc::Receiver<Call>,
    _server: Task,
}

impl RuntimeApi {
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::channel(1);
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(sender);
        let server = Task::run(async move { serve(listener, router).await });
        Ok(Self { address, calls, _server: server })
    }
}

async fn next(State(calls): State<mpsc::Sender<Call>>) -> Response {
    let (sender, delivery) = oneshot::channel();
    if calls.send(Call::Next(sender)).await.is_err() {
        return stopping();
    }
    // Held open until there is work: the runtime sets no time limit on this call.
    let Ok(delivery) = delivery.await else {
        return stopping();
    };
    let trace =
        format!("Root=1-{:08x}-000000000000000000000000;Sampled=0", delivery.deadline_ms / 1000);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", delivery.request_id),
        ("lambda-runtime-deadline-ms", delivery.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", delivery.function_arn),
        ("lambda-runtime-trace-id", trace),
    ];
    (headers, delivery.payload).into_response()
}

async fn response(
    State(calls): State<mpsc::Sender<Call>>,
    Path(request_id): Path<String>,
    body: Bytes,
) -> Response {
    ask(&calls, |verdict| Call::Done { request_id, outcome: Ok(body), verdict }).await
}

async fn error(
    State(calls): State<mpsc::Sender<Call>>,
    Path(request_id): Path<String>,
    body: Bytes,
) -> Response {
    ask(&calls, |verdict| Call::Done { request_id, outcome: Err(body), verdict }).await
}

async fn init_error(State(calls): State<mpsc::Sender<Call>>, body: Bytes) -> Response {
    ask(&calls, |verdict| Call::InitError(body, verdict)).await
}

async fn ask(
    calls: &mpsc::Sender<Call>,
    call: impl FnOnce(oneshot::Sender<Verdict>) -> Call,
) -> Response {
    let (sender, verdict) = oneshot::channel();
    if calls.send(call(sender)).await.is_err() {
        return stopping();
    }
    match verdict.await {
        Ok(Verdict::Accepted) => (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response(),
        Ok(Verdict::NoSuchRequest) => refusal(StatusCode::BAD_REQUEST, "InvalidRequestID"),
        Ok(Verdict::TooLarge) => refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
        Err(_dropped) => stopping(),
    }
}

fn refusal(status: StatusCode, error_type: &str) -> Response {
    let body = format!(r#"{{"errorType":"{error_type}","errorMessage":"{error_type}"}}"#);
    (status, [("content-type", "application/json")], body).into_response()
}

/// The instance is being replaced; a runtime that reads this exits.
fn stopping() -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "Runtime.Stopping")
}
