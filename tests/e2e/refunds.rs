//! Refunds that the shop asks for: given back at the provider once for each key, whatever is lost.

pub(crate) mod quarantined;
mod rotated;
mod unresolved;
mod webhooks;

use local::faults::point_of;
use local::simulator::ledger::Orders;
use local::{Fault, ShopRoute, Stack};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use crate::api::{self, Reply};
use crate::echo::eventually;
use crate::metrics::expect;
use crate::stage::{Payment, notify, own, own_with, payment, payment_of, shared, shown, user};
use crate::sweep::sweep_all;
use crate::{payctl, table};

/// The name of the call that makes a refund.
fn point(provider: Provider) -> &'static str {
    point_of(provider, "make-refund").unwrap()
}

/// A payment of 100 that a provider collected.
async fn paid(stack: &Stack, provider: Provider) -> Payment {
    let payment = payment(stack).await;
    stack.account(provider).unwrap().pay(payment.id, payment.amount).await.unwrap();
    assert_eq!(shown(stack, payment).await["status"], 1, "{provider:?}");
    payment
}

/// Asks for a refund, of the rest where there is no amount.
async fn refund(stack: &Stack, payment: Payment, amount: Option<u64>, key: &str) -> Reply {
    let mut body = json!({"id": payment.id, "reason": "damaged"});
    if let Some(amount) = amount {
        body["amount"] = json!(amount);
    }
    let request = api::post(stack, "refund").refunder().header("idempotency-key", key);
    request.json(&body).send().await
}

/// What went back of a payment at its provider.
fn given_back(stack: &Stack, provider: Provider, payment: Payment) -> u64 {
    stack.account(provider).unwrap().trade(payment.id).unwrap().refunded()
}

/// The sums of the record: what went back, and what is reserved.
async fn sums(stack: &Stack, payment: Payment) -> (u64, u64) {
    let record = table::record(stack, payment.id).await;
    let minor = |name: &str| record[name].as_u64().unwrap_or_default();
    (minor("refunded"), minor("refund_pending"))
}

#[tokio::test]
async fn a_part_and_the_rest_go_back_and_the_order_service_is_notified_of_each() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let payment = paid(&stack, provider).await;
        let part = refund(&stack, payment, Some(30), "part").await.ok();
        let id = part["refund_id"].as_str().unwrap().to_owned();
        assert!(id.starts_with(&format!("{}_", payment.id)), "{part}");
        let stands = |amount: u64, status: &str, refund_id: &Value| json!({"id": payment.id, "refund_id": refund_id, "amount": amount, "status": status});
        // WeChat Pay accepts a refund, and says later that it succeeded: it has by now, by its webhook.
        let again = refund(&stack, payment, Some(30), "part").await.ok();
        assert_eq!(again, stands(30, "succeeded", &part["refund_id"]), "{provider:?}");
        assert_eq!(
            (sums(&stack, payment).await, given_back(&stack, provider, payment)),
            ((30, 0), 30)
        );
        assert_eq!(shown(&stack, payment).await["status"], 1);

        refund(&stack, payment, None, "rest").await.ok();
        let rest = refund(&stack, payment, None, "rest").await.ok();
        assert_eq!(rest, stands(70, "succeeded", &rest["refund_id"]), "{provider:?}");
        assert_ne!(rest["refund_id"], part["refund_id"]);
        let now = shown(&stack, payment).await;
        assert_eq!((&now["status"], &now["refunded"]), (&json!(4), &json!(100)), "{provider:?}");
        assert_eq!(
            (sums(&stack, payment).await, given_back(&stack, provider, payment)),
            ((100, 0), 100)
        );
        assert_eq!(stack.account(provider).unwrap().calls(point(provider)), 2, "{provider:?}");

        let calls = stack.shop().refund_notifications().into_iter();
        let calls: Vec<_> = calls.filter(|call| call.oid == payment.oid && call.counted).collect();
        let amounts: Vec<_> = calls.iter().map(|call| (call.amount, call.refunded)).collect();
        let once = |minor: u64| amounts.iter().filter(|(amount, _)| *amount == Some(minor)).count();
        assert_eq!((once(30), once(70)), (1, 1), "{provider:?}: {calls:?}");
        let first = calls.iter().find(|call| call.amount == Some(30)).unwrap();
        assert_eq!((first.pay_id, first.refunded), (Some(payment.id), Some(30)));
        assert_eq!((first.refund_id.as_deref(), first.key.as_deref()), (Some(&*id), Some(&*id)));
        refund(&stack, payment, None, "more").await.problem("refund-exceeds-payment");
    }
    let swept = sweep_all(&stack).await;
    assert_eq!((&swept["failed"], &swept["left"]), (&json!(0), &json!(0)), "{swept}");
    payctl::ok(&stack, &["audit"]).await;
}

/// 26, 34: what is reserved counts as gone, and a key is one refund of one amount.
#[tokio::test]
async fn of_two_refunds_of_60_of_100_one_is_made() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let payment = paid(&stack, provider).await;
        let two = ["a", "b"].map(|key| refund(&stack, payment, Some(60), key));
        let [one, other] = futures_util::future::join_all(two).await.try_into().unwrap();
        let (made, refused) = if one.status == 200 { (one, other) } else { (other, one) };
        let made = made.ok();
        refused.problem("refund-exceeds-payment");
        assert_eq!(given_back(&stack, provider, payment), 60, "{provider:?}");
        assert_eq!(stack.account(provider).unwrap().calls(point(provider)), 1, "{provider:?}");
        for key in ["a", "b"] {
            let other = refund(&stack, payment, Some(50), key).await;
            let is_used = table::refund(&stack, payment.id, &made).await["key"].is_string();
            assert!(is_used && other.status == 422, "{provider:?}: {}", other.raw);
        }
    }
}

/// 27, 28: by its reference, and never a second one.
#[tokio::test]
async fn a_refund_whose_response_is_lost_is_found_out_by_the_sweep() {
    let stack = own().await;
    for &provider in Provider::ALL {
        for fault in [Fault::Status(500), Fault::LoseResponse] {
            let payment = paid(&stack, provider).await;
            let account = stack.account(provider).unwrap();
            account.lose_webhooks(true);
            account.set_fault(point(provider), fault, Some(1)).unwrap();
            let unknown = refund(&stack, payment, Some(60), "a").await.ok();
            assert_eq!(unknown["status"], "requested", "{provider:?} {fault:?}");
            assert_eq!(sums(&stack, payment).await, (0, 60));
            let text = payctl::ok(&stack, &["history", &payment.id.to_string()]).await;
            assert!(text.contains("damaged") && text.contains("requested"), "{text}");
            sweep_all(&stack).await;
            // WeChat Pay has accepted it then, and is asked again.
            sweep_all(&stack).await;
            assert_eq!(sums(&stack, payment).await, (60, 0), "{provider:?} {fault:?}");
            assert_eq!(given_back(&stack, provider, payment), 60);
            let [made] = &account.trade(payment.id).unwrap().refunds[..] else {
                panic!("{provider:?} {fault:?}")
            };
            assert_eq!(made.reference.as_deref(), unknown["refund_id"].as_str(), "the same one");
            assert_eq!(stack.shop().given_back(payment.oid), [60]);
            account.lose_webhooks(false);
        }
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 30: nothing went back, and what was reserved is free again.
#[tokio::test]
async fn a_refund_that_the_provider_refuses_is_released() {
    let stack = own().await;
    for (provider, code) in [
        (Provider::Stripe, "charge_disputed"),
        (Provider::Alipay, "ACQ.TRADE_HAS_FINISHED"),
        (Provider::Alipay, "ACQ.SELLER_BALANCE_NOT_ENOUGH"),
    ] {
        let payment = paid(&stack, provider).await;
        let account = stack.account(provider).unwrap();
        account.refund_orders(Orders::Refused(code.to_owned()));
        let refused = refund(&stack, payment, Some(60), "a").await.problem("provider-refused");
        assert_eq!(refused["provider_code"], code);
        assert_eq!(sums(&stack, payment).await, (0, 0), "{provider:?}");
        account.refund_orders(Orders::Succeed);
        assert_eq!(refund(&stack, payment, Some(60), "a").await.ok()["status"], "failed");
        assert_eq!(refund(&stack, payment, Some(60), "b").await.ok()["status"], "succeeded");
        assert_eq!(given_back(&stack, provider, payment), 60, "{provider:?}");
        assert_eq!(stack.shop().given_back(payment.oid), [60]);
    }
    expect(&stack, "ProviderRefused", "callback stripe", 1).await;
    expect(&stack, "ProviderRefused", "callback alipay", 2).await;
    payctl::ok(&stack, &["audit"]).await;
}

/// 30: the merchant's balance is too low at WeChat Pay. Its number stands for the refund, which is made by that once
/// somebody has paid in.
#[tokio::test]
async fn a_refund_for_which_the_balance_is_too_low_keeps_its_number() {
    let stack = own().await;
    let payment = paid(&stack, Provider::WeChat).await;
    let account = stack.account(Provider::WeChat).unwrap();
    account.refund_orders(Orders::Refused("NOT_ENOUGH".to_owned()));
    let kept = refund(&stack, payment, Some(60), "a").await.ok();
    assert_eq!(kept["status"], "requested");
    for _ in 0..2 {
        let swept = sweep_all(&stack).await;
        assert!(swept["oldest_refund_seconds"].is_u64(), "{swept}");
        assert_eq!(sums(&stack, payment).await, (0, 60));
    }
    expect(&stack, "QueriesFailed", "callback wechat unusable", 3).await;
    account.refund_orders(Orders::Succeed);
    sweep_all(&stack).await;
    eventually("the webhook", || stack.faults().late() == 0).await;
    assert_eq!(refund(&stack, payment, Some(60), "a").await.ok()["status"], "succeeded");
    let [made] = &account.trade(payment.id).unwrap().refunds[..] else { panic!("not one refund") };
    assert_eq!(made.reference.as_deref(), kept["refund_id"].as_str());
    assert_eq!(sums(&stack, payment).await, (60, 0));
    payctl::ok(&stack, &["audit"]).await;
}

/// The order service is down when a refund succeeds: the sweep notifies it, once.
#[tokio::test]
async fn a_refund_notification_that_failed_is_made_up_for_by_the_sweep() {
    let stack = own().await;
    let payment = paid(&stack, Provider::Stripe).await;
    // A webhook about it would notify the order service as well.
    stack.account(Provider::Stripe).unwrap().lose_webhooks(true);
    stack.shop().set_fault(ShopRoute::OrderRefunded, Fault::Status(500), None);
    assert_eq!(refund(&stack, payment, Some(30), "a").await.ok()["status"], "succeeded");
    assert!(stack.shop().given_back(payment.oid).is_empty());
    let swept = sweep_all(&stack).await;
    assert_eq!(swept["rescheduled"], 1, "{swept}");
    stack.shop().clear_faults();
    let swept = sweep_all(&stack).await;
    assert_eq!(swept["notified"], 1, "{swept}");
    assert_eq!(stack.shop().given_back(payment.oid), [30]);
    assert_eq!(sweep_all(&stack).await["notified"], 0);
}

/// Without a URL nobody is notified, and nothing is due.
#[tokio::test]
async fn an_order_service_that_hears_of_no_refunds_is_left_alone() {
    let stack = own_with(&[("ORDER_REFUNDED_URL", "")]).await;
    let payment = paid(&stack, Provider::Stripe).await;
    let made = refund(&stack, payment, Some(30), "a").await.ok();
    assert_eq!(made["status"], "succeeded");
    assert_eq!(table::refund(&stack, payment.id, &made).await["due"], Value::Null);
    assert_eq!(stack.shop().calls(ShopRoute::OrderRefunded), 0);
}

#[tokio::test]
async fn a_request_that_is_not_one_of_a_refund_is_rejected_in_order() {
    let stack = own().await;
    let pending = payment(&stack).await;
    let body = json!({"id": pending.id});
    let request = || api::post(&stack, "refund").json(&body);
    request().send().await.problem("unauthenticated");
    // Neither the payer's token nor another service's.
    request().payer(pending.uid).header("idempotency-key", "a").send().await.problem("forbidden");
    request().service().header("idempotency-key", "a").send().await.problem("forbidden");
    let missing = request().refunder().send().await.problem("invalid-request");
    assert_eq!(missing["detail"], "a refund needs an Idempotency-Key");
    for bad in ["", "a b", &"k".repeat(256)] {
        let bad = request().refunder().header("idempotency-key", bad).send().await;
        bad.problem("invalid-request");
    }
    for bad in [
        json!({}),
        json!({"id": 0}),
        json!({"id": pending.id, "amount": 0}),
        json!({"id": pending.id, "amount": "1"}),
        json!({"id": pending.id, "reason": ""}),
        json!({"id": pending.id, "reason": "x".repeat(81)}),
    ] {
        let request = api::authorized(&stack, "refund", 1).json(&bad);
        request.send().await.problem("invalid-request");
    }
    let not_paid = refund(&stack, pending, None, "a").await.problem("payment-not-payable");
    assert_eq!(not_paid["detail"], "it is not paid");
    let nobodys = Payment { id: 1, ..pending };
    refund(&stack, nobodys, None, "a").await.problem("payment-not-found");
    // Paid, by whom nobody knows.
    notify(&stack, pending, 1, 1).await.ok();
    let unknown = refund(&stack, pending, None, "a").await.problem("payment-not-payable");
    assert_eq!(unknown["detail"], "the provider's transaction is not known");
    assert_eq!(sums(&stack, pending).await, (0, 0));
}

/// No repeat could cure it: it is said at once, and nothing is reserved.
#[tokio::test]
async fn what_a_provider_can_never_give_back_is_not_reserved() {
    let stack = own_with(&[("CURRENCY", "KWD")]).await;
    let paid_by = async |txn: &str, minor| {
        let payment = payment_of(&stack, user(&stack), minor).await;
        let mut body = payment.native(3, 1);
        (body["provider_txn"], body["currency"]) = (json!(txn), json!("KWD"));
        api::post(&stack, "callback").json(&body).signed().send().await.ok();
        payment
    };
    let by_intent = paid_by("pi_1", 5125).await;
    let by_charge = paid_by("ch_1", 5120).await;
    let of_steps = "its provider gives this currency back in larger steps: round the amount";
    let of_kind = "its provider refunds no transaction of this kind: give it back in the provider's \
                   console";
    for (payment, amount, why) in [
        (by_intent, Some(1234), of_steps),
        (by_intent, None, of_steps),
        (by_charge, Some(1230), of_kind),
        (by_charge, None, of_kind),
    ] {
        let refused = refund(&stack, payment, amount, "a").await.problem("payment-not-payable");
        assert_eq!(refused["detail"], why, "{amount:?}");
        assert_eq!(sums(&stack, payment).await, (0, 0));
    }
    assert_eq!(stack.account(Provider::Stripe).unwrap().calls(point(Provider::Stripe)), 0);
    // The key is still free.
    let reserved = refund(&stack, by_intent, Some(1230), "a").await.ok();
    assert_eq!((&reserved["amount"], sums(&stack, by_intent).await), (&json!(1230), (0, 1230)));
}

/// Where no provider has keys nothing is reserved.
#[tokio::test]
async fn without_the_providers_keys_nothing_is_reserved() {
    let stack = shared();
    let payment = payment(stack).await;
    let mut body = payment.native(3, 1);
    body["provider_txn"] = json!(format!("pi_{}", payment.id));
    api::post(stack, "callback").json(&body).signed().send().await.ok();
    let refused = refund(stack, payment, None, "a").await.problem("payment-not-payable");
    assert_eq!(refused["detail"], "there is no key of its provider");
    assert_eq!(sums(stack, payment).await, (0, 0));
}

#[tokio::test]
async fn an_operator_refunds_by_direct_invoke() {
    let stack = own().await;
    let payment = paid(&stack, Provider::Alipay).await;
    let id = payment.id.to_string();
    let refund = ["refund", &id, "--amount", "30", "--reason", "goodwill", "--key", "ada-1"];
    for _ in 0..2 {
        let text = payctl::ok(&stack, &refund).await;
        assert!(text.contains("of 30: succeeded"), "{text}");
    }
    assert_eq!(given_back(&stack, Provider::Alipay, payment), 30);
    let json: Value =
        serde_json::from_str(&payctl::ok(&stack, &[&refund[..], &["--json"]].concat()).await)
            .unwrap();
    assert_eq!((&json["id"], &json["status"]), (&json!(payment.id), &json!("succeeded")));
    let history = payctl::ok(&stack, &["history", &id]).await;
    assert!(history.contains("goodwill"), "{history}");
    let (code, text) =
        payctl::run(&stack, &["refund", &id, "--amount", "71", "--key", "ada-2"]).await;
    assert!(code == 1 && text.contains("refund-exceeds-payment"), "{code} {text}");
    payctl::ok(&stack, &["audit"]).await;
}

/// 31: the provider accepted it, and it fails there in the end. Its key stands for it for ever; another key is
/// another refund.
#[tokio::test]
async fn a_refund_that_fails_at_the_provider_frees_what_it_reserved() {
    let stack = own().await;
    for provider in [Provider::Stripe, Provider::WeChat] {
        let payment = paid(&stack, provider).await;
        let account = stack.account(provider).unwrap();
        account.refund_orders(Orders::Wait);
        let first = refund(&stack, payment, Some(60), "first").await.ok();
        assert_eq!(first["status"], "pending", "{provider:?}");
        assert_eq!(sums(&stack, payment).await, (0, 60));
        refund(&stack, payment, Some(60), "second").await.problem("refund-exceeds-payment");

        let made = account.trade(payment.id).unwrap().refunds[0].id.clone();
        account.fail_refund(&made).await.unwrap();
        assert_eq!(sums(&stack, payment).await, (0, 0), "{provider:?}");
        assert_eq!(refund(&stack, payment, Some(60), "first").await.ok()["status"], "failed");
        account.refund_orders(Orders::Succeed);
        refund(&stack, payment, Some(60), "second").await.ok();
        let second = refund(&stack, payment, Some(60), "second").await.ok();
        assert_eq!(second["status"], "succeeded", "{provider:?}");
        assert_eq!(given_back(&stack, provider, payment), 60);
        assert_eq!(sums(&stack, payment).await, (60, 0));
    }
    payctl::ok(&stack, &["audit"]).await;
}
