//! How often secrets are read.

use local::{Stack, defaults, tokens};
use serde_json::json;

use super::{calls_of, warm};
use crate::api;
use crate::stage::{Payment, payment, recycle};

/// How many reads of secrets an operation causes.
async fn reads(stack: &Stack, operation: impl Future<Output = ()>) -> usize {
    let journal = stack.faults().journal();
    journal.start([]);
    operation.await;
    calls_of(&journal.stop(), &["secretsmanager:"])
}

async fn show(stack: &Stack, payment: Payment, token: &str) -> api::Reply {
    let request = api::post(stack, "detail").bearer(token);
    request.json(&json!({"id": payment.id})).send().await
}

#[tokio::test]
async fn a_start_reads_the_current_version_and_an_older_key_the_previous_one() {
    let stack = warm().await;
    let payment = payment(&stack).await;
    let renewed = "another-secret-of-at-least-32-bytes!";
    let old = stack.payer_token(payment.uid);
    let new = tokens::issue(renewed, payment.uid, None, local::clock::now_secs());
    let secret = json!({ "access_secret": renewed }).to_string();
    stack.secrets().put(defaults::AUTH_SECRET_ID, secret);
    stack.shop().set_access_secret(renewed);
    let start = async {
        recycle(&stack, "detail").await;
        show(&stack, payment, &new).await.ok();
    };
    assert_eq!(reads(&stack, start).await, 1);
    for (token, count) in [(&old, 1), (&old, 0), (&new, 0), (&old, 0)] {
        let shown = async { drop(show(&stack, payment, token).await.ok()) };
        assert_eq!(reads(&stack, shown).await, count);
    }
    // Of a forged one the current version is read again, the previous version is not.
    let forged = tokens::issue("a-secret-of-a-stranger-32-bytes-long", payment.uid, None, 0);
    let expired = async { drop(show(&stack, payment, &forged).await.problem("unauthenticated")) };
    assert_eq!(reads(&stack, expired).await, 0);
    let now = local::clock::now_secs();
    let forged = tokens::issue("a-secret-of-a-stranger-32-bytes-long", payment.uid, None, now);
    for _ in 0..3 {
        let shown = async { drop(show(&stack, payment, &forged).await.problem("unauthenticated")) };
        assert_eq!(reads(&stack, shown).await, 1);
    }
}
