//! One call to a service of the shop: its token, its deadline, its one retry, its size limit.

use std::{fmt, sync::Arc, time::Duration};

use pay_core::{
    domain::{Timestamp, UserId},
    json::Object,
    limits::SHOP_CALL_MS,
    ports::{Keys, NoKeys, ShopError, TraceParent, chain},
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use serde_json::Number;
use tokio::time::Instant;

use super::wire;
use crate::{
    adapters::https::{self, CallFailure, Clients},
    auth::{AuthKey, sign_service},
    limits::{SHOP_DRAIN_MS, SHOP_RESPONSE_MAX_BYTES},
    metrics,
    usage::{Call, Service},
};

/// Calls the shop's services, with a new token for each call.
pub struct ShopClient<K> {
    clients: Clients,
    keys: Arc<K>,
    clock: fn() -> Timestamp,
    deadline: Duration,
}

/// A call to make.
pub(super) struct ShopCall<'a> {
    /// Which service, for the log and the metrics.
    pub(super) service: &'static str,
    pub(super) url: &'a Url,
    /// On whose behalf.
    pub(super) payer: UserId,
    pub(super) trace: &'a TraceParent,
    pub(super) body: String,
    pub(super) purpose: Purpose,
}

/// What a call is for.
pub(super) enum Purpose {
    /// To read something: the content of a 200.
    Read,
    /// To notify the order service, under this Idempotency-Key: any 2xx is success that is no error in an
    /// envelope.
    Notify(String),
}

/// A usable response.
pub(super) enum ShopResponse {
    /// Success; the content where the call reads one, else no members.
    Found(Object),
    /// There is no such user or order.
    Absent,
}

/// Why a call has no usable response. Never holds a body, a token or a URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("no key to sign a token with")]
    Keys(#[source] NoKeys),
    #[error(transparent)]
    Http(#[from] CallFailure),
    #[error("the response has status {0}")]
    Status(StatusCode),
    /// A 2xx that is an error in go-zero's envelope.
    #[error("the response is an error with code {0}")]
    Code(Number),
    #[error("the response cannot be read, or has another id")]
    Unusable,
}

impl From<CallError> for ShopError {
    fn from(error: CallError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl<K: Keys<AuthKey> + Sync + Send> ShopClient<K> {
    /// Calls through these clients. `clock` dates the tokens.
    #[must_use]
    pub fn new(clients: Clients, keys: Arc<K>, clock: fn() -> Timestamp) -> Self {
        Self { clients, keys, clock, deadline: Duration::from_millis(SHOP_CALL_MS) }
    }

    /// The same with another deadline for each call.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Makes a call, within the deadline.
    pub(super) async fn call(&self, call: &ShopCall<'_>) -> Result<ShopResponse, CallError> {
        let begun = Instant::now();
        let response = https::within(self.deadline, self.attempts(call)).await;
        match &response {
            // The shop was not called: the secret's own metric counts this failure.
            Err(CallError::Keys(_)) => return response,
            Err(error) => {
                let cause = chain(error);
                tracing::warn!(service = call.service, cause, "no usable response from the shop");
                metrics::UPSTREAM_FAILURES.count_by(&[("Service", call.service)]);
            }
            Ok(_) => {}
        }
        metrics::UPSTREAM_TIME.time_under("Service", call.service, begun.elapsed());
        response
    }

    /// Opens a connection and keeps it. No token is sent.
    pub(super) async fn open(&self, url: &Url) {
        if !self.clients.open(url, self.deadline).await {
            tracing::warn!("a connection to the shop could not be opened at start");
        }
    }

    /// Every call may be repeated: two of them only read, and an order notification has its
    /// Idempotency-Key.
    async fn attempts(&self, call: &ShopCall<'_>) -> Result<ShopResponse, CallError> {
        let now = (self.clock)();
        let key = self.keys.current(now).await.map_err(CallError::Keys)?;
        let token = sign_service(&key, call.payer, now);
        self.clients.attempts(|client| call.send(client, &token)).await?
    }
}

impl<K> Clone for ShopClient<K> {
    fn clone(&self) -> Self {
        Self {
            clients: self.clients.clone(),
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

impl ShopCall<'_> {
    /// Sends it once; what the response means.
    async fn send(
        &self,
        client: Client,
        token: &str,
    ) -> Result<Result<ShopResponse, CallError>, CallFailure> {
        let _call = Call::begin(Service::Shop);
        let response = self.request(&client, token).send().await?;
        Ok(match (response.status(), &self.purpose) {
            (StatusCode::OK, Purpose::Read) => {
                wire::content(&read(response).await?).map(ShopResponse::Found)
            }
            (status, Purpose::Notify(_)) if status.is_success() => {
                let acknowledged = match read(response).await {
                    Ok(body) => wire::acknowledged(&body),
                    // No error in an envelope is that long.
                    Err(CallFailure::TooLong(_)) => Ok(()),
                    // The part that is missing may say that it is an error.
                    Err(failure) => return Err(failure),
                };
                acknowledged.map(|()| ShopResponse::Found(Object::default()))
            }
            (StatusCode::NOT_FOUND, _) => {
                drain(response).await;
                Ok(ShopResponse::Absent)
            }
            (status @ (StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR), _) => {
                if wire::says_absent(&read(response).await?) {
                    Ok(ShopResponse::Absent)
                } else {
                    Err(CallError::Status(status))
                }
            }
            (status, _) => Err(CallError::Status(status)),
        })
    }

    fn request(&self, client: &Client, token: &str) -> RequestBuilder {
        let request = client
            .post(self.url.clone())
            .bearer_auth(token)
            .header(header::CONTENT_TYPE, "application/json")
            .header("traceparent", self.trace.to_string())
            .body(self.body.clone());
        match &self.purpose {
            Purpose::Read => request,
            Purpose::Notify(key) => request.header("idempotency-key", key),
        }
    }
}

async fn read(response: Response) -> Result<Vec<u8>, CallFailure> {
    https::body(response, SHOP_RESPONSE_MAX_BYTES).await
}

async fn drain(response: Response) {
    match https::within(Duration::from_millis(SHOP_DRAIN_MS), read(response)).await {
        // Its status has decided already; at worst the connection is lost.
        Ok(_) | Err(_) => {}
    }
}
