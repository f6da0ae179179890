//! A private certificate authority, made at start, and the services that it vouches for.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// An authority whose own key is gone, and the one certificate that it signed.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The authority's certificate, PEM.
    pub pem: String,
    /// Accepts connections as the one whom the authority vouches for.
    pub server: Arc<ServerConfig>,
    /// Opens connections to the one whom the authority vouches for.
    pub client: Arc<ClientConfig>,
}

impl Authority {
    /// A new authority, which vouches for `host` and for the names of this machine.
    pub fn new(host: IpAddr) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "local stack");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names = BTreeSet::from([host.to_string(), "127.0.0.1".into(), "localhost".into()]);
        let mut params = CertificateParams::new(Vec::from_iter(names))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Strict clients, such as Python's since 3.13, reject a certificate that does not say which
        // key signed it. Source: RFC 5280, section 4.2.1.1.
        params.use_authority_key_identifier_extension = true;
        let signed = params.signed_by(&key, &authority)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone())?;
        let server = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![signed.into()], key.into())?;
        let client = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { pem: authority.pem(), server: server.into(), client: client.into() })
    }
}
