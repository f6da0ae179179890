//! What is secret is in no log line and in no answer, even when everything is logged.

use local::messages::{Signed, seal};
use local::{Fault, ShopRoute, Stack, clock, defaults, signing, tokens};
use pay_providers::PaymentProvider;
use serde_json::{Value, json};

use crate::stage::{Payment, own_with, payment, recycle, user};
use crate::{api, echo};

/// Waits for a line that says this; what was logged before it is there then.
pub(crate) async fn lines(stack: &Stack, said: &str) {
    echo::eventually(said, || stack.logs().contains(said)).await;
}

/// Stands for what is a buyer's: in no line and in no answer.
const CANARY: &str = "canary-of-a-buyer";

/// What else is in none: the start of every token, of every key in PEM, and what is planted.
const NEVER: [&str; 6] = [CANARY, "eyJ", "BEGIN", "earer ", "canary-of-aws", "canary-of-a-secret"];

/// Headers whose values are nobody else's business.
const SECRET_HEADERS: [&str; 5] = [
    "authorization",
    "idempotency-key",
    "stripe-signature",
    "webhook-signature",
    "wechatpay-signature",
];

/// A stack of its own that logs all it can, with credentials that can be told from other words.
async fn talkative() -> Stack {
    let environment = [
        ("LOG_LEVEL", "trace"),
        ("AWS_ACCESS_KEY_ID", "canary-of-aws-id"),
        ("AWS_SECRET_ACCESS_KEY", "canary-of-aws-secret"),
        ("AWS_SESSION_TOKEN", "canary-of-aws-session"),
    ];
    own_with(&environment).await
}

/// What was sent, and what came back.
struct Heard {
    secrets: Vec<String>,
    answers: Vec<String>,
}

impl Heard {
    /// Nothing yet; the secrets are those that the functions have.
    fn nothing(stack: &Stack) -> Self {
        let fixed = [defaults::ACCESS_SECRET, defaults::STRIPE_SECRET, defaults::WECHAT_API_V3_KEY];
        let standard = defaults::WEBHOOK_SECRET.trim_start_matches("whsec_");
        let wechat = &stack.webhook_secrets["wechat"]["public_keys"][defaults::WECHAT_SERIAL];
        let alipay = &stack.webhook_secrets["alipay"]["public_keys"][0];
        let second_line = |pem: &Value| pem.as_str().unwrap().lines().nth(1).unwrap().to_owned();
        let fixed = fixed.into_iter().chain([standard]).map(str::to_owned);
        let secrets = fixed.chain([wechat, alipay].map(second_line)).collect();
        Self { secrets, answers: Vec::new() }
    }

    /// Sends a request whose secret headers are kept in mind, and keeps the answer.
    async fn send(&mut self, request: api::Request<'_>, status: u16) {
        let event = request.event();
        for (name, value) in event["headers"].as_object().unwrap() {
            if SECRET_HEADERS.contains(&name.as_str()) {
                // What comes after the scheme or the version.
                let value = value.as_str().unwrap();
                let value = value.rsplit(' ').next().unwrap().trim_start_matches("v1,");
                self.secrets.push(value.rsplit("v1=").next().unwrap().to_owned());
            }
        }
        let reply = request.send().await;
        assert_eq!(reply.status, status, "{}", reply.body);
        self.answers.push(reply.body.to_string());
    }

    /// Hands a function a bare request.
    async fn invoke(&mut self, stack: &Stack, function: &str, event: &Value) {
        let answer = match stack.invoke(function, event).await {
            Ok(answer) => answer.to_string(),
            Err(error) => String::from_utf8(error.payload.to_vec()).unwrap(),
        };
        self.answers.push(answer);
    }

    /// That no answer and no line holds any of it, and yet the lines say what happened.
    async fn expect_silence(&self, stack: &Stack, said: &[&str]) {
        let served = || stack.logs().lines().filter(|line| line.contains("duration_ms")).count();
        echo::eventually("a line for each", || served() >= self.answers.len()).await;
        let logs = stack.logs();
        for text in logs.lines().chain(self.answers.iter().map(String::as_str)) {
            let never = NEVER.into_iter().chain(self.secrets.iter().map(String::as_str));
            let found: Vec<&str> = never.filter(|secret| text.contains(secret)).collect();
            assert!(found.is_empty(), "{found:?} in {text}");
            assert!(serde_json::from_str::<Value>(text).is_ok(), "not JSON: {text}");
        }
        for said in said {
            assert!(logs.contains(said), "{said}");
        }
    }
}

/// A provider's message that the payment was made, with what is the buyer's in it.
fn paid(provider: PaymentProvider, payment: Payment) -> Signed {
    let (id, now) = (payment.id.to_string(), clock::now_secs());
    let name = ("content-type", "application/json".to_owned());
    match provider {
        PaymentProvider::Stripe => {
            let object = json!({
                "id": format!("pi_{id}"), "amount_received": payment.amount, "currency": "cny",
                "metadata": {"payment_id": id}, "receipt_email": CANARY,
            });
            let event = json!({
                "id": "evt_planted", "object": "event", "type": "payment_intent.succeeded",
                "livemode": false, "data": {"object": object},
            });
            let body = event.to_string().into_bytes();
            let [signature] = signing::stripe(defaults::STRIPE_SECRET, now, &body);
            Signed { headers: vec![name, signature], body }
        }
        PaymentProvider::WeChat => {
            let transaction = json!({
                "mchid": defaults::WECHAT_MCHID, "appid": defaults::WECHAT_APPID,
                "out_trade_no": id, "transaction_id": format!("4200{id}"), "trade_state": "SUCCESS",
                "amount": {"total": payment.amount, "currency": "CNY"}, "payer": {"openid": CANARY},
            });
            let resource = seal("transaction", &transaction).unwrap();
            let body = json!({
                "id": "planted", "event_type": "TRANSACTION.SUCCESS", "summary": CANARY,
                "resource": resource,
            });
            let body = body.to_string().into_bytes();
            let signed = signing::wechat(now, "nonce", &body).unwrap();
            Signed { headers: [name].into_iter().chain(signed).collect(), body }
        }
        PaymentProvider::Alipay => {
            let form = signing::alipay(&[
                ("app_id", defaults::ALIPAY_APP_ID),
                ("seller_id", defaults::ALIPAY_SELLER_ID),
                ("notify_type", "trade_status_sync"),
                ("notify_id", "planted"),
                ("trade_status", "TRADE_SUCCESS"),
                ("trade_no", &format!("2026{id}")),
                ("out_trade_no", &id),
                ("total_amount", "1.00"),
                ("buyer_logon_id", CANARY),
            ]);
            Signed { headers: Vec::new(), body: form.unwrap().into_bytes() }
        }
    }
}

fn request<'a>(stack: &'a Stack, provider: PaymentProvider, signed: &Signed) -> api::Request<'a> {
    let bare = api::post(stack, &format!("callback/{}", provider.as_str()));
    let headers = signed.headers.iter();
    headers.fold(bare, |bare, (name, value)| bare.header(name, value)).bytes(signed.body.clone())
}

#[tokio::test]
async fn what_is_secret_in_a_good_request_is_never_said() {
    let stack = talkative().await;
    let mut heard = Heard::nothing(&stack);
    let uid = user(&stack);
    let oid = stack.shop().add_order(uid, 100);
    let body = json!({"uid": uid, "oid": oid, "amount": 100, "note": CANARY});
    let create = || api::post(&stack, "create").payer(uid).json(&body);
    let keyed = || create().header("idempotency-key", "canary-of-a-buyer-7");
    heard.send(keyed(), 200).await;
    heard.send(keyed(), 200).await;
    heard.send(create(), 409).await;
    for (operation, body) in
        [("detail", json!({"oid": oid, "note": CANARY})), ("list", json!({"note": CANARY}))]
    {
        heard.send(api::post(&stack, operation).payer(uid).json(&body), 200).await;
        heard.invoke(&stack, "detail", &json!({"uid": uid, "note": CANARY})).await;
    }
    for provider in PaymentProvider::ALL {
        let signed = paid(provider, payment(&stack).await);
        for _ in 0..2 {
            heard.send(request(&stack, provider, &signed), 200).await;
        }
    }
    let mut message = payment(&stack).await.message(1, 1);
    message["note"] = json!(CANARY);
    let native = || api::post(&stack, "callback").json(&message);
    heard.send(native().signed(), 200).await;
    heard.send(native().service(), 200).await;
    heard.invoke(&stack, "callback", &message).await;
    heard.expect_silence(&stack, &["\"outcome\":\"ok\"", "message taken"]).await;
}

#[tokio::test]
async fn what_is_secret_in_a_bad_request_is_never_said() {
    let stack = talkative().await;
    let mut heard = Heard::nothing(&stack);
    let payment = payment(&stack).await;
    let body = json!({"uid": payment.uid, "oid": payment.oid, "amount": 100, "note": CANARY});
    let create = |key| {
        api::post(&stack, "create").payer(payment.uid).header("idempotency-key", key).json(&body)
    };
    heard.send(create("canary-of-a-buyer with-a-blank"), 400).await;
    heard.send(create("canary-of-a-buyer-8"), 409).await;
    // A bad token is somebody's good one elsewhere.
    let stranger = tokens::issue("another-secret-of-at-least-32-bytes!", 1, None, 2_000_000_000);
    for operation in ["create", "detail", "list", "callback"] {
        let call = || api::post(&stack, operation).json(&body);
        heard.send(call().bearer(&stranger), 401).await;
        heard.send(call().header("authorization", "Basic canary-of-a-buyer"), 401).await;
        let by =
            || if operation == "callback" { call().service() } else { call().payer(payment.uid) };
        heard.send(by().without("content-type"), 415).await;
        for odd in [
            format!("{{\"{CANARY}\""),
            format!("[\"{CANARY}\"]"),
            format!("{{\"id\":\"{CANARY}\",\"uid\":\"{CANARY}\",\"limit\":\"{CANARY}\"}}"),
        ] {
            heard.send(by().bytes(odd), 400).await;
        }
        let function = if operation == "list" { "detail" } else { operation };
        heard.invoke(&stack, function, &json!({"uid": CANARY, "oid": CANARY})).await;
    }
    for provider in PaymentProvider::ALL {
        let signed = paid(provider, payment);
        let good = request(&stack, provider, &signed);
        let text = String::from_utf8(signed.body).unwrap();
        heard.send(good.bytes(format!("{text}&x=1")), 401).await;
        // Genuine, and about another payment's money: a person must look.
        let other = Payment { amount: 99, ..payment };
        heard.send(request(&stack, provider, &paid(provider, other)), 200).await;
    }
    let mut message = payment.message(1, 1);
    message["note"] = json!(CANARY);
    let forged = api::post(&stack, "callback").json(&payment.message(1, 1)).signed();
    heard.send(forged.bytes(message.to_string()), 401).await;
    message["amount"] = json!(99);
    heard.send(api::post(&stack, "callback").json(&message).signed(), 422).await;
    message["provider_txn"] = json!(format!("{CANARY} and a space"));
    heard.send(api::post(&stack, "callback").json(&message).signed(), 400).await;
    let said =
        ["bad-signature", "unauthenticated", "amount-mismatch", "webhook refused", "quarantined"];
    heard.expect_silence(&stack, &said).await;
}

#[tokio::test]
async fn what_is_secret_is_never_said_when_something_fails() {
    let stack = talkative().await;
    let mut heard = Heard::nothing(&stack);
    let of = payment(&stack).await;
    let uid = user(&stack);
    let oid = stack.shop().add_order(uid, 100);
    let body = json!({"uid": uid, "oid": oid, "amount": 100, "note": CANARY});
    let create = || {
        let create = api::post(&stack, "create").payer(uid).json(&body);
        create.header("idempotency-key", "canary-of-a-buyer-9")
    };
    for fault in [Fault::Status(500), Fault::Reset, Fault::Garbage, Fault::WrongId] {
        stack.shop().set_fault(ShopRoute::OrderDetail, fault, None);
        heard.send(create(), 503).await;
    }
    stack.shop().clear_faults();
    for (fault, provider) in [
        (Fault::Status(500), PaymentProvider::Stripe),
        (Fault::Throttle, PaymentProvider::WeChat),
        (Fault::Conflict, PaymentProvider::Alipay),
    ] {
        stack.dynamodb_control().set_fault("TransactWriteItems", fault, None);
        heard.send(create(), 503).await;
        heard.send(request(&stack, provider, &paid(provider, of)), 503).await;
        stack.dynamodb_control().clear_faults();
    }
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    let stripe = paid(PaymentProvider::Stripe, of);
    heard.send(request(&stack, PaymentProvider::Stripe, &stripe), 200).await;

    // Secrets that are none.
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
        let asked = match function {
            "callback" => request(&stack, PaymentProvider::Stripe, &stripe),
            _ => api::post(&stack, "detail").payer(uid).json(&body),
        };
        heard.send(asked, 503).await;
    }
    heard
        .expect_silence(&stack, &["unavailable", "order not told", "the secret is unusable"])
        .await;
}

/// What looks like a line of ours inside a text that is logged stays inside that text.
#[tokio::test]
async fn no_input_writes_a_line_of_its_own() {
    let stack = talkative().await;
    let payment = payment(&stack).await;
    let line = "\n{\"outcome\":\"forged\"}\r\n\u{1b}[31m\u{0}\u{2028}";
    let mut event = api::post(&stack, "callback").json(&payment.message(1, 1)).service().event();
    event["requestContext"]["requestId"] = json!(line);
    event["rawPath"] = json!(line);
    event["rawQueryString"] = json!(line);
    api::send_event(&stack, "callback", &event).await.ok();
    event["pathParameters"] = json!({"provider": line});
    api::send_event(&stack, "callback", &event).await.problem("provider-not-found");
    event["headers"]["x"] = json!(line);
    api::send_event(&stack, "callback", &event).await.problem("invalid-request");
    for provider in PaymentProvider::ALL {
        let signed = odd_id(provider, line);
        request(&stack, provider, &signed).send().await;
    }
    let mut message = payment.message(1, 1);
    for name in ["provider_txn", "currency", "idempotency_key", line] {
        message[name] = json!(line);
        for function in ["create", "detail", "callback"] {
            drop(stack.invoke(function, &message).await);
        }
    }
    let served = || stack.logs().lines().filter(|line| line.contains("duration_ms")).count();
    echo::eventually("a line for each", || served() >= 18).await;
    for line in stack.logs().lines() {
        let said: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no line: {line}"));
        assert_ne!(said["outcome"], "forged", "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\u{0}'), "{line:?}");
    }
}

/// A genuine message whose id is this, about nothing.
fn odd_id(provider: PaymentProvider, id: &str) -> Signed {
    let now = clock::now_secs();
    match provider {
        PaymentProvider::Stripe => {
            let body = json!({
                "id": id, "object": "event", "type": "payment_intent.succeeded", "livemode": false,
                "data": {"object": {"id": id, "currency": id}},
            });
            let body = body.to_string().into_bytes();
            let headers = signing::stripe(defaults::STRIPE_SECRET, now, &body).to_vec();
            Signed { headers, body }
        }
        PaymentProvider::WeChat => {
            let body = json!({"id": id, "event_type": "TRANSACTION.SUCCESS"});
            let body = body.to_string().into_bytes();
            Signed { headers: signing::wechat(now, "nonce", &body).unwrap().to_vec(), body }
        }
        PaymentProvider::Alipay => {
            let fields = [
                ("notify_type", "trade_status_sync"),
                ("trade_status", "TRADE_SUCCESS"),
                ("notify_id", id),
                ("trade_no", id),
            ];
            let body = signing::alipay(&fields).unwrap().into_bytes();
            Signed { headers: Vec::new(), body }
        }
    }
}
