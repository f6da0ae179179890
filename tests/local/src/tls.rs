//! A certificate authority made at start.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::Result;
use bench::Authority;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

/// A new authority, with a certificate for `host` and the names of this machine.
pub(crate) fn authority(host: IpAddr) -> Result<Authority> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "local stack");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let names = BTreeSet::from([host.to_string(), "127.0.0.1".into(), "localhost".into()]);
    let server = CertificateParams::new(Vec::from_iter(names))?.signed_by(&key, &authority)?;
    Ok(Authority { ca: authority.pem(), certificate: server.pem(), key: key.serialize_pem() })
}
