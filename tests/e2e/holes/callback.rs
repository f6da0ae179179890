//! Holes of the callback: who may settle what, how often, and who hears of it.

use futures_util::future::join_all;
use local::{Fault, ShopRoute, clock};
use serde_json::json;

use crate::stage::{own, payment, payment_in, payment_of, report, shared, shown, user};
use crate::{api, table};

/// Pay a cheap order, and have the callback name a dear one.
#[tokio::test]
async fn hole_01_a_payment_settles_no_other_order() {
    let stack = shared();
    let uid = user(stack);
    let cheap = payment_of(stack, uid, 1).await;
    let dear = stack.shop().add_order(uid, 1_000_000);
    let mut message = cheap.message(1, 1);
    message["oid"] = json!(dear);
    let callback = api::post(stack, "callback").json(&message).signed();
    callback.send().await.problem("record-mismatch");
    assert_eq!(stack.shop().times_paid(dear), 0);
    assert_eq!(shown(stack, cheap).await["status"], 0);
    assert_eq!(table::quarantined(stack, cheap.id).await, 1);
}

/// Settle one's own payment with one's own login.
#[tokio::test]
async fn hole_02_a_buyer_settles_nothing() {
    let stack = shared();
    let payment = payment(stack).await;
    let callback = api::post(stack, "callback").json(&payment.message(1, 1));
    callback.clone().payer(payment.uid).send().await.problem("forbidden");
    callback.send().await.problem("unauthenticated");
    assert_eq!(shown(stack, payment).await["status"], 0);
}

/// Forge a callback, or send an old one again.
#[tokio::test]
async fn hole_03_a_forged_or_replayed_callback_is_refused() {
    let stack = shared();
    let payment = payment(stack).await;
    let callback = api::post(stack, "callback").json(&payment.message(1, 1));
    let old = clock::now_secs() - 3600;
    callback.clone().signed_as("m", old).send().await.problem("bad-signature");
    let mut forged = payment.message(1, 1);
    forged["source"] = json!(2);
    // Signed for another body.
    let event = callback.signed_as("m", clock::now_secs()).event();
    let headers = event["headers"].as_object().unwrap();
    let request = headers
        .iter()
        .filter(|(name, _)| name.starts_with("webhook-"))
        .fold(api::post(stack, "callback").json(&forged), |request, (name, value)| {
            request.header(name, value.as_str().unwrap())
        });
    request.send().await.problem("bad-signature");
    assert_eq!(shown(stack, payment).await["status"], 0);
}

/// Report a failure: it marked the order paid.
#[tokio::test]
async fn hole_04_a_failed_payment_pays_no_order() {
    let stack = shared();
    for status in [0, 2, 3, 4] {
        let payment = payment(stack).await;
        report(stack, payment, 1, status).await.ok();
        assert_eq!(stack.shop().times_paid(payment.oid), 0, "{status}");
    }
}

/// Write any number as the status, or move paid back to pending.
#[tokio::test]
async fn hole_05_a_status_is_one_of_five_and_only_rises() {
    let stack = shared();
    let paid = payment_in(stack, 1).await;
    for status in [0, 2, 3] {
        report(stack, paid, 1, status).await.ok();
        assert_eq!(shown(stack, paid).await["status"], 1, "{status}");
    }
    report(stack, paid, 1, 99).await.problem("invalid-request");
}

/// Two callbacks at once: each wrote all columns, and one was lost.
#[tokio::test]
async fn hole_14_callbacks_at_once_lose_no_update() {
    let stack = shared();
    let payment = payment(stack).await;
    let reports = [(1, 2), (1, 1), (1, 3), (1, 1), (1, 2)];
    let answers = reports.map(|(source, status)| report(stack, payment, source, status));
    for answer in join_all(answers).await {
        assert!([200, 503].contains(&answer.status), "{}", answer.body);
    }
    report(stack, payment, 1, 1).await.ok();
    let record = table::record(stack, payment.id).await;
    assert_eq!((&record["status"], &record["source"]), (&json!(1), &json!(1)));
    let applied = table::events(stack, payment.id).await;
    let applied = applied.iter().filter(|event| event["verdict"] == "applied").count();
    // As many versions as changes, none written over.
    assert_eq!(record["version"], json!(1 + applied));
}

/// The order call fails after the payment is written: paid here, unpaid there, for good.
#[tokio::test]
async fn hole_15_a_telling_that_failed_is_listed_and_made_up_for() {
    let stack = own().await;
    let payment = payment(&stack).await;
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    report(&stack, payment, 1, 1).await.problem("unavailable");
    assert!(table::is_to_be_told(&stack, payment.id).await);
    stack.shop().clear_faults();
    report(&stack, payment, 1, 1).await.ok();
    assert_eq!(stack.shop().order(payment.oid).unwrap().status, 1);
}

/// Deliver a callback again: it did everything again.
#[tokio::test]
async fn hole_18_a_repeated_callback_has_no_second_effect() {
    let stack = shared();
    let payment = payment(stack).await;
    let callback = api::post(stack, "callback").json(&payment.message(1, 1));
    let callback = callback.signed_as("again", clock::now_secs());
    for _ in 0..3 {
        assert_eq!(callback.clone().send().await.ok(), json!({}));
    }
    let told = stack.shop().tellings().iter().filter(|one| one.oid == payment.oid).count();
    assert_eq!(told, 1);
    assert_eq!(table::events(stack, payment.id).await.len(), 1);
}

/// The user service is down: no payment could be settled.
#[tokio::test]
async fn hole_19_settling_needs_no_user_service() {
    let stack = own().await;
    let payment = payment(&stack).await;
    stack.shop().set_fault(ShopRoute::UserInfo, Fault::Status(503), None);
    report(&stack, payment, 1, 1).await.ok();
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

/// Nothing was kept of what a provider sent.
#[tokio::test]
async fn hole_22_every_message_is_kept() {
    let stack = shared();
    let payment = payment(stack).await;
    report(stack, payment, 1, 2).await.ok();
    report(stack, payment, 1, 1).await.ok();
    let mut wrong = payment.message(1, 1);
    wrong["amount"] = json!(1);
    let callback = api::post(stack, "callback").json(&wrong).signed();
    callback.send().await.problem("amount-mismatch");
    let events = table::events(stack, payment.id).await;
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!(event["sha256"].as_str().map(str::len), Some(64), "{event}");
        assert!(event["len"].is_u64() && event["body"].is_string(), "{event}");
    }
}
