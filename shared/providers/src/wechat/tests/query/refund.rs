//! What responses about one refund prove.

use pay_core::{
    domain::{
        Notification, Outcome, PaymentId, Provider, ProviderRefund, RefundReport, RefundState,
        Report, Sender,
    },
    ports::{QueryError, QueryState},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{NOW, Pair, at, headers},
    PAYMENT, REFUND, TRANSACTION, ours, payment,
    response::{respond, success},
};
use crate::samples::{
    self,
    queries::{self, Found, Pairs, is_unusable, one},
    without_content,
};

fn asked() -> pay_core::ports::Query {
    queries::refund(REFUND, TRANSACTION)
}

/// As wechatpay-go's `services/refunddomestic` has it: without a merchant and an application.
fn a_refund(status: &str) -> Value {
    json!({
        "refund_id": "50000000382019052709732678859", "out_refund_no": REFUND,
        "transaction_id": TRANSACTION, "out_trade_no": PAYMENT.to_string(),
        "channel": "ORIGINAL", "user_received_account": "招商银行信用卡0403",
        "success_time": "2026-11-23T16:00:00+08:00", "create_time": "2026-11-23T15:59:00+08:00",
        "status": status, "funds_account": "UNSETTLED",
        "amount": {
            "total": 100, "refund": 30, "payer_total": 90, "payer_refund": 27, "currency": "CNY",
            "settlement_refund": 30, "settlement_total": 100, "discount_refund": 3,
        },
    })
}

/// The refund with another value under a name, or without it.
fn with(mut refund: Value, name: &str, value: impl Into<Option<Value>>) -> Value {
    match value.into() {
        Some(value) => refund[name] = value,
        None => drop(refund.as_object_mut().unwrap().remove(name)),
    }
    refund
}

fn of(refund: &Value) -> Found {
    success(&asked(), refund.to_string().as_bytes())
}

fn error(status: u16, body: &str) -> Found {
    respond(&ours(), &asked(), (status, &Pairs::new(), body.as_bytes()))
}

fn id(text: &str) -> ProviderRefund {
    ProviderRefund::new(text).unwrap()
}

#[test]
fn a_refund_says_where_it_stands() {
    for (status, state) in [
        ("SUCCESS", RefundState::Succeeded),
        ("PROCESSING", RefundState::Pending),
        // It may yet succeed, with the same number.
        ("ABNORMAL", RefundState::Pending),
        ("CLOSED", RefundState::Failed),
    ] {
        let body = a_refund(status).to_string();
        let (found, notification) = one(success(&asked(), body.as_bytes()));
        assert_eq!(found, QueryState::Refund(state), "{status}");
        let refund = RefundReport::One {
            id: id("50000000382019052709732678859"),
            reference: Some(id(REFUND)),
            // What the payer gets may be less.
            amount_minor: 30,
            state,
        };
        let of_payment =
            samples::report(Provider::WeChat, TRANSACTION, Outcome::Refunded, (100, "CNY"));
        let event = format!("query.{}.50000000382019052709732678859", state.as_str());
        let want = Notification {
            sender: Sender::Provider(Provider::WeChat),
            payment: Some(PaymentId::new(PAYMENT).unwrap()),
            queried: true,
            report: Report { refund: Some(refund), ..of_payment },
            ..without_content(Provider::WeChat, Some(&event), body.as_bytes())
        };
        assert_eq!(notification, want, "{status}");
    }
}

#[test]
fn a_refund_that_is_not_there_is_absent() {
    let body = json!({"code": "RESOURCE_NOT_EXISTS", "message": "退款单不存在"}).to_string();
    let (state, found) = one(error(404, &body));
    assert_eq!(state, QueryState::NoRefund);
    let event = format!("query.absent.{REFUND}");
    let want = Notification {
        payment: Some(PaymentId::new(PAYMENT).unwrap()),
        queried: true,
        ..without_content(Provider::WeChat, Some(&event), body.as_bytes())
    };
    assert_eq!(found, want);
    assert_eq!(found.report.outcome, None);
}

/// It would be sent again, and money would go back twice.
#[test]
fn no_other_error_means_that_a_refund_is_absent() {
    let coded = |status, code: &str| error(status, &json!({"code": code}).to_string());
    for (status, code) in [
        (404, "ORDER_NOT_EXIST"),
        (404, "REFUND_NOT_EXISTS"),
        (404, "resource_not_exists"),
        (404, ""),
        (400, "RESOURCE_NOT_EXISTS"),
        (403, "RESOURCE_NOT_EXISTS"),
        (200, "RESOURCE_NOT_EXISTS"),
        (204, "RESOURCE_NOT_EXISTS"),
        (410, "RESOURCE_NOT_EXISTS"),
        (403, "NOT_ENOUGH"),
    ] {
        assert!(is_unusable(&coded(status, code)), "{status} {code}");
    }
    for (status, code) in
        [(429, "RESOURCE_NOT_EXISTS"), (500, "RESOURCE_NOT_EXISTS"), (202, ""), (503, "")]
    {
        let found = coded(status, code);
        assert!(matches!(found, Err(QueryError::Unavailable(_))), "{status} {code} {found:?}");
    }
    for (status, code) in [(400, "PARAM_ERROR"), (401, "SIGN_ERROR"), (403, "NO_AUTH")] {
        let found = coded(status, code);
        assert!(matches!(found, Err(QueryError::Rejected(_))), "{status} {code} {found:?}");
    }
    for body in ["", "<html>", "[]", r#"{"code":["RESOURCE_NOT_EXISTS"]}"#] {
        assert!(is_unusable(&error(404, body)), "{body}");
    }
    // Of a payment it says nothing.
    let body = json!({"code": "RESOURCE_NOT_EXISTS"}).to_string();
    let about_payment = payment(PAYMENT, None);
    let found = respond(&ours(), &about_payment, (404, &Pairs::new(), body.as_bytes()));
    assert!(is_unusable(&found));
}

/// A response that was recorded when another refund was asked for has a valid signature, too.
#[test]
fn a_response_about_something_else_proves_nothing() {
    for status in ["SUCCESS", "PROCESSING", "CLOSED", "ABNORMAL"] {
        for (name, other) in [
            ("out_refund_no", json!("1217752501201407_0123456789abcdee")),
            ("out_refund_no", json!("1217752501201408_0123456789abcdef")),
            ("out_refund_no", json!("")),
            ("out_refund_no", json!([REFUND])),
            ("out_refund_no", Value::Null),
            ("transaction_id", json!("4200000001202611231234567891")),
            ("transaction_id", json!("")),
            ("transaction_id", json!(4_200_000_001_u64)),
            ("transaction_id", Value::Null),
            ("mchid", json!("1900000002")),
            ("mchid", json!(1_900_000_001)),
            ("mchid", Value::Null),
        ] {
            let refund = with(a_refund(status), name, other.clone());
            assert!(is_unusable(&of(&refund)), "{name} {other} {status}");
        }
        for name in ["out_refund_no", "transaction_id"] {
            assert!(is_unusable(&of(&with(a_refund(status), name, None))), "{name} {status}");
        }
    }
    assert!(of(&with(a_refund("SUCCESS"), "mchid", json!("1900000001"))).is_ok());
    // Our payment may have been paid under a reference of somebody else.
    for reference in [json!("shop-7"), json!("42"), Value::Null] {
        let (_, found) = one(of(&with(a_refund("SUCCESS"), "out_trade_no", reference)));
        assert_eq!(found.payment, Some(PaymentId::new(PAYMENT).unwrap()));
    }
    // The response to a query of the payment.
    assert!(is_unusable(&of(&super::super::transaction())));
    let refund = a_refund("SUCCESS").to_string();
    assert!(is_unusable(&success(&payment(PAYMENT, None), refund.as_bytes())));
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    let amount = |amount: Value| json!({"refund": amount, "total": 100, "currency": "CNY"});
    for (name, other) in [
        ("status", json!("success")),
        ("status", json!("REFUND_SUCCESS")),
        ("status", json!("")),
        ("status", json!(1)),
        ("status", Value::Null),
        ("refund_id", json!("")),
        ("refund_id", json!("5 0")),
        ("refund_id", json!(5000)),
        ("refund_id", Value::Null),
        ("amount", Value::Null),
        ("amount", json!([])),
        ("amount", json!(30)),
        ("amount", amount(json!("30"))),
        ("amount", amount(json!(30.5))),
        ("amount", amount(json!(-30))),
        ("amount", amount(Value::Null)),
        ("amount", json!({"refund": 30, "total": 100, "currency": 156})),
        ("amount", json!({"refund": 30, "total": 100, "currency": null})),
    ] {
        let refund = with(a_refund("SUCCESS"), name, other.clone());
        assert!(is_unusable(&of(&refund)), "{name} {other}");
    }
    for name in ["status", "refund_id", "amount"] {
        assert!(is_unusable(&of(&with(a_refund("SUCCESS"), name, None))), "{name}");
    }
    let twice = a_refund("SUCCESS").to_string().replacen('{', r#"{"status":"CLOSED","#, 1);
    for body in ["", "null", "[]", "{", "{}", &twice] {
        assert!(is_unusable(&success(&asked(), body.as_bytes())), "{body}");
    }
}

/// The record decides about them.
#[test]
fn another_amount_or_currency_is_reported_as_it_is() {
    for (amount, refund, total, currency) in [
        (json!({"refund": 31, "total": 99, "currency": "CNY"}), 31, Some(99), "CNY"),
        (json!({"refund": 30}), 30, None, "CNY"),
        (json!({"refund": 30, "total": 100, "currency": "HKD"}), 30, Some(100), "HKD"),
    ] {
        let (_, found) = one(of(&with(a_refund("SUCCESS"), "amount", amount.clone())));
        let Some(RefundReport::One { amount_minor, .. }) = found.report.refund else {
            panic!("{amount}");
        };
        let found = (amount_minor, found.report.amount_minor, found.report.currency);
        assert_eq!(found, (refund, total, Some(currency.to_owned())), "{amount}");
    }
}

#[test]
fn a_refund_counts_only_with_a_signature_that_fits() {
    let body = a_refund("SUCCESS").to_string().into_bytes();
    let (ours, asked, good) = (ours(), asked(), headers(&body, NOW));
    assert!(respond(&ours, &asked, (200, &good, &body)).is_ok());
    assert!(is_unusable(&respond(&ours, &asked, (200, &Pairs::new(), &body))));
    let text = [NOW.to_string().as_bytes(), b"\nnonce\n", &body, b"\n"].concat();
    let other = super::super::with(good.clone(), "Wechatpay-Signature", &Pair::other().sign(&text));
    assert!(is_unusable(&respond(&ours, &asked, (200, &other, &body))));
    let late = queries::respond(&ours, &asked, (200, &good, &body), at(NOW + 300));
    assert!(is_unusable(&late));
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert!(is_unusable(&respond(&ours, &asked, (200, &good, &changed))), "{index}");
    }
    assert!(is_unusable(&respond(&ours, &asked, (404, &good, &body))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn no_response_is_a_panic_and_none_without_a_signature_reports_a_refund(
        status in prop_oneof![Just(200_u16), Just(404), any::<u16>()],
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}".prop_map(String::into_bytes),
            Just(a_refund("SUCCESS").to_string().into_bytes()),
        ],
    ) {
        match respond(&ours(), &asked(), (status, &Pairs::new(), &body)) {
            Ok(found) => prop_assert_eq!(found.state, QueryState::NoRefund),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
