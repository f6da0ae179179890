//! The Lambda Runtime API of one instance: a request of the function's becomes a [`Call`].
//!
//! Source: AWS Lambda developer guide, "Using the Lambda runtime API".

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::http1::Answer;

/// What an invocation may take, in milliseconds: what the template gives a function.
const TIMEOUT_MS: u64 = 10_000;

/// What the function asks or tells.
#[derive(Debug)]
pub(crate) enum Call {
    /// It wants work.
    Next(oneshot::Sender<Bytes>),
    /// It has answered.
    Done {
        /// When the answer was here.
        at: Instant,
        /// The answer, or what it says went wrong.
        body: Bytes,
    },
}

/// The address's other end.
#[derive(Debug, Clone)]
pub(crate) struct RuntimeApi {
    calls: mpsc::Sender<Call>,
    now_ms: fn() -> u64,
}

impl RuntimeApi {
    pub(crate) fn new(now_ms: fn() -> u64) -> (Self, mpsc::Receiver<Call>) {
        let (calls, receiver) = mpsc::channel(4);
        (Self { calls, now_ms }, receiver)
    }

    async fn next(&self) -> Response<Bytes> {
        let (sender, event) = oneshot::channel();
        if self.calls.send(Call::Next(sender)).await.is_err() {
            return stopping();
        }
        // Held open until there is work.
        let Ok(event) = event.await else {
            return stopping();
        };
        let deadline_ms = (self.now_ms)().saturating_add(TIMEOUT_MS);
        let answer = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
            .header("lambda-runtime-deadline-ms", deadline_ms)
            .header(
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:us-east-1:000000000000:function:bench",
            )
            .header(
                "lambda-runtime-trace-id",
                "Root=1-68d2b1f4-1f0c3a6e5d7b48291a3c5e7f;Parent=53995c3f42cd8ad8;Sampled=0",
            )
            .body(event);
        answer.unwrap_or_else(|_odd| stopping())
    }

    async fn done(&self, body: Bytes) -> Response<Bytes> {
        match self.calls.send(Call::Done { at: Instant::now(), body }).await {
            Ok(()) => with_status(StatusCode::ACCEPTED),
            Err(_gone) => stopping(),
        }
    }
}

impl Answer for RuntimeApi {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        if head.uri.path().ends_with("/next") { self.next().await } else { self.done(body).await }
    }
}

/// A runtime that reads this exits.
fn stopping() -> Response<Bytes> {
    with_status(StatusCode::INTERNAL_SERVER_ERROR)
}

fn with_status(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from_static(br#"{"status":"OK"}"#));
    *answer.status_mut() = status;
    answer
}
