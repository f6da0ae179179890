//! The payment providers, queried over HTTPS.
//!
//! What is sent and what a response proves is the business of [`pay_providers`]; this sends the bytes.
//! Nothing is read or opened before the first query: most invocations make none.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use pay_core::{
    domain::{PaymentId, Provider, Timestamp},
    limits::QUERY_CALL_MS,
    ports::{
        Keys, NoKeys, Providers, Query, QueryError, QueryResponse, RefundCallError, RefundOrder,
        chain,
    },
};
use pay_providers::{Headers, ProviderKeys, Querier, RawRequest, RawResponse, adapter};
use reqwest::{Client, Method, Url};
use tokio::time::Instant;

use super::{
    https::{self, CallFailure, Clients, HttpsError},
    ids::random_u64,
};
use crate::{
    limits::PROVIDER_RESPONSE_MAX_BYTES,
    metrics,
    usage::{Call, Service},
};

/// The payment providers.
pub struct HttpProviders<K> {
    /// `None` where none can be queried.
    keys: Option<K>,
    /// Where a provider's API is, if not at its own URL.
    urls: Vec<(Provider, Url)>,
    ca_bundle: Option<String>,
    clients: OnceLock<Clients>,
    deadline: Duration,
}

/// Why a call has no response. Never holds a body, a header or a URL.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Http(#[from] CallFailure),
    #[error("the HTTP client could not be built")]
    Client(#[source] HttpsError),
    #[error("the provider's URL and the request make no URL")]
    Url,
}

impl From<SendError> for QueryError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Http(CallFailure::Deadline | CallFailure::Connection(_)) => {
                Self::Unavailable(error.into())
            }
            SendError::Http(CallFailure::TooLong(_)) => Self::Unusable(error.into()),
            SendError::Client(_) | SendError::Url => Self::Rejected(error.into()),
        }
    }
}

/// A response, read to its end.
#[cfg_attr(test, derive(Debug))]
struct Received {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl<K: Keys<ProviderKeys> + Send + Sync> HttpProviders<K> {
    /// Providers that are queried with these keys: `urls` names those that are not at their own URL, and
    /// only they may have a certificate of `ca_bundle`.
    #[must_use]
    pub fn new(keys: Option<K>, urls: Vec<(Provider, Url)>, ca_bundle: Option<String>) -> Self {
        let ca_bundle = ca_bundle.filter(|_| !urls.is_empty());
        let deadline = Duration::from_millis(QUERY_CALL_MS);
        Self { keys, urls, ca_bundle, clients: OnceLock::new(), deadline }
    }

    /// The same with another deadline for each call.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    async fn current_keys(&self, now: Timestamp) -> Result<Option<Arc<ProviderKeys>>, NoKeys> {
        match &self.keys {
            Some(keys) => keys.current(now).await.map(Some),
            None => Ok(None),
        }
    }

    /// A query changes nothing, so it may be repeated; anything else is sent once.
    async fn call(
        &self,
        provider: Provider,
        purpose: ProviderCall,
        request: &RawRequest,
    ) -> Result<Received, SendError> {
        let url = self.url(provider, &request.target).ok_or(SendError::Url)?;
        let clients = self.clients()?;
        let attempts = async {
            let send = |client| send(client, url.clone(), request);
            match purpose {
                ProviderCall::Query => clients.attempts(send).await,
                ProviderCall::Refund => clients.once(send).await,
            }
        };
        Ok(https::within(self.deadline, attempts).await?)
    }

    /// The provider's URL with the target, which must reach it as it was signed.
    fn url(&self, provider: Provider, target: &str) -> Option<Url> {
        let other = self.urls.iter().find(|(of, _)| *of == provider).map(|(_, url)| url.as_str());
        let base = other.unwrap_or(adapter(provider).url);
        let base = if target.starts_with('/') { base.trim_end_matches('/') } else { base };
        let url = Url::parse(&format!("{base}{target}")).ok()?;
        // Nor may it be the end of the host's name.
        let is_whole = target.starts_with(['/', '?']) && url.as_str().ends_with(target);
        (is_whole && url.scheme() == "https").then_some(url)
    }

    fn clients(&self) -> Result<&Clients, SendError> {
        if let Some(clients) = self.clients.get() {
            return Ok(clients);
        }
        let clients = Clients::new(self.ca_bundle.as_deref()).map_err(SendError::Client)?;
        Ok(self.clients.get_or_init(|| clients))
    }
}

impl<K: Keys<ProviderKeys> + Send + Sync> Providers for HttpProviders<K> {
    async fn queried(&self, now: Timestamp) -> Result<Vec<Provider>, NoKeys> {
        let keys = self.current_keys(now).await?;
        Ok(keys.map(|keys| keys.configured().collect()).unwrap_or_default())
    }

    async fn query(
        &self,
        provider: Provider,
        query: &Query,
        now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        let request = |querier: &dyn Querier, nonce: &str| querier.request(query, nonce, now);
        let read = |querier: &dyn Querier, response: &RawResponse<'_>| {
            querier.response(query, response, now)
        };
        let response = self.exchange((provider, ProviderCall::Query), request, read, now).await;
        response.inspect_err(|error| no_response(provider, query.payment(), error))
    }

    async fn refund(
        &self,
        provider: Provider,
        order: &RefundOrder<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        let request =
            |querier: &dyn Querier, nonce: &str| querier.refund_request(order, nonce, now);
        let read = |querier: &dyn Querier, response: &RawResponse<'_>| {
            querier.refund_response(order, response, now)
        };
        let response = self.exchange((provider, ProviderCall::Refund), request, read, now).await;
        response.inspect_err(|error| {
            if let RefundCallError::Unknown(error) = error {
                no_response(provider, Some(order.reference.payment()), error);
            }
        })
    }
}

/// What a call is for.
#[derive(Clone, Copy)]
enum ProviderCall {
    Query,
    Refund,
}

impl<K: Keys<ProviderKeys> + Send + Sync> HttpProviders<K> {
    /// Makes one call: builds its request with the provider's keys, sends it, and reads the response.
    async fn exchange<E: From<QueryError>>(
        &self,
        (provider, purpose): (Provider, ProviderCall),
        request: impl FnOnce(&dyn Querier, &str) -> Result<RawRequest, QueryError>,
        read: impl FnOnce(&dyn Querier, &RawResponse<'_>) -> Result<QueryResponse, E>,
        now: Timestamp,
    ) -> Result<QueryResponse, E> {
        let keys =
            self.current_keys(now).await.map_err(|error| QueryError::Unavailable(error.0))?;
        let querier = keys.as_ref().ok_or(QueryError::NoKey)?.querier(provider)?;
        let nonce = format!("{:016x}{:016x}", random_u64(), random_u64());
        let request = request(querier, &nonce)?;
        let begun = Instant::now();
        let received = self.call(provider, purpose, &request).await;
        metrics::UPSTREAM_TIME.time_under("Service", provider.as_str(), begun.elapsed());
        let Received { status, headers, body } = received.map_err(QueryError::from)?;
        let headers = Headers::from_pairs(&headers);
        read(querier, &RawResponse { status, headers: &headers, body: &body })
    }
}

/// Logs and counts a call without a usable response.
fn no_response(provider: Provider, payment: Option<PaymentId>, error: &QueryError) {
    let (provider, reason) = (provider.as_str(), error.kind());
    let (payment_id, cause) = (payment.map(PaymentId::get), chain(error));
    tracing::warn!(provider, payment_id, reason, cause, "provider gave no usable response");
    metrics::QUERIES_FAILED.count_by(&[("Provider", provider), ("Reason", reason)]);
    if matches!(error, QueryError::Rejected(_)) {
        metrics::QUERIES_REJECTED.count();
    }
}

impl<K> fmt::Debug for HttpProviders<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpProviders")
    }
}

async fn send(client: Client, url: Url, request: &RawRequest) -> Result<Received, CallFailure> {
    let _call = Call::begin(Service::Provider);
    let method = if request.method == "GET" { Method::GET } else { Method::POST };
    let sent = client.request(method, url);
    let sent = request.headers.iter().fold(sent, |sent, (name, value)| sent.header(*name, value));
    let sent = if request.body.is_empty() { sent } else { sent.body(request.body.clone()) };
    let response = sent.send().await?;
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let status = response.status().as_u16();
    let body = https::body(response, PROVIDER_RESPONSE_MAX_BYTES).await?;
    Ok(Received { status, headers, body })
}

#[cfg(test)]
mod tests;
