//! Stripe's notifications, in what only Stripe does.

use local::simulator::stripe;
use local::{Stack, clock};
use serde_json::{Value, json};

use crate::api::{self, Request};
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
    let [(name, value)] = stripe::sign(stripe::SECRET, clock::now_secs(), body.as_bytes());
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
async fn what_does_not_match_is_acknowledged_and_quarantined() {
    let stack = shared();
    let other_mode = |mut event: Value| {
        event["livemode"] = json!(true);
        event
    };
    let received = |of: Payment, object: Value| event("payment_intent.succeeded", of, &object);
    for which in ["amount", "no amount", "currency", "no currency", "mode", "reference"] {
        let payment = payment(stack).await;
        let message = match which {
            "amount" => received(payment, json!({"amount_received": 99})),
            "no amount" => received(payment, json!({"amount_received": null})),
            "no currency" => received(payment, json!({"currency": null})),
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
async fn what_names_no_payment_or_concerns_none_is_acknowledged() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let absent = Payment { id: payment.id.saturating_add(1), ..payment };
    deliver(&stack, &paid(absent)).await;
    assert_eq!(table::unmatched(&stack, "stripe").await.len(), 1);
    deliver(&stack, &json!([1])).await;
    assert_eq!(table::unmatched(&stack, "stripe").await.len(), 2);
    for kind in ["charge.dispute.created", "invoice.created"] {
        deliver(&stack, &event(kind, payment, &json!({}))).await;
    }
    assert_eq!(table::unmatched(&stack, "stripe").await.len(), 2);
    assert_eq!(table::events(&stack, payment.id).await.len(), 0);
}
