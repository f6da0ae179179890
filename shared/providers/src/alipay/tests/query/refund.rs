//! What responses about one refund prove.

use pay_core::{
    domain::{
        Notification, Outcome, PaymentId, Provider, ProviderRefund, RefundReport, RefundState,
        Report, Sender,
    },
    ports::{Query, QueryError, QueryState},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::Pair,
    PAYMENT, REFUND, TRADE, ours, payment,
    response::{respond, with},
};
use crate::samples::{
    self,
    queries::{self, Found, is_unusable, one},
    without_content,
};

const MEMBER: &str = "alipay_trade_fastpay_refund_query_response";

fn asked() -> Query {
    queries::refund(REFUND, TRADE)
}

fn a_refund() -> Value {
    json!({
        "code": "10000", "msg": "Success", "out_request_no": REFUND,
        "out_trade_no": PAYMENT.to_string(), "refund_amount": "12.33",
        "refund_status": "REFUND_SUCCESS", "total_amount": "88.88", "trade_no": TRADE,
    })
}

/// The response where Alipay has made no refund.
fn nothing() -> Value {
    json!({"code": "10000", "msg": "Success"})
}

/// The response around a value, signed.
fn signed(value: &str) -> String {
    let sign = Pair::one().sign(value.as_bytes());
    format!(r#"{{"{MEMBER}":{value},"sign":"{sign}"}}"#)
}

fn raw(body: &str) -> Found {
    respond(&ours(), &asked(), 200, body.as_bytes())
}

fn of(refund: &Value) -> Found {
    raw(&signed(&refund.to_string()))
}

/// Its amount is that of this refund: how much went back in all is not said.
#[test]
fn a_refund_that_succeeded_says_so() {
    for refund in [
        a_refund(),
        // As older responses are.
        with(a_refund(), "refund_status", None),
        with(a_refund(), "refund_status", json!("")),
        // Our payment may have been paid under a reference of somebody else.
        with(a_refund(), "out_trade_no", json!("shop-7")),
        with(a_refund(), "out_trade_no", None),
    ] {
        let body = signed(&refund.to_string());
        let (state, notification) = one(raw(&body));
        assert_eq!(state, QueryState::Refund(RefundState::Succeeded), "{refund}");
        let id = ProviderRefund::new(REFUND).unwrap();
        let (reference, state) = (Some(id.clone()), RefundState::Succeeded);
        let one = RefundReport::One { id, reference, amount_minor: 1233, state };
        let of_payment = samples::report(Provider::Alipay, TRADE, Outcome::Refunded, (8888, "CNY"));
        let event = format!("query.succeeded.{REFUND}");
        let want = Notification {
            sender: Sender::Provider(Provider::Alipay),
            payment: Some(PaymentId::new(PAYMENT).unwrap()),
            queried: true,
            report: Report { refund: Some(one), ..of_payment },
            ..without_content(Provider::Alipay, Some(&event), body.as_bytes())
        };
        assert_eq!(notification, want, "{refund}");
    }
}

#[test]
fn without_a_status_and_an_amount_there_is_no_refund() {
    let named = json!({"out_request_no": REFUND, "trade_no": TRADE, "code": "10000"});
    for value in [nothing(), named, with(nothing(), "refund_status", json!(""))] {
        let body = signed(&value.to_string());
        let (state, found) = one(raw(&body));
        assert_eq!(state, QueryState::NoRefund, "{value}");
        let event = format!("query.absent.{REFUND}");
        let want = Notification {
            payment: Some(PaymentId::new(PAYMENT).unwrap()),
            queried: true,
            ..without_content(Provider::Alipay, Some(&event), body.as_bytes())
        };
        assert_eq!(found, want, "{value}");
    }
}

/// It would be sent again, or given up.
#[test]
fn no_other_response_means_that_there_is_no_refund() {
    let unsigned = json!({MEMBER: nothing()}).to_string();
    assert!(is_unusable(&raw(&unsigned)));
    assert!(is_unusable(&raw(&json!({"error_response": nothing()}).to_string())));
    for sub_code in [
        // The record's payment is paid by it.
        "ACQ.TRADE_NOT_EXIST",
        "ACQ.INVALID_PARAMETER",
        "ACQ.TRADE_HAS_FINISHED",
        "",
    ] {
        let failed = json!({"code": "40004", "msg": "Business Failed", "sub_code": sub_code});
        assert!(is_unusable(&of(&failed)), "{sub_code}");
    }
    for code in [json!("10003"), json!("10001"), json!(""), json!(10000), Value::Null] {
        for value in [nothing(), a_refund()] {
            assert!(is_unusable(&of(&with(value, "code", code.clone()))), "{code}");
        }
    }
    for (code, sub_code) in [("20000", "isp.unknow-error"), ("40004", "ACQ.SYSTEM_ERROR")] {
        let found = of(&json!({"code": code, "sub_code": sub_code}));
        assert!(matches!(found, Err(QueryError::Unavailable(_))), "{code} {found:?}");
    }
    let rejected = json!({"error_response": {"code": "40002", "sub_code": "isv.invalid-app-id"}});
    assert!(matches!(raw(&rejected.to_string()), Err(QueryError::Rejected(_))));
    for status in [201, 404, 500] {
        let body = signed(&nothing().to_string());
        assert!(respond(&ours(), &asked(), status, body.as_bytes()).is_err(), "{status}");
    }
}

/// Nothing in a response repeats what the request was signed with.
#[test]
fn a_response_about_something_else_proves_nothing() {
    let without = with(with(a_refund(), "refund_status", None), "refund_amount", None);
    for value in [a_refund(), without] {
        for (name, other) in [
            ("out_request_no", json!("1217752501201407_0123456789abcdee")),
            ("out_request_no", json!("1217752501201408_0123456789abcdef")),
            ("out_request_no", json!([REFUND])),
            ("out_request_no", Value::Null),
            ("trade_no", json!("2026112322001468450512505579")),
            ("trade_no", json!(2026)),
            ("trade_no", Value::Null),
        ] {
            assert!(is_unusable(&of(&with(value.clone(), name, other.clone()))), "{name} {other}");
        }
    }
    for name in ["out_request_no", "trade_no"] {
        assert!(is_unusable(&of(&with(a_refund(), name, None))), "{name}");
        assert!(is_unusable(&of(&with(a_refund(), name, json!("")))), "{name}");
    }
    // The responses to other methods, whose values are signed alike.
    let refund = signed(&a_refund().to_string());
    for other in ["alipay_trade_query_response", "alipay_trade_refund_response"] {
        assert!(is_unusable(&raw(&refund.replace(MEMBER, other))), "{other}");
    }
    let found = respond(&ours(), &payment(PAYMENT, None), 200, refund.as_bytes());
    assert!(is_unusable(&found));
    let disguised = refund.replace(MEMBER, "alipay_trade_query_response");
    let found = respond(&ours(), &payment(PAYMENT, None), 200, disguised.as_bytes());
    assert!(is_unusable(&found));
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    for (name, other) in [
        ("refund_status", json!("refund_success")),
        ("refund_status", json!("REFUND_PROCESSING")),
        ("refund_status", json!("REFUND_FAIL")),
        ("refund_status", json!(["REFUND_SUCCESS"])),
        ("refund_status", Value::Null),
        ("refund_amount", json!(12.33)),
        ("refund_amount", json!("12.333")),
        ("refund_amount", json!("-12.33")),
        ("refund_amount", json!("0.00")),
        ("refund_amount", json!("")),
        ("refund_amount", Value::Null),
        ("total_amount", json!(88.88)),
    ] {
        assert!(is_unusable(&of(&with(a_refund(), name, other.clone()))), "{name} {other}");
    }
    assert!(is_unusable(&of(&with(a_refund(), "refund_amount", None))));
    // Older responses, in which an amount alone says it.
    let older = with(a_refund(), "refund_status", None);
    for amount in ["0.00", "x"] {
        assert!(is_unusable(&of(&with(older.clone(), "refund_amount", json!(amount)))), "{amount}");
    }
    for value in ["null", "[]", "\"\"", "{}"] {
        assert!(is_unusable(&raw(&signed(value))), "{value}");
    }
    for body in ["", "null", "[]", "{", "{}", "<html>"] {
        assert!(is_unusable(&raw(body)), "{body}");
    }
    let twice = a_refund().to_string().replacen('{', r#"{"refund_amount":"1.00","#, 1);
    assert!(is_unusable(&raw(&signed(&twice))));
    // The record decides about another amount of the payment, and of the refund.
    let (_, found) = one(of(&with(a_refund(), "total_amount", json!("88.87"))));
    assert_eq!(found.report.amount_minor, Some(8887));
    let (_, found) = one(of(&with(a_refund(), "total_amount", None)));
    assert_eq!(found.report.amount_minor, None);
}

#[test]
fn a_refund_counts_only_with_a_signature_that_fits() {
    let value = a_refund().to_string();
    assert!(is_unusable(&raw(&format!(r#"{{"{MEMBER}":{value}}}"#))));
    for sign in ["", "AAAA", &Pair::other().sign(value.as_bytes())] {
        let body = format!(r#"{{"{MEMBER}":{value},"sign":"{sign}"}}"#);
        assert!(is_unusable(&raw(&body)), "{sign}");
    }
    let body = signed(&value).into_bytes();
    let (ours, asked) = (ours(), asked());
    assert!(respond(&ours, &asked, 200, &body).is_ok());
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        let found = respond(&ours, &asked, 200, &changed);
        assert!(found.is_err(), "{index} {found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn no_response_is_a_panic_and_none_without_a_signature_reports_a_refund(
        status in prop_oneof![4 => Just(200_u16), 1 => any::<u16>()],
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}".prop_map(String::into_bytes),
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}".prop_map(|value| signed(&value).into_bytes()),
            Just(json!({MEMBER: a_refund()}).to_string().into_bytes()),
        ],
    ) {
        let found = respond(&ours(), &asked(), status, &body);
        prop_assert!(found.is_err(), "{:?}", found);
    }
}
