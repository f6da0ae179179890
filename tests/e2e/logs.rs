//! Nothing secret is in a log line or a response, even at level trace.

use local::messages::{Message, Outcome, Signed};
use local::{Fault, ShopRoute, Stack, defaults, tokens};
use pay_core::domain::Provider;
use serde_json::{Map, Value, json};

use crate::api::{self, from_provider as request};
use crate::stage::{Payment, invocations, order, own_with, payment, recycle};
use crate::{echo, operations};

/// Waits until the logs contain a text.
pub(crate) async fn logged(stack: &Stack, text: &str) {
    echo::eventually(text, || stack.logs().contains(text)).await;
}

/// Stands for a buyer's data: in no line and in no response.
const CANARY: &str = "canary-of-a-buyer";

/// In no line and no response either: the start of every token and of every PEM key, and planted texts.
const NEVER: [&str; 6] = [CANARY, "eyJ", "BEGIN", "earer ", "canary-of-aws", "canary-of-a-secret"];

/// Whether the value of a header is secret.
fn is_secret(header: &str) -> bool {
    ["authorization", "idempotency-key"].contains(&header) || header.ends_with("-signature")
}

/// The length of a text from which it is a secret and no account of the shop, in bytes.
const SECRET_MIN: usize = 24;

/// The secret texts in an entry of the webhook secret: of a PEM key its second line.
fn secrets(entry: &Value) -> Vec<String> {
    let members = entry.as_object().into_iter().flat_map(Map::values);
    let inner = entry.as_array().into_iter().flatten().chain(members).flat_map(secrets);
    let text = entry.as_str().filter(|text| text.len() >= SECRET_MIN);
    let text = text.map(|text| text.lines().nth(1).unwrap_or(text).trim_start_matches("whsec_"));
    inner.chain(text.map(str::to_owned)).collect()
}

/// A stack of the test's own that logs at level trace, with credentials that can be recognized.
async fn at_trace() -> Stack {
    let environment = [
        ("LOG_LEVEL", "trace"),
        ("AWS_ACCESS_KEY_ID", "canary-of-aws-id"),
        ("AWS_SECRET_ACCESS_KEY", "canary-of-aws-secret"),
        ("AWS_SESSION_TOKEN", "canary-of-aws-session"),
    ];
    own_with(&environment).await
}

/// What was sent that is secret, and every response.
struct Exchanged {
    secrets: Vec<String>,
    responses: Vec<String>,
}

impl Exchanged {
    /// No request yet; the secrets are those of the functions.
    fn nothing(stack: &Stack) -> Self {
        let mut secrets = vec![defaults::ACCESS_SECRET.to_owned()];
        for (scheme, entry) in stack.webhook_secrets.as_object().unwrap() {
            let found = self::secrets(entry);
            assert!(!found.is_empty(), "{scheme}");
            secrets.extend(found);
        }
        Self { secrets, responses: Vec::new() }
    }

    /// Sends a request, and keeps its secret headers and its response.
    async fn send(&mut self, request: api::Request<'_>, status: u16) {
        let event = request.event();
        for (name, value) in event["headers"].as_object().unwrap() {
            if is_secret(name) {
                // The part after the scheme or the version.
                let value = value.as_str().unwrap();
                let value = value.rsplit(' ').next().unwrap().trim_start_matches("v1,");
                self.secrets.push(value.rsplit("v1=").next().unwrap().to_owned());
            }
        }
        let reply = request.send().await;
        assert_eq!(reply.status, status, "{}", reply.body);
        self.responses.push(reply.body.to_string());
    }

    /// Invokes a function directly, and keeps its response.
    async fn invoke(&mut self, stack: &Stack, function: &str, event: &Value) {
        let response = match stack.invoke(function, event).await {
            Ok(response) => response.to_string(),
            Err(error) => String::from_utf8(error.payload.to_vec()).unwrap(),
        };
        self.responses.push(response);
    }

    /// Checks that no response and no line contains a secret, and that the lines contain these texts.
    async fn assert_nothing_secret(&self, stack: &Stack, logged: &[&str]) {
        let served = || invocations(stack).len() >= self.responses.len();
        echo::eventually("a line for each", served).await;
        let logs = stack.logs();
        for text in logs.lines().chain(self.responses.iter().map(String::as_str)) {
            let never = NEVER.into_iter().chain(self.secrets.iter().map(String::as_str));
            let found: Vec<&str> = never.filter(|secret| text.contains(secret)).collect();
            assert!(found.is_empty(), "{found:?} in {text}");
            assert!(serde_json::from_str::<Value>(text).is_ok(), "not JSON: {text}");
        }
        for text in logged {
            assert!(logs.contains(text), "{text}");
        }
    }
}

/// Changes each object of what a message says, however deep.
fn each_object(value: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    if let Some(members) = value.as_object_mut() {
        members.values_mut().for_each(|member| each_object(member, change));
        change(members);
    }
}

/// A provider's message that a payment was paid, with a buyer's data everywhere in it.
fn paid(provider: Provider, payment: Payment) -> Signed {
    let plant = |members: &mut Map<String, Value>| {
        for name in ["receipt_email", "summary", "openid", "buyer_logon_id"] {
            members.insert(name.to_owned(), json!(CANARY));
        }
    };
    let message = Message::new(payment.id, payment.amount, Outcome::Paid);
    message.edited(provider, |content| each_object(content, &plant)).unwrap()
}

#[tokio::test]
async fn nothing_secret_in_a_good_request_is_logged() {
    let stack = at_trace().await;
    let mut exchanged = Exchanged::nothing(&stack);
    let (uid, oid, mut body) = order(&stack);
    body["note"] = json!(CANARY);
    let create = || api::post(&stack, "create").payer(uid).json(&body);
    let keyed = || create().header("idempotency-key", "canary-of-a-buyer-7");
    exchanged.send(keyed(), 200).await;
    exchanged.send(keyed(), 200).await;
    exchanged.send(create(), 409).await;
    for (operation, body) in
        [("detail", json!({"oid": oid, "note": CANARY})), ("list", json!({"note": CANARY}))]
    {
        exchanged.send(api::post(&stack, operation).payer(uid).json(&body), 200).await;
        exchanged.invoke(&stack, "detail", &json!({"uid": uid, "note": CANARY})).await;
    }
    for &provider in Provider::ALL {
        let signed = paid(provider, payment(&stack).await);
        for _ in 0..2 {
            exchanged.send(request(&stack, provider, &signed), 200).await;
        }
    }
    let mut native = payment(&stack).await.native(1, 1);
    native["note"] = json!(CANARY);
    let callback = || api::post(&stack, "callback").json(&native);
    exchanged.send(callback().signed(), 200).await;
    exchanged.send(callback().service(), 200).await;
    exchanged.invoke(&stack, "callback", &native).await;
    exchanged.assert_nothing_secret(&stack, &["\"outcome\":\"ok\"", "notification applied"]).await;
}

#[tokio::test]
async fn nothing_secret_in_a_bad_request_is_logged() {
    let stack = at_trace().await;
    let mut exchanged = Exchanged::nothing(&stack);
    let payment = payment(&stack).await;
    let body = json!({"uid": payment.uid, "oid": payment.oid, "amount": 100, "note": CANARY});
    let create = |key| {
        api::post(&stack, "create").payer(payment.uid).header("idempotency-key", key).json(&body)
    };
    exchanged.send(create("canary-of-a-buyer with-a-blank"), 400).await;
    exchanged.send(create("canary-of-a-buyer-8"), 409).await;
    // A token that is bad here may be good elsewhere.
    let other_token = tokens::issue("another-secret-of-at-least-32-bytes!", 1, None, 2_000_000_000);
    for operation in operations::on_both_entry_points() {
        let call = || api::post(&stack, operation).json(&body);
        exchanged.send(call().bearer(&other_token), 401).await;
        exchanged.send(call().header("authorization", "Basic canary-of-a-buyer"), 401).await;
        let by = || api::authorized(&stack, operation, payment.uid).json(&body);
        exchanged.send(by().without("content-type"), 415).await;
        for odd in [
            format!("{{\"{CANARY}\""),
            format!("[\"{CANARY}\"]"),
            format!("{{\"id\":\"{CANARY}\",\"uid\":\"{CANARY}\",\"limit\":\"{CANARY}\"}}"),
        ] {
            exchanged.send(by().bytes(odd), 400).await;
        }
        exchanged
            .invoke(&stack, api::function(operation), &json!({"uid": CANARY, "oid": CANARY}))
            .await;
    }
    for &provider in Provider::ALL {
        let signed = paid(provider, payment);
        let good = request(&stack, provider, &signed);
        let text = String::from_utf8(signed.body).unwrap();
        exchanged.send(good.bytes(format!("{text}&x=1")), 401).await;
        // Authentic, with another amount: it is quarantined.
        let other = Payment { amount: 99, ..payment };
        exchanged.send(request(&stack, provider, &paid(provider, other)), 200).await;
    }
    let mut native = payment.native(1, 1);
    native["note"] = json!(CANARY);
    let forged = api::post(&stack, "callback").json(&payment.native(1, 1)).signed();
    exchanged.send(forged.bytes(native.to_string()), 401).await;
    native["amount"] = json!(99);
    exchanged.send(api::post(&stack, "callback").json(&native).signed(), 422).await;
    native["provider_txn"] = json!(format!("{CANARY} and a space"));
    exchanged.send(api::post(&stack, "callback").json(&native).signed(), 400).await;
    let logged = [
        "bad-signature",
        "unauthenticated",
        "amount-mismatch",
        "notification rejected",
        "quarantined",
    ];
    exchanged.assert_nothing_secret(&stack, &logged).await;
}

#[tokio::test]
async fn nothing_secret_is_logged_when_something_fails() {
    let stack = at_trace().await;
    let mut exchanged = Exchanged::nothing(&stack);
    let of = payment(&stack).await;
    let (uid, _, mut body) = order(&stack);
    body["note"] = json!(CANARY);
    let create = || {
        let create = api::post(&stack, "create").payer(uid).json(&body);
        create.header("idempotency-key", "canary-of-a-buyer-9")
    };
    for fault in [Fault::Status(500), Fault::Reset, Fault::Garbage, Fault::WrongId] {
        stack.shop().set_fault(ShopRoute::OrderDetail, fault, None);
        exchanged.send(create(), 503).await;
    }
    stack.shop().clear_faults();
    for (fault, provider) in [
        (Fault::Status(500), Provider::Stripe),
        (Fault::Throttle, Provider::WeChat),
        (Fault::Conflict, Provider::Alipay),
    ] {
        stack.dynamodb_control().set_fault("TransactWriteItems", fault, None);
        exchanged.send(create(), 503).await;
        exchanged.send(request(&stack, provider, &paid(provider, of)), 503).await;
        stack.dynamodb_control().clear_faults();
    }
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    let stripe = paid(Provider::Stripe, of);
    exchanged.send(request(&stack, Provider::Stripe, &stripe), 200).await;

    // Unusable secrets.
    let mut wrong = stack.webhook_secrets.clone();
    wrong["standard"] = json!(["whsec_canary-of-a-secret"]);
    for (name, text, function) in [
        (defaults::WEBHOOK_SECRET_ID, wrong.to_string(), "callback"),
        (defaults::WEBHOOK_SECRET_ID, "canary-of-a-secret".to_owned(), "callback"),
        (
            defaults::AUTH_SECRET_ID,
            r#"{"access_secret":"canary-of-a-secret"}"#.to_owned(),
            "detail",
        ),
    ] {
        stack.secrets().set_raw(name, text);
        recycle(&stack, function).await;
        let request = match function {
            "callback" => api::post(&stack, "callback").json(&of.native(1, 1)).signed(),
            _ => api::post(&stack, "detail").payer(uid).json(&body),
        };
        exchanged.send(request, 503).await;
    }
    exchanged
        .assert_nothing_secret(
            &stack,
            &[
                "unavailable",
                "order service not notified",
                "the secret is unusable",
                "the configured keys are unusable",
            ],
        )
        .await;
}

/// A text in the input that looks like a log line is only ever logged inside another text.
#[tokio::test]
async fn no_input_writes_a_line_of_its_own() {
    let stack = at_trace().await;
    let payment = payment(&stack).await;
    let line = "\n{\"outcome\":\"forged\"}\r\n\u{1b}[31m\u{0}\u{2028}";
    let mut event = api::post(&stack, "callback").json(&payment.native(1, 1)).service().event();
    event["requestContext"]["requestId"] = json!(line);
    event["rawPath"] = json!(line);
    event["rawQueryString"] = json!(line);
    api::send_event(&stack, "callback", &event).await.ok();
    event["routeKey"] = json!(line);
    api::send_event(&stack, "callback", &event).await.problem("invalid-request");
    event["routeKey"] = json!(callback::Operation::ProviderCallback.route());
    event["pathParameters"] = json!({"provider": line});
    api::send_event(&stack, "callback", &event).await.problem("provider-not-found");
    event["headers"]["x"] = json!(line);
    api::send_event(&stack, "callback", &event).await.problem("invalid-request");
    for &provider in Provider::ALL {
        // The second is no payment of ours.
        for id in [payment.id, 7] {
            let signed = odd(provider, id, line);
            assert_eq!(request(&stack, provider, &signed).send().await.status, 200);
        }
    }
    let mut native = payment.native(1, 1);
    for name in ["provider_txn", "currency", "idempotency_key", line] {
        native[name] = json!(line);
        for function in operations::functions() {
            drop(stack.invoke(function, &native).await);
        }
    }
    echo::eventually("a line for each", || invocations(&stack).len() >= 22).await;
    for line in stack.logs().lines() {
        let parsed: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert_ne!(parsed["outcome"], "forged", "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\u{0}'), "{line:?}");
    }
}

/// An authentic message about a payment with this text as id, transaction and currency.
fn odd(provider: Provider, payment: u64, text: &str) -> Signed {
    let names = ["id", "notify_id", "trade_no", "transaction_id", "currency"];
    let write = |members: &mut Map<String, Value>| {
        let odd = members.iter_mut().filter(|(name, _)| names.contains(&name.as_str()));
        odd.for_each(|(_, value)| *value = json!(text));
    };
    let message = Message::new(payment, 100, Outcome::Paid);
    message.edited(provider, |content| each_object(content, &write)).unwrap()
}
