//! Alipay's notifications, in what only Alipay does.

use local::messages::{Outcome, Signed};
use local::{Stack, defaults};
use pay_core::domain::Provider;
use pay_service::http::Code;
use serde_json::{Value, json};

use super::{assert_acknowledged, assert_rejected, deliver, message, refund, request};
use crate::api::{self, Reply};
use crate::stage::{Payment, own, payment, recycle, shared, shown};
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
    let payment = payment(stack).await;
    deliver(stack, ALIPAY, &refund(payment, 30)).await;
    let now = shown(stack, payment).await;
    assert_eq!((&now["status"], &now["refunded"]), (&json!(1), &json!(30)), "it was paid before");
    deliver(stack, ALIPAY, &message(payment, Outcome::Paid)).await;
    // The total so far: 0.30, then 0.20 more.
    deliver(stack, ALIPAY, &refund(payment, 50)).await;
    let now = shown(stack, payment).await;
    assert_eq!((&now["status"], &now["refunded"]), (&json!(1), &json!(50)));
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

/// One merchant may have several applications; `seller_id` is optional in a notification, and in the
/// secret.
#[tokio::test]
async fn every_listed_application_pays_with_or_without_its_seller() {
    let stack = own().await;
    let mut secrets = defaults::webhook_secrets().unwrap();
    let first = secrets["alipay"]["app_id"].clone();
    secrets["alipay"]["app_id"] = json!([first, "2021000000000002"]);
    stack.secrets().put(defaults::WEBHOOK_SECRET_ID, secrets.to_string());
    recycle(&stack, "callback").await;
    let (none, other) = (("seller_id", None), ("seller_id", Some("2088000000000002")));
    let second = ("app_id", Some("2021000000000002"));
    let mut paid: Vec<u64> = Vec::new();
    for fields in [vec![second], vec![second, none], vec![none], vec![other]] {
        let payment = payment(&stack).await;
        deliver_with(&stack, payment, &fields).await;
        paid.push(shown(&stack, payment).await["status"].as_u64().unwrap());
    }
    assert_eq!(paid, [1, 1, 1, 0]);
    secrets["alipay"].as_object_mut().unwrap().remove("seller_id");
    stack.secrets().put(defaults::WEBHOOK_SECRET_ID, secrets.to_string());
    recycle(&stack, "callback").await;
    let payment = payment(&stack).await;
    deliver_with(&stack, payment, &[other]).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
}

#[tokio::test]
async fn what_names_no_payment_or_concerns_none_is_acknowledged() {
    let stack = own().await;
    let payment = payment(&stack).await;
    for (name, value, quarantined) in [
        ("out_trade_no", Some("20190815155618536-564-57"), 1),
        ("out_trade_no", None, 2),
        ("trade_status", Some("WAIT_BUYER_PAY"), 2),
        ("notify_type", Some("open_app_auth_notify"), 2),
        ("notify_type", Some("batch_refund_notify"), 3),
    ] {
        deliver_with(&stack, payment, &[(name, value)]).await;
        let unmatched = table::unmatched(&stack, "alipay").await;
        assert_eq!(unmatched.len(), quarantined, "{name} {value:?}");
    }
    assert_eq!(table::events(&stack, payment.id).await, [json!(null); 0]);
    // It reports money of this payment, and what became of it is not known.
    deliver_with(&stack, payment, &[("trade_status", Some("TRADE_NEW_STATE"))]).await;
    assert_eq!(table::quarantined(&stack, payment.id).await, 1);
    assert_eq!(json!(shown(&stack, payment).await["status"]), 0);
}

/// Where a field ends is not signed: whoever has a genuine notification with a text of his own in it
/// can post it split anew, under the same signature.
#[tokio::test]
async fn a_message_split_anew_pays_no_other_payment() {
    let stack = own().await;
    let (cheap, dear) = (payment(&stack).await, payment(&stack).await);
    let plain = form(cheap, &[]);
    let plain: Vec<_> = form_urlencoded::parse(plain.as_bytes()).collect();
    let field = |name: &str| plain.iter().find(|(known, _)| known == name).unwrap().1.to_string();
    let dear_id = dear.id.to_string();
    let forged = [
        ("notify_type", field("notify_type")),
        ("out_trade_no", dear_id.clone()),
        ("seller_id", field("seller_id")),
        ("total_amount", field("total_amount")),
        ("trade_no", "2026999".to_owned()),
        ("trade_status", "TRADE_SUCCESS".to_owned()),
    ];
    let pairs: Vec<_> = forged.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = format!("x&{}&zz=", pairs.join("&"));
    let paid = message(cheap, Outcome::Paid);
    let genuine = paid.edited(ALIPAY, |form| form["body"] = json!(text)).unwrap();
    assert_acknowledged(ALIPAY, request(&stack, ALIPAY, &genuine).send().await);

    let fields: Vec<_> = form_urlencoded::parse(&genuine.body).into_owned().collect();
    let (sign, mut fields): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|(name, _)| ["sign", "sign_type"].contains(&name.as_str()));
    fields.sort_unstable();
    let rest: Vec<_> = fields.iter().filter(|(name, _)| name.as_str() > "body").collect();
    let rest: Vec<_> = rest.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut anew = form_urlencoded::Serializer::new(String::new());
    anew.append_pair("app_id", &field("app_id")).append_pair("body", "x");
    anew.extend_pairs(&forged).append_pair("zz", &format!("&{}", rest.join("&")));
    let anew = anew.extend_pairs(&sign).finish();
    assert!(anew.contains(&format!("&out_trade_no={dear_id}&")));
    assert_acknowledged(ALIPAY, send(&stack, anew).await);

    for payment in [cheap, dear] {
        assert_eq!(shown(&stack, payment).await["status"], 0);
    }
    let unmatched = table::unmatched(&stack, "alipay").await;
    assert_eq!(unmatched.len(), 2);
    for event in unmatched {
        assert_eq!(event["mismatch"], "payment");
        assert_eq!(event["received"], "an ambiguous signed text");
    }
}
