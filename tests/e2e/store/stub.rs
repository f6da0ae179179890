//! A DynamoDB that answers what it is told to, and remembers what it was asked.

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

/// Short enough not to wait for, long enough for a request on loopback.
/// For answers that never come.
const HASTY: Timeouts =
    Timeouts { attempt: Duration::from_millis(400), operation: Duration::from_secs(1) };

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    /// Nothing, ever.
    Hang,
    /// The headers of an answer, and then the connection is cut.
    Cut,
}

impl Answer {
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
    /// The last one is given again and again.
    answers: Arc<Mutex<VecDeque<Answer>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Stub {
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.answers.lock().unwrap() = answers.into_iter().collect();
        self.requests.lock().unwrap().clear();
    }

    fn next(&self) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        let next = answers.pop_front().unwrap();
        if answers.is_empty() {
            answers.push_back(next.clone());
        }
        next
    }
}

async fn answer(State(stub): State<Stub>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let operation = target.split('.').next_back().unwrap().to_owned();
    let input = serde_json::from_slice(&body).unwrap();
    stub.requests.lock().unwrap().push((operation, input));
    let status = |code| StatusCode::from_u16(code).unwrap();
    match stub.next() {
        Answer::Json(code, value) => (status(code), value.to_string()).into_response(),
        Answer::Text(code, text) => (status(code), text).into_response(),
        Answer::Hang => std::future::pending().await,
        Answer::Cut => Response::new(Body::new(CutShort)),
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

/// The same for a stub that keeps the adapter waiting.
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
        let app = Router::new().fallback(answer).with_state(stub.clone());
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
