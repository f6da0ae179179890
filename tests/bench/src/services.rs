//! DynamoDB, Secrets Manager and the shop: what they answer is known before they are asked.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::Authority;
use crate::http1::{Answer, Server};
use crate::plan::{Canned, Latency, Service};
use crate::spin;

/// Where a machine keeps the certificates that it trusts.
const SYSTEM_ROOTS: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// A request as it came, to be made again.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) service: Service,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    pub(crate) arrived: Instant,
    pub(crate) answered: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    answers: Vec<Canned>,
    latency: Latency,
    requests: u64,
    recording: Option<Vec<Heard>>,
}

/// The running services.
#[derive(Debug)]
pub(crate) struct Services {
    state: Arc<Mutex<State>>,
    aws: Server,
    shop: Server,
    files: TempDir,
}

impl Services {
    pub(crate) async fn start(authority: &Authority) -> Result<Self> {
        let state = Arc::<Mutex<State>>::default();
        let tls = authority.acceptor()?;
        let files = TempDir::with_prefix("bench-").context("no temporary directory")?;
        std::fs::write(files.path().join("ca.pem"), &authority.ca)?;
        std::fs::write(files.path().join("roots.pem"), with_system_roots(&authority.ca))?;
        let at = |door| Canning { state: Arc::clone(&state), door };
        let aws = Server::start(at(Door::Aws), Some(tls.clone())).await?;
        let shop = Server::start(at(Door::Shop), Some(tls)).await?;
        Ok(Self { state, aws, shop, files })
    }

    /// Puts addresses and paths in the place of their names.
    pub(crate) fn fill(&self, value: &str) -> String {
        let path = |name: &str| self.files.path().join(name).display().to_string();
        value
            .replace("{aws}", &format!("https://{}", self.aws.address))
            .replace("{shop}", &format!("https://{}", self.shop.address))
            .replace("{ca}", &path("ca.pem"))
            .replace("{roots}", &path("roots.pem"))
    }

    /// A directory that is gone with the services.
    pub(crate) fn files(&self) -> &Path {
        self.files.path()
    }

    pub(crate) fn port(&self, service: Service) -> u16 {
        match service {
            Service::Store | Service::Secrets => self.aws.address.port(),
            Service::Shop => self.shop.address.port(),
        }
    }

    /// From now on they answer this, this late.
    pub(crate) fn prepare(&self, answers: &[Canned], latency: Latency) {
        let mut state = lock(&self.state);
        state.answers = answers.to_vec();
        state.latency = latency;
    }

    pub(crate) fn record(&self) {
        lock(&self.state).recording = Some(Vec::new());
    }

    /// What was heard since [`Self::record`].
    pub(crate) fn recorded(&self) -> Vec<Heard> {
        lock(&self.state).recording.take().unwrap_or_default()
    }

    /// How many requests came in.
    pub(crate) fn requests(&self) -> u64 {
        lock(&self.state).requests
    }

    /// How many connections were ever opened.
    pub(crate) fn connections(&self) -> u64 {
        self.aws.accepted().saturating_add(self.shop.accepted())
    }

    pub(crate) fn hang_up(&self) {
        self.aws.hang_up();
        self.shop.hang_up();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a client reads that trusts what its machine does, and the authority.
fn with_system_roots(ca: &str) -> String {
    let system = SYSTEM_ROOTS.iter().find_map(|path| std::fs::read_to_string(path).ok());
    format!("{}\n{ca}", system.unwrap_or_default())
}

/// By which of the two addresses a request came.
#[derive(Debug, Clone, Copy)]
enum Door {
    Aws,
    Shop,
}

#[derive(Debug, Clone)]
struct Canning {
    state: Arc<Mutex<State>>,
    door: Door,
}

impl Canning {
    /// Whose request it is and what it asks for.
    fn asked<'a>(&self, head: &'a Parts) -> (Service, &'a str) {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let (family, operation) =
            target.and_then(|target| target.rsplit_once('.')).unwrap_or_default();
        match self.door {
            Door::Shop => (Service::Shop, head.uri.path()),
            Door::Aws if family == "secretsmanager" => (Service::Secrets, operation),
            Door::Aws => (Service::Store, operation),
        }
    }

    /// Takes a request down; says how long to wait and what to answer then.
    fn hear(&self, head: &Parts, body: &Bytes, arrived: Instant) -> (Duration, Response<Bytes>) {
        let (service, to) = self.asked(head);
        let mut state = lock(&self.state);
        state.requests = state.requests.saturating_add(1);
        if let Some(recording) = &mut state.recording {
            let (head, body) = (head.clone(), body.clone());
            recording.push(Heard { service, head, body, arrived, answered: None });
        }
        let wait_ms = match service {
            Service::Store | Service::Secrets => state.latency.store_ms,
            Service::Shop => state.latency.shop_ms,
        };
        let found = state.answers.iter().find(|canned| canned.to == to && is_about(body, canned));
        (Duration::from_millis(wait_ms), found.map_or_else(unknown, answer))
    }

    /// Notes that the request that came at `arrived` has its answer.
    fn note_answered(&self, arrived: Instant) {
        if let Some(recording) = &mut lock(&self.state).recording {
            let heard = recording.iter_mut().find(|heard| heard.arrived == arrived);
            if let Some(heard) = heard {
                heard.answered = Some(Instant::now());
            }
        }
    }
}

impl Answer for Canning {
    async fn answer(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        let arrived = Instant::now();
        let (wait, answer) = self.hear(&head, &body, arrived);
        if !wait.is_zero() {
            spin::until(arrived.checked_add(wait).unwrap_or(arrived)).await;
        }
        self.note_answered(arrived);
        answer
    }
}

fn is_about(body: &Bytes, canned: &Canned) -> bool {
    let about = canned.about.as_bytes();
    about.is_empty() || body.windows(about.len()).any(|part| part == about)
}

fn answer(canned: &Canned) -> Response<Bytes> {
    let status = StatusCode::from_u16(canned.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = Response::new(Bytes::from(canned.body.clone()));
    *answer.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    answer
}

fn unknown() -> Response<Bytes> {
    let mut answer =
        Response::new(Bytes::from_static(br#"{"message":"nothing is canned for this"}"#));
    *answer.status_mut() = StatusCode::NOT_IMPLEMENTED;
    answer
}
