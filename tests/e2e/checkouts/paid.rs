//! Checkouts that are paid, and several of one payment.

use local::Stack;
use pay_core::domain::{CheckoutMethod, Provider};
use serde_json::{Value, json};

use super::{CALLED, calm, checkout, close, deaf, kept, reference, request, started};
use crate::stage::{Payment, own, payment, shown};
use crate::sweep::sweep_all;
use crate::{api, payctl, table};

/// With other parameters the earlier checkout of that provider is ended first; one of another provider stays.
#[tokio::test]
async fn another_checkout_of_a_provider_ends_the_earlier_one() {
    let stack = own().await;
    for method in CALLED {
        let payment = payment(&stack).await;
        started(&stack, payment, method).await;
        calm(&stack, payment, 1).await;
        let mut other = request(payment, method);
        other["description"] = json!("Coffee");
        let reply = checkout(&stack, payment, &other).await;
        if method == CheckoutMethod::AlipayQr {
            // Alipay has nothing of it before the payer scans: it cannot be closed, and both can be paid.
            reply.ok();
            assert_eq!(kept(&stack, payment, 1).await["state"], "open");
            continue;
        }
        reply.ok();
        assert_eq!(kept(&stack, payment, 1).await["state"], "ended", "{method:?}");
        let account = stack.account(method.provider()).unwrap();
        assert!(account.pay_checkout(&reference(payment, 1)).await.is_err(), "{method:?}");
        account.pay_checkout(&reference(payment, 2)).await.unwrap();
        assert_eq!(shown(&stack, payment).await["status"], 1, "{method:?}");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// Of two codes that nobody had scanned, the payer has paid the first by now, and its webhook is lost.
#[tokio::test]
async fn every_earlier_checkout_of_a_provider_is_asked_about_first() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let code = |number: u32| {
        let mut asked = request(payment, CheckoutMethod::AlipayQr);
        asked["description"] = json!(format!("Table {number}"));
        asked
    };
    for number in 1..=2 {
        checkout(&stack, payment, &code(number)).await.ok();
        calm(&stack, payment, number).await;
    }
    let account = deaf(&stack, CheckoutMethod::AlipayQr.provider());
    account.pay_checkout(&reference(payment, 1)).await.unwrap();
    let problem = checkout(&stack, payment, &code(3)).await.problem("payment-not-payable");
    assert_eq!(problem["detail"], "it is paid");
    assert_eq!(shown(&stack, payment).await["status"], 1);
    assert_eq!(table::record(&stack, payment.id).await["checkouts"], 2);
    assert_eq!(kept(&stack, payment, 1).await["state"], "ended");
    payctl::ok(&stack, &["audit"]).await;
}

/// 10, 12: the webhook is lost, or comes while the sweep asks.
#[tokio::test]
async fn a_checkout_that_is_paid_pays_once_by_webhook_and_by_query() {
    let stack = own().await;
    for method in CALLED {
        let provider = method.provider();
        let account = deaf(&stack, provider);
        let payment = payment(&stack).await;
        started(&stack, payment, method).await;
        account.pay_checkout(&reference(payment, 1)).await.unwrap();
        assert_eq!(shown(&stack, payment).await["status"], 0, "{method:?}");
        account.lose_webhooks(false);
        let webhook = account.webhooks().pop().unwrap();
        let (swept, sent) =
            futures_util::future::join(sweep_all(&stack), account.send(&webhook)).await;
        sent.unwrap();
        assert_eq!(swept["failed"], 0, "{method:?}: {swept}");
        let now = shown(&stack, payment).await;
        assert_eq!(now["status"], 1, "{method:?}");
        let events = table::events(&stack, payment.id).await;
        let applied = events.iter().filter(|event| event["verdict"] == "applied").count();
        assert_eq!(applied, 1, "{method:?}: {events:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1, "{method:?}");
        sweep_all(&stack).await;
        sweep_all(&stack).await;
        assert_eq!(kept(&stack, payment, 1).await["state"], "ended", "{method:?}");
        assert!(!table::is_due(&stack, payment.id).await, "{method:?}");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// A payment with this id, which no create would give it.
async fn numbered(stack: &Stack, id: u64) -> Payment {
    let other = payment(stack).await;
    let oid = stack.shop().add_order(other.uid, other.amount);
    let typed = |item: &Value| {
        let typed = |(name, value): (&String, &Value)| {
            let value = match value {
                Value::String(text) => json!({"S": text}),
                Value::Bool(flag) => json!({"BOOL": flag}),
                Value::Number(number) => json!({"N": number.to_string()}),
                Value::Null | Value::Array(_) | Value::Object(_) => panic!("{name}: {value}"),
            };
            (name.clone(), value)
        };
        item.as_object().unwrap().iter().map(typed).collect::<Value>()
    };
    let mut record = table::record(stack, other.id).await;
    (record["pk"], record["id"], record["oid"]) =
        (json!(format!("pay#{id}")), json!(id), json!(oid));
    table::put(stack, typed(&record)).await;
    let mut guard = table::guard(stack, other.oid).await.unwrap();
    (guard["pk"], guard["payment"]) = (json!(format!("order#{oid}")), json!(id));
    table::put(stack, typed(&guard)).await;
    Payment { id, oid, ..other }
}

/// 9: a number below 100,000 is too short for WeChat Pay. It is padded, and what providers say of it is said of the
/// payment, in a webhook, in a query, of a checkout and of a refund.
#[tokio::test]
async fn a_payment_with_a_short_id_is_paid_and_refunded_under_a_longer_one() {
    let stack = own().await;
    let mut ids = 7..;
    for method in CALLED {
        let account = stack.account(method.provider()).unwrap();
        for is_lost in [false, true] {
            account.lose_webhooks(is_lost);
            let payment = numbered(&stack, ids.next().unwrap()).await;
            started(&stack, payment, method).await;
            let reference = reference(payment, 1);
            assert_eq!(reference.len(), "000007_1".len());
            assert_eq!(kept(&stack, payment, 1).await["reference"], *reference, "{method:?}");
            account.pay_checkout(&reference).await.unwrap();
            sweep_all(&stack).await;
            assert_eq!(shown(&stack, payment).await["status"], 1, "{method:?} {is_lost}");
            assert_eq!(stack.shop().times_paid(payment.oid), 1, "{method:?} {is_lost}");
            let refund = api::post(&stack, "refund").refunder().header("idempotency-key", "a");
            refund.json(&json!({"id": payment.id})).send().await.ok();
            sweep_all(&stack).await;
            assert_eq!(shown(&stack, payment).await["status"], 4, "{method:?} {is_lost}");
        }
    }
    // One that the shop has started itself, under our id alone.
    for &provider in Provider::ALL {
        let account = deaf(&stack, provider);
        let payment = numbered(&stack, ids.next().unwrap()).await;
        account.pay(payment.id, payment.amount).await.unwrap();
        sweep_all(&stack).await;
        assert_eq!(shown(&stack, payment).await["status"], 1, "{provider:?}");
    }
}

/// The first that is paid pays, and the sweep closes the others there.
#[tokio::test]
async fn of_checkouts_at_several_providers_one_pays_and_the_others_are_closed() {
    let stack = own().await;
    for paid in CALLED {
        let payment = payment(&stack).await;
        for (made, method) in (0..).zip(CALLED) {
            calm(&stack, payment, made).await;
            started(&stack, payment, method).await;
        }
        let number = 1 + u32::try_from(CALLED.iter().position(|of| *of == paid).unwrap()).unwrap();
        let account = stack.account(paid.provider()).unwrap();
        account.pay_checkout(&reference(payment, number)).await.unwrap();
        assert_eq!(shown(&stack, payment).await["status"], 1, "{paid:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1, "{paid:?}");
        assert!(table::is_due(&stack, payment.id).await, "{paid:?}");
        sweep_all(&stack).await;
        for (number, method) in (1..).zip(CALLED) {
            let state = kept(&stack, payment, number).await["state"].clone();
            // Alipay has nothing of it before the payer scans.
            let is_left = method == CheckoutMethod::AlipayQr && method != paid;
            assert_eq!(state, if is_left { "open" } else { "ended" }, "{paid:?} {method:?}");
        }
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 11: what was paid does not fit, and a person decides; nobody can pay it once more meanwhile.
#[tokio::test]
async fn a_checkout_that_is_paid_with_another_amount_is_quarantined() {
    let stack = own().await;
    for method in CALLED {
        let account = deaf(&stack, method.provider());
        let payment = payment(&stack).await;
        started(&stack, payment, method).await;
        account.pay_checkout(&reference(payment, 1)).await.unwrap();
        // As if another one had been asked for.
        let pk = format!("pay#{}", payment.id);
        table::set(&stack, &pk, "record", "amount", json!({"N": "99"})).await;
        for _ in 0..3 {
            sweep_all(&stack).await;
        }
        assert_eq!(shown(&stack, payment).await["status"], 0, "{method:?}");
        assert_eq!(table::quarantined(&stack, payment.id).await, 1, "{method:?}");
        // It is not closed either: the money is there.
        assert_eq!(close(&stack, payment).await, 0, "{method:?}");
    }
}
