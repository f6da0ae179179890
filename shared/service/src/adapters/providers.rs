//! The payment providers, called over HTTPS.
//!
//! What is sent and what a response proves is the business of [`pay_providers`]; this sends the bytes.
//! Nothing is read or opened before the first call: most invocations make none.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use pay_core::{
    domain::{Checkout, MerchantAccount, PaymentId, Provider, Timestamp, WebUrl},
    limits::QUERY_CALL_MS,
    ports::{
        CheckoutAction, CheckoutCallError, CheckoutOrder, Keys, NoKeys, Providers, Query,
        QueryError, QueryResponse, RefundCallError, RefundOrder, StartedCheckout, chain,
    },
};
use pay_providers::{
    CheckoutStep, Headers, ProviderKeys, RawRequest, RawResponse, SignedQuery, adapter,
};
use reqwest::{Client, Method, Url};
use tokio::time::{Instant, timeout_at};

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
    /// `None` where none can be called.
    keys: Option<K>,
    /// Where a provider's API is, if not at its own URL.
    urls: Vec<(Provider, Url)>,
    /// Where each provider reports what becomes of refunds, where that is configured.
    notify_urls: Vec<(Provider, WebUrl)>,
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
    /// Providers that are called with these keys: `urls` names those that are not at their own URL, and
    /// only they may have a certificate of `ca_bundle`.
    #[must_use]
    pub fn new(keys: Option<K>, urls: Vec<(Provider, Url)>, ca_bundle: Option<String>) -> Self {
        let ca_bundle = ca_bundle.filter(|_| !urls.is_empty());
        let deadline = Duration::from_millis(QUERY_CALL_MS);
        let (clients, notify_urls) = (OnceLock::new(), Vec::new());
        Self { keys, urls, notify_urls, ca_bundle, clients, deadline }
    }

    /// The same, with where each provider reports what becomes of refunds.
    #[must_use]
    pub fn notified_at(self, notify_urls: Vec<(Provider, WebUrl)>) -> Self {
        Self { notify_urls, ..self }
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
                ProviderCall::Action => clients.once(send).await,
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
    async fn account(
        &self,
        provider: Provider,
        now: Timestamp,
    ) -> Result<Option<MerchantAccount>, NoKeys> {
        let Some(keys) = self.current_keys(now).await? else { return Ok(None) };
        match keys.querier(provider) {
            Ok(querier) => Ok(querier.account()),
            Err(QueryError::NoKey) => Ok(None),
            Err(error) => Err(NoKeys(error.into())),
        }
    }

    async fn checkout(
        &self,
        order: &CheckoutOrder<'_>,
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        let payment = order.checkout.reference.payment;
        let (provider, begun) = (order.checkout.provider(), Instant::now());
        let started = self.start(provider, order, now).await;
        match &started {
            Err(CheckoutCallError::Unknown(error)) => {
                self.no_response(provider, Some(payment), error, (begun, now)).await;
            }
            Err(CheckoutCallError::Refused { code, .. }) => refused(provider, payment, code),
            Ok(_) | Err(CheckoutCallError::Ended) => {}
        }
        started
    }

    async fn close(&self, checkout: &Checkout, now: Timestamp) -> Result<(), QueryError> {
        let (provider, begun) = (checkout.provider(), Instant::now());
        let call = Box::pin(async {
            let keys = self.provider_keys(now).await?;
            let querier = keys.querier(provider)?;
            let request = querier.close_request(checkout, &nonce(), now)?;
            let received = self.timed((provider, ProviderCall::Action), &request).await?;
            received.with(|response| querier.close_response(checkout, response, now))
        });
        let closed = call.await;
        if let Err(error) = &closed {
            let payment = Some(checkout.reference.payment);
            self.no_response(provider, payment, error, (begun, now)).await;
        }
        closed
    }

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
        let begun = Instant::now();
        let call = Box::pin(async {
            let keys = self.provider_keys(now).await?;
            let querier = keys.querier(provider)?;
            let request = querier.request(query, &nonce(), now)?;
            let received = self.timed((provider, ProviderCall::Query), &request).await?;
            received.with(|response| querier.response(query, response, now))
        });
        let response = call.await;
        if let Err(error) = &response {
            self.no_response(provider, query.payment(), error, (begun, now)).await;
        }
        response
    }

    async fn refund(
        &self,
        provider: Provider,
        order: &RefundOrder<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        let notify_url = self.notify_urls.iter().find(|(of, _)| *of == provider);
        let order = &RefundOrder { notify_url: notify_url.map(|(_, url)| url), ..*order };
        let (payment, begun) = (order.reference.payment(), Instant::now());
        let call = Box::pin(async {
            let keys = self.provider_keys(now).await?;
            let querier = keys.querier(provider)?;
            let request = querier.refund_request(order, &nonce(), now)?;
            let received = self.timed((provider, ProviderCall::Action), &request).await?;
            received.with(|response| querier.refund_response(order, response, now))
        });
        let response = call.await;
        match &response {
            Err(RefundCallError::Unknown(error)) => {
                self.no_response(provider, Some(payment), error, (begun, now)).await;
            }
            Err(RefundCallError::Refused { code, .. }) => refused(provider, payment, code),
            Ok(_) => {}
        }
        response
    }
}

/// What a call does there.
#[derive(Clone, Copy)]
enum ProviderCall {
    /// Nothing: it asks.
    Query,
    /// It makes or changes something.
    Action,
}

impl<K: Keys<ProviderKeys> + Send + Sync> HttpProviders<K> {
    /// Makes a checkout that is made by a call, or signs one that is made without.
    async fn start(
        &self,
        provider: Provider,
        order: &CheckoutOrder<'_>,
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        let keys = self.provider_keys(now).await?;
        let querier = keys.querier(provider)?;
        let nonce = nonce();
        let action = match querier.checkout_request(order, &nonce, now)? {
            CheckoutStep::Send(request) => {
                let call = Box::pin(self.timed((provider, ProviderCall::Action), &request));
                let read = |response: &RawResponse<'_>| {
                    querier.checkout_response(order, response, &nonce, now)
                };
                return call.await?.with(read);
            }
            CheckoutStep::Redirect(SignedQuery(query)) => {
                let url = self.url(provider, &query).ok_or(SendError::Url);
                CheckoutAction::Redirect { url: url.map_err(QueryError::from)?.into() }
            }
            CheckoutStep::Ready(action) => action,
        };
        Ok(StartedCheckout { provider_id: None, action })
    }

    async fn provider_keys(&self, now: Timestamp) -> Result<Arc<ProviderKeys>, QueryError> {
        let keys = self.current_keys(now).await;
        keys.map_err(|error| QueryError::Unavailable(error.0))?.ok_or(QueryError::NoKey)
    }

    /// Logs and counts a call without a usable response. A key that is rejected may have been rotated: it is read
    /// again for the next call, in what is left of the time of the call that began at `begun`.
    async fn no_response(
        &self,
        provider: Provider,
        payment: Option<PaymentId>,
        error: &QueryError,
        (begun, now): (Instant, Timestamp),
    ) {
        no_response(provider, payment, error);
        let Some(keys) = self.keys.as_ref().filter(|_| matches!(error, QueryError::Rejected(_)))
        else {
            return;
        };
        let until = begun.checked_add(self.deadline).unwrap_or(begun);
        // The next call is made with whatever is known then.
        match timeout_at(until, Box::pin(keys.reread(now))).await {
            Ok(Some(_) | None) | Err(_) => {}
        }
    }

    /// Makes one call, and notes how long it took.
    async fn timed(
        &self,
        (provider, call): (Provider, ProviderCall),
        request: &RawRequest,
    ) -> Result<Received, QueryError> {
        let begun = Instant::now();
        let received = self.call(provider, call, request).await;
        metrics::UPSTREAM_TIME.time_under("Service", provider.as_str(), begun.elapsed());
        Ok(received?)
    }
}

impl Received {
    fn with<T>(&self, read: impl FnOnce(&RawResponse<'_>) -> T) -> T {
        let headers = Headers::from_pairs(&self.headers);
        read(&RawResponse { status: self.status, headers: &headers, body: &self.body })
    }
}

fn nonce() -> String {
    format!("{:016x}{:016x}", random_u64(), random_u64())
}

/// Logs and counts what a provider refuses by a code of its own list.
fn refused(provider: Provider, payment: PaymentId, code: &str) {
    let (provider, payment_id) = (provider.as_str(), payment.get());
    tracing::warn!(provider, payment_id, code, "provider refused");
    metrics::PROVIDER_REFUSED.count_by(&[("Provider", provider)]);
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
