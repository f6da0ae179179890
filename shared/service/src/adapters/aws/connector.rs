//! The SDK's pluggable HTTP client, over `reqwest`.

use std::{fmt, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http,
};
use aws_smithy_types::body::SdkBody;

use crate::usage::{Call, Service};

/// DynamoDB answers with at most 16 MB; a longer answer is not one.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// A request of which not a byte was sent, as the source of a [`ConnectorError`].
///
/// The SDK has such a mark too, but lets nobody read it.
#[derive(Debug, thiserror::Error)]
#[error("no connection")]
pub(crate) struct NotSent(#[source] reqwest::Error);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(&'static str);

/// Hands the SDK's requests to our HTTP client.
#[derive(Clone)]
pub(super) struct OneHttpStack {
    http: reqwest::Client,
    service: Service,
}

impl OneHttpStack {
    pub(super) const fn new(http: reqwest::Client, service: Service) -> Self {
        Self { http, service }
    }
}

impl fmt::Debug for OneHttpStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneHttpStack")
    }
}

impl HttpClient for OneHttpStack {
    /// The connect timeout is the HTTP client's own.
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            http: self.http.clone(),
            service: self.service,
            timeout: settings.read_timeout(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    http: reqwest::Client,
    service: Service,
    timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.http.clone();
        let (service, timeout) = (self.service, self.timeout);
        HttpConnectorFuture::new(async move {
            let _call = Call::begin(service);
            let mut request = outgoing(request)?;
            *request.timeout_mut() = timeout;
            let response = http.execute(request).await.map_err(classify)?;
            incoming(response).await
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let (parts, body) =
        request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
    // No operation of ours streams its request.
    let Some(bytes) = body.bytes() else {
        return Err(ConnectorError::user(Unusable("a streaming request").into()));
    };
    ::http::Request::from_parts(parts, bytes.to_vec())
        .try_into()
        .map_err(|error: reqwest::Error| ConnectorError::user(error.into()))
}

async fn incoming(mut response: reqwest::Response) -> Result<HttpResponse, ConnectorError> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
            let error = Unusable("the answer is too long");
            return Err(ConnectorError::other(error.into(), None));
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = http::Response::new(status.into(), SdkBody::from(body));
    *answer.headers_mut() = headers
        .try_into()
        .map_err(|error: http::HttpError| ConnectorError::other(error.into(), None))?;
    Ok(answer)
}

/// Says what the SDK may do about it: retry on a timeout and on a lost connection, not on ours.
fn classify(error: reqwest::Error) -> ConnectorError {
    if error.is_connect() {
        ConnectorError::io(NotSent(error).into()).never_connected()
    } else if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
