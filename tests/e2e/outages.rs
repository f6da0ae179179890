//! Outages that no single call causes: lagging indexes, bad and rotated secrets, bad settings. Failing
//! calls are in `faults`.

use local::{Fault, Stack, defaults, tokens};
use serde_json::{Value, json};

use crate::api::{self, Reply, Request, rejected};
use crate::stage::{Payment, fresh, order, own, own_with, payment, recycle};

/// A create for a new order of a new user that costs 100.
fn create(stack: &Stack) -> (Request<'_>, Value) {
    let (uid, _, body) = order(stack);
    (api::post(stack, "create").payer(uid).json(&body), body)
}

fn now() -> u64 {
    local::clock::now_secs()
}

/// Puts an access secret, as an operator does.
fn put_access_secret(stack: &Stack, key: &str) {
    let secret = json!({ "access_secret": key }).to_string();
    stack.secrets().put(defaults::AUTH_SECRET_ID, secret);
}

/// Asks for a payment with this token.
async fn show_by(stack: &Stack, payment: Payment, token: &str) -> Reply {
    let request = api::post(stack, "detail").bearer(token);
    request.json(&json!({"id": payment.id})).send().await
}

#[tokio::test]
async fn an_index_that_lags_makes_no_second_payment() {
    let stack = own().await;
    stack.dynamodb_control().set_fault("Query oid-index", Fault::FindNothing, None);
    let (request, body) = create(&stack);
    let id = request.clone().send().await.ok()["id"].clone();
    assert_eq!(request.send().await.problem("payment-exists")["payment_id"], id);
    let uid = body["uid"].as_u64().unwrap();
    let by_order = api::post(&stack, "detail").payer(uid).json(&json!({"oid": body["oid"]}));
    assert_eq!(by_order.send().await.ok()["id"], id);
}

#[tokio::test]
async fn without_a_usable_secret_nobody_is_authenticated() {
    let stack = own().await;
    let valid = stack.payer_token(1);
    let detail = |token: &str| api::post(&stack, "detail").bearer(token).json(&json!({"id": 1}));
    let others = ["", "short"].map(|secret| tokens::issue(secret, 1, None, now()));
    for secret in ["", "{}", "null", r#"{"access_secret":""}"#, r#"{"access_secret":"short"}"#] {
        stack.secrets().set_raw(defaults::AUTH_SECRET_ID, secret);
        recycle(&stack, "detail").await;
        for token in others.iter().chain([&valid]) {
            detail(token).send().await.problem("unavailable");
        }
    }
    // After the outage everything works again.
    let secret = json!({"access_secret": defaults::ACCESS_SECRET}).to_string();
    stack.secrets().set_raw(defaults::AUTH_SECRET_ID, secret);
    detail(&valid).send().await.problem("payment-not-found");
}

#[tokio::test]
async fn a_rotation_rejects_nobody() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let show = async |token: &str| show_by(&stack, payment, token).await;
    let old = stack.payer_token(payment.uid);
    let renewed = "another-secret-of-at-least-32-bytes!";
    put_access_secret(&stack, renewed);
    stack.shop().set_access_secret(renewed);
    // The running instance does not know the new secret: a token that it signed makes it read again.
    let new = tokens::issue(renewed, payment.uid, None, now());
    for token in [&new, &old, &new] {
        show(token).await.ok();
    }
    recycle(&stack, "detail").await;
    for token in [&old, &new] {
        show(token).await.ok();
    }
    // The previous generation is accepted for as long as tokens live, and no longer.
    stack.secrets().set_age(defaults::AUTH_SECRET_ID, 24 * 60 * 60 + 1);
    recycle(&stack, "detail").await;
    show(&old).await.problem("unauthenticated");
    show(&new).await.ok();
}

#[tokio::test]
async fn a_revoked_key_counts_until_the_environment_is_replaced() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let old = stack.payer_token(payment.uid);
    let show = || show_by(&stack, payment, &old);
    show().await.ok();
    // Twice, so that the previous version does not have the old key either.
    for _ in 0..2 {
        put_access_secret(&stack, "another-secret-of-at-least-32-bytes!");
    }
    // The running environment has read its keys less than five minutes ago.
    show().await.ok();
    recycle(&stack, "detail").await;
    show().await.problem("unauthenticated");
}

#[tokio::test]
async fn a_bad_new_value_of_a_secret_rejects_nobody() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let show = async |token: &str| show_by(&stack, payment, token).await;
    let first = stack.payer_token(payment.uid);
    show(&first).await.ok();
    put_access_secret(&stack, "short");
    // A token of an unknown key makes the function read the bad value.
    let stranger = tokens::issue("a-secret-of-a-stranger-32-bytes-long", 1, None, now());
    show(&stranger).await.problem("unauthenticated");
    show(&first).await.ok();
    assert!(stack.logs().contains("`access_secret` has fewer than 32 bytes"), "{}", stack.logs());
    // One more bad value; then a good one: the last good one before it still has its overlap.
    put_access_secret(&stack, "short as well");
    show(&stranger).await.problem("unauthenticated");
    let renewed = "another-secret-of-at-least-32-bytes!";
    put_access_secret(&stack, &format!("{renewed}\n"));
    stack.shop().set_access_secret(renewed);
    let new = tokens::issue(renewed, payment.uid, None, now());
    for token in [&new, &first, &new] {
        show(token).await.ok();
    }
    // An instance that starts with a bad value uses the one before it.
    put_access_secret(&stack, "short");
    recycle(&stack, "detail").await;
    show(&new).await.ok();
    show(&stranger).await.problem("unauthenticated");
}

#[tokio::test]
async fn bad_settings_give_unavailable_and_are_logged_all_at_once() {
    let bad = [("CURRENCY", "cny"), ("LOG_LEVEL", "loud"), ("ORDER_PAID_URL", "http://shop")];
    let stack = own_with(&bad).await;
    let (request, body) = create(&stack);
    request.send().await.problem("unavailable");
    rejected(&stack, "create", &body, "unavailable").await;
    let logs = stack.logs();
    let line = logs.lines().find(|line| line.contains("bad settings")).unwrap();
    for says in ["CURRENCY is in lower case", "LOG_LEVEL is no level", "ORDER_PAID_URL begins with"]
    {
        assert!(line.contains(says), "{line}");
    }
}

#[tokio::test]
async fn with_tokens_off_only_a_signature_authorizes_a_callback() {
    let stack = own_with(&[("CALLBACK_TOKENS", "off")]).await;
    let payment = payment(&stack).await;
    let request = || api::post(&stack, "callback").json(&payment.native(1, 1));
    for unsigned in [request().service(), request().payer(payment.uid), request()] {
        unsigned.send().await.problem("bad-signature");
    }
    assert_eq!(stack.shop().times_paid(payment.oid), 0);
    assert_eq!(request().signed().send().await.ok(), json!({}));
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

#[tokio::test]
async fn an_issuer_and_an_audience_are_required_once_they_are_set() {
    let stack = own_with(&[("JWT_ISSUER", "mall"), ("JWT_AUDIENCE", "pay")]).await;
    let uid = fresh();
    let send = |extra: Value| {
        let mut claims = json!({"uid": uid, "iat": now(), "exp": now() + 60});
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let token = tokens::sign(&stack.access_secret, &claims);
        api::post(&stack, "detail").bearer(&token).json(&json!({"id": 1})).send()
    };
    send(json!({"iss": "mall", "aud": "pay"})).await.problem("payment-not-found");
    send(json!({"iss": "mall", "aud": ["x", "pay"]})).await.problem("payment-not-found");
    for wrong in [
        json!({}),
        json!({"iss": "mall"}),
        json!({"aud": "pay"}),
        json!({"iss": "Mall", "aud": "pay"}),
        json!({"iss": "mall", "aud": ["x"]}),
    ] {
        send(wrong).await.problem("unauthenticated");
    }
}
