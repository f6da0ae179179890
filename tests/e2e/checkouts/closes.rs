//! Payments that are closed: only when no checkout of them can be paid any more.

use local::Fault;
use local::messages::Outcome;
use pay_core::domain::{CheckoutMethod, Provider};
use serde_json::{Value, json};

use super::{CALLED, ago, calm, close, deaf, kept, points, reference, request, started};
use crate::providers::{deliver_edited, message};
use crate::stage::{Payment, age, notify, own, own_with, payment, shown};
use crate::sweep::sweep_all;
use crate::{api, payctl, table};
use local::Stack;

/// Creates another payment of the order of a payment: what the caller gets.
pub(super) async fn another(stack: &Stack, payment: Payment) -> api::Reply {
    api::post(stack, "create").payer(payment.uid).json(&payment.request()).send().await
}

/// 18: closed there, then here, and only then the order is free.
#[tokio::test]
async fn a_payment_is_closed_with_its_checkouts_and_frees_its_order() {
    let stack = own().await;
    for method in
        [CheckoutMethod::StripeCheckout, CheckoutMethod::StripeIntent, CheckoutMethod::WeChatNative]
    {
        let payment = payment(&stack).await;
        started(&stack, payment, method).await;
        another(&stack, payment).await.problem("payment-exists");
        assert_eq!(close(&stack, payment).await, 3, "{method:?}");
        let account = stack.account(method.provider()).unwrap();
        assert_eq!(
            account.calls(points(method.provider()).1),
            if method == CheckoutMethod::StripeIntent { 2 } else { 1 }
        );
        assert!(account.pay_checkout(&reference(payment, 1)).await.is_err(), "{method:?}");
        assert_eq!(kept(&stack, payment, 1).await["state"], "ended");
        let record = table::record(&stack, payment.id).await;
        assert_eq!((record.get("closing"), record.get("queue")), (None, None), "{record}");
        // Again, it is as it is.
        assert_eq!(close(&stack, payment).await, 3, "{method:?}");
        let next = another(&stack, payment).await.ok();
        assert_ne!(next["id"], payment.id);
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 13, 14: that Alipay has nothing of it means unpaid now. It ends after its expiry, by two such responses.
#[tokio::test]
async fn a_checkout_that_its_provider_has_nothing_of_ends_late() {
    let stack = own().await;
    for method in [CheckoutMethod::AlipayPage, CheckoutMethod::AlipayQr] {
        let payment = payment(&stack).await;
        started(&stack, payment, method).await;
        assert_eq!(close(&stack, payment).await, 0, "{method:?}");
        another(&stack, payment).await.problem("payment-exists");
        assert_eq!(table::record(&stack, payment.id).await["closing"], true);
        // Expired, and not for five minutes.
        ago(&stack, payment, 1, "create_time", 3600).await;
        ago(&stack, payment, 1, "expires_time", 240).await;
        for _ in 0..2 {
            sweep_all(&stack).await;
            assert_eq!(kept(&stack, payment, 1).await.get("absent_time"), None, "{method:?}");
        }
        ago(&stack, payment, 1, "expires_time", 301).await;
        for _ in 0..2 {
            sweep_all(&stack).await;
            assert_eq!(kept(&stack, payment, 1).await["state"], "open", "{method:?}");
        }
        ago(&stack, payment, 1, "absent_time", 61).await;
        sweep_all(&stack).await;
        assert_eq!(kept(&stack, payment, 1).await["state"], "ended", "{method:?}");
        assert_eq!(shown(&stack, payment).await["status"], 3, "{method:?}");
        another(&stack, payment).await.ok();
    }
}

/// 19: that it is paid wins, also where the webhook is lost.
#[tokio::test]
async fn a_payment_that_is_paid_meanwhile_is_paid() {
    let stack = own().await;
    for method in CALLED {
        let payment = payment(&stack).await;
        started(&stack, payment, method).await;
        let account = deaf(&stack, method.provider());
        account.pay_checkout(&reference(payment, 1)).await.unwrap();
        assert_eq!(close(&stack, payment).await, 1, "{method:?}");
        assert_eq!(account.calls(points(method.provider()).1), 0, "{method:?}");
        assert_eq!(stack.shop().times_paid(payment.oid), 1, "{method:?}");
        let record = table::record(&stack, payment.id).await;
        assert_eq!(record.get("closing"), None, "{record}");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 20: whether it was closed is not known, and the order is not free until the provider says so.
#[tokio::test]
async fn a_close_whose_outcome_is_unknown_is_gone_on_with_by_the_sweep() {
    let stack = own().await;
    for method in [CheckoutMethod::StripeCheckout, CheckoutMethod::WeChatNative] {
        let provider = method.provider();
        let account = stack.account(provider).unwrap();
        for fault in [Fault::Status(500), Fault::Reset, Fault::LoseResponse] {
            let payment = payment(&stack).await;
            started(&stack, payment, method).await;
            account.set_fault(points(provider).1, fault, Some(1)).unwrap();
            let is_closed = close(&stack, payment).await == 3;
            if !is_closed {
                another(&stack, payment).await.problem("payment-exists");
                assert_eq!(table::record(&stack, payment.id).await["closing"], true);
            }
            sweep_all(&stack).await;
            assert_eq!(shown(&stack, payment).await["status"], 3, "{method:?} {fault:?}");
            another(&stack, payment).await.ok();
        }
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// 22: while no other payment has its order, money that still comes pays it; else a person decides.
#[tokio::test]
async fn money_after_a_close_pays_or_is_quarantined() {
    let stack = own().await;
    for &provider in Provider::ALL {
        let unmoved = payment(&stack).await;
        assert_eq!(close(&stack, unmoved).await, 3, "{provider:?}");
        deliver_edited(&stack, provider, &message(unmoved, Outcome::Paid), |_| ()).await;
        assert_eq!(shown(&stack, unmoved).await["status"], 1, "{provider:?}");
        let replaced = payment(&stack).await;
        assert_eq!(close(&stack, replaced).await, 3, "{provider:?}");
        another(&stack, replaced).await.ok();
        deliver_edited(&stack, provider, &message(replaced, Outcome::Paid), |_| ()).await;
        assert_eq!(shown(&stack, replaced).await["status"], 3, "{provider:?}");
        assert_eq!(table::quarantined(&stack, replaced.id).await, 1, "{provider:?}");
    }
}

/// A checkout whose start is not known to have been made is found out before it is closed.
#[tokio::test]
async fn a_checkout_of_unknown_outcome_is_closed_as_well() {
    let stack = own().await;
    for method in
        [CheckoutMethod::StripeCheckout, CheckoutMethod::StripeIntent, CheckoutMethod::WeChatNative]
    {
        let provider = method.provider();
        let payment = payment(&stack).await;
        let account = stack.account(provider).unwrap();
        account.set_fault(points(provider).0, Fault::LoseResponse, Some(1)).unwrap();
        let asked = request(payment, method);
        super::checkout(&stack, payment, &asked).await.problem("unavailable");
        calm(&stack, payment, 1).await;
        assert_eq!(close(&stack, payment).await, 3, "{method:?}");
        assert!(account.pay_checkout(&reference(payment, 1)).await.is_err(), "{method:?}");
    }
    payctl::ok(&stack, &["audit"]).await;
}

/// What nobody pays in time is closed by the sweep, with and without a checkout.
#[tokio::test]
async fn a_payment_is_closed_at_the_end_of_its_time_to_live() {
    let stack = own_with(&[("PAYMENT_TTL_SECONDS", "3600")]).await;
    let (bare, started_one) = (payment(&stack).await, payment(&stack).await);
    started(&stack, started_one, CheckoutMethod::WeChatNative).await;
    sweep_all(&stack).await;
    for one in [bare, started_one] {
        assert_eq!(shown(&stack, one).await["status"], 0);
        age(&stack, one, 3).await;
    }
    // How long that is the table does not hold.
    let late = async |seconds: &[&str]| {
        let (_, text) = payctl::run(&stack, &[&["audit"], seconds].concat()).await;
        text.matches("its time to live is long over").count()
    };
    assert_eq!(late(&["--ttl-seconds", "3600"]).await, 2);
    assert_eq!((late(&["--ttl-seconds", "7300"]).await, late(&[]).await), (0, 0));
    let (code, text) = payctl::run(&stack, &["audit", "--ttl-seconds", "59"]).await;
    assert!(code == 2 && text.contains("from 60 to 2592000"), "{text}");
    sweep_all(&stack).await;
    assert_eq!(late(&["--ttl-seconds", "3600"]).await, 0);
    for one in [bare, started_one] {
        assert_eq!(shown(&stack, one).await["status"], 3);
        let events = table::events(&stack, one.id).await;
        let has = |sk: &str| events.iter().any(|event| event["sk"] == sk);
        assert!(has("event#sweep#close") && has("event#sweep#close.ended"), "{events:?}");
        another(&stack, one).await.ok();
    }
}

/// The shop's own notification closes at once what has no checkout, and begins to close the rest.
#[tokio::test]
async fn a_native_closed_begins_a_close() {
    let stack = own().await;
    let payment = payment(&stack).await;
    started(&stack, payment, CheckoutMethod::WeChatNative).await;
    notify(&stack, payment, 1, 3).await.ok();
    assert_eq!(shown(&stack, payment).await["status"], 0);
    assert_eq!(table::record(&stack, payment.id).await["closing"], true);
    sweep_all(&stack).await;
    assert_eq!(shown(&stack, payment).await["status"], 3);
    payctl::ok(&stack, &["audit"]).await;
}

/// `payctl close` says what became of it, and `payctl history` shows why.
#[tokio::test]
async fn an_operator_closes_a_payment() {
    let stack = own().await;
    let (one, other) = (payment(&stack).await, payment(&stack).await);
    started(&stack, one, CheckoutMethod::WeChatNative).await;
    started(&stack, other, CheckoutMethod::AlipayPage).await;
    let text = payctl::ok(&stack, &["close", &one.id.to_string()]).await;
    assert_eq!(text, format!("payment {}: closed\n", one.id));
    let (code, text) = payctl::run(&stack, &["close", &other.id.to_string(), "--json"]).await;
    assert_eq!(code, 3, "{text}");
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&shown["id"], &shown["status"]), (&json!(other.id), &json!(0)));
    let text = payctl::ok(&stack, &["history", &other.id.to_string()]).await;
    for part in ["closing", "alipay", "page", "open", "operator/close", "native/checkout.1"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = payctl::ok(&stack, &["history", &one.id.to_string(), "--json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["checkouts"][0]["state"], "ended");
}
