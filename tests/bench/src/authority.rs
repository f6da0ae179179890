//! A private certificate authority, and the services that it vouches for.

use std::sync::Arc;

use anyhow::Result;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;

/// An authority and the certificate of the services, as PEM.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Authority {
    /// The authority's certificate.
    pub ca: String,
    /// The services'.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// Accepts connections as the one whom the authority vouches for.
    ///
    /// # Errors
    ///
    /// One of the texts is no PEM of its kind, or the key is another certificate's.
    pub fn acceptor(&self) -> Result<TlsAcceptor> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
