//! The one HTTP client: the shop's services and AWS are called through it.

use std::{sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

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
pub fn client(tls: ClientConfig, pool: Pool) -> Result<reqwest::Client, HttpsError> {
    reqwest::Client::builder()
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

/// The body of a response; `None` if it is longer than this.
///
/// # Errors
///
/// The connection broke before its end.
pub(super) async fn body(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
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

    #[test]
    fn both_clients_build() {
        for pool in [Pool::Kept, Pool::Fresh] {
            assert!(client(tls(None).unwrap(), pool).is_ok());
        }
    }
}
