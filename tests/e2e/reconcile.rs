//! Reconcile, through the real function: as the schedule invokes it, and as an operator does.

use local::messages::{Message, Outcome};
use local::{Fault, ShopRoute, Stack, binaries};
use pay_providers::PaymentProvider;
use serde_json::{Value, json};

use crate::api::refused;
use crate::stage::{self, Payment, own, payment, shown};
use crate::table;

/// Payments that are paid and whose orders nobody could tell.
async fn untold(stack: &Stack, count: usize) -> Vec<Payment> {
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    let mut payments = Vec::new();
    for _ in 0..count {
        let payment = payment(stack).await;
        let paid = Message::new(payment.id, payment.amount, Outcome::Paid);
        let signed = paid.from(PaymentProvider::Alipay).unwrap();
        let mut request = crate::api::post(stack, "callback/alipay").bytes(signed.body);
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.text(), "success");
        assert!(table::is_to_be_told(stack, payment.id).await);
        payments.push(payment);
    }
    stack.shop().clear_faults();
    payments
}

async fn reconcile(stack: &Stack, request: Value) -> Value {
    stack.invoke("callback", &json!({ "reconcile": request })).await.unwrap()
}

#[tokio::test]
async fn what_nobody_told_is_told() {
    let stack = own().await;
    let payments = untold(&stack, 20).await;
    // The callback that is making it has a minute, which is not over.
    let done = reconcile(&stack, json!({})).await;
    assert_eq!((&done["told"], &done["oldest_untold_seconds"]), (&json!(0), &Value::Null));
    let done = reconcile(&stack, json!({"all": true, "limit": 3})).await;
    assert_eq!(done["told"], 3);
    let done = reconcile(&stack, json!({"all": true})).await;
    assert_eq!(done["told"], 17);
    for payment in &payments {
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
        assert!(!table::is_to_be_told(&stack, payment.id).await);
        assert_eq!(shown(&stack, *payment).await["status"], 1);
    }
    assert_eq!(reconcile(&stack, json!({"all": true})).await["told"], 0);
}

#[tokio::test]
async fn a_shop_that_is_down_is_asked_again_later() {
    let stack = own().await;
    let [payment] = untold(&stack, 1).await[..] else { panic!() };
    for fault in [Fault::Status(500), Fault::Hang, Fault::Reset] {
        stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
        let before = table::record(&stack, payment.id).await;
        let done = reconcile(&stack, json!({"all": true})).await;
        assert_eq!((&done["told"], &done["put_off"]), (&json!(0), &json!(1)), "{fault:?}");
        assert!(done["oldest_untold_seconds"].is_u64());
        let after = table::record(&stack, payment.id).await;
        assert_eq!(after["version"], before["version"]);
        assert_ne!(after["due"], before["due"]);
        assert_eq!(after["tries"].as_u64(), before["tries"].as_u64().map(|tries| tries + 1));
        stack.shop().clear_faults();
    }
    assert_eq!(reconcile(&stack, json!({"all": true})).await["told"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

#[tokio::test]
async fn a_store_that_is_down_is_said_to_be() {
    let stack = own().await;
    let [payment] = untold(&stack, 1).await[..] else { panic!() };
    let everything = json!({"reconcile": {"all": true}});
    stack.dynamodb_control().set_fault("Query work-index", Fault::Status(500), None);
    refused(&stack, "callback", &everything, "unavailable").await;
    stack.dynamodb_control().clear_faults();
    for operation in ["GetItem", "UpdateItem"] {
        stack.dynamodb_control().set_fault(operation, Fault::Status(500), None);
        let done = reconcile(&stack, json!({"all": true})).await;
        assert_eq!((&done["told"], &done["failed"]), (&json!(0), &json!(1)), "{operation}");
        stack.dynamodb_control().clear_faults();
    }
    assert_eq!(reconcile(&stack, json!({"all": true})).await["told"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

#[tokio::test]
async fn what_the_schedule_asks_for_is_taken() {
    let template = binaries::workspace().join("template.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    let input = template.lines().find_map(|line| line.trim().strip_prefix("Input: '")).unwrap();
    let event: Value = serde_json::from_str(input.strip_suffix('\'').unwrap()).unwrap();
    assert_eq!(event["reconcile"]["all"], false);
    let done = stage::shared().invoke("callback", &event).await.unwrap();
    assert_eq!(done["failed"], 0, "{done}");
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused() {
    let stack = stage::shared();
    for request in [
        json!(null),
        json!([]),
        json!("all"),
        json!({"limit": 0}),
        json!({"limit": 100_001}),
        json!({"limit": "1"}),
        json!({"all": 1}),
    ] {
        refused(stack, "callback", &json!({ "reconcile": request }), "invalid-request").await;
    }
    // From outside it is a message without its fields.
    let body = json!({"reconcile": {"all": true}});
    crate::api::post(stack, "callback")
        .json(&body)
        .service()
        .send()
        .await
        .problem("invalid-request");
}
