//! Holes of the edge: numbers, errors, secrets, logs.

use local::messages::{Message, Outcome};
use local::{clock, defaults, tokens};
use pay_providers::PaymentProvider;
use serde_json::json;

use crate::echo::http;
use crate::stage::{own, payment, recycle, shared};
use crate::{api, logs};

/// The largest integer that a JavaScript client reads exactly.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// Ids above 2^53 lost digits in JavaScript clients.
#[tokio::test]
async fn hole_24_every_number_survives_a_javascript_client() {
    let stack = shared();
    let payment = payment(stack).await;
    assert!(payment.id <= MAX_SAFE);
    let body = json!({"id": MAX_SAFE + 1});
    let request = api::post(stack, "detail").payer(payment.uid).json(&body);
    request.send().await.problem("invalid-request");
}

/// Every error was a 400 with the text of the database or the RPC in it.
#[tokio::test]
async fn hole_25_an_error_has_its_status_and_shows_nothing_of_the_inside() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let fault = local::Fault::Status(500);
    stack.dynamodb_control().set_fault("GetItem", fault, None);
    let request = api::post(&stack, "detail").payer(payment.uid).json(&json!({"id": payment.id}));
    // The problem has the members of the contract and no others.
    let problem = request.send().await.problem("unavailable").to_string();
    for inside in ["dynamo", "Dynamo", "GetItem", "127.0.0.1", "pay#", "payments\""] {
        assert!(!problem.contains(inside), "{problem}");
    }
}

/// The acknowledgement is the caller's own: Alipay took `{}` for a failure and sent it for a day.
#[tokio::test]
async fn hole_27_no_provider_is_thanked_with_another_ones_words() {
    let stack = shared();
    for (provider, thanks) in [
        (PaymentProvider::Stripe, "{}"),
        (PaymentProvider::WeChat, r#"{"code":"SUCCESS","message":"OK"}"#),
        (PaymentProvider::Alipay, "success"),
    ] {
        let payment = payment(stack).await;
        let message = Message::new(payment.id, payment.amount, Outcome::Paid);
        let signed = message.from(provider).unwrap();
        let url = format!("{}/api/pay/callback/{}", stack.api, provider.as_str());
        let mut request = http().post(url).body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{provider:?}");
        assert_eq!(answer.text().await.unwrap(), thanks);
    }
    let unknown = api::post(stack, "callback/paypal").service().json(&json!({}));
    unknown.send().await.problem("provider-not-found");
}

/// Any HMAC, no expiry, one secret for all in a file.
#[tokio::test]
async fn hole_28_a_token_expires_and_its_secret_is_in_no_file() {
    let stack = own().await;
    let (uid, now) = (1, clock::now_secs());
    let ask =
        |token: &str| api::post(&stack, "detail").bearer(token).json(&json!({"id": 1})).send();
    let immortal = tokens::sign(&stack.access_secret, &json!({"uid": uid, "iat": now}));
    ask(&immortal).await.problem("unauthenticated");
    ask(&stack.payer_token(uid)).await.problem("payment-not-found");
    // A secret that is too short is none, whoever signs with it.
    stack.secrets().set_raw(defaults::AUTH_SECRET_ID, r#"{"access_secret":"short"}"#);
    recycle(&stack, "detail").await;
    ask(&tokens::issue("short", uid, None, now)).await.problem("unavailable");
    let template = std::fs::read_to_string(local::binaries::workspace().join("template.yaml"));
    let template = template.unwrap();
    for secret in [defaults::ACCESS_SECRET, defaults::WEBHOOK_SECRET] {
        assert!(!template.contains(secret));
    }
    assert!(template.contains("GenerateSecretString"));
}

/// The whole request, its Authorization header included, was logged on a failed login.
#[tokio::test]
async fn hole_29_no_token_is_logged() {
    let stack = shared();
    let canary = format!("Bearer canary-{}", clock::now_secs());
    let request = api::post(stack, "detail").header("authorization", &canary);
    request.json(&json!({"id": 1})).send().await.problem("unauthenticated");
    logs::lines(stack, "unauthenticated").await;
    assert!(!stack.logs().contains("canary-"));
}

/// The services were called before the cheapest check.
#[tokio::test]
async fn hole_30_cheap_checks_come_first() {
    let stack = own().await;
    // Each function reads once at its start, to open a connection.
    let made = ["CreateTable", "DescribeTable", "GetItem", "GetItem", "GetItem"];
    assert_eq!(stack.dynamodb_control().take_calls(), made);
    let create = || api::post(&stack, "create");
    create()
        .json(&json!({"uid": 1, "oid": 1, "amount": 100}))
        .send()
        .await
        .problem("unauthenticated");
    create().payer(1).text("{").send().await.problem("invalid-request");
    let other = json!({"uid": 2, "oid": 1, "amount": 100});
    create().payer(1).json(&other).send().await.problem("forbidden");
    for route in [local::ShopRoute::UserInfo, local::ShopRoute::OrderDetail] {
        assert_eq!(stack.shop().calls(route), 0);
    }
    assert_eq!(stack.dynamodb_control().take_calls(), Vec::<String>::new());
}
