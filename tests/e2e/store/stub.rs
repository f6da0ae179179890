//! A DynamoDB that follows a script and records its requests.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use hyper::body::Frame;
use pay_service::adapters::{aws::Timeouts, dynamodb::DynamoDbPayments};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::dynamo::{PATIENT, TABLE, client, runtime};

/// For responses that never come: short, and still long enough for a request on loopback.
const HASTY: Timeouts =
    Timeouts { attempt: Duration::from_millis(400), operation: Duration::from_secs(1) };

/// A scripted response.
#[derive(Clone, Debug)]
pub(super) enum Scripted {
    Json(u16, Value),
    Text(u16, &'static str),
    /// No response.
    Hang,
    /// The headers of a response; then the connection is cut.
    Cut,
}

impl Scripted {
    pub(super) fn ok() -> Self {
        Self::Json(200, json!({}))
    }

    pub(super) fn error(http_status: u16, code: &str) -> Self {
        let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
        Self::Json(http_status, json!({"__type": code, "message": "scripted"}))
    }

    pub(super) fn cancelled(codes: &[&str]) -> Self {
        let reasons: Vec<_> = codes.iter().map(|code| json!({"Code": code})).collect();
        let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        Self::Json(400, json!({"__type": code, "CancellationReasons": reasons}))
    }
}

/// A request: the operation and its input.
pub(super) type Request = (String, Value);

#[derive(Clone, Default)]
pub(super) struct Stub {
    /// What is still to come; the last response repeats.
    script: Arc<Mutex<VecDeque<Scripted>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Stub {
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn script(&self, responses: impl IntoIterator<Item = Scripted>) {
        *self.script.lock().unwrap() = responses.into_iter().collect();
        self.requests.lock().unwrap().clear();
    }

    fn next(&self) -> Scripted {
        let mut script = self.script.lock().unwrap();
        let next = script.pop_front().unwrap();
        if script.is_empty() {
            script.push_back(next.clone());
        }
        next
    }
}

async fn respond(State(stub): State<Stub>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.split('.').next_back().unwrap().to_owned();
    let input = serde_json::from_slice(&body).unwrap();
    stub.requests.lock().unwrap().push((operation, input));
    let status = |code| StatusCode::from_u16(code).unwrap();
    match stub.next() {
        Scripted::Json(code, value) => (status(code), value.to_string()).into_response(),
        Scripted::Text(code, text) => (status(code), text).into_response(),
        Scripted::Hang => std::future::pending().await,
        Scripted::Cut => Response::new(Body::new(CutShort)),
    }
}

/// A body that breaks off before its first byte.
struct CutShort;

impl hyper::body::Body for CutShort {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("cut"))))
    }
}

/// Runs a test on the adapter in front of a stub.
pub(super) fn on_stub<F: Future<Output = ()>>(test: impl FnOnce(DynamoDbPayments, Stub) -> F) {
    on_stub_within(PATIENT, test);
}

/// Runs a test on the adapter in front of a stub that keeps it waiting.
pub(super) fn on_slow_stub<F: Future<Output = ()>>(test: impl FnOnce(DynamoDbPayments, Stub) -> F) {
    on_stub_within(HASTY, test);
}

fn on_stub_within<F: Future<Output = ()>>(
    timeouts: Timeouts,
    test: impl FnOnce(DynamoDbPayments, Stub) -> F,
) {
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let stub = Stub::default();
        let app = Router::new().fallback(respond).with_state(stub.clone());
        let payments = DynamoDbPayments::new(client(&endpoint, timeouts), TABLE);
        tokio::select! {
            served = async { axum::serve(listener, app).await } => panic!("{served:?}"),
            () = test(payments, stub) => {}
        }
    });
}

/// Runs a test on the adapter in front of a port where nobody listens.
pub(super) fn on_nobody<F: Future<Output = ()>>(test: impl FnOnce(DynamoDbPayments) -> F) {
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        test(DynamoDbPayments::new(client(&endpoint, PATIENT), TABLE)).await;
    });
}
