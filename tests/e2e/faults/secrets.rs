//! Reading a secret: cold without it nobody comes in, and warm nobody notices.

use local::{Fault, Stack};
use serde_json::json;

use super::callback::Paid;
use super::{AFTER, BEFORE, LATE, create, each, heal, order};
use crate::api;
use crate::stage::recycle;

async fn look(stack: &Stack) -> api::Reply {
    api::post(stack, "detail").payer(1).json(&json!({"id": 1})).send().await
}

#[tokio::test]
async fn a_cold_start_without_secrets_lets_nobody_in_and_heals() {
    let statuses = [Fault::Status(400), Fault::Status(403), Fault::Throttle, LATE];
    each(BEFORE.into_iter().chain(AFTER).chain(statuses), async |stack, fault| {
        let paid =
            [Paid::new(stack, None).await, Paid::new(stack, super::callback::SENDERS[1]).await];
        let (uid, oid, body) = order(stack);
        stack.secrets().set_fault(Some(fault));
        tokio::join!(
            recycle(stack, "detail"),
            recycle(stack, "create"),
            recycle(stack, "callback")
        );
        let callbacks = async { [paid[0].deliver(stack).await, paid[1].deliver(stack).await] };
        let (looked, created, [native, provider]) =
            tokio::join!(look(stack), create(stack, uid, &body), callbacks);
        for answer in [looked, created, native, provider] {
            assert_eq!(answer.status, 503, "{fault:?}: {}", answer.body);
            answer.problem("unavailable");
        }
        super::assert_no_payment(stack, oid, "cold").await;
        heal(stack).await;
        look(stack).await.problem("payment-not-found");
        create(stack, uid, &body).await.ok();
        for paid in paid {
            assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_warm_function_does_not_notice() {
    each([Fault::Reset, Fault::Throttle, Fault::Garbage, Fault::Hang], async |stack, fault| {
        look(stack).await.problem("payment-not-found");
        let paid = Paid::new(stack, None).await;
        // Read by now: the webhook's keys, too.
        assert_eq!(paid.deliver(stack).await.status, 200);
        stack.secrets().set_fault(Some(fault));
        look(stack).await.problem("payment-not-found");
        assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        heal(stack).await;
    })
    .await;
}
