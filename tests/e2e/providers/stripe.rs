//! Stripe's notifications, in what only Stripe does.

use local::Stack;
use local::messages::Outcome;
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::{deliver, deliver_bytes, deliver_edited, message};
use crate::stage::{Payment, own, payment, shared, shown};
use crate::table;

const STRIPE: Provider = Provider::Stripe;

/// Sends an event about a payment, with these members in its object.
async fn deliver_with(stack: &Stack, payment: Payment, outcome: Outcome, members: Value) {
    let with = |event: &mut Value| {
        let Value::Object(members) = members else { panic!("{members}") };
        event["data"]["object"].as_object_mut().unwrap().extend(members);
    };
    deliver_edited(stack, STRIPE, &message(payment, outcome), with).await;
}

#[tokio::test]
async fn a_payment_is_paid_refunded_in_part_and_in_full() {
    let stack = shared();
    let payment = payment(stack).await;
    deliver(stack, STRIPE, &message(payment, Outcome::Failed)).await;
    assert_eq!(shown(stack, payment).await["status"], 2);
    deliver(stack, STRIPE, &message(payment, Outcome::Paid)).await;
    let now = shown(stack, payment).await;
    assert_eq!((&now["status"], &now["source"]), (&json!(1), &json!(3)));
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    let record = table::record(stack, payment.id).await;
    assert_eq!(record["provider_txn"], format!("pi_{}", payment.id));

    for part in [30, 50] {
        let part_of_it = json!({"amount_refunded": part});
        deliver_with(stack, payment, Outcome::PartlyRefunded, part_of_it).await;
        assert_eq!(shown(stack, payment).await["status"], 1, "{part} of 100");
    }
    deliver(stack, STRIPE, &message(payment, Outcome::Refunded)).await;
    assert_eq!(shown(stack, payment).await["status"], 4);
}

#[tokio::test]
async fn what_does_not_match_is_acknowledged_and_quarantined() {
    let stack = shared();
    for (which, members) in [
        ("amount", json!({"amount_received": 99})),
        ("no amount", json!({"amount_received": null})),
        ("no currency", json!({"currency": null})),
        ("currency", json!({"currency": "eur"})),
        ("mode", json!({})),
        ("connected account", json!({})),
        ("reference", json!({"id": "pi_another"})),
    ] {
        let payment = payment(stack).await;
        let paid = message(payment, Outcome::Paid);
        if which == "reference" {
            deliver(stack, STRIPE, &paid).await;
        }
        let before = shown(stack, payment).await;
        match which {
            "mode" => {
                let live = |event: &mut Value| event["livemode"] = json!(true);
                deliver_edited(stack, STRIPE, &paid, live).await;
            }
            "connected account" => {
                let connected = |event: &mut Value| event["account"] = json!("acct_2");
                deliver_edited(stack, STRIPE, &paid, connected).await;
            }
            _ => deliver_with(stack, payment, Outcome::Paid, members).await,
        }
        assert_eq!(shown(stack, payment).await, before, "{which}");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{which}");
    }
}

#[tokio::test]
async fn what_names_no_payment_or_concerns_none_is_acknowledged() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let absent = Payment { id: payment.id.saturating_add(1), ..payment };
    deliver(&stack, STRIPE, &message(absent, Outcome::Paid)).await;
    assert_eq!(table::unmatched(&stack, "stripe").await.len(), 1);
    deliver_bytes(&stack, STRIPE, b"[1]").await;
    assert_eq!(table::unmatched(&stack, "stripe").await.len(), 2);
    for kind in ["charge.dispute.created", "invoice.created"] {
        let paid = message(payment, Outcome::Paid);
        deliver_edited(&stack, STRIPE, &paid, |event| event["type"] = json!(kind)).await;
    }
    assert_eq!(table::unmatched(&stack, "stripe").await.len(), 2);
    assert_eq!(table::events(&stack, payment.id).await.len(), 0);
}
