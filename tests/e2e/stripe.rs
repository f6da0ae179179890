//! Stripe's own messages, by Stripe's own signature, end to end.

use futures_util::future::join_all;
use local::{Fault, ShopRoute, Stack, clock, defaults, signing};
use serde_json::{Value, json};

use crate::api::{self, Request, send_event};
use crate::stage::{Payment, fresh, own, payment, shared, shown};
use crate::table;

/// An event about a payment, as Stripe makes it.
fn event(kind: &str, payment: Payment, object: &Value) -> Value {
    let mut whole = json!({
        "id": format!("pi_{}", payment.id),
        "payment_intent": format!("pi_{}", payment.id),
        "amount": payment.amount,
        "amount_received": payment.amount,
        "currency": "cny",
        "metadata": {"payment_id": payment.id.to_string()},
    });
    whole.as_object_mut().unwrap().extend(object.as_object().unwrap().clone());
    json!({
        "id": format!("evt_{}", fresh()),
        "object": "event",
        "api_version": "2026-05-27",
        "created": clock::now_secs(),
        "type": kind,
        "livemode": false,
        "data": {"object": whole},
    })
}

fn paid(payment: Payment) -> Value {
    event("payment_intent.succeeded", payment, &json!({}))
}

/// The event, signed now.
fn sent<'a>(stack: &'a Stack, event: &Value) -> Request<'a> {
    let body = event.to_string();
    let [(name, value)] =
        signing::stripe(defaults::STRIPE_SECRET, clock::now_secs(), body.as_bytes());
    api::post(stack, "callback/stripe").text(body).header(name, &value)
}

async fn deliver(stack: &Stack, event: &Value) -> Value {
    sent(stack, event).send().await.ok()
}

#[tokio::test]
async fn a_payment_is_paid_refunded_in_part_and_in_full() {
    let stack = shared();
    let payment = payment(stack).await;
    let failed = event("payment_intent.payment_failed", payment, &json!({}));
    assert_eq!(deliver(stack, &failed).await, json!({}));
    assert_eq!(shown(stack, payment).await["status"], 2);
    deliver(stack, &paid(payment)).await;
    let now = shown(stack, payment).await;
    assert_eq!((&now["status"], &now["source"]), (&json!(1), &json!(3)));
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    let record = table::record(stack, payment.id).await;
    assert_eq!(record["provider_txn"], format!("pi_{}", payment.id));

    for part in [30, 50] {
        let object = json!({"amount_refunded": part, "refunded": false});
        deliver(stack, &event("charge.refunded", payment, &object)).await;
        assert_eq!(shown(stack, payment).await["status"], 1, "{part} of 100");
    }
    let object = json!({"amount_refunded": 100, "refunded": true});
    deliver(stack, &event("charge.refunded", payment, &object)).await;
    assert_eq!(shown(stack, payment).await["status"], 4);
}

#[tokio::test]
async fn the_order_of_delivery_does_not_matter() {
    let stack = shared();
    for turned in 0..3 {
        let payment = payment(stack).await;
        let mut events = [
            paid(payment),
            event("payment_intent.payment_failed", payment, &json!({})),
            event("charge.refunded", payment, &json!({"refunded": true})),
        ];
        events.rotate_left(turned);
        for event in &events {
            deliver(stack, event).await;
        }
        assert_eq!(shown(stack, payment).await["status"], 4, "{turned}");
    }
}

#[tokio::test]
async fn one_event_many_times_at_once_has_one_effect() {
    let stack = shared();
    let payment = payment(stack).await;
    let event = paid(payment);
    join_all((0..16).map(|_| deliver(stack, &event))).await;
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

#[tokio::test]
async fn what_does_not_fit_is_thanked_for_and_kept() {
    let stack = shared();
    let other_mode = |mut event: Value| {
        event["livemode"] = json!(true);
        event
    };
    let received = |of: Payment, object: Value| event("payment_intent.succeeded", of, &object);
    for which in ["amount", "currency", "mode", "money"] {
        let payment = payment(stack).await;
        let message = match which {
            "amount" => received(payment, json!({"amount_received": 99})),
            "currency" => received(payment, json!({"currency": "eur"})),
            "mode" => other_mode(paid(payment)),
            _ => {
                deliver(stack, &paid(payment)).await;
                received(payment, json!({"id": "pi_another"}))
            }
        };
        let before = shown(stack, payment).await;
        deliver(stack, &message).await;
        assert_eq!(shown(stack, payment).await, before, "{which}");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{which}");
    }
}

#[tokio::test]
async fn what_names_no_payment_or_is_nothing_to_us_is_thanked_for() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let absent = Payment { id: payment.id.saturating_add(1), ..payment };
    deliver(&stack, &paid(absent)).await;
    assert_eq!(table::strays_of(&stack, "stripe").await.len(), 1);
    deliver(&stack, &json!([1])).await;
    assert_eq!(table::strays_of(&stack, "stripe").await.len(), 2);
    for kind in ["charge.dispute.created", "invoice.created"] {
        deliver(&stack, &event(kind, payment, &json!({}))).await;
    }
    assert_eq!(table::strays_of(&stack, "stripe").await.len(), 2);
    assert_eq!(table::events(&stack, payment.id).await.len(), 0);
}

#[tokio::test]
async fn only_stripes_own_signature_over_the_very_bytes_counts() {
    let stack = shared();
    let payment = payment(stack).await;
    let event = paid(payment);
    let good = sent(stack, &event);
    let refused = [
        good.clone().without("stripe-signature"),
        good.clone().without("stripe-signature").service(),
        good.clone().without("stripe-signature").signed(),
        good.clone().header("stripe-signature", "t=1"),
        good.clone().bytes(event.to_string() + " "),
    ];
    for request in refused {
        request.send().await.problem("bad-signature");
    }
    assert_eq!(shown(stack, payment).await["status"], 0);
    // As the gateway hands it on when the content type is not text.
    send_event(stack, "callback", &stripe_event(&good)).await.ok();
    assert_eq!(shown(stack, payment).await["status"], 1);
}

fn stripe_event(request: &Request<'_>) -> Value {
    let mut event = request.event();
    event["routeKey"] = json!("POST /api/pay/callback/{provider}");
    event["pathParameters"] = json!({"provider": "stripe"});
    event
}

#[tokio::test]
async fn an_order_service_that_is_down_is_not_stripes_concern() {
    let stack = own().await;
    for fault in [Fault::Status(500), Fault::Hang] {
        let payment = payment(&stack).await;
        stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
        let event = paid(payment);
        deliver(&stack, &event).await;
        assert_eq!(shown(&stack, payment).await["status"], 1);
        assert!(table::is_to_be_told(&stack, payment.id).await, "{fault:?}");
        stack.shop().clear_faults();
        deliver(&stack, &event).await;
        assert!(!table::is_to_be_told(&stack, payment.id).await);
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_told_to_stripe() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let fault = local::DynamoDbFault::Error;
    stack.dynamodb_control().set_fault("GetItem", fault, None);
    sent(&stack, &paid(payment)).send().await.problem("unavailable");
    stack.dynamodb_control().clear_faults();
    deliver(&stack, &paid(payment)).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
}
