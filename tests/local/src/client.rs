//! The HTTP client of the stack, its command line and its tests.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

/// A client that trusts the certificates in `ca_pem` and nobody else.
///
/// It follows no redirect and uses no proxy: a test sees the response of the service itself.
pub fn client(ca_pem: &str) -> Result<reqwest::Client> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        roots.add(certificate.context("the CA file is not PEM")?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // Longer than any function runs: a stack that hangs fails the call.
        .timeout(Duration::from_mins(1))
        .build()?;
    Ok(client)
}

/// One call of a JSON 1.0 or 1.1 service of AWS; returns the status and the body.
///
/// The signature is a dummy, which emulators accept; AWS itself does not.
pub async fn call(
    client: &reqwest::Client,
    endpoint: &str,
    service: &str,
    target: &str,
    request: &Value,
) -> Result<(u16, Value)> {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=local/20260101/{}/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0",
        crate::defaults::REGION
    );
    let content_type = match service {
        "dynamodb" => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    };
    let response = client
        .post(endpoint)
        .header("x-amz-target", target)
        .header("content-type", content_type)
        .header("authorization", authorization)
        .header("x-amz-date", "20260101T000000Z")
        .body(request.to_string())
        .send()
        .await
        .with_context(|| format!("no response from {endpoint}"))?;
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    let body = serde_json::from_slice(&body)
        .with_context(|| format!("{target} at {endpoint} responded {status} without JSON"))?;
    Ok((status, body))
}

/// The error name in a JSON service's response: `ResourceNotFoundException`.
pub(crate) fn error_name(body: &Value) -> &str {
    let name = body.get("__type").and_then(Value::as_str).unwrap_or_default();
    name.rsplit_once('#').map_or(name, |(_, name)| name)
}
