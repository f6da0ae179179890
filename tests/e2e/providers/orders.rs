//! 5: notifications about one payment, in every order of delivery, end in the same state.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use pay_core::domain::Provider;

use super::{deliver, deliver_edited, message};
use crate::stage::{payment, shared, shown};
use crate::table;

/// Every order of these items.
fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for index in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

/// The outcomes that a provider may report of one payment.
fn outcomes(provider: Provider) -> Vec<Vec<Outcome>> {
    let mut all = vec![Outcome::Failed, Outcome::Closed, Outcome::Paid];
    // Not every provider sends a message when an attempt fails or a payment is closed.
    all.retain(|outcome| Message::new(1, 100, *outcome).from(provider).is_ok());
    assert!(all.contains(&Outcome::Paid));
    let with = |more: &[Outcome]| [&all[..], more].concat();
    vec![all.clone(), with(&[Outcome::Refunded]), with(&[Outcome::PartlyRefunded])]
}

#[tokio::test]
async fn the_end_does_not_depend_on_the_order_of_delivery() {
    let stack = shared();
    for &provider in Provider::ALL {
        for outcomes in outcomes(provider) {
            let mut ends = BTreeSet::new();
            let orders = permutations(&outcomes);
            for order in &orders {
                let payment = payment(stack).await;
                let messages: Vec<Message> =
                    order.iter().map(|outcome| message(payment, *outcome)).collect();
                // Each is delivered twice in a row, and all of them again in the end.
                for sent in messages.iter().flat_map(|one| [one, one]).chain(&messages) {
                    deliver(stack, provider, sent).await;
                }
                let record = table::record(stack, payment.id).await;
                let times = stack.shop().times_paid(payment.oid);
                let once = times == 1 || (times == 0 && outcomes.contains(&Outcome::Refunded));
                assert!(once, "{provider:?} {order:?}: notified {times} times");
                assert!(!table::is_due(stack, payment.id).await, "{provider:?} {order:?}");
                assert_eq!(
                    table::quarantined(stack, payment.id).await,
                    0,
                    "{provider:?} {order:?}"
                );
                let shown = shown(stack, payment).await;
                let (source, txn) = (&record["source"], &record["provider_txn"]);
                let txn = txn.as_str().unwrap().replace(&payment.id.to_string(), "ID");
                ends.insert(format!("{} {source} {txn}", shown["status"]));
            }
            assert_eq!(ends.len(), 1, "{provider:?} {outcomes:?}: {ends:?}");
            let refunded = outcomes.contains(&Outcome::Refunded);
            let end = ends.first().unwrap();
            assert!(end.starts_with(if refunded { "4 " } else { "1 " }), "{end}");
        }
    }
}

/// 12: partial refunds are kept and change no status, each of them once.
#[tokio::test]
async fn refunds_in_part_are_noted() {
    let stack = shared();
    for &provider in Provider::ALL {
        let payment = payment(stack).await;
        deliver(stack, provider, &message(payment, Outcome::Paid)).await;
        for _ in 0..2 {
            let part = message(payment, Outcome::PartlyRefunded);
            deliver(stack, provider, &part).await;
            deliver(stack, provider, &part).await;
        }
        let now = shown(stack, payment).await;
        assert_eq!(now["status"], 1, "{provider:?}");
        let events = table::events(stack, payment.id).await;
        let noted = events.iter().filter(|event| event["verdict"] == "noted").count();
        assert_eq!((noted, events.len()), (2, 3), "{provider:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
    }
}

#[tokio::test]
async fn a_refund_in_part_of_other_money_is_quarantined() {
    let stack = shared();
    for &provider in Provider::ALL {
        let payment = payment(stack).await;
        deliver(stack, provider, &message(payment, Outcome::Paid)).await;
        let part = message(payment, Outcome::PartlyRefunded);
        deliver_edited(stack, provider, &part, |content| {
            let transaction = match provider {
                Provider::Stripe => &mut content["data"]["object"]["payment_intent"],
                Provider::WeChat => &mut content["resource"]["transaction_id"],
                Provider::Alipay => &mut content["trade_no"],
            };
            assert!(transaction.is_string(), "{transaction}");
            *transaction = "another".into();
        })
        .await;
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{provider:?}");
        assert_eq!(shown(stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// A refund that fails after it succeeded: the status does not fall, and a person decides.
#[tokio::test]
async fn a_refund_that_fails_is_quarantined_with_the_reason() {
    let stack = shared();
    for (provider, kind) in [
        (Provider::Stripe, "refund.failed"),
        (Provider::Stripe, "charge.refund.updated"),
        (Provider::WeChat, "REFUND.ABNORMAL"),
        (Provider::WeChat, "REFUND.CLOSED"),
    ] {
        let payment = payment(stack).await;
        deliver(stack, provider, &message(payment, Outcome::Paid)).await;
        deliver(stack, provider, &message(payment, Outcome::Refunded)).await;
        let before = shown(stack, payment).await;
        assert_eq!(before["status"], 4, "{kind}");
        let failed = message(payment, Outcome::Refunded);
        deliver_edited(stack, provider, &failed, |content| {
            let name = if provider == Provider::Stripe { "type" } else { "event_type" };
            content[name] = kind.into();
            if provider == Provider::Stripe {
                let refund = &mut content["data"]["object"];
                refund["id"] = "re_1".into();
                refund["object"] = "refund".into();
                refund["amount"] = 30.into();
                refund["status"] = "failed".into();
            }
        })
        .await;
        assert_eq!(shown(stack, payment).await, before, "{kind}");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{kind}");
        let events = table::events(stack, payment.id).await;
        let event = events.iter().find(|event| event["verdict"] == "quarantined").unwrap();
        assert_eq!(event["mismatch"], "outcome", "{kind}");
        let received = event["received"].as_str().unwrap();
        assert!(received.starts_with(&format!("a refund that failed: {kind}")), "{received}");
    }
}
