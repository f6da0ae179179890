//! Alipay's notifications, in what only Alipay does.

use local::Stack;
use local::messages::{Outcome, Signed};
use pay_core::domain::Provider;
use pay_service::http::Code;
use serde_json::{Value, json};

use super::{assert_acknowledged, assert_rejected, deliver, deliver_edited, message, request};
use crate::api::{self, Reply};
use crate::stage::{Payment, own, payment, shared, shown};
use crate::table;

const ALIPAY: Provider = Provider::Alipay;

/// Fields with every kind of character that is encoded.
const ODD: Fields<'_> = &[
    ("subject", Some("语雀 1+1=2 & \"three\" &quot; 100% <b>")),
    ("fund_bill_list", Some(r#"[{"amount":"1.00","fundChannel":"PCREDIT"}]"#)),
];

type Fields<'a> = &'a [(&'static str, Option<&'static str>)];

/// Sets fields of a form, or removes them.
fn set(form: &mut Value, fields: Fields<'_>) {
    let form = form.as_object_mut().unwrap();
    for (name, value) in fields {
        match value {
            Some(value) => drop(form.insert((*name).to_owned(), json!(value))),
            None => drop(form.remove(*name)),
        }
    }
}

/// The form of a paid payment, with these fields.
fn form(payment: Payment, fields: Fields<'_>) -> String {
    let paid = message(payment, Outcome::Paid);
    let signed = paid.edited(ALIPAY, |form| set(form, fields)).unwrap();
    String::from_utf8(signed.body).unwrap()
}

/// Sends such a form, which must be acknowledged.
async fn deliver_with(stack: &Stack, payment: Payment, fields: Fields<'_>) {
    assert_acknowledged(ALIPAY, send(stack, form(payment, fields)).await);
}

async fn send(stack: &Stack, form: String) -> Reply {
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    request(stack, ALIPAY, &Signed { headers, body: form.into_bytes() }).send().await
}

/// 11: whatever the buyer wrote, the signature is over the form as it was received.
#[tokio::test]
async fn every_character_of_a_form_survives() {
    let stack = shared();
    for subject in [
        "plain",
        "a+b c%20d",
        "a=b&c=d;e",
        "\"quoted\" &quot;entity&quot; <b>&amp;</b>",
        "100%",
        "%E8%AF%AD",
        "语雀空间 500人规模 🧋",
        "line\r\nbreak\ttab",
        " ",
    ] {
        let payment = payment(stack).await;
        deliver_with(stack, payment, &[("subject", Some(subject))]).await;
        assert_eq!(shown(stack, payment).await["status"], 1, "{subject:?}");
        assert_eq!(shown(stack, payment).await["source"], 1);
    }
    // Spaces as %20, digits in lower case: the same fields.
    let payment = payment(stack).await;
    let form = form(payment, ODD).replace('+', "%20").replace("%2B", "%2b");
    assert_acknowledged(ALIPAY, send(stack, form).await);
    assert_eq!(shown(stack, payment).await["status"], 1);
}

#[tokio::test]
async fn a_notification_does_not_choose_how_it_is_verified() {
    let stack = shared();
    let payment = payment(stack).await;
    let good = form(payment, ODD);
    let gbk = form(payment, &[("charset", Some("GBK"))]);
    for form in [
        good.replace("sign_type=RSA2", "sign_type=RSA"),
        gbk,
        good.replace("total_amount=1.00", "total_amount=100.00"),
        format!("{good}&trade_status=TRADE_CLOSED"),
        format!("{good}&extra=1"),
        good.replace("%26quot%3B", "%22"),
        good.replace("%2B", "+"),
        "sign=&sign_type=RSA2".to_owned(),
        "%".to_owned(),
    ] {
        assert_ne!(form, good);
        assert_rejected(ALIPAY, send(stack, form).await, Code::BadSignature);
    }
    assert_eq!(shown(stack, payment).await["status"], 0);
    // The form that the buyer's browser returns with is signed by the same rule.
    let back = ("method", Some("alipay.trade.page.pay.return"));
    deliver_with(stack, payment, &[("notify_type", None), ("trade_status", None), back]).await;
    let empty = api::post(stack, "callback/alipay").header("content-type", "text/plain");
    assert_rejected(ALIPAY, empty.send().await, Code::BadSignature);
    assert_eq!(shown(stack, payment).await["status"], 0);
}

/// 12: the notification of a refund looks like one of a payment.
#[tokio::test]
async fn a_refund_is_distinguished_from_a_payment() {
    let stack = shared();
    let refund = async |payment, fee| {
        let part = message(payment, Outcome::PartlyRefunded);
        deliver_edited(stack, ALIPAY, &part, |form| set(form, &[("refund_fee", Some(fee))])).await;
    };
    let payment = payment(stack).await;
    refund(payment, "0.30").await;
    assert_eq!(shown(stack, payment).await["status"], 0, "a refund pays nothing");
    deliver(stack, ALIPAY, &message(payment, Outcome::Paid)).await;
    // The total so far: 0.30, then 0.20 more.
    refund(payment, "0.50").await;
    assert_eq!(shown(stack, payment).await["status"], 1);
    // The time for refunds is over, which changes nothing for a paid payment.
    deliver_with(stack, payment, &[("trade_status", Some("TRADE_FINISHED"))]).await;
    assert_eq!(shown(stack, payment).await["status"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    deliver(stack, ALIPAY, &message(payment, Outcome::Refunded)).await;
    assert_eq!(shown(stack, payment).await["status"], 4);
    assert_eq!(table::quarantined(stack, payment.id).await, 0);
}

/// 14 and 15: a genuine notification that does not match waits for a person.
#[tokio::test]
async fn what_does_not_match_is_acknowledged_and_quarantined() {
    let stack = shared();
    for (name, value) in [
        ("total_amount", Some("0.99")),
        ("total_amount", Some("100")),
        ("total_amount", Some("1.000")),
        ("total_amount", Some("1e0")),
        ("total_amount", None),
        ("app_id", Some("2021000000000002")),
        ("app_id", None),
        ("seller_id", Some("2088000000000002")),
    ] {
        let payment = payment(stack).await;
        deliver_with(stack, payment, &[(name, value)]).await;
        assert_eq!(shown(stack, payment).await["status"], 0, "{name} {value:?}");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{name} {value:?}");
        deliver(stack, ALIPAY, &message(payment, Outcome::Paid)).await;
        assert_eq!(shown(stack, payment).await["status"], 1);
    }
    let payment = payment(stack).await;
    deliver(stack, ALIPAY, &message(payment, Outcome::Paid)).await;
    deliver_with(stack, payment, &[("trade_no", Some("2026999"))]).await;
    assert_eq!(table::quarantined(stack, payment.id).await, 1);
}

#[tokio::test]
async fn what_names_no_payment_or_concerns_none_is_acknowledged() {
    let stack = own().await;
    let payment = payment(&stack).await;
    for (name, value, quarantined) in [
        ("out_trade_no", Some("20190815155618536-564-57"), 1),
        ("out_trade_no", None, 2),
        ("trade_status", Some("WAIT_BUYER_PAY"), 2),
        ("trade_status", Some("TRADE_NEW_STATE"), 2),
        ("notify_type", Some("open_app_auth_notify"), 2),
    ] {
        deliver_with(&stack, payment, &[(name, value)]).await;
        let unmatched = table::unmatched(&stack, "alipay").await;
        assert_eq!(unmatched.len(), quarantined, "{name} {value:?}");
    }
    assert_eq!(table::events(&stack, payment.id).await, [json!(null); 0]);
    assert_eq!(json!(shown(&stack, payment).await["status"]), 0);
}
