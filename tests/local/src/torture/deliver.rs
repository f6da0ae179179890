//! Requests and their answers: each is judged by the vocabulary, counted and timed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use pay_providers::PaymentProvider;
use pay_service::http::Code;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::world::{Create, Heard, Sent, World};
use crate::{Stack, client, clock, defaults, signing};

/// The way in for all clients.
#[derive(Debug)]
pub(super) struct Door<'a> {
    pub(super) stack: &'a Stack,
    http: reqwest::Client,
    world: &'a Mutex<World>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    replayed: bool,
    /// Whether the gateway gave it for a function that ended.
    pub(super) cut_off: bool,
}

type Headers = Vec<(&'static str, String)>;

impl<'a> Door<'a> {
    pub(super) fn new(stack: &'a Stack, world: &'a Mutex<World>) -> Result<Self> {
        Ok(Self { stack, http: client::client("")?, world })
    }

    pub(super) fn world(&self) -> MutexGuard<'a, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A payer's request.
    pub(super) async fn ask(
        &self,
        route: &str,
        uid: u64,
        key: Option<&str>,
        body: &Value,
    ) -> Answer {
        let token = format!("Bearer {}", self.stack.payer_token(uid));
        let mut headers = vec![json_type(), ("authorization", token)];
        headers.extend(key.map(|key| ("idempotency-key", key.to_owned())));
        self.post(route, headers, body.to_string().into_bytes()).await
    }

    /// Asks for a payment and notes what is heard.
    pub(super) async fn create(&self, uid: u64, oid: u64, amount: u64, key: Option<&str>) -> Heard {
        let body = json!({"uid": uid, "oid": oid, "amount": amount});
        let answer = self.ask("create", uid, key, &body).await;
        let heard = answer.to_create();
        let mut world = self.world();
        if let Heard::Created(id) | Heard::Replayed(id) | Heard::Exists(Some(id)) = &heard {
            world.learn(oid, *id);
        }
        let create = Create { uid, oid, amount, key: key.map(str::to_owned), heard: heard.clone() };
        world.facts.creates.push(create);
        heard
    }

    /// Delivers a message; whether it is kept.
    pub(super) async fn deliver(&self, sent: &Sent) -> (Answer, bool) {
        let route = match sent.sender {
            None => "callback".to_owned(),
            Some(provider) => format!("callback/{}", provider.as_str()),
        };
        let headers = self.signature(sent).unwrap_or_default();
        let answer = self.post(&route, headers, sent.body.clone()).await;
        let refused_for_good = sent.sender.is_none()
            && matches!(
                answer.slug(),
                Some(
                    "status-conflict"
                        | "amount-mismatch"
                        | "record-mismatch"
                        | "payment-not-found"
                        | "order-not-found"
                        | "user-not-found"
                )
            );
        let kept = answer.status == 200 || refused_for_good;
        if kept && !sent.genuine {
            let what = format!("I11: {route} took a message without a signature");
            self.world().unheard_of.push(what);
        }
        (answer, kept)
    }

    fn signature(&self, sent: &Sent) -> Result<Headers> {
        let now = clock::now_secs();
        let mut headers = match sent.sender {
            Some(PaymentProvider::Alipay) => {
                let form = "application/x-www-form-urlencoded; charset=utf-8";
                vec![("content-type", form.to_owned())]
            }
            None | Some(PaymentProvider::Stripe | PaymentProvider::WeChat) => vec![json_type()],
        };
        if !sent.genuine {
            return Ok(headers);
        }
        match sent.sender {
            None => {
                let secret = self.stack.standard_secret()?;
                headers.extend(signing::standard(secret, &sent.id, now, &sent.body)?);
            }
            Some(PaymentProvider::Stripe) => {
                headers.extend(signing::stripe(defaults::STRIPE_SECRET, now, &sent.body));
            }
            Some(PaymentProvider::WeChat) => {
                headers.extend(signing::wechat(now, &sent.id, &sent.body)?);
            }
            // Signed within.
            Some(PaymentProvider::Alipay) => {}
        }
        Ok(headers)
    }

    async fn post(&self, route: &str, headers: Headers, body: Vec<u8>) -> Answer {
        let started = Instant::now();
        let mut request = self.http.post(format!("{}/api/pay/{route}", self.stack.api)).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(_) => None,
        };
        let time_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut world = self.world();
        let Some(answer) = answer else {
            world.unheard_of.push(format!("I15: {route} gave no answer"));
            return Answer { status: 0, body: Value::Null, replayed: false, cut_off: false };
        };
        if answer.cut_off {
            world.cut_off = world.cut_off.saturating_add(1);
        }
        if let Some(name) = answer.name() {
            world.count(route, &name, time_ms);
        } else {
            let Answer { status, body, .. } = &answer;
            world.unheard_of.push(format!("I15: {route} answered {status} {body}"));
        }
        answer
    }
}

fn json_type() -> (&'static str, String) {
    ("content-type", "application/json".to_owned())
}

impl Answer {
    async fn read(response: reqwest::Response) -> Option<Self> {
        let status = response.status().as_u16();
        let replayed = response.headers().contains_key("idempotent-replayed");
        let bytes = response.bytes().await.ok()?;
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_no_json| text());
        let cut_off = status == 500 && body == json!({"message": "Internal Server Error"});
        Some(Self { status, body, replayed, cut_off })
    }

    /// The problem's code.
    pub(super) fn slug(&self) -> Option<&str> {
        self.body.get("type").and_then(Value::as_str)?.strip_prefix("urn:problem:pay:")
    }

    /// What it is called, if it is one that a caller may have: `internal` is none, since nothing
    /// here is ours to repair.
    fn name(&self) -> Option<String> {
        if self.status == 200 {
            return Some("200".to_owned());
        }
        if self.cut_off {
            return Some("500 of the gateway".to_owned());
        }
        // WeChat Pay is refused in its own words.
        let wechats = self.body.get("code").and_then(Value::as_str) == Some("FAIL");
        let said = self.body.get("message").and_then(Value::as_str);
        let fits = |code: &&Code| {
            let named = self.slug() == Some(code.as_str());
            named || (wechats && said == Some(code.title()))
        };
        let code = Code::ALL.iter().find(fits)?;
        let known = code.status().as_u16() == self.status && *code != Code::Internal;
        known.then(|| code.as_str().to_owned())
    }

    fn to_create(&self) -> Heard {
        let number = |name: &str| self.body.get(name).and_then(Value::as_u64);
        match (self.status, self.slug()) {
            (200, _) => match number("id") {
                Some(id) if self.replayed => Heard::Replayed(id),
                Some(id) => Heard::Created(id),
                None => Heard::Refused("200 without an id".to_owned()),
            },
            (_, Some("payment-exists")) => Heard::Exists(number("payment_id")),
            (_, Some("unavailable") | None) => Heard::Unknown,
            (_, Some(slug)) => Heard::Refused(slug.to_owned()),
        }
    }
}
