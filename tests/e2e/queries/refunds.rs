//! Refunds that a query finds, and messages that only say where to look.

use local::Fault;
use local::messages::Message;
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::deaf;
use crate::providers::{deliver_edited, message, refund};
use crate::stage::{own, payment, shown};
use crate::{api, payctl, table};
use local::messages::Outcome;

/// 24, 25, 35: Stripe's total counts refunds that may still fail, so with a key the single ones count.
#[tokio::test]
async fn a_charge_that_was_refunded_makes_the_service_list_its_refunds() {
    let stack = own().await;
    let account = stack.account(Provider::Stripe).unwrap();
    let payment = payment(&stack).await;
    account.pay(payment.id, payment.amount).await.unwrap();
    for (id, amount, back) in [("re_1", 25, 25), ("re_2", 25, 50)] {
        account.refund(payment.id, amount, id).await.unwrap();
        let now = shown(&stack, payment).await;
        assert_eq!((&now["status"], &now["refunded"]), (&json!(1), &json!(back)), "{id}");
    }
    // Its own webhooks are lost, and the next one finds it.
    account.lose_webhooks(true);
    account.refund(payment.id, 20, "re_3").await.unwrap();
    account.lose_webhooks(false);
    account.refund(payment.id, 30, "re_4").await.unwrap();
    let now = shown(&stack, payment).await;
    assert_eq!((&now["status"], &now["refunded"]), (&json!(4), &json!(100)));
    assert_eq!(table::quarantined(&stack, payment.id).await, 0);
    let record = table::record(&stack, payment.id).await;
    assert_eq!((&record["refunds_sum"], &record["refunds_total"]), (&json!(100), &Value::Null));
    payctl::ok(&stack, &["audit"]).await;
}

/// 33: the sum falls while the status is still paid; a full refund is for a person.
#[tokio::test]
async fn a_refund_that_fails_later_no_longer_counts() {
    let stack = own().await;
    let account = stack.account(Provider::Stripe).unwrap();
    let [part, full] = [payment(&stack).await, payment(&stack).await];
    for paid in [part, full] {
        account.pay(paid.id, paid.amount).await.unwrap();
    }
    account.refund(part.id, 30, "re_part").await.unwrap();
    account.fail_refund("re_part").await.unwrap();
    let now = shown(&stack, part).await;
    assert_eq!((&now["status"], &now["refunded"]), (&json!(1), &json!(0)));
    account.refund(full.id, 100, "re_full").await.unwrap();
    account.fail_refund("re_full").await.unwrap();
    let now = shown(&stack, full).await;
    assert_eq!((&now["status"], &now["refunded"]), (&json!(4), &json!(100)));
    assert_eq!(table::quarantined(&stack, full.id).await, 1);
    assert_eq!(table::quarantined(&stack, part.id).await, 0);
}

/// A refund whose payment never became paid here: it was paid before it went back.
#[tokio::test]
async fn a_refund_of_a_payment_whose_webhook_was_lost_pays_it_first() {
    let stack = own().await;
    let account = deaf(&stack, Provider::Stripe);
    let payment = payment(&stack).await;
    account.pay(payment.id, payment.amount).await.unwrap();
    account.lose_webhooks(false);
    account.refund(payment.id, 40, "re_1").await.unwrap();
    let now = shown(&stack, payment).await;
    assert_eq!((&now["status"], &now["refunded"]), (&json!(1), &json!(40)));
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
}

/// A message that says where to look comes again while the provider does not respond.
#[tokio::test]
async fn a_message_whose_object_cannot_be_fetched_is_delivered_again() {
    let stack = own().await;
    let account = stack.account(Provider::Stripe).unwrap();
    let payment = payment(&stack).await;
    account.pay(payment.id, payment.amount).await.unwrap();
    account.set_fault("stripe:payment-intent", Fault::Status(500), None).unwrap();
    let sent = refund(payment, 30).from(Provider::Stripe).unwrap();
    let reply = api::from_provider(&stack, Provider::Stripe, &sent).send().await;
    reply.problem("unavailable");
    assert_eq!(shown(&stack, payment).await["refunded"], 0);
    account.clear_faults();
    account.refund(payment.id, 30, "re_1").await.unwrap();
    assert_eq!(shown(&stack, payment).await["refunded"], 30);
}

/// 6: a thin event names its object, which is fetched.
#[tokio::test]
async fn a_thin_event_pays_by_what_it_names() {
    let stack = own().await;
    let account = deaf(&stack, Provider::Stripe);
    let payment = payment(&stack).await;
    account.pay(payment.id, payment.amount).await.unwrap();
    let intent = account.trade(payment.id).unwrap().transaction;
    let thin = |event: &mut Value| {
        let id = event["id"].clone();
        *event = json!({
            "id": id, "object": "v2.core.event", "type": "v1.payment_intent.succeeded",
            "livemode": false,
            "related_object": {"id": intent, "type": "payment_intent",
                               "url": format!("/v1/payment_intents/{intent}")},
        });
    };
    deliver_edited(&stack, Provider::Stripe, &message(payment, Outcome::Paid), thin).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    let events = table::events(&stack, payment.id).await;
    let verdicts: Vec<_> = events.iter().map(|event| event["verdict"].clone()).collect();
    assert!(verdicts.contains(&json!("applied")) && verdicts.contains(&json!("noted")));
}

/// A refund names only the transaction, where there is no reference of ours.
#[tokio::test]
async fn a_refund_without_our_reference_is_found_by_its_transaction() {
    let stack = own().await;
    for provider in [Provider::WeChat, Provider::Alipay] {
        let payment = payment(&stack).await;
        let paid = message(payment, Outcome::Paid);
        deliver_edited(&stack, provider, &paid, |_| ()).await;
        let part: Message = refund(payment, 30);
        deliver_edited(&stack, provider, &part, |content| {
            let content =
                if provider == Provider::WeChat { &mut content["resource"] } else { content };
            content["out_trade_no"] = json!("shop-42");
        })
        .await;
        assert_eq!(shown(&stack, payment).await["refunded"], 30, "{provider:?}");
    }
}
