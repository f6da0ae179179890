//! A certificate authority made at start, and a server that it vouches for.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A private authority and what it vouches for, as PEM.
#[derive(Debug)]
pub(crate) struct Authority {
    /// The authority's certificate.
    pub(crate) ca: String,
    /// The certificate of the host, `127.0.0.1` and `localhost`.
    pub(crate) certificate: String,
    /// Its key.
    pub(crate) key: String,
}

impl Authority {
    /// A new one, that vouches for whoever serves on `host`.
    pub(crate) fn new(host: IpAddr) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "local stack");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let key = KeyPair::generate()?;
        let names = BTreeSet::from([host.to_string(), "127.0.0.1".into(), "localhost".into()]);
        let server = CertificateParams::new(Vec::from_iter(names))?.signed_by(&key, &authority)?;
        Ok(Self { ca: authority.pem(), certificate: server.pem(), key: key.serialize_pem() })
    }

    /// Accepts connections as the one whom the authority vouches for.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor> {
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
