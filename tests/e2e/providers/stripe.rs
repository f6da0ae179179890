//! Stripe's notifications, in what only Stripe does.

use local::messages::Outcome;
use local::{Stack, defaults};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::{deliver, deliver_bytes, deliver_edited, message};
use crate::stage::{
    Payment, own, own_with, own_without_provider_keys, payment, recycle, shared, shown,
};
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

/// Makes an event about a payment one about its Checkout session.
fn about_its_session(event: &mut Value, kind: &str, payment_status: &str) {
    event["type"] = json!(format!("checkout.session.{kind}"));
    let intent = &event["data"]["object"];
    let payment_intent = if payment_status == "paid" { intent["id"].clone() } else { Value::Null };
    event["data"]["object"] = json!({
        "id": "cs_1", "object": "checkout.session", "amount_total": intent["amount"],
        "currency": "cny", "client_reference_id": intent["metadata"]["payment_id"],
        "metadata": {}, "payment_intent": payment_intent, "payment_status": payment_status,
    });
}

/// A shop may subscribe to the session's events, the `PaymentIntent`'s, or both in any order.
#[tokio::test]
async fn a_session_and_its_payment_intent_pay_once() {
    let stack = shared();
    for session_first in [true, false] {
        let payment = payment(stack).await;
        let expired = |event: &mut Value| about_its_session(event, "expired", "unpaid");
        for kind in ["async_payment_failed", "completed"] {
            let unpaid = |event: &mut Value| about_its_session(event, kind, "unpaid");
            deliver_edited(stack, STRIPE, &message(payment, Outcome::Paid), unpaid).await;
        }
        assert_eq!(shown(stack, payment).await["status"], 2);
        for session in [session_first, !session_first] {
            let paid = message(payment, Outcome::Paid);
            let edit = |event: &mut Value| {
                if session {
                    about_its_session(event, "completed", "paid");
                }
            };
            deliver_edited(stack, STRIPE, &paid, edit).await;
            assert_eq!(shown(stack, payment).await["status"], 1);
        }
        deliver_edited(stack, STRIPE, &message(payment, Outcome::Paid), expired).await;
        let record = table::record(stack, payment.id).await;
        assert_eq!(record["provider_txn"], format!("pi_{}", payment.id));
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
        assert_eq!(table::quarantined(stack, payment.id).await, 0);
        let events = table::events(stack, payment.id).await;
        let verdicts: Vec<_> = events.iter().map(|event| &event["verdict"]).collect();
        let count = |verdict: &str| verdicts.iter().filter(|one| **one == verdict).count();
        assert_eq!((count("applied"), count("duplicate"), count("stale")), (2, 1, 1));
    }
    let expiring = payment(stack).await;
    let expired = |event: &mut Value| about_its_session(event, "expired", "unpaid");
    deliver_edited(stack, STRIPE, &message(expiring, Outcome::Paid), expired).await;
    assert_eq!(shown(stack, expiring).await["status"], 3);
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
        ("session", json!({})),
        ("two payments", json!({})),
        ("no transaction", json!({})),
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
            "session" | "two payments" | "no transaction" => {
                let session = |event: &mut Value| {
                    about_its_session(event, "completed", "paid");
                    let session = &mut event["data"]["object"];
                    match which {
                        "session" => session["amount_total"] = json!(99),
                        "two payments" => {
                            session["metadata"] = json!({"payment_id": payment.id.to_string()});
                            session["client_reference_id"] = json!("1");
                        }
                        _ => session["payment_intent"] = Value::Null,
                    }
                };
                deliver_edited(stack, STRIPE, &paid, session).await;
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

/// Stripe counts krónur in hundredths, the record in whole ones.
#[tokio::test]
async fn an_amount_is_compared_in_the_currencys_minor_unit() {
    let stack = own_with(&[("CURRENCY", "ISK")]).await;
    for (received, status) in [(10_000, 1), (100, 0), (10_050, 0)] {
        let payment = payment(&stack).await;
        let isk = json!({"currency": "isk", "amount": received, "amount_received": received});
        deliver_with(&stack, payment, Outcome::Paid, isk).await;
        assert_eq!(shown(&stack, payment).await["status"], status, "{received}");
        let quarantined = usize::from(status == 0);
        assert_eq!(table::quarantined(&stack, payment.id).await, quarantined, "{received}");
    }
}

/// Other products of the same account are none of our business.
#[tokio::test]
async fn on_a_shared_account_what_names_no_payment_is_ignored() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let mut secrets = defaults::webhook_secrets().unwrap();
    let other = |event: &mut Value| event["data"]["object"]["metadata"] = json!({});
    for shared in [false, true] {
        secrets["stripe"]["shared"] = json!(shared);
        stack.secrets().put(defaults::WEBHOOK_SECRET_ID, secrets.to_string());
        recycle(&stack, "callback").await;
        deliver_edited(&stack, STRIPE, &message(payment, Outcome::Paid), other).await;
        // A refund of something else: whose it is, only the transaction says.
        deliver_edited(&stack, STRIPE, &message(payment, Outcome::Refunded), |event| {
            event["type"] = json!("refund.updated");
            event["data"]["object"] = json!({"id": "re_other", "object": "refund", "amount": 100,
                "currency": "cny", "payment_intent": "pi_other", "status": "succeeded"});
        })
        .await;
        // Those of the account that is not shared.
        assert_eq!(table::unmatched(&stack, "stripe").await.len(), 2, "{shared}");
    }
    deliver(&stack, STRIPE, &message(payment, Outcome::Paid)).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
}

/// The payload style that Stripe recommends for new destinations: nothing in it can be applied.
#[tokio::test]
async fn a_thin_event_about_money_is_quarantined_with_what_to_configure() {
    let stack = own_without_provider_keys().await;
    let payment = payment(&stack).await;
    for (kind, is_quarantined) in
        [("v1.payment_intent.succeeded", true), ("v1.customer.created", false)]
    {
        let paid = message(payment, Outcome::Paid);
        deliver_edited(&stack, STRIPE, &paid, |event| {
            let intent = event["data"]["object"]["id"].clone();
            let members = event.as_object_mut().unwrap();
            members.remove("data");
            members.extend([
                ("object".to_owned(), json!("v2.core.event")),
                ("type".to_owned(), json!(kind)),
                ("related_object".to_owned(), json!({"id": intent, "type": "payment_intent"})),
            ]);
        })
        .await;
        let unmatched = table::unmatched(&stack, "stripe").await;
        assert_eq!(unmatched.len(), 1, "{kind}");
        if is_quarantined {
            assert_eq!(unmatched[0]["mismatch"], "payment");
            assert_eq!(unmatched[0]["provider_txn"], format!("pi_{}", payment.id));
            let received = unmatched[0]["received"].as_str().unwrap();
            assert!(received.ends_with("payload style of the event destination to snapshot"));
        }
    }
    assert_eq!(shown(&stack, payment).await["status"], 0);
}
