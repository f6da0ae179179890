//! 5: notifications about one payment, in every order of delivery, end in the same state.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use pay_core::domain::Provider;
use serde_json::json;

use super::{deliver, deliver_edited, message, refund};
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

/// What a provider may report of one payment: the outcome, and how much of a part is refunded.
fn reports(provider: Provider) -> Vec<Vec<(Outcome, Option<u64>)>> {
    let mut all = vec![(Outcome::Failed, None), (Outcome::Closed, None), (Outcome::Paid, None)];
    // Not every provider sends a message when an attempt fails or a payment is closed.
    all.retain(|(outcome, _)| Message::new(1, 100, *outcome).from(provider).is_ok());
    assert!(all.contains(&(Outcome::Paid, None)));
    let with = |part| [&all[..], &[(Outcome::Refunded, part)]].concat();
    vec![all.clone(), with(None), with(Some(30))]
}

#[tokio::test]
async fn the_end_does_not_depend_on_the_order_of_delivery() {
    let stack = shared();
    for &provider in Provider::ALL {
        for reports in reports(provider) {
            let mut ends = BTreeSet::new();
            let orders = permutations(&reports);
            for order in &orders {
                let payment = payment(stack).await;
                let made = |(outcome, refund): &(Outcome, Option<u64>)| Message {
                    refund: *refund,
                    ..message(payment, *outcome)
                };
                let messages: Vec<Message> = order.iter().map(made).collect();
                // Each is delivered twice in a row, and all of them again in the end.
                for sent in messages.iter().flat_map(|one| [one, one]).chain(&messages) {
                    deliver(stack, provider, sent).await;
                }
                let record = table::record(stack, payment.id).await;
                let times = stack.shop().times_paid(payment.oid);
                let in_full = reports.contains(&(Outcome::Refunded, None));
                let once = times == 1 || (times == 0 && in_full);
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
                let (status, refunded) = (&shown["status"], &shown["refunded"]);
                ends.insert(format!("{status} {refunded} {source} {txn}"));
            }
            assert_eq!(ends.len(), 1, "{provider:?} {reports:?}: {ends:?}");
            let want = match reports.iter().find(|(outcome, _)| *outcome == Outcome::Refunded) {
                Some((_, None)) => "4 100 ",
                Some((_, Some(_))) => "1 30 ",
                None => "1 0 ",
            };
            let end = ends.first().unwrap();
            assert!(end.starts_with(want), "{end}");
        }
    }
}

/// 12, 24, 25: refunds that come one by one are added up, totals are not; each counts once.
#[tokio::test]
async fn refunds_of_parts_add_up_to_the_whole() {
    let stack = shared();
    for &provider in Provider::ALL {
        let parts = if provider == Provider::WeChat { [25, 25, 50] } else { [25, 50, 100] };
        for order in permutations(&[0, 1, 2]) {
            let payment = payment(stack).await;
            let messages = parts.map(|part| refund(payment, part));
            let mut back = 0;
            for at in &order {
                for _ in 0..2 {
                    deliver(stack, provider, &messages[*at]).await;
                }
                back = if provider == Provider::WeChat {
                    back + parts[*at]
                } else {
                    back.max(parts[*at])
                };
                let now = shown(stack, payment).await;
                let status = if back == 100 { 4 } else { 1 };
                let found = (&now["status"], &now["refunded"]);
                assert_eq!(found, (&json!(status), &json!(back)), "{provider:?} {order:?}");
            }
            for at in &order {
                deliver(stack, provider, &messages[*at]).await;
            }
            let now = shown(stack, payment).await;
            assert_eq!((&now["status"], &now["refunded"]), (&json!(4), &json!(100)), "{order:?}");
            assert_eq!(table::quarantined(stack, payment.id).await, 0, "{provider:?} {order:?}");
        }
    }
}

#[tokio::test]
async fn a_refund_in_part_of_other_money_is_quarantined() {
    let stack = shared();
    for &provider in Provider::ALL {
        let payment = payment(stack).await;
        deliver(stack, provider, &message(payment, Outcome::Paid)).await;
        let part = refund(payment, 30);
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
        deliver_edited(stack, provider, &message(payment, Outcome::Refunded), |content| {
            if provider == Provider::WeChat {
                content["resource"]["refund_id"] = "50300000001".into();
            }
        })
        .await;
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
            } else {
                content["resource"]["refund_id"] = "50300000001".into();
                content["resource"]["refund_status"] = kind.replace("REFUND.", "").into();
            }
        })
        .await;
        assert_eq!(shown(stack, payment).await, before, "{kind}");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{kind}");
        let events = table::events(stack, payment.id).await;
        let event = events.iter().find(|event| event["verdict"] == "quarantined").unwrap();
        let abnormal = kind == "REFUND.ABNORMAL";
        assert_eq!(event["mismatch"], if abnormal { "outcome" } else { "refunded" }, "{kind}");
        let received = event["received"].as_str().unwrap();
        assert!(received.starts_with("a refund that failed"), "{received}");
    }
}
