//! One call to a service of the shop: its token, its deadline, its one retry, its cap.

use std::{fmt, sync::Arc, time::Duration};

use pay_core::{
    domain::{PaymentId, Timestamp, UserId},
    ports::{Keys, NoKeys, ShopError, TraceParent, chain},
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use tokio::time::{Instant, timeout};

use super::wire;
use crate::{
    auth::{AuthKey, sign_service},
    metrics,
    usage::{Call, Service},
};

/// How long a call may take in all, its retry included. A webhook that is followed by a telling has
/// to be answered within 2 s, also while the order service hangs.
const DEADLINE: Duration = Duration::from_millis(1500);

/// How long to wait for the rest of an answer that is decided already: reading it to its end is
/// what lets the connection be used again, and it normally came along.
const DRAIN_DEADLINE: Duration = Duration::from_millis(50);

/// An answer longer than this is none: the mall's have a few hundred bytes.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// Calls the shop's services, with a token of ours for each call.
pub struct ShopClient<K> {
    kept: Client,
    fresh: Client,
    keys: Arc<K>,
    clock: fn() -> Timestamp,
    deadline: Duration,
}

/// What is asked, and for whom.
pub(super) struct Ask<'a> {
    /// Which service, for the metrics.
    pub(super) service: &'static str,
    pub(super) url: &'a Url,
    pub(super) payer: UserId,
    pub(super) trace: &'a TraceParent,
    pub(super) body: String,
    pub(super) purpose: Purpose,
}

/// What a call is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Asking: the body of a 200 is the answer.
    Read,
    /// Telling of this payment: being heard is the answer, any 2xx, whatever is said back.
    Tell(PaymentId),
}

/// What came of it.
pub(super) enum Answer {
    /// The body, where it was asked for.
    Found(Vec<u8>),
    Absent,
}

/// Why a call has no answer. Never holds a body, a token or a URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("no key to sign a token with")]
    Keys(#[source] NoKeys),
    #[error("not answered in time")]
    Deadline,
    /// Not made, broken before the answer's end, or no HTTP is spoken on it.
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    #[error("answered with status {0}")]
    Status(StatusCode),
    #[error("answered with more than {ANSWER_MAX_BYTES} bytes")]
    TooLong,
    #[error("the answer cannot be read, or is about something else")]
    Unreadable,
}

impl From<Fault> for ShopError {
    fn from(fault: Fault) -> Self {
        Self::Unavailable(fault.into())
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Deadline
        } else {
            // The error's text would hold the URL, and a URL may hold anything.
            Self::Connection(error.without_url())
        }
    }
}

impl<K: Keys<AuthKey> + Sync + Send> ShopClient<K> {
    /// Calls through `kept`, whose connections stay open between requests, and repeats on `fresh`,
    /// which opens one for each. `clock` dates the tokens.
    #[must_use]
    pub fn new(kept: Client, fresh: Client, keys: Arc<K>, clock: fn() -> Timestamp) -> Self {
        Self { kept, fresh, keys, clock, deadline: DEADLINE }
    }

    /// The same with another deadline for each call.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Makes a call, within the deadline.
    pub(super) async fn call(&self, ask: &Ask<'_>) -> Result<Answer, Fault> {
        let begun = Instant::now();
        let answer =
            timeout(self.deadline, self.attempts(ask)).await.unwrap_or(Err(Fault::Deadline));
        match &answer {
            // Ours, and the shop was not asked: the secret's own metric counts it.
            Err(Fault::Keys(_)) => return answer,
            Err(fault) => {
                tracing::warn!(
                    service = ask.service,
                    cause = chain(fault),
                    "no answer of the shop"
                );
                metrics::UPSTREAM_FAILURES.count_by(&[("Service", ask.service)]);
            }
            Ok(_) => {}
        }
        metrics::UPSTREAM_TIME.time_under("Service", ask.service, begun.elapsed());
        answer
    }

    /// Opens a connection and keeps it: any answer will do, so no token is sent.
    pub(super) async fn open(&self, url: &Url) {
        let opened = timeout(self.deadline, self.kept.head(url.clone()).send()).await;
        if !matches!(opened, Ok(Ok(_))) {
            tracing::warn!("a connection to the shop could not be opened at start");
        }
    }

    /// One attempt, and one more on a new connection if the first one's broke: a kept connection
    /// may have died while the environment slept. Every call may be repeated: two of them only
    /// read, and a telling carries its Idempotency-Key.
    async fn attempts(&self, ask: &Ask<'_>) -> Result<Answer, Fault> {
        let now = (self.clock)();
        let keys = self.keys.keys(now).await.map_err(Fault::Keys)?;
        let token = sign_service(&keys.current, ask.payer, now);
        match ask.send(&self.kept, &token).await {
            Err(Fault::Connection(_)) => ask.send(&self.fresh, &token).await,
            answered => answered,
        }
    }
}

impl<K> Clone for ShopClient<K> {
    fn clone(&self) -> Self {
        Self {
            kept: self.kept.clone(),
            fresh: self.fresh.clone(),
            keys: Arc::clone(&self.keys),
            clock: self.clock,
            deadline: self.deadline,
        }
    }
}

impl<K> fmt::Debug for ShopClient<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShopClient")
    }
}

impl Ask<'_> {
    async fn send(&self, client: &Client, token: &str) -> Result<Answer, Fault> {
        let _call = Call::begin(Service::Shop);
        let response = self.request(client, token).send().await?;
        match (response.status(), self.purpose) {
            (StatusCode::OK, Purpose::Read) => Ok(Answer::Found(read(response).await?)),
            (status, Purpose::Tell(_)) if status.is_success() => {
                drain(response).await;
                Ok(Answer::Found(Vec::new()))
            }
            (StatusCode::NOT_FOUND, _) => {
                drain(response).await;
                Ok(Answer::Absent)
            }
            (StatusCode::BAD_REQUEST, _) if wire::says_absent(&read(response).await?) => {
                Ok(Answer::Absent)
            }
            (status, _) => Err(Fault::Status(status)),
        }
    }

    fn request(&self, client: &Client, token: &str) -> RequestBuilder {
        let request = client
            .post(self.url.clone())
            .bearer_auth(token)
            .header(header::CONTENT_TYPE, "application/json")
            .header("traceparent", self.trace.to_string())
            .body(self.body.clone());
        match self.purpose {
            Purpose::Read => request,
            Purpose::Tell(id) => request.header("idempotency-key", id.to_string()),
        }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > ANSWER_MAX_BYTES {
            return Err(Fault::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn drain(response: Response) {
    match timeout(DRAIN_DEADLINE, read(response)).await {
        // Decided by its head already; at worst the connection is lost.
        Ok(Ok(_) | Err(_)) | Err(_) => {}
    }
}
