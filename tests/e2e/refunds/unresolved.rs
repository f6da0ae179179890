//! Refunds that are not final for long: what was forgotten of them, and what waits for somebody.

use local::simulator::ledger::Orders;
use local::{Fault, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::{given_back, paid, point, refund, sums};
use crate::stage::{Payment, own, shown};
use crate::sweep::sweep_all;
use crate::{payctl, table};

/// How long ago a refund was requested whose key Stripe has forgotten.
const FORGOTTEN_SECS: u64 = 25 * 60 * 60;

/// Lets 25 hours pass for a refund and at its provider.
async fn a_day_later(stack: &Stack, payment: Payment, response: &Value) {
    let refund = table::refund(stack, payment.id, response).await;
    let (pk, sk) = (format!("pay#{}", payment.id), refund["sk"].as_str().unwrap());
    for name in ["create_time", "update_time", "due"] {
        let then = refund[name].as_u64().unwrap().saturating_sub(FORGOTTEN_SECS * 1000);
        table::set(stack, &pk, sk, name, json!({"N": then.to_string()})).await;
    }
    let account = stack.account(Provider::Stripe).unwrap();
    account.set_clock_ahead(FORGOTTEN_SECS).await.unwrap();
}

/// Audits the table, once the refund was requested after its payment was created again.
async fn audit(stack: &Stack, payment: Payment, response: &Value) {
    let created = table::record(stack, payment.id).await["create_time"].clone();
    let sk = format!("refund#{}", response["refund_id"].as_str().unwrap());
    let created = json!({"N": created.to_string()});
    table::set(stack, &format!("pay#{}", payment.id), &sk, "create_time", created).await;
    payctl::ok(stack, &["audit"]).await;
}

/// 29: the list of refunds decides, not the key: a request with a forgotten key would be another refund.
#[tokio::test]
async fn a_refund_that_stripe_has_made_is_found_after_its_key_is_forgotten() {
    let stack = own().await;
    let account = stack.account(Provider::Stripe).unwrap();
    let payment = paid(&stack, Provider::Stripe).await;
    account.lose_webhooks(true);
    account.set_fault("stripe:make-refund", Fault::LoseResponse, Some(1)).unwrap();
    let unknown = refund(&stack, payment, Some(60), "a").await.ok();
    assert_eq!(unknown["status"], "requested");
    a_day_later(&stack, payment, &unknown).await;
    // Without the list nothing is known, and nothing is sent.
    account.set_fault("stripe:refunds", Fault::Status(500), None).unwrap();
    let swept = sweep_all(&stack).await;
    let oldest = swept["oldest_refund_seconds"].as_u64().unwrap();
    assert!((FORGOTTEN_SECS..FORGOTTEN_SECS + 600).contains(&oldest), "{swept}");
    assert_eq!(refund(&stack, payment, Some(60), "a").await.ok()["status"], "requested");
    assert_eq!((account.calls("stripe:make-refund"), sums(&stack, payment).await), (1, (0, 60)));
    account.clear_faults();
    account.lose_webhooks(true);

    sweep_all(&stack).await;
    assert_eq!(refund(&stack, payment, Some(60), "a").await.ok()["status"], "succeeded");
    assert_eq!(account.calls("stripe:make-refund"), 1);
    assert_eq!(
        (given_back(&stack, Provider::Stripe, payment), sums(&stack, payment).await),
        (60, (60, 0))
    );
    assert_eq!(account.trade(payment.id).unwrap().refunds.len(), 1);
    assert_eq!(stack.shop().given_back(payment.oid), [60]);
    audit(&stack, payment, &unknown).await;
}

/// 29: where the list has none it is sent again, under its old reference. A repeat finds that one.
#[tokio::test]
async fn a_refund_that_stripe_has_not_made_is_sent_after_its_key_is_forgotten() {
    let stack = own().await;
    let account = stack.account(Provider::Stripe).unwrap();
    let payment = paid(&stack, Provider::Stripe).await;
    account.lose_webhooks(true);
    account.set_fault("stripe:make-refund", Fault::Reset, Some(1)).unwrap();
    let unknown = refund(&stack, payment, Some(60), "a").await.ok();
    assert_eq!(unknown["status"], "requested");
    a_day_later(&stack, payment, &unknown).await;
    // It is made, and once more nobody hears of it.
    account.set_fault("stripe:make-refund", Fault::LoseResponse, Some(1)).unwrap();
    sweep_all(&stack).await;
    assert_eq!((account.calls("stripe:make-refund"), sums(&stack, payment).await), (2, (0, 60)));
    a_day_later(&stack, payment, &unknown).await;
    account.set_clock_ahead(2 * FORGOTTEN_SECS).await.unwrap();
    sweep_all(&stack).await;
    assert_eq!(refund(&stack, payment, Some(60), "a").await.ok()["status"], "succeeded");
    assert_eq!(account.calls("stripe:make-refund"), 2);
    let [made] = &account.trade(payment.id).unwrap().refunds[..] else { panic!("not one refund") };
    assert_eq!((made.amount, made.reference.as_deref()), (60, unknown["refund_id"].as_str()));
    assert_eq!(sums(&stack, payment).await, (60, 0));
    assert_eq!(stack.shop().given_back(payment.oid), [60]);
    audit(&stack, payment, &unknown).await;
}

/// A refund of 60 at WeChat Pay that is accepted, and then cannot be paid out: its id there.
async fn stranded(stack: &Stack, payment: Payment, is_reported: bool) -> String {
    let account = stack.account(Provider::WeChat).unwrap();
    account.refund_orders(Orders::Wait);
    assert_eq!(refund(stack, payment, Some(60), "a").await.ok()["status"], "pending");
    let id = account.trade(payment.id).unwrap().refunds[0].id.clone();
    account.lose_webhooks(!is_reported);
    account.strand_refund(&id).await.unwrap();
    account.lose_webhooks(true);
    id
}

/// 32: its reservation is held, whoever says it. A person is told where to look, and it succeeds in the end.
#[tokio::test]
async fn a_refund_that_cannot_be_paid_out_stays_reserved_until_it_succeeds() {
    let stack = own().await;
    let account = stack.account(Provider::WeChat).unwrap();
    for (is_reported, is_reported_at_last) in
        [(true, true), (true, false), (false, true), (false, false)]
    {
        let case = format!("{is_reported} {is_reported_at_last}");
        account.lose_webhooks(false);
        let payment = paid(&stack, Provider::WeChat).await;
        let id = stranded(&stack, payment, is_reported).await;
        for _ in 0..2 {
            sweep_all(&stack).await;
            assert_eq!(sums(&stack, payment).await, (0, 60), "{case}");
            assert_eq!(refund(&stack, payment, Some(60), "a").await.ok()["status"], "pending");
            refund(&stack, payment, Some(60), "b").await.problem("refund-exceeds-payment");
        }
        assert_eq!(shown(&stack, payment).await["status"], 1, "{case}");
        assert!(stack.shop().given_back(payment.oid).is_empty(), "{case}");
        // The message waits for a person, who has to act at WeChat Pay.
        assert_eq!(
            table::quarantined(&stack, payment.id).await,
            usize::from(is_reported),
            "{case}"
        );
        if is_reported {
            let events = table::events(&stack, payment.id).await;
            let event = events.iter().find(|event| event["verdict"] == "quarantined").unwrap();
            assert_eq!(event["mismatch"], "outcome", "{case}");
            let received = event["received"].as_str().unwrap();
            assert!(received.contains("REFUND.ABNORMAL"), "{received}");
        }

        account.lose_webhooks(!is_reported_at_last);
        account.complete_refund(&id).await.unwrap();
        for _ in 0..2 {
            sweep_all(&stack).await;
            assert_eq!(sums(&stack, payment).await, (60, 0), "{case}");
            assert_eq!(stack.shop().given_back(payment.oid), [60], "{case}");
        }
        assert_eq!(refund(&stack, payment, Some(60), "a").await.ok()["status"], "succeeded");
        let made = account.trade(payment.id).unwrap().refunds;
        assert_eq!((made.len(), made[0].reference.is_some()), (1, true), "{case}");
        let now = shown(&stack, payment).await;
        assert_eq!((&now["status"], &now["refunded"]), (&json!(1), &json!(60)), "{case}");
    }
    assert_eq!(account.calls(point(Provider::WeChat)), 4, "one for each");
    payctl::ok(&stack, &["audit"]).await;
}
