//! What a notification reports.

use pay_core::domain::{
    Mismatch, MismatchField, Notification, Outcome, PaymentId, Provider, Report,
};
use serde_json::{Value, json};

use super::{NOW, encrypt, entry, envelope, headers, keys, refunds::refund, transaction, verified};
use crate::{
    Headers, Ignored, Verified, Verifier, VerifyError,
    samples::{self, at, unreadable},
    sha256,
};

pub(super) const EVENT: &str = "EV-2018022511223320873";
pub(super) const PAYMENT: &str = "1217752501201407";
pub(super) const TRANSACTION: &str = "4200000001202611231234567890";

pub(super) fn notification(kind: &str, resource: &Value) -> Notification {
    match verified(envelope(kind, resource).to_string().as_bytes()) {
        Ok(Verified::Notification(notification)) => *notification,
        other => panic!("{other:?}: {kind} {resource}"),
    }
}

pub(super) fn report(kind: &str, resource: &Value) -> Report {
    notification(kind, resource).report
}

/// The mismatch of a member whose value cannot be read.
pub(super) fn review(field: MismatchField, name: &str) -> Mismatch {
    Mismatch::absent(field, Some(format!("an unknown `{name}`")))
}

#[test]
fn the_trade_state_decides_the_outcome() {
    let body = envelope("TRANSACTION.SUCCESS", &transaction()).to_string();
    let paid = samples::report(Provider::WeChat, TRANSACTION, Outcome::Paid, (100, "CNY"));
    let want = samples::notification(Provider::WeChat, EVENT, PAYMENT, paid, body.as_bytes());
    assert_eq!(notification("TRANSACTION.SUCCESS", &transaction()), want);
    for (state, outcome) in [
        // Paid, and refunded since: the refund has its own notification.
        (json!("REFUND"), Some(Outcome::Paid)),
        (json!("PAYERROR"), Some(Outcome::Failed)),
        (json!("CLOSED"), Some(Outcome::Closed)),
        (json!("REVOKED"), Some(Outcome::Closed)),
        (json!("NOTPAY"), None),
        (json!("USERPAYING"), None),
        (json!("ACCEPT"), None),
    ] {
        let mut transaction = transaction();
        transaction["trade_state"] = state.clone();
        let want = Report { outcome, ..want.report.clone() };
        assert_eq!(report("TRANSACTION.SUCCESS", &transaction), want, "{state}");
    }
}

/// The type reports money, and the state is no state that we know.
#[test]
fn an_unknown_state_is_for_review() {
    let review = |name| Some(review(MismatchField::Outcome, name));
    for state in [json!("success"), json!("PART_PAID"), json!(""), Value::Null] {
        let mut transaction = transaction();
        transaction["trade_state"] = state.clone();
        let found = notification("TRANSACTION.SUCCESS", &transaction);
        assert_eq!((found.report.outcome, found.review), (None, review("trade_state")), "{state}");
        let mut refund = refund(100);
        refund["refund_status"] = state.clone();
        let found = notification("REFUND.SUCCESS", &refund);
        assert_eq!(
            (found.report.outcome, found.review),
            (None, review("refund_status")),
            "{state}"
        );
    }
    let mut without = transaction();
    without.as_object_mut().unwrap().remove("trade_state");
    assert_eq!(notification("TRANSACTION.SUCCESS", &without).review, review("trade_state"));
}

#[test]
fn the_event_id_is_wechat_pays_or_else_the_digest_of_the_body() {
    let mut envelope = envelope("TRANSACTION.SUCCESS", &transaction());
    for id in
        [json!(EVENT), Value::Null, json!(""), json!(1), json!("EV#1"), json!("E".repeat(129))]
    {
        envelope["id"] = id.clone();
        let body = envelope.to_string();
        let Ok(Verified::Notification(found)) = verified(body.as_bytes()) else { panic!("{body}") };
        let digest = sha256(&[body.as_bytes()]).to_string();
        let want = if id == EVENT { EVENT } else { &digest };
        assert_eq!(found.event_id.as_str(), want, "{id}");
    }
}

/// A member of another type than it ever has does not count as absent.
#[test]
fn a_member_of_an_unknown_type_is_no_absent_one() {
    for other in [Value::Null, json!(5), json!([]), json!({}), json!(["CNY"]), json!(true)] {
        for (kind, resource) in
            [("TRANSACTION.SUCCESS", transaction()), ("REFUND.SUCCESS", refund(100))]
        {
            let mut resource = resource;
            resource["amount"]["currency"] = other.clone();
            let found = report(kind, &resource);
            assert_eq!((found.amount_minor, found.currency), (Some(100), None), "{resource}");
            resource["amount"] = other.clone();
            let found = report(kind, &resource);
            assert_eq!(found.amount_minor, None, "{resource}");
        }
        for (kind, resource, name, field) in [
            ("TRANSACTION.SUCCESS", transaction(), "transaction_id", MismatchField::Reference),
            ("TRANSACTION.SUCCESS", transaction(), "trade_state", MismatchField::Outcome),
            ("REFUND.SUCCESS", refund(100), "transaction_id", MismatchField::Reference),
            ("REFUND.SUCCESS", refund(100), "refund_status", MismatchField::Outcome),
        ] {
            let mut resource = resource;
            resource[name] = other.clone();
            let found = notification(kind, &resource);
            assert_eq!(found.review, Some(review(field, name)), "{resource}");
            assert_eq!(found.payment, Some(PaymentId::parse(PAYMENT).unwrap()));
        }
        if other != json!(5) {
            let mut refund = refund(100);
            refund["amount"]["refund"] = other.clone();
            let found = notification("REFUND.SUCCESS", &refund);
            assert_eq!(found.review, Some(review(MismatchField::Outcome, "refund")), "{refund}");
        }
        let mut envelope = envelope("TRANSACTION.SUCCESS", &transaction());
        envelope["event_type"] = other.clone();
        let body = envelope.to_string();
        let want = unreadable(Provider::WeChat, Some(EVENT), body.as_bytes());
        assert_eq!(verified(body.as_bytes()), Ok(want), "{other}");
    }
    // Absent, it is CNY.
    let mut without = transaction();
    without["amount"].as_object_mut().unwrap().remove("currency");
    assert_eq!(report("TRANSACTION.SUCCESS", &without).currency.as_deref(), Some("CNY"));
}

#[test]
fn an_event_that_changes_no_payment_is_ignored_and_not_decrypted() {
    let ignored = Ok(Verified::Ignored(Ignored::OtherKind));
    for kind in ["COUPON.USE", "PAYSCORE.USER_CONFIRM", "", "transaction.success"] {
        let mut envelope = envelope(kind, &transaction());
        envelope["resource"]["ciphertext"] = json!("AAAA");
        assert_eq!(verified(envelope.to_string().as_bytes()), ignored, "{kind}");
    }
    assert_eq!(verified(b"{}"), ignored);
}

/// A payment or a refund of another product, whose content has another form.
#[test]
fn what_reports_money_and_cannot_be_applied_is_for_review() {
    for kind in ["TRANSACTION.PAY_BACK", "REFUND.UNKNOWN", "PAYSCORE.USER_PAID"] {
        let mut envelope = envelope(kind, &transaction());
        envelope["resource"]["ciphertext"] = json!("AAAA");
        let body = envelope.to_string();
        let Ok(Verified::Notification(found)) = verified(body.as_bytes()) else { panic!("{body}") };
        let reason = format!("not supported, give it another notify_url: {kind}");
        let review = Mismatch::absent(MismatchField::Payment, Some(reason));
        assert_eq!((found.payment, found.review), (None, Some(review)), "{kind}");
        assert_eq!(found.event_id.as_str(), EVENT, "{kind}");
    }
}

#[test]
fn a_payment_of_another_merchant_or_application_is_for_a_wrong_account() {
    let account = |expected, received: Option<&str>| {
        Some(Mismatch::new(MismatchField::Account, Some(expected), received))
    };
    let (mchid, appid) = ("mchid=1900000001", "appid=wx0000000000000001");
    for (name, value, expected, received) in [
        ("mchid", json!("1900000002"), mchid, Some("mchid=1900000002")),
        ("mchid", Value::Null, mchid, None),
        ("mchid", json!(1_900_000_001), mchid, None),
        ("appid", json!("wx0000000000000002"), appid, Some("appid=wx0000000000000002")),
        ("appid", Value::Null, appid, None),
    ] {
        let mut transaction = transaction();
        transaction[name] = value.clone();
        let found = notification("TRANSACTION.SUCCESS", &transaction);
        assert_eq!(found.wrong_account, account(expected, received), "{name} {value}");
        // The payment and the report are kept for whoever reviews it.
        assert_eq!(found.payment, Some(PaymentId::parse(PAYMENT).unwrap()));
        assert_eq!(found.report.outcome, Some(Outcome::Paid));
    }
    let mut both = transaction();
    both["mchid"] = json!("1900000002");
    both["appid"] = json!("wx0000000000000002");
    let found = notification("TRANSACTION.SUCCESS", &both);
    assert_eq!(found.wrong_account, account(mchid, Some("mchid=1900000002")));
    let mut refund = refund(100);
    refund["mchid"] = json!("1900000002");
    let found = notification("REFUND.SUCCESS", &refund);
    assert_eq!(found.wrong_account, account(mchid, Some("mchid=1900000002")));
}

/// A mini program, an official account and an app of one merchant have an `appid` each.
#[test]
fn every_application_that_is_listed_is_ours() {
    let listed = |received: Value| {
        let mut entry = entry();
        entry["appid"] = json!(["wx0000000000000001", "wx0000000000000002\n"]);
        let mut transaction = transaction();
        transaction["appid"] = received;
        let body = envelope("TRANSACTION.SUCCESS", &transaction).to_string();
        let headers = headers(body.as_bytes(), NOW);
        let keys = keys(&entry).unwrap();
        assert!(keys.complete().is_ok());
        let found = keys.verify(&Headers::from_pairs(&headers), body.as_bytes(), at(NOW));
        let Ok(Verified::Notification(found)) = found else { panic!("{found:?}") };
        found.wrong_account
    };
    for appid in ["wx0000000000000001", "wx0000000000000002"] {
        assert_eq!(listed(json!(appid)), None, "{appid}");
    }
    let expected = "appid=wx0000000000000001 or wx0000000000000002";
    for (appid, received) in
        [(json!("wx0000000000000003"), Some("appid=wx0000000000000003")), (Value::Null, None)]
    {
        let want = Mismatch::new(MismatchField::Account, Some(expected), received);
        assert_eq!(listed(appid), Some(want));
    }
}

/// What a service provider collected for a merchant, and several orders that were paid at once.
#[test]
fn partner_mode_and_combined_payments_are_not_supported_and_not_lost() {
    for (kind, resource) in
        [("TRANSACTION.SUCCESS", transaction()), ("REFUND.SUCCESS", refund(100))]
    {
        let mut resource = resource;
        resource.as_object_mut().unwrap().remove("mchid");
        resource["sp_mchid"] = json!("1230000109");
        resource["sub_mchid"] = json!("1900000001");
        let found = notification(kind, &resource);
        let received = Some("sp_mchid=1230000109: partner mode is not supported");
        let want = Mismatch::new(MismatchField::Account, Some("mchid=1900000001"), received);
        assert_eq!(found.wrong_account, Some(want), "{kind}");
        assert_eq!(found.payment, Some(PaymentId::parse(PAYMENT).unwrap()), "{kind}");
    }
    let combined = json!({
        "combine_appid": "wx0000000000000001", "combine_mchid": "1900000001",
        "combine_out_trade_no": PAYMENT,
        "sub_orders": [{"mchid": "1900000001", "out_trade_no": PAYMENT, "trade_state": "SUCCESS",
            "transaction_id": TRANSACTION, "amount": {"total_amount": 100, "currency": "CNY"}}],
    });
    let found = notification("TRANSACTION.SUCCESS", &combined);
    let reason = "a combined payment, which is not supported: order each payment alone";
    let review = Mismatch::absent(MismatchField::Payment, Some(reason));
    assert_eq!((found.payment, found.review), (None, Some(review)));
}

#[test]
fn an_authentic_message_that_cannot_be_read_is_a_notification_without_a_payment() {
    for (name, value) in [
        ("algorithm", json!("AEAD_SM4_GCM")),
        ("algorithm", Value::Null),
        ("nonce", json!("thirteenbytes")),
        ("nonce", Value::Null),
        ("ciphertext", json!("%")),
        ("ciphertext", Value::Null),
        ("associated_data", json!(["transaction"])),
    ] {
        let mut envelope = envelope("TRANSACTION.SUCCESS", &transaction());
        envelope["resource"][name] = value.clone();
        let body = envelope.to_string();
        let want = unreadable(Provider::WeChat, Some(EVENT), body.as_bytes());
        assert_eq!(verified(body.as_bytes()), Ok(want), "{name} {value}");
    }
    for body in ["", "null", "[]", "{", "\u{feff}[]", r#"{"a":1,"a":2}"#] {
        let want = unreadable(Provider::WeChat, None, body.as_bytes());
        assert_eq!(verified(body.as_bytes()), Ok(want), "{body}");
    }
    // Decrypted, and not an object.
    let body = envelope("TRANSACTION.SUCCESS", &json!([])).to_string();
    let want = unreadable(Provider::WeChat, Some(EVENT), body.as_bytes());
    assert_eq!(verified(body.as_bytes()), Ok(want));
}

#[test]
fn what_our_key_does_not_decrypt_is_an_error_of_ours_and_not_of_the_sender() {
    for (name, value) in [
        ("ciphertext", json!(encrypt("ffffffffffffffffffffffffffffffff", "{}"))),
        ("ciphertext", json!("AAAA")),
        ("ciphertext", json!("")),
        ("associated_data", json!("refund")),
        ("associated_data", Value::Null),
        ("nonce", json!("fdasflkja485")),
    ] {
        let mut envelope = envelope("TRANSACTION.SUCCESS", &transaction());
        envelope["resource"][name] = value.clone();
        let found = verified(envelope.to_string().as_bytes());
        assert_eq!(found, Err(VerifyError::Undecryptable), "{name} {value}");
    }
}
