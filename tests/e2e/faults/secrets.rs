//! Reading a secret: a cold start without it authenticates nobody, a warm function goes on.

use local::{Fault, Stack};
use serde_json::json;

use super::callback::Paid;
use super::{AFTER, BEFORE, LATE, assert_unavailable, each, recover};
use crate::api;
use crate::stage::{create, order, recycle};

async fn detail(stack: &Stack) -> api::Reply {
    api::post(stack, "detail").payer(1).json(&json!({"id": 1})).send().await
}

#[tokio::test]
async fn a_cold_start_without_secrets_authenticates_nobody_and_recovers() {
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
        let (shown, created, [native, provider]) =
            tokio::join!(detail(stack), create(stack, uid, &body), callbacks);
        for response in [shown, created, native, provider] {
            assert_unavailable(response, &format!("{fault:?}"));
        }
        super::assert_no_payment(stack, oid, "cold").await;
        recover(stack).await;
        detail(stack).await.problem("payment-not-found");
        create(stack, uid, &body).await.ok();
        for paid in paid {
            assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_warm_function_keeps_working() {
    each([Fault::Reset, Fault::Throttle, Fault::Garbage, Fault::Hang], async |stack, fault| {
        detail(stack).await.problem("payment-not-found");
        let paid = Paid::new(stack, None).await;
        // The webhook keys are read by now as well.
        assert_eq!(paid.deliver(stack).await.status, 200);
        stack.secrets().set_fault(Some(fault));
        detail(stack).await.problem("payment-not-found");
        assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        recover(stack).await;
    })
    .await;
}
