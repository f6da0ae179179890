//! The one HTTP client: the shop's services, the payment providers and AWS are called through it.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Response, Url};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::time::timeout;

use crate::limits::{HTTPS_CONNECT_MS, HTTPS_IDLE_MAX};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The private CA bundle holds no certificate, or one that cannot be read.
    #[error("the CA bundle is not PEM with at least one certificate")]
    CaBundle,
    /// The TLS or HTTP library rejected its settings.
    #[error("the HTTP client could not be built")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Whether a client keeps connections for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Idle connections are kept.
    Kept,
    /// Every request opens its own: what a retry needs when kept ones may be dead.
    Fresh,
}

/// The TLS settings: the web's trust anchors, compiled in, and the private CA of `ca_bundle`.
///
/// `ca_bundle` is PEM text. On ring, TLS 1.2 and 1.3, no client certificate.
///
/// # Errors
///
/// [`HttpsError::CaBundle`], [`HttpsError::Client`].
pub fn tls(ca_bundle: Option<&str>) -> Result<ClientConfig, HttpsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(pem) = ca_bundle {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_not_pem| HttpsError::CaBundle)?;
            roots.add(certificate).map_err(|_not_a_ca| HttpsError::CaBundle)?;
        }
        if roots.len() == before {
            return Err(HttpsError::CaBundle);
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpsError::Client(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// A client with these TLS settings. It follows no redirect and uses no proxy; each request sets its
/// own total deadline.
///
/// # Errors
///
/// [`HttpsError::Client`].
pub fn client(tls: ClientConfig, pool: Pool) -> Result<Client, HttpsError> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_millis(HTTPS_CONNECT_MS))
        .pool_max_idle_per_host(match pool {
            Pool::Kept => HTTPS_IDLE_MAX,
            Pool::Fresh => 0,
        })
        .build()
        .map_err(|error| HttpsError::Client(error.into()))
}

/// Two clients with the same TLS settings.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Keeps its connections.
    pub(super) kept: Client,
    /// Opens a connection for each request.
    pub(super) fresh: Client,
}

/// Why a call has no response. Never holds a body, a header or a URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallFailure {
    #[error("no response in time")]
    Deadline,
    /// It could not be opened, broke before the end of the response, or the peer speaks no HTTP.
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    #[error("the response is longer than {0} bytes")]
    TooLong(usize),
}

impl From<reqwest::Error> for CallFailure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Deadline
        } else {
            // The error's text would hold the URL, and a URL may hold a secret.
            Self::Connection(error.without_url())
        }
    }
}

impl Clients {
    /// Clients that trust the CA of `ca_bundle` as well: see [`tls`].
    ///
    /// # Errors
    ///
    /// [`HttpsError`].
    pub fn new(ca_bundle: Option<&str>) -> Result<Self, HttpsError> {
        let tls = tls(ca_bundle)?;
        let kept = client(tls.clone(), Pool::Kept)?;
        Ok(Self { kept, fresh: client(tls, Pool::Fresh)? })
    }

    /// Opens a connection and keeps it; whether there is one. Any response will do.
    pub(super) async fn open(&self, url: &Url, deadline: Duration) -> bool {
        matches!(timeout(deadline, self.kept.head(url.clone()).send()).await, Ok(Ok(_)))
    }

    /// One attempt, and a second one on a new connection if the first connection broke: a kept one may
    /// have died while the environment was frozen.
    pub(super) async fn attempts<T, F>(
        &self,
        attempt: impl Fn(Client) -> F,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        match attempt(self.kept.clone()).await {
            Err(CallFailure::Connection(_)) => attempt(self.fresh.clone()).await,
            result => result,
        }
    }

    /// One attempt on a new connection, for what must not be sent twice at a time.
    pub(super) async fn once<T, F>(
        &self,
        attempt: impl FnOnce(Client) -> F,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        attempt(self.fresh.clone()).await
    }
}

/// What a call comes to, its attempts included, if that is known before the deadline.
pub(super) async fn within<T, E: From<CallFailure>>(
    deadline: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(deadline, call).await.unwrap_or_else(|_elapsed| Err(CallFailure::Deadline.into()))
}

/// The body of a response, read to its end.
pub(super) async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, CallFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Err(CallFailure::TooLong(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_bundle_without_a_certificate_is_rejected() {
        assert!(tls(None).is_ok());
        for bad in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            assert!(matches!(tls(Some(bad)), Err(HttpsError::CaBundle)), "{bad}");
        }
    }
}
