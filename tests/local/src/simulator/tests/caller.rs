//! A caller of a provider. It signs and verifies with the `rsa` crate, not with the code of the stack.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bench::Authority;
use pay_core::domain::Provider;
use pay_providers::RawRequest;
use rsa::PrivateKey;
use rsa::PublicKey;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _, Verifier as _};
use serde_json::Value;

use crate::faults::Faults;
use crate::faults::server::Server;
use crate::simulator::Account;
use crate::{client, defaults};

/// A provider that runs, and a client of it.
pub(super) struct Served {
    pub(super) account: Account,
    pub(super) faults: Faults,
    pub(super) url: String,
    pub(super) http: reqwest::Client,
    _server: Server,
}

/// A response.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Response {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Served {
    pub(super) async fn start(provider: Provider) -> Self {
        let faults = Faults::default();
        let account = Account::new(provider, faults.clone()).unwrap();
        let authority = Authority::new(defaults::HOST).unwrap();
        let http = client::client(&authority.pem).unwrap();
        let server = account.serve(defaults::HOST, authority.server.into()).await.unwrap();
        let (_, path) = account.simulator().api.url;
        let url = format!("https://{}{path}", server.address);
        Self { account, faults, url, http, _server: server }
    }
}

/// A response as the service gets it: status, headers and body.
pub(super) type Received = (u16, Vec<(String, String)>, Vec<u8>);

/// Sends a request of the service's own; `None` if there is no response.
pub(super) async fn exchange(served: &Served, request: RawRequest) -> Option<Received> {
    let url = format!("{}{}", served.url, request.target);
    let mut sent = served.http.request(request.method.parse().unwrap(), url).body(request.body);
    for (name, value) in request.headers {
        sent = sent.header(name, value);
    }
    let response = send(sent).await?;
    let headers = response.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Some((response.status, headers.collect(), response.text.into_bytes()))
}

/// Sends a request; `None` if there is no response.
pub(super) async fn send(request: reqwest::RequestBuilder) -> Option<Response> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = String::from_utf8(response.bytes().await.ok()?.to_vec()).unwrap();
    Some(Response { status, headers, text })
}

/// The signature of a message, in base64.
pub(super) fn sign(private_pem: &str, message: &[u8]) -> String {
    let key = PrivateKey::from_pkcs8_pem(private_pem).unwrap();
    BASE64.encode(SigningKey::<Sha256>::new(key).sign(message).to_bytes())
}

/// Whether a signature in base64 is that of a message.
pub(super) fn verifies(public_pem: &str, message: &[u8], signature: &str) -> bool {
    let key = PublicKey::from_public_key_pem(public_pem).unwrap();
    let signature = Signature::try_from(&*BASE64.decode(signature).unwrap()).unwrap();
    VerifyingKey::<Sha256>::new(key).verify(message, &signature).is_ok()
}
