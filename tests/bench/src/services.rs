//! DynamoDB, Secrets Manager and the shop: what they respond is prepared before they are called,
//! and always that the request may go on.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::FutureExt as _;
use hyper::{StatusCode, http::request::Parts};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;

use crate::Authority;
use crate::arguments::Latency;
use crate::server::{Response, Server, json};

/// By the operation of AWS, the path of the shop, or the name of the secret. Nobody has the private key
/// of the RSA keys in it: their providers send nothing here, but the keys are read at start.
pub(crate) const RESPONSES: &str = include_str!("../fixtures/responses.json");

/// How long the services wait while requests are recorded: those that come later waited for others.
const RECORDING: Latency = Latency { store_ms: 50, shop_ms: 50 };

/// A request as it came, to be made again.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// `store`, `secrets` or `shop`.
    pub(crate) service: &'static str,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    arrived: Instant,
}

#[derive(Debug, Default)]
struct State {
    responses: BTreeMap<String, Bytes>,
    latency: Latency,
    requests: u64,
    recording: Option<Vec<Recorded>>,
}

#[derive(Debug)]
pub(crate) struct Services {
    state: Arc<Mutex<State>>,
    pub(crate) aws: Server,
    pub(crate) shop: Server,
    files: TempDir,
}

impl Services {
    pub(crate) async fn start(authority: &Authority) -> Result<Self> {
        let state = Arc::<Mutex<State>>::default();
        let serve = || {
            let state = Arc::clone(&state);
            let handler = move |head, body| respond(Arc::clone(&state), head, body).boxed();
            Server::start(Arc::new(handler), Some(TlsAcceptor::from(Arc::clone(&authority.server))))
        };
        let (aws, shop) = (serve().await?, serve().await?);
        let files = TempDir::with_prefix("bench-").context("no temporary directory")?;
        let services = Self { state, aws, shop, files };
        // What a client reads that trusts what its machine does, and the authority.
        let system = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
        let system = system.iter().find_map(|path| fs::read_to_string(path).ok());
        fs::write(services.file("roots.pem"), system.unwrap_or_default() + &authority.pem)?;
        fs::write(services.file("ca.pem"), &authority.pem)?;
        Ok(services)
    }

    /// The path of a file that is gone with the services.
    pub(crate) fn file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// Makes the responses ready, each after so long: the payment is pending, or does not exist yet.
    pub(crate) fn prepare(&self, exists: bool, latency: Latency, now_secs: u64) -> Result<()> {
        let text = RESPONSES.replace("{{now}}", &now_secs.to_string());
        let mut responses: BTreeMap<String, Value> = serde_json::from_str(&text)?;
        if !exists {
            let none = r#"{"Count": 0, "ScannedCount": 0, "Items": []}"#;
            responses.insert("Query".to_owned(), serde_json::from_str(none)?);
        }
        // To Secrets Manager, a secret is text.
        for secret in responses.values_mut().filter_map(|body| body.get_mut("SecretString")) {
            *secret = secret.to_string().into();
        }
        let bytes = |(to, body): (String, Value)| (to, Bytes::from(body.to_string()));
        let mut state = lock(&self.state);
        (state.responses, state.latency) = (responses.into_iter().map(bytes).collect(), latency);
        Ok(())
    }

    pub(crate) fn record(&self) {
        let mut state = lock(&self.state);
        (state.recording, state.latency) = (Some(Vec::new()), RECORDING);
    }

    /// What came since [`Self::record`], grouped by what waited for what; nothing waits any more.
    pub(crate) fn recorded(&self) -> Vec<Vec<Recorded>> {
        let mut state = lock(&self.state);
        state.latency = Latency::default();
        let wait = Duration::from_millis(RECORDING.store_ms);
        let mut hops: Vec<Vec<Recorded>> = Vec::new();
        for one in state.recording.take().into_iter().flatten() {
            let since = |first: &Recorded| one.arrived.duration_since(first.arrived);
            match hops.last_mut() {
                Some(hop) if hop.first().is_some_and(|first| since(first) < wait) => hop.push(one),
                Some(_) | None => hops.push(vec![one]),
            }
        }
        hops
    }

    /// How many requests came in, and how many connections were opened, ever.
    pub(crate) fn seen(&self) -> [u64; 2] {
        let opened = [&self.aws, &self.shop].map(|one| one.accepted.load(Ordering::Relaxed));
        [lock(&self.state).requests, opened.iter().sum()]
    }

    pub(crate) fn hang_up(&self) {
        self.aws.hang_up.notify_waiters();
        self.shop.hang_up.notify_waiters();
    }
}

/// `shop + shop + store, store`: with a plus sign side by side, with a comma one after the other.
pub(crate) fn written(hops: &[Vec<Recorded>]) -> String {
    let group = |hop: &Vec<Recorded>| {
        let mut names: Vec<_> = hop.iter().map(|recorded| recorded.service).collect();
        names.sort_unstable();
        names.join(" + ")
    };
    hops.iter().map(group).collect::<Vec<_>>().join(", ")
}

impl Latency {
    pub(crate) fn ms_of(self, service: &str) -> u64 {
        if service == "shop" { self.shop_ms } else { self.store_ms }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn respond(state: Arc<Mutex<State>>, head: Parts, body: Bytes) -> Response {
    let arrived = Instant::now();
    let (wait_ms, response) = lock(&state).take(head, body, arrived);
    let wait = Duration::from_millis(wait_ms);
    // Awake at the end: a timer ends up to two milliseconds late.
    if let Some(asleep) = wait.checked_sub(Duration::from_millis(2)) {
        sleep(asleep).await;
    }
    while arrived.elapsed() < wait {
        tokio::task::yield_now().await;
    }
    response
}

impl State {
    /// Takes a request in; says how long to wait and what to respond then.
    fn take(&mut self, head: Parts, body: Bytes, arrived: Instant) -> (u64, Response) {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let (service, key) = match target.and_then(|target| target.rsplit_once('.')) {
            Some(("secretsmanager", _)) => ("secrets", secret_of(&body).unwrap_or_default()),
            Some((_, operation)) => ("store", operation.to_owned()),
            None => ("shop", head.uri.path().to_owned()),
        };
        let unknown = || json(StatusCode::BAD_REQUEST, r#"{"__type":"ResourceNotFoundException"}"#);
        let found = self.responses.get(&key);
        let response = found.map_or_else(unknown, |body| json(StatusCode::OK, body.clone()));
        self.requests = self.requests.saturating_add(1);
        if let Some(recording) = &mut self.recording {
            recording.push(Recorded { service, head, body, arrived });
        }
        (self.latency.ms_of(service), response)
    }
}

/// The name of the secret whose current version is asked for: there is no other.
fn secret_of(body: &Bytes) -> Option<String> {
    let asked: Value = serde_json::from_slice(body).ok()?;
    let current = asked.get("VersionStage").is_none_or(|stage| stage != "AWSPREVIOUS");
    Some(asked.get("SecretId").filter(|_| current)?.as_str()?.to_owned())
}
