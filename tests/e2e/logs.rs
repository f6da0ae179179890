//! What is secret is in no log line, even when everything is logged.

use local::{Stack, clock, defaults, tokens};
use serde_json::json;

use crate::stage::{own_with, payment, report};
use crate::{api, echo};

/// Waits for a line that says this; what was logged before it is there then.
pub(crate) async fn lines(stack: &Stack, said: &str) {
    echo::eventually(said, || stack.logs().contains(said)).await;
}

#[tokio::test]
async fn no_token_secret_signature_or_body_is_ever_logged() {
    let stack = own_with(&[("LOG_LEVEL", "trace")]).await;
    let payment = payment(&stack).await;
    let token = stack.payer_token(payment.uid);
    let canary = "canary-in-the-body";
    let mut message = payment.message(1, 1);
    message["note"] = json!(canary);
    let signed = || api::post(&stack, "callback").json(&message).signed_as("m", clock::now_secs());
    let signature = signed().event()["headers"]["webhook-signature"].as_str().unwrap().to_owned();

    signed().send().await.ok();
    report(&stack, payment, 2, 4).await.problem("status-conflict");
    let detail = api::post(&stack, "detail").json(&json!({"id": payment.id, "note": canary}));
    detail.clone().bearer(&token).send().await.ok();
    // Refused ones, too: a bad token is somebody's good one elsewhere.
    let stranger = tokens::issue("another-secret-of-at-least-32-bytes!", 1, None, 2_000_000_000);
    detail.bearer(&stranger).send().await.problem("unauthenticated");
    let forged = api::post(&stack, "callback").json(&message).header("webhook-id", "m");
    let forged = forged.header("webhook-timestamp", "1").header("webhook-signature", &signature);
    forged.send().await.problem("bad-signature");
    api::refused(&stack, "create", &json!({"uid": canary}), "invalid-request").await;

    expect_silence(&stack, &[&token, &stranger, canary, signature.trim_start_matches("v1,")]).await;
}

/// That no line of seven invocations holds any of these, nor a secret, and yet says what happened.
async fn expect_silence(stack: &Stack, secrets: &[&str]) {
    let served = || stack.logs().lines().filter(|line| line.contains("duration_ms")).count() >= 7;
    echo::eventually("a line for each invocation", served).await;
    let logs = stack.logs();
    let whsec = defaults::WEBHOOK_SECRET.trim_start_matches("whsec_");
    for secret in secrets.iter().copied().chain([defaults::ACCESS_SECRET, whsec]) {
        let line = logs.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    // And yet the lines say what happened.
    for said in ["\"outcome\":\"ok\"", "status-conflict", "unauthenticated", "bad-signature"] {
        assert!(logs.contains(said), "{said}");
    }
    for line in logs.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "not JSON: {line}");
    }
}
