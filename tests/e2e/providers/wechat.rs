//! WeChat Pay's notifications, in what only WeChat Pay does.

use local::messages::Outcome;
use local::{binaries, defaults};
use pay_core::domain::Provider;
use pay_service::http::Code;
use serde_json::{Value, json};

use super::{assert_rejected, deliver, deliver_bytes, deliver_edited, message, request};
use crate::stage::{own, payment, recycle, shared, shown};
use crate::table;

const WECHAT: Provider = Provider::WeChat;

#[tokio::test]
async fn a_coupon_of_the_payer_changes_no_amount() {
    let stack = shared();
    let payment = payment(stack).await;
    let paid = message(payment, Outcome::Paid);
    let coupon = |content: &mut Value| content["resource"]["amount"]["payer_total"] = json!(90);
    deliver_edited(stack, WECHAT, &paid, coupon).await;
    let now = shown(stack, payment).await;
    assert_eq!((&now["status"], &now["source"]), (&json!(1), &json!(2)));
    let record = table::record(stack, payment.id).await;
    assert_eq!(record["provider_txn"], format!("4200{:024}", payment.id));
}

/// 9: WeChat Pay tests whether its signature is checked.
#[tokio::test]
async fn a_probe_is_rejected() {
    let stack = shared();
    let payment = payment(stack).await;
    let signed = message(payment, Outcome::Paid).from(WECHAT).unwrap();
    let (_, signature) =
        signed.headers.iter().find(|(name, _)| *name == "wechatpay-signature").unwrap();
    let probe = request(stack, WECHAT, &signed)
        .without("wechatpay-signature")
        .header("wechatpay-signature", &format!("WECHATPAY/SIGNTEST/{signature}"));
    assert_rejected(WECHAT, probe.send().await, Code::BadSignature);
    for (name, value) in [
        ("wechatpay-serial", "PUB_KEY_ID_0000000000000000000000000002"),
        ("wechatpay-signature-type", "WECHATPAY-BRAND-SHA256-RSA2048"),
        ("wechatpay-timestamp", "1624523846"),
        ("wechatpay-nonce", "another"),
    ] {
        let other = request(stack, WECHAT, &signed).without(name).header(name, value);
        assert_rejected(WECHAT, other.send().await, Code::BadSignature);
    }
    assert_eq!(shown(stack, payment).await["status"], 0);
}

/// A new APIv3 key that is not configured yet: the message must be delivered again.
#[tokio::test]
async fn a_message_that_cannot_be_decrypted_is_delivered_again() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let ours = defaults::webhook_secrets().unwrap();
    let mut other = ours.clone();
    other["wechat"]["api_v3_key"] = json!("another-development-apiv3-key-32");
    // The previous generation has no entry for WeChat Pay, which does not make the message a forgery.
    stack.secrets().put(defaults::WEBHOOK_SECRET_ID, "{}");
    stack.secrets().put(defaults::WEBHOOK_SECRET_ID, other.to_string());
    recycle(&stack, "callback").await;
    let paid = message(payment, Outcome::Paid);
    let signed = paid.from(WECHAT).unwrap();
    let reply = request(&stack, WECHAT, &signed).send().await;
    assert_rejected(WECHAT, reply, Code::Unavailable);
    assert!(stack.logs().contains("does not decrypt"), "{}", stack.logs());
    assert_eq!(shown(&stack, payment).await["status"], 0);

    // Corrected, with the wrong key still the previous generation.
    stack.secrets().put(defaults::WEBHOOK_SECRET_ID, ours.to_string());
    recycle(&stack, "callback").await;
    deliver(&stack, WECHAT, &paid).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
}

/// 14 and 15: a genuine notification that does not match waits for a person.
#[tokio::test]
async fn what_does_not_match_is_acknowledged_and_quarantined() {
    let stack = shared();
    for (pointer, value) in [
        ("/amount/total", json!(99)),
        ("/amount/total", json!("100")),
        ("/amount/total", Value::Null),
        ("/amount/currency", json!("USD")),
        ("/mchid", json!("1900000002")),
        ("/appid", json!("wx0000000000000002")),
        ("/appid", Value::Null),
    ] {
        let payment = payment(stack).await;
        let odd = |content: &mut Value| {
            *content["resource"].pointer_mut(pointer).unwrap() = value.clone();
        };
        deliver_edited(stack, WECHAT, &message(payment, Outcome::Paid), odd).await;
        assert_eq!(shown(stack, payment).await["status"], 0, "{pointer} {value}");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{pointer} {value}");
        // It does not hold up the one that matches.
        deliver(stack, WECHAT, &message(payment, Outcome::Paid)).await;
        assert_eq!(shown(stack, payment).await["status"], 1);
    }
    // Another transaction for the same payment.
    let payment = payment(stack).await;
    deliver(stack, WECHAT, &message(payment, Outcome::Paid)).await;
    let other = |content: &mut Value| content["resource"]["transaction_id"] = json!("420000009999");
    deliver_edited(stack, WECHAT, &message(payment, Outcome::Paid), other).await;
    assert_eq!(table::quarantined(stack, payment.id).await, 1);
}

/// Each row of the table in docs/providers.md.
#[tokio::test]
async fn each_trade_state_does_what_its_row_says() {
    let stack = shared();
    let docs =
        std::fs::read_to_string(binaries::workspace().unwrap().join("docs/providers.md")).unwrap();
    let (_, table) =
        docs.split_once("| `trade_state` | the payment becomes |\n|---|---|\n").unwrap();
    let mut rows = table.lines();
    for (state, becomes, status, verdict) in [
        ("SUCCESS", "paid", 1, "applied"),
        ("REFUND", "paid", 1, "applied"),
        ("PAYERROR", "failed", 2, "applied"),
        ("CLOSED", "closed", 3, "applied"),
        ("REVOKED", "closed", 3, "applied"),
        ("NOTPAY", "unchanged; kept in the event log", 0, "ignored"),
        ("USERPAYING", "unchanged; kept in the event log", 0, "ignored"),
        ("ACCEPT", "unchanged; kept in the event log", 0, "ignored"),
        ("any other", "unchanged; quarantined", 0, "quarantined"),
    ] {
        let row = rows.next().unwrap();
        let (first, second) = row.trim_start_matches("| ").split_once(" | ").unwrap();
        assert!(first.trim_matches('`').starts_with(state), "{row}");
        assert!(second.starts_with(becomes), "{row}");
        let payment = payment(stack).await;
        let other = |content: &mut Value| content["resource"]["trade_state"] = json!(state);
        deliver_edited(stack, WECHAT, &message(payment, Outcome::Paid), other).await;
        assert_eq!(shown(stack, payment).await["status"], status, "{state}");
        let events = table::events(stack, payment.id).await;
        assert_eq!((events.len(), &events[0]["verdict"]), (1, &json!(verdict)), "{state}");
    }
    assert_eq!(rows.next(), Some(""));
}

/// One merchant may have fifty applications; what a service provider collected, and combined payments, wait
/// for a person.
#[tokio::test]
async fn every_listed_application_pays_and_other_modes_are_quarantined() {
    let stack = own().await;
    let mut secrets = defaults::webhook_secrets().unwrap();
    let first = secrets["wechat"]["appid"].clone();
    secrets["wechat"]["appid"] = json!([first, "wx0000000000000002"]);
    stack.secrets().put(defaults::WEBHOOK_SECRET_ID, secrets.to_string());
    recycle(&stack, "callback").await;
    for (appid, status) in [("wx0000000000000002", 1), ("wx0000000000000003", 0)] {
        let payment = payment(&stack).await;
        let other = |content: &mut Value| content["resource"]["appid"] = json!(appid);
        deliver_edited(&stack, WECHAT, &message(payment, Outcome::Paid), other).await;
        assert_eq!(shown(&stack, payment).await["status"], status, "{appid}");
    }
    let payment = payment(&stack).await;
    let partner = |content: &mut Value| {
        let resource = content["resource"].as_object_mut().unwrap();
        let mchid = resource.remove("mchid").unwrap();
        resource.extend([("sp_mchid".into(), json!("123")), ("sub_mchid".into(), mchid)]);
    };
    deliver_edited(&stack, WECHAT, &message(payment, Outcome::Paid), partner).await;
    assert_eq!(table::quarantined(&stack, payment.id).await, 1);
    let combined = |content: &mut Value| {
        let order = content["resource"].take();
        content["resource"] = json!({"combine_out_trade_no": "1", "sub_orders": [order]});
    };
    deliver_edited(&stack, WECHAT, &message(payment, Outcome::Paid), combined).await;
    let unmatched = table::unmatched(&stack, "wechat").await;
    let received = unmatched[0]["received"].as_str().unwrap();
    assert!(received.contains("combined payment, which is not supported"), "{received}");
    assert_eq!(shown(&stack, payment).await["status"], 0);
}

#[tokio::test]
async fn what_cannot_be_read_or_concerns_no_payment_is_acknowledged() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let about = |resource: Value| {
        let other = message(payment, Outcome::Paid);
        let signed = other.edited(WECHAT, |content| content["resource"] = resource).unwrap();
        String::from_utf8(signed.body).unwrap()
    };
    let mut quarantined = 0;
    for (body, is_quarantined) in [
        ("", true),
        ("[]", true),
        (r#"{"id":"a""#, true),
        ("{}", false),
        (r#"{"id":"b","event_type":"TRANSACTION.SUCCESS"}"#, true),
        (r#"{"id":"c","event_type":"TRANSACTION.SUCCESS","resource":{}}"#, true),
        (r#"{"id":"d","event_type":"REFUND.ABNORMAL"}"#, true),
        (r#"{"id":"d2","event_type":"REFUND.PROCESSING"}"#, true),
        (r#"{"id":"d3","event_type":"PAYSCORE.USER_PAID"}"#, true),
        (r#"{"id":"e","event_type":"PAYSCORE.USER_CONFIRM","new":[{"field":1.5}]}"#, false),
        (&about(json!([1])), true),
        (&about(json!({"out_trade_no": "20190815-57"})), true),
        (&about(json!({"out_trade_no": 12})), true),
    ] {
        deliver_bytes(&stack, WECHAT, body.as_bytes()).await;
        quarantined += usize::from(is_quarantined);
        assert_eq!(table::unmatched(&stack, "wechat").await.len(), quarantined, "{body}");
    }
    // New members everywhere change nothing.
    let more = |content: &mut Value| {
        content["resource"]["promotion_detail"] =
            json!([{"amount": -0.5, "wechatpay_contribute": null}]);
        content["new"] = json!({"deep": [[[1]]]});
    };
    deliver_edited(&stack, WECHAT, &message(payment, Outcome::Paid), more).await;
    assert_eq!(shown(&stack, payment).await["status"], 1);
}
