//! Sweep, through the real function: as the schedule invokes it, and as an operator does.

use local::messages::{Message, Outcome};
use local::{Fault, ShopRoute, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use crate::api::{self, rejected};
use crate::stage::{self, Payment, own, payment, shown};
use crate::{table, template};

/// Payments that are paid and whose order service could not be notified.
async fn due(stack: &Stack, count: usize) -> Vec<Payment> {
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    let mut payments = Vec::new();
    for _ in 0..count {
        let payment = payment(stack).await;
        let paid = Message::new(payment.id, payment.amount, Outcome::Paid);
        let signed = paid.from(Provider::Alipay).unwrap();
        let sent = api::from_provider(stack, Provider::Alipay, &signed).send();
        assert_eq!(sent.await.text(), "success");
        assert!(table::is_due(stack, payment.id).await);
        payments.push(payment);
    }
    stack.shop().clear_faults();
    payments
}

/// A request to sweep, with these members.
fn request(members: &Value) -> Value {
    let mut request = json!({"operation": "sweep"});
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    request
}

/// Invokes a sweep of everything in the outbox, due by now or not.
pub(crate) async fn sweep_all(stack: &Stack) -> Value {
    sweep(stack, json!({"all": true})).await
}

/// Invokes a sweep of one payment.
pub(crate) async fn sweep_one(stack: &Stack, payment: Payment) -> Value {
    sweep(stack, json!({"id": payment.id})).await
}

async fn sweep(stack: &Stack, members: Value) -> Value {
    stack.invoke("callback", &request(&members)).await.unwrap()
}

#[tokio::test]
async fn a_sweep_of_one_payment_looks_at_no_other() {
    let stack = own().await;
    let payments = due(&stack, 2).await;
    let [one, other] = payments[..] else { panic!("two were made") };
    let swept = sweep_one(&stack, one).await;
    assert_eq!((&swept["notified"], &swept["stale"]), (&json!(1), &json!(0)));
    let times = [one, other].map(|payment| stack.shop().times_paid(payment.oid));
    assert_eq!(times, [1, 0]);
    assert!(!table::is_due(&stack, one.id).await && table::is_due(&stack, other.id).await);
    assert_eq!(sweep_one(&stack, one).await["stale"], 1);
    for (members, slug) in [
        (json!({"id": 7}), "payment-not-found"),
        (json!({"id": 0}), "invalid-request"),
        (json!({"id": one.id, "all": true}), "invalid-request"),
        (json!({"id": one.id, "limit": 1}), "invalid-request"),
    ] {
        let error = stack.invoke("callback", &request(&members)).await.unwrap_err();
        assert!(format!("{error:?}").contains(slug), "{members}: {error:?}");
    }
}

#[tokio::test]
async fn a_sweep_notifies_the_order_service_of_what_is_due() {
    let stack = own().await;
    let payments = due(&stack, 20).await;
    // For a minute the sweep leaves a new order notification to the callback that is making it.
    let swept = sweep(&stack, json!({})).await;
    let nothing = json!({"notified": 0, "queried": 0, "moved": 0, "rescheduled": 0, "abandoned": 0,
        "failed": 0, "stale": 0, "left": 0, "oldest_due_seconds": null,
        "oldest_refund_seconds": null});
    assert_eq!(swept, nothing);
    let swept = sweep(&stack, json!({"all": true, "limit": 3})).await;
    assert_eq!(swept["notified"], 3);
    assert_eq!(sweep_all(&stack).await["notified"], 17);
    for payment in &payments {
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
        assert!(!table::is_due(&stack, payment.id).await);
        assert_eq!(shown(&stack, *payment).await["status"], 1);
    }
    assert_eq!(sweep_all(&stack).await["notified"], 0);
}

#[tokio::test]
async fn an_order_service_that_is_down_is_notified_later() {
    let stack = own().await;
    let [payment] = due(&stack, 1).await[..] else { panic!() };
    for fault in [Fault::Status(500), Fault::Hang, Fault::Reset] {
        stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
        let before = table::record(&stack, payment.id).await;
        let swept = sweep_all(&stack).await;
        assert_eq!(
            (&swept["notified"], &swept["rescheduled"]),
            (&json!(0), &json!(1)),
            "{fault:?}"
        );
        assert!(swept["oldest_due_seconds"].is_u64());
        let after = table::record(&stack, payment.id).await;
        assert_eq!((&after["version"], &after["queue"]), (&before["version"], &before["queue"]));
        assert_ne!(after["due"], before["due"]);
        let attempts = before["attempts"].as_u64().map(|attempts| attempts + 1);
        assert_eq!(after["attempts"].as_u64(), attempts);
        stack.shop().clear_faults();
    }
    assert_eq!(sweep_all(&stack).await["notified"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

#[tokio::test]
async fn a_sweep_reports_a_store_that_is_down() {
    let stack = own().await;
    let [payment] = due(&stack, 1).await[..] else { panic!() };
    stack.dynamodb_control().set_fault("Query due-index", Fault::Status(500), None);
    rejected(&stack, "callback", &request(&json!({"all": true})), "unavailable").await;
    stack.dynamodb_control().clear_faults();
    for operation in ["GetItem", "UpdateItem"] {
        stack.dynamodb_control().set_fault(operation, Fault::Status(500), None);
        let swept = sweep_all(&stack).await;
        assert_eq!((&swept["notified"], &swept["failed"]), (&json!(0), &json!(1)), "{operation}");
        stack.dynamodb_control().clear_faults();
    }
    assert_eq!(sweep_all(&stack).await["notified"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

#[tokio::test]
async fn the_schedules_event_is_accepted() {
    let event = template::schedule_input();
    assert_eq!((&event["operation"], &event["all"]), (&json!("sweep"), &json!(false)));
    let swept = stage::shared().invoke("callback", &event).await.unwrap();
    assert_eq!(swept["failed"], 0, "{swept}");
}

#[tokio::test]
async fn a_sweep_request_that_cannot_be_read_is_rejected() {
    let stack = stage::shared();
    for members in
        [json!({"limit": 0}), json!({"limit": 100_001}), json!({"limit": "1"}), json!({"all": 1})]
    {
        rejected(stack, "callback", &request(&members), "invalid-request").await;
    }
    for operation in [json!("sweeps"), json!("SWEEP"), json!(7), json!(["sweep"])] {
        let event = json!({"operation": operation, "all": true});
        rejected(stack, "callback", &event, "invalid-request").await;
    }
    // Through the API it is a native notification without its members.
    let body = request(&json!({"all": true}));
    api::post(stack, "callback").json(&body).service().send().await.problem("invalid-request");
}
