//! Requests and their responses. Each response must be one that the API documents; it is counted
//! and timed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use pay_core::domain::Provider;
use pay_providers::adapter;
use pay_service::http::Code;
use payctl::Table;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::world::{Create, CreateResponse, Sent, World};
use crate::simulator::{Account, simulator};
use crate::{Stack, client, clock, signing};

/// The API as the clients use it.
#[derive(Debug)]
pub(super) struct EntryPoint<'a> {
    pub(super) stack: &'a Stack,
    http: reqwest::Client,
    /// What opens the pages of providers.
    pub(super) browser: reqwest::Client,
    /// The table as an operator has it.
    pub(super) table: Table,
    world: &'a Mutex<World>,
}

/// A response.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Value,
    replayed: bool,
    /// Whether it is the gateway's own, for a function that ended.
    pub(super) cut_off: bool,
}

pub(super) type Headers = Vec<(&'static str, String)>;

impl<'a> EntryPoint<'a> {
    pub(super) fn new(stack: &'a Stack, world: &'a Mutex<World>) -> Result<Self> {
        let browser = client::client(&std::fs::read_to_string(&stack.ca_file)?)?;
        let table = Table::open(Some(&stack.dynamodb), &stack.table)?;
        Ok(Self { stack, http: client::client("")?, browser, table, world })
    }

    pub(super) fn world(&self) -> MutexGuard<'a, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A payer's request.
    pub(super) async fn request(
        &self,
        route: &str,
        uid: u64,
        key: Option<&str>,
        body: &Value,
    ) -> Response {
        let token = format!("Bearer {}", self.stack.payer_token(uid));
        let mut headers = vec![json_type(), ("authorization", token)];
        headers.extend(key.map(|key| ("idempotency-key", key.to_owned())));
        self.post(route, headers, body.to_string().into_bytes()).await
    }

    /// Creates a payment and notes the response.
    pub(super) async fn create(
        &self,
        uid: u64,
        oid: u64,
        amount: u64,
        key: Option<&str>,
    ) -> CreateResponse {
        let body = json!({"uid": uid, "oid": oid, "amount": amount});
        let response = self.request("create", uid, key, &body).await;
        let response = response.to_create();
        let mut world = self.world();
        if let Some(id) = response.payment() {
            world.note_payment(oid, id);
        }
        let key = key.map(str::to_owned);
        let create = Create { uid, oid, amount, key, response: response.clone() };
        world.facts.creates.push(create);
        response
    }

    /// Delivers a message. Returns the response, and whether it says that the message is in the
    /// log.
    pub(super) async fn deliver(&self, sent: &Sent) -> (Response, bool) {
        let route = match sent.sender {
            None => "callback".to_owned(),
            Some(provider) => format!("callback/{}", provider.as_str()),
        };
        let headers = self.signature(sent).unwrap_or_default();
        let response = self.post(&route, headers, sent.body.clone()).await;
        let rejected_for_good = sent.sender.is_none()
            && matches!(
                response.slug(),
                Some(
                    "status-conflict"
                        | "amount-mismatch"
                        | "record-mismatch"
                        | "payment-not-found"
                        | "order-not-found"
                        | "user-not-found"
                )
            );
        let kept = response.status == 200 || rejected_for_good;
        if kept && !sent.genuine {
            let what = format!("I11: {route} accepted a message without a signature");
            self.world().unexpected.push(what);
        }
        (response, kept)
    }

    fn signature(&self, sent: &Sent) -> Result<Headers> {
        let now = clock::now_secs();
        let simulator = sent.sender.map(simulator);
        let content_type = simulator.map_or("application/json", |simulator| simulator.content_type);
        let mut headers = vec![("content-type", content_type.to_owned())];
        if sent.genuine {
            headers.extend(match simulator {
                None => {
                    let secret = self.stack.standard_secret()?;
                    signing::standard(secret, &sent.id, now, &sent.body)?.to_vec()
                }
                Some(simulator) => simulator.sign(None, &sent.id, now, &sent.body)?.headers,
            });
        }
        Ok(headers)
    }

    pub(super) async fn post(&self, route: &str, headers: Headers, body: Vec<u8>) -> Response {
        let started = Instant::now();
        let mut request = self.http.post(format!("{}/api/pay/{route}", self.stack.api)).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = match request.send().await {
            Ok(response) => Response::read(response).await,
            Err(_) => None,
        };
        let time_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.note(route, response, Some(time_ms))
    }

    /// Notes the responses that the webhooks of an account got.
    pub(super) fn note_webhooks(&self, account: &Account) {
        let route = format!("callback/{}", account.provider().as_str());
        for response in account.responses() {
            let response = response.map(|(status, body)| Response::of(status, false, &body));
            self.note(&route, response, None);
        }
    }

    fn note(&self, route: &str, response: Option<Response>, time_ms: Option<u64>) -> Response {
        let mut world = self.world();
        let Some(response) = response else {
            world.unexpected.push(format!("I15: {route} did not respond"));
            return Response { status: 0, body: Value::Null, replayed: false, cut_off: false };
        };
        if response.cut_off {
            world.cut_off = world.cut_off.saturating_add(1);
        }
        if let Some(name) = response.name() {
            world.count(route, &name, time_ms);
        } else {
            let Response { status, body, .. } = &response;
            world.unexpected.push(format!("I15: {route} responded {status} {body}"));
        }
        response
    }
}

pub(super) fn json_type() -> (&'static str, String) {
    ("content-type", "application/json".to_owned())
}

/// A body as JSON; as text if it is none.
fn text_or_json(bytes: &[u8]) -> Value {
    let text = || Value::String(String::from_utf8_lossy(bytes).into_owned());
    serde_json::from_slice(bytes).unwrap_or_else(|_no_json| text())
}

impl Response {
    async fn read(response: reqwest::Response) -> Option<Self> {
        let status = response.status().as_u16();
        let replayed = response.headers().contains_key("idempotent-replayed");
        let bytes = response.bytes().await.ok()?;
        Some(Self::of(status, replayed, &bytes))
    }

    fn of(status: u16, replayed: bool, bytes: &[u8]) -> Self {
        let body = text_or_json(bytes);
        let cut_off = status == 500 && body == json!({"message": "Internal Server Error"});
        Self { status, body, replayed, cut_off }
    }

    /// The problem's slug.
    pub(super) fn slug(&self) -> Option<&str> {
        self.body.get("type").and_then(Value::as_str)?.strip_prefix("urn:problem:pay:")
    }

    /// Its name, if a caller may get it. `internal` may not occur: no fault here justifies it.
    fn name(&self) -> Option<String> {
        if self.status == 200 {
            return Some("200".to_owned());
        }
        if self.cut_off {
            return Some("500 of the gateway".to_owned());
        }
        // Some providers get errors in a form of their own.
        let rejections = || Provider::ALL.iter().filter_map(|one| adapter(*one).rejection);
        let fits = |code: &&Code| {
            let mut own = rejections().map(|write| text_or_json(write(code.title()).as_bytes()));
            self.slug() == Some(code.as_str()) || own.any(|body| body == self.body)
        };
        let code = Code::ALL.iter().find(fits)?;
        let known = code.status().as_u16() == self.status && *code != Code::Internal;
        known.then(|| code.as_str().to_owned())
    }

    fn to_create(&self) -> CreateResponse {
        let number = |name: &str| self.body.get(name).and_then(Value::as_u64);
        match (self.status, self.slug()) {
            (200, _) => match number("id") {
                Some(id) if self.replayed => CreateResponse::Replayed(id),
                Some(id) => CreateResponse::Created(id),
                None => CreateResponse::Rejected("200 without an id".to_owned()),
            },
            (_, Some("payment-exists")) => CreateResponse::Exists(number("payment_id")),
            (_, Some("unavailable") | None) => CreateResponse::Unknown,
            (_, Some(slug)) => CreateResponse::Rejected(slug.to_owned()),
        }
    }
}
