//! Alipay's notifications, in what only Alipay does.

use local::messages::{Outcome, Signed};
use local::simulator::alipay;
use local::{Stack, clock};
use pay_core::domain::Provider;
use pay_service::http::Code;
use serde_json::json;

use super::{assert_acknowledged, assert_rejected, deliver, message, request};
use crate::api::{self, Reply};
use crate::stage::{Payment, own, payment, shared, shown};
use crate::table;

const ALIPAY: Provider = Provider::Alipay;

type Fields = Vec<(&'static str, String)>;

fn trade(payment: Payment) -> Fields {
    let fields = [
        ("app_id", alipay::APP_ID),
        ("charset", "utf-8"),
        ("fund_bill_list", r#"[{"amount":"1.00","fundChannel":"PCREDIT"}]"#),
        ("notify_type", "trade_status_sync"),
        ("seller_id", alipay::SELLER_ID),
        ("subject", "语雀 1+1=2 & \"three\" &quot; 100% <b>"),
        ("total_amount", "1.00"),
        ("trade_status", "TRADE_SUCCESS"),
    ];
    let mut fields = fields.map(|(name, value)| (name, value.to_owned())).to_vec();
    fields.push(("notify_id", clock::uuid()));
    fields.push(("out_trade_no", payment.id.to_string()));
    fields.push(("trade_no", format!("2026{:024}", payment.id)));
    fields
}

fn with(mut fields: Fields, name: &'static str, value: Option<&str>) -> Fields {
    fields.retain(|(known, _)| *known != name);
    fields.extend(value.map(|value| (name, value.to_owned())));
    fields
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
        let form = alipay::sign(&with(trade(payment), "subject", Some(subject))).unwrap();
        assert_acknowledged(ALIPAY, send(stack, form).await);
        assert_eq!(shown(stack, payment).await["status"], 1, "{subject:?}");
        assert_eq!(shown(stack, payment).await["source"], 1);
    }
    // Spaces as %20, digits in lower case: the same fields.
    let payment = payment(stack).await;
    let form = alipay::sign(&trade(payment)).unwrap().replace('+', "%20").replace("%2B", "%2b");
    assert_acknowledged(ALIPAY, send(stack, form).await);
    assert_eq!(shown(stack, payment).await["status"], 1);
}

#[tokio::test]
async fn a_notification_does_not_choose_how_it_is_verified() {
    let stack = shared();
    let payment = payment(stack).await;
    let good = alipay::sign(&trade(payment)).unwrap();
    let gbk = alipay::sign(&with(trade(payment), "charset", Some("GBK"))).unwrap();
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
    let back = with(with(trade(payment), "notify_type", None), "trade_status", None);
    let back = with(back, "method", Some("alipay.trade.page.pay.return"));
    assert_acknowledged(ALIPAY, send(stack, alipay::sign(&back).unwrap()).await);
    let empty = api::post(stack, "callback/alipay").header("content-type", "text/plain");
    assert_rejected(ALIPAY, empty.send().await, Code::BadSignature);
    assert_eq!(shown(stack, payment).await["status"], 0);
}

/// 12: the notification of a refund looks like one of a payment.
#[tokio::test]
async fn a_refund_is_distinguished_from_a_payment() {
    let stack = shared();
    let refund = |payment, status, fee| {
        let fields = with(trade(payment), "trade_status", Some(status));
        let fields = with(fields, "refund_fee", Some(fee));
        alipay::sign(&with(fields, "gmt_refund", Some("2026-11-24 10:00:00"))).unwrap()
    };
    let payment = payment(stack).await;
    assert_acknowledged(ALIPAY, send(stack, refund(payment, "TRADE_SUCCESS", "0.30")).await);
    assert_eq!(shown(stack, payment).await["status"], 0, "a refund pays nothing");
    deliver(stack, ALIPAY, &message(payment, Outcome::Paid)).await;
    // The total so far: 0.30, then 0.20 more.
    assert_acknowledged(ALIPAY, send(stack, refund(payment, "TRADE_SUCCESS", "0.50")).await);
    assert_eq!(shown(stack, payment).await["status"], 1);
    // The time for refunds is over, which changes nothing for a paid payment.
    let finished = with(trade(payment), "trade_status", Some("TRADE_FINISHED"));
    assert_acknowledged(ALIPAY, send(stack, alipay::sign(&finished).unwrap()).await);
    assert_eq!(shown(stack, payment).await["status"], 1);
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    assert_acknowledged(ALIPAY, send(stack, refund(payment, "TRADE_CLOSED", "1.00")).await);
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
        let form = alipay::sign(&with(trade(payment), name, value)).unwrap();
        assert_acknowledged(ALIPAY, send(stack, form).await);
        assert_eq!(shown(stack, payment).await["status"], 0, "{name} {value:?}");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{name} {value:?}");
        assert_acknowledged(ALIPAY, send(stack, alipay::sign(&trade(payment)).unwrap()).await);
        assert_eq!(shown(stack, payment).await["status"], 1);
    }
    let payment = payment(stack).await;
    deliver(stack, ALIPAY, &message(payment, Outcome::Paid)).await;
    let other = with(trade(payment), "trade_no", Some("2026999"));
    assert_acknowledged(ALIPAY, send(stack, alipay::sign(&other).unwrap()).await);
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
        let form = alipay::sign(&with(trade(payment), name, value)).unwrap();
        assert_acknowledged(ALIPAY, send(&stack, form).await);
        let unmatched = table::unmatched(&stack, "alipay").await;
        assert_eq!(unmatched.len(), quarantined, "{name} {value:?}");
    }
    assert_eq!(table::events(&stack, payment.id).await, [json!(null); 0]);
    assert_eq!(json!(shown(&stack, payment).await["status"]), 0);
}
