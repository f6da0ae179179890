//! An instance that dies before or after a step: one repeat recovers from it.

use local::{Fault, Stack};
use serde_json::json;

use super::callback::Paid;
use super::{assert_one_payment, recover};
use crate::echo::eventually;
use crate::stage::{create, order, own};
use crate::{api, table};

/// Sends a request and kills the function as soon as its call to `point` arrives, or, with a fault that
/// comes afterwards, once it is carried out.
async fn killed_at(
    stack: &Stack,
    function: &str,
    (point, fault): (&str, Fault),
    request: impl Future<Output = api::Reply>,
) {
    stack.faults().add(local::faults::Rule {
        at: point.to_owned(),
        fault,
        times: Some(1),
        percent: 100,
    });
    let fired = || stack.faults().fired().get(&(point.to_owned(), fault.name())).copied();
    let before = fired();
    let (response, ()) = tokio::join!(request, async {
        eventually("the call", || fired() > before).await;
        let of = stack.instances().into_iter().find(|one| one.function == function).unwrap();
        stack.kill(of.pid).unwrap();
    });
    // API Gateway's own response where a function ended.
    assert_eq!(response.body, json!({"message": "Internal Server Error"}), "{point} {fault:?}");
    recover(stack).await;
}

const BOTH: [Fault; 2] = [Fault::Hang, Fault::HangAfter];

#[tokio::test]
async fn a_create_that_dies_at_any_step_is_completed_by_one_repeat() {
    let stack = own().await;
    for point in [
        "users:userinfo",
        "orders:detail",
        "dynamodb:Query oid-index",
        "dynamodb:TransactWriteItems",
    ] {
        for fault in BOTH {
            let case = format!("{point} {fault:?}");
            let (uid, oid, body) = order(&stack);
            killed_at(&stack, "create", (point, fault), create(&stack, uid, &body)).await;
            let id = create(&stack, uid, &body).await.ok()["id"].clone();
            assert_one_payment(&stack, oid, &id, &case).await;
            assert_eq!(create(&stack, uid, &body).await.ok()["id"], id, "{case}");
        }
    }
}

#[tokio::test]
async fn a_callback_that_dies_at_any_step_is_completed_by_one_delivery() {
    let stack = own().await;
    for point in
        ["dynamodb:GetItem", "dynamodb:TransactWriteItems", "orders:paid", "dynamodb:UpdateItem"]
    {
        for fault in BOTH {
            for sender in super::callback::SENDERS {
                let case = format!("{sender:?} {point} {fault:?}");
                let paid = Paid::new(&stack, sender).await;
                killed_at(&stack, "callback", (point, fault), paid.deliver(&stack)).await;
                paid.is_done_by_a_delivery(&stack, &case).await;
            }
        }
    }
}

#[tokio::test]
async fn a_quarantine_that_dies_is_completed_by_one_delivery() {
    let stack = own().await;
    for fault in BOTH {
        let payment = crate::stage::payment(&stack).await;
        let mut native = payment.native(1, 1);
        native["amount"] = json!(101);
        let deliver = || {
            let id = format!("mismatch-{}", payment.id);
            let callback = api::post(&stack, "callback").json(&native);
            callback.signed_as(&id, local::clock::now_secs()).send()
        };
        killed_at(&stack, "callback", ("dynamodb:PutItem", fault), deliver()).await;
        deliver().await.problem("amount-mismatch");
        assert_eq!(table::quarantined(&stack, payment.id).await, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_detail_that_dies_changes_nothing() {
    let stack = own().await;
    let payment = crate::stage::payment(&stack).await;
    let detail = || api::post(&stack, "detail").payer(payment.uid).json(&json!({"id": payment.id}));
    killed_at(&stack, "detail", ("dynamodb:GetItem", Fault::Hang), detail().send()).await;
    assert_eq!(detail().send().await.ok()["id"], payment.id);
}
