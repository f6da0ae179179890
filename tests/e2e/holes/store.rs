//! Holes of the store: what a failing or lagging one made of payments.

use local::Fault;
use serde_json::json;

use crate::stage::{fresh, own, payment, report, shown, user};
use crate::{api, table};

/// The duplicate check fails: any error counted as "not created", and it inserted.
#[tokio::test]
async fn hole_10_a_failing_duplicate_check_makes_no_duplicate() {
    let stack = own().await;
    let first = payment(&stack).await;
    let again = || api::post(&stack, "create").payer(first.uid).json(&first.request()).send();
    let control = stack.dynamodb_control();
    control.set_fault("Query oid-index", Fault::Status(500), None);
    assert_eq!(again().await.problem("payment-exists")["payment_id"], first.id);
    control.set_fault("GetItem", Fault::Status(500), None);
    again().await.problem("unavailable");
    control.clear_faults();
    assert_eq!(table::payments_of_order(&stack, first.oid).await.len(), 1);
}

/// Ask for the id that comes next: "not found" was remembered, and hid the payment for a minute.
#[tokio::test]
async fn hole_13_asking_too_early_hides_nothing() {
    let stack = own().await;
    let uid = user(&stack);
    let oid = stack.shop().add_order(uid, 100);
    let by_order = || api::post(&stack, "detail").payer(uid).json(&json!({"oid": oid})).send();
    by_order().await.problem("payment-not-found");
    let body = json!({"uid": uid, "oid": oid, "amount": 100});
    let created = api::post(&stack, "create").payer(uid).json(&body).send().await.ok();
    assert_eq!(by_order().await.ok()["id"], created["id"]);
}

/// A slow store: the caller was told of a timeout, and the update happened all the same.
#[tokio::test]
async fn hole_16_a_slow_store_splits_nothing() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let control = stack.dynamodb_control();
    control.set_fault("TransactWriteItems", Fault::LoseAnswer, Some(1));
    report(&stack, payment, 1, 1).await.ok();
    assert_eq!(shown(&stack, payment).await["status"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    // One that does not answer at all is our answer to give, in time, not the gateway's.
    control.set_fault("GetItem", Fault::Hang, None);
    report(&stack, payment, 1, 1).await.problem("unavailable");
}

/// Ask for ids one after another and see everybody's payments.
#[tokio::test]
async fn hole_08_nobody_sees_anothers_payment() {
    let stack = own().await;
    let (one, other) = (payment(&stack).await, payment(&stack).await);
    assert_ne!(one.id.abs_diff(other.id), 1);
    let ask = |uid: u64, body: serde_json::Value| {
        api::post(&stack, "detail").payer(uid).json(&body).send()
    };
    let mut anothers = ask(one.uid, json!({"id": other.id})).await.problem("payment-not-found");
    let mut nobodys = ask(one.uid, json!({"id": fresh()})).await.problem("payment-not-found");
    ask(one.uid, json!({"oid": other.oid})).await.problem("payment-not-found");
    for problem in [&mut anothers, &mut nobodys] {
        problem["request_id"] = json!("");
    }
    assert_eq!(anothers, nobodys);
    let list = api::post(&stack, "list").payer(one.uid).json(&json!({})).send().await.ok();
    let ids: Vec<_> = list["payments"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(one.id)]);
}
