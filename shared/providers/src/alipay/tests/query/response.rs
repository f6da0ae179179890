//! What responses prove.

use pay_core::{
    domain::{Notification, Outcome, PaymentId, Provider, ProviderRef, Report, Sender},
    ports::{ProviderState, Query, QueryError, QueryState},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{super::querier::AlipayQuerier, Pair, now},
    PAYMENT, TRADE, entry, ours, payment, querier,
};
use crate::samples::{
    self,
    queries::{self, Found, Pairs, is_unusable},
    without_content,
};

pub(super) fn respond(querier: &AlipayQuerier, query: &Query, status: u16, body: &[u8]) -> Found {
    queries::respond(querier, query, (status, &Pairs::new(), body), now())
}

/// The response around a value, signed by this key.
fn signed_by(pair: &Pair, value: &str) -> String {
    let sign = pair.sign(value.as_bytes());
    format!(r#"{{"alipay_trade_query_response":{value},"sign":"{sign}"}}"#)
}

pub(super) fn signed(value: &str) -> String {
    signed_by(Pair::one(), value)
}

fn raw(body: &str) -> Found {
    respond(&ours(), &payment(PAYMENT, None), 200, body.as_bytes())
}

fn of(trade: &Value) -> Found {
    raw(&signed(&trade.to_string()))
}

fn one(found: Found) -> (ProviderState, Notification) {
    match queries::one(found) {
        (QueryState::Payment(state), notification) => (state, notification),
        other => panic!("{other:?}"),
    }
}

pub(super) fn trade() -> Value {
    json!({
        "code": "10000", "msg": "Success",
        "buyer_logon_id": "159****4027", "buyer_pay_amount": "80.00", "buyer_user_id": "2088012351746164",
        "fund_bill_list": [{"amount": "80.00", "fund_channel": "PCREDIT"}],
        "invoice_amount": "80.00", "out_trade_no": "1217752501201407", "point_amount": "0.00",
        "receipt_amount": "80.00", "send_pay_date": "2026-11-23 15:56:22",
        "total_amount": "88.88", "trade_no": TRADE, "trade_status": "TRADE_SUCCESS",
    })
}

/// The trade with another value under a name, or without it.
pub(super) fn with(mut trade: Value, name: &str, value: impl Into<Option<Value>>) -> Value {
    match value.into() {
        Some(value) => trade[name] = value,
        None => drop(trade.as_object_mut().unwrap().remove(name)),
    }
    trade
}

pub(super) fn failed(code: &str, sub_code: &str) -> Value {
    json!({
        "code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "交易不存在",
        "buyer_pay_amount": "0.00", "invoice_amount": "0.00", "out_trade_no": "1217752501201407",
        "point_amount": "0.00", "receipt_amount": "0.00",
    })
}

#[test]
fn a_trade_that_succeeded_is_paid() {
    for (state, txn) in
        [("TRADE_SUCCESS", None), ("TRADE_SUCCESS", Some(TRADE)), ("TRADE_FINISHED", None)]
    {
        let body = signed(&with(trade(), "trade_status", json!(state)).to_string());
        let (found, notification) =
            one(respond(&ours(), &payment(PAYMENT, txn), 200, body.as_bytes()));
        assert_eq!(found, ProviderState::Paid, "{state}");
        let id = format!("query.paid.{TRADE}");
        let want = Notification {
            sender: Sender::Provider(Provider::Alipay),
            payment: Some(PaymentId::new(PAYMENT).unwrap()),
            queried: true,
            report: samples::report(Provider::Alipay, TRADE, Outcome::Paid, (8888, "CNY")),
            ..without_content(Provider::Alipay, Some(&id), body.as_bytes())
        };
        assert_eq!(notification, want, "{state}");
    }
}

#[test]
fn a_trade_that_is_not_paid_says_how_it_stands() {
    use ProviderState::{Closed, Open, Processing, Refunded};
    for (trade, state, outcome) in [
        (with(trade(), "trade_status", json!("WAIT_BUYER_PAY")), Open, None),
        (
            with(with(trade(), "trade_status", json!("TRADE_CLOSED")), "send_pay_date", None),
            Closed,
            Some(Outcome::Closed),
        ),
        (
            with(with(trade(), "trade_status", json!("TRADE_CLOSED")), "send_pay_date", json!("")),
            Closed,
            Some(Outcome::Closed),
        ),
        // What was paid is closed by a full refund only.
        (with(trade(), "trade_status", json!("TRADE_CLOSED")), Refunded, Some(Outcome::Refunded)),
        (with(trade(), "code", json!("10003")), Processing, None),
    ] {
        let (found, notification) = one(of(&trade));
        let Report { outcome: reported, refund, amount_minor, .. } = notification.report;
        assert_eq!((found, reported, refund, amount_minor), (state, outcome, None, Some(8888)));
        let id = format!("query.{}.{TRADE}", state.as_str());
        assert_eq!(notification.event_id.as_str(), id);
        assert!(notification.queried && notification.review.is_none(), "{trade}");
    }
}

#[test]
fn a_trade_that_is_not_there_is_absent() {
    let absent = failed("40004", "ACQ.TRADE_NOT_EXIST");
    for value in [absent.clone(), with(absent.clone(), "out_trade_no", None)] {
        let body = signed(&value.to_string());
        let (state, found) = one(raw(&body));
        assert_eq!(state, ProviderState::Absent);
        let want = Notification {
            payment: Some(PaymentId::new(PAYMENT).unwrap()),
            queried: true,
            ..without_content(Provider::Alipay, Some("query.absent"), body.as_bytes())
        };
        let reference = ProviderRef { source: Provider::Alipay.source(), txn: None };
        let report = Report { reference, currency: Some("CNY".to_owned()), ..Report::NONE };
        assert_eq!(found, Notification { report, ..want });
    }
    // Unsigned, or about another payment, it proves nothing.
    let unsigned = json!({"alipay_trade_query_response": absent.clone()}).to_string();
    assert!(is_unusable(&raw(&unsigned)));
    assert!(is_unusable(&raw(&json!({"error_response": absent.clone()}).to_string())));
    assert!(is_unusable(&of(&with(absent, "out_trade_no", json!("7")))));
}

/// Nothing in a response repeats what the request was signed with.
#[test]
fn a_response_about_something_else_proves_nothing() {
    for status in ["TRADE_SUCCESS", "WAIT_BUYER_PAY", "TRADE_CLOSED"] {
        let trade = with(trade(), "trade_status", json!(status));
        for other in [
            json!("1217752501201408"),
            json!("01217752501201407"),
            json!(PAYMENT),
            json!(""),
            Value::Null,
        ] {
            let found = of(&with(trade.clone(), "out_trade_no", other.clone()));
            assert!(is_unusable(&found), "{status} {other}");
        }
        assert!(is_unusable(&of(&with(trade.clone(), "out_trade_no", None))), "{status}");
        let body = signed(&trade.to_string());
        let other = payment(PAYMENT, Some("2026112322001468450512505579"));
        assert!(is_unusable(&respond(&ours(), &other, 200, body.as_bytes())), "{status}");
        let body = signed(&with(trade, "trade_no", None).to_string());
        let known = payment(PAYMENT, Some(TRADE));
        assert!(is_unusable(&respond(&ours(), &known, 200, body.as_bytes())), "{status}");
    }
    // The response to another method, whose value is signed alike.
    let other = signed(&trade().to_string());
    assert!(is_unusable(&raw(&other.replace("trade_query", "trade_refund"))));
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    for (name, other) in [
        ("code", json!(10000)),
        ("code", json!("10001")),
        ("code", json!("40004")),
        ("code", Value::Null),
        ("sub_code", Value::Null),
        ("trade_status", json!("trade_success")),
        ("trade_status", json!("TRADE_PENDING")),
        ("trade_status", json!(["TRADE_SUCCESS"])),
        ("trade_status", json!("")),
        ("trade_no", json!("")),
        ("trade_no", json!("2026 1")),
        ("trade_no", json!(2026)),
        ("total_amount", json!(88.88)),
    ] {
        assert!(is_unusable(&of(&with(trade(), name, other.clone()))), "{name} {other}");
    }
    for name in ["code", "trade_status", "trade_no"] {
        assert!(is_unusable(&of(&with(trade(), name, None))), "{name}");
    }
    let closed = with(trade(), "trade_status", json!("TRADE_CLOSED"));
    assert!(is_unusable(&of(&with(closed.clone(), "send_pay_date", Value::Null))));
    assert!(is_unusable(&of(&with(closed, "trade_no", None))));
    for value in ["null", "[]", "\"\"", "{}"] {
        assert!(is_unusable(&raw(&signed(value))), "{value}");
    }
    for body in ["", "null", "[]", "{", "{}", r#"{"sign":"AAAA"}"#, "<html>"] {
        assert!(is_unusable(&raw(body)), "{body}");
    }
    // Two readers would read two trades.
    let twice = trade().to_string().replacen('{', r#"{"trade_status":"WAIT_BUYER_PAY","#, 1);
    assert!(is_unusable(&raw(&signed(&twice))));
    let first = signed(&trade().to_string());
    let twice = first.replacen('{', r#"{"alipay_trade_query_response":{"code":"10000"},"#, 1);
    assert!(is_unusable(&raw(&twice)));
}

/// The record decides about another amount: the money is there.
#[test]
fn another_amount_is_reported_as_it_is() {
    for (amount, minor) in
        [(json!("88.87"), Some(8887)), (json!("88.8"), Some(8880)), (json!("88.888"), None)]
    {
        let (state, found) = one(of(&with(trade(), "total_amount", amount.clone())));
        let amounts = (found.report.amount_minor, minor);
        assert_eq!((state, amounts.0), (ProviderState::Paid, amounts.1), "{amount}");
    }
    let (_, found) = one(of(&with(trade(), "total_amount", None)));
    assert_eq!(found.report.amount_minor, None);
}

/// Parsed and written anew, the bytes would be others than were signed.
#[test]
fn the_exact_bytes_are_what_is_signed() {
    let plain = trade().to_string();
    for value in [
        // Escapes that a writer need not make, a lone surrogate in a text that nobody reads, and
        // space between members.
        plain.replacen('{', r#"{"store_name":"a\/b\u4ea4\u0041 \"{}\" \\","#, 1),
        plain.replacen('{', r#"{"store_name":"\ud83d","#, 1),
        plain.replacen('{', "{ \"store_name\" :\t\"语雀\" ,\r\n ", 1),
    ] {
        assert_ne!(value, plain);
        let body = signed(&value);
        assert_eq!(one(raw(&body)).0, ProviderState::Paid, "{value}");
        // The members may come in the other order, and with others.
        let sign = Pair::one().sign(value.as_bytes());
        let other = format!(
            r#" {{ "sign" : "{sign}" , "alipay_cert_sn":"x", "alipay_trade_query_response" : {value} }} "#
        );
        assert_eq!(one(raw(&other)).0, ProviderState::Paid, "{value}");
    }
    let escaped = plain.replacen('{', r#"{"store_name":"a\/b","#, 1);
    let body = signed(&escaped);
    assert!(is_unusable(&raw(&body.replace(r"\/", "/"))));
    assert!(is_unusable(&raw(&body.replace(r"a\/b", r"a\u002fb"))));
    assert!(is_unusable(&raw(&body.replace("{\"store_name\"", "{ \"store_name\""))));
}

#[test]
fn one_changed_byte_proves_nothing() {
    let body = signed(&trade().to_string()).into_bytes();
    let (ours, query) = (ours(), payment(PAYMENT, None));
    assert!(respond(&ours, &query, 200, &body).is_ok());
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        let found = respond(&ours, &query, 200, &changed);
        // What is left may be an error that changes nothing.
        assert!(found.is_err(), "{index} {found:?}");
    }
}

#[test]
fn a_response_counts_only_with_a_signature_that_fits() {
    let value = trade().to_string();
    assert!(is_unusable(&raw(&format!(r#"{{"alipay_trade_query_response":{value}}}"#))));
    for sign in ["", "%", "AAAA", &Pair::other().sign(value.as_bytes())] {
        let body = format!(r#"{{"alipay_trade_query_response":{value},"sign":"{sign}"}}"#);
        assert!(is_unusable(&raw(&body)), "{sign}");
    }
    let sign = Pair::one().sign(value.as_bytes());
    let error = format!(r#"{{"error_response":{value},"sign":"{sign}"}}"#);
    assert!(is_unusable(&raw(&error)));
}

#[test]
fn both_keys_count_while_one_is_changed() {
    let mut entry = entry();
    entry["public_keys"] = json!([Pair::other().public_pem(), Pair::one().public_pem()]);
    let both = querier(&entry).unwrap();
    let value = trade().to_string();
    for pair in [Pair::one(), Pair::other()] {
        let body = signed_by(pair, &value);
        assert!(respond(&both, &payment(PAYMENT, None), 200, body.as_bytes()).is_ok());
    }
    // Once it is gone, what it signed counts no more.
    assert!(is_unusable(&raw(&signed_by(Pair::other(), &value))));
}

/// These change nothing, so the gateway need not sign them.
#[test]
fn an_error_is_our_configuration_an_outage_or_nothing() {
    let unsigned = |name: &str, code: &str, sub_code: &str| {
        raw(&json!({name: {"code": code, "msg": "x", "sub_code": sub_code}}).to_string())
    };
    for name in ["error_response", "alipay_trade_query_response"] {
        for (code, sub_code) in [
            ("40001", "isv.missing-signature"),
            ("40002", "isv.invalid-signature"),
            ("40002", "isv.invalid-app-id"),
            ("40003", "isv.insufficient-isv-permissions"),
            ("40006", "isv.insufficient-isv-permissions"),
            ("20001", "aop.invalid-auth-token"),
        ] {
            let found = unsigned(name, code, sub_code);
            assert!(matches!(found, Err(QueryError::Rejected(_))), "{name} {code} {found:?}");
        }
        for (code, sub_code) in [
            ("20000", "isp.unknow-error"),
            ("20000", "aop.ACQ.SYSTEM_ERROR"),
            ("40005", "isv.app-call-limited"),
            ("40004", "ACQ.SYSTEM_ERROR"),
        ] {
            let found = unsigned(name, code, sub_code);
            assert!(matches!(found, Err(QueryError::Unavailable(_))), "{name} {code} {found:?}");
        }
        for (code, sub_code) in [
            ("10000", ""),
            ("10003", ""),
            ("40004", "ACQ.TRADE_NOT_EXIST"),
            ("40004", "ACQ.TRADE_HAS_CLOSE"),
            ("", ""),
        ] {
            assert!(is_unusable(&unsigned(name, code, sub_code)), "{name} {code} {sub_code}");
        }
    }
    let signed = |code, sub_code| of(&failed(code, sub_code));
    assert!(matches!(signed("40002", "isv.x"), Err(QueryError::Rejected(_))));
    assert!(matches!(signed("40004", "ACQ.SYSTEM_ERROR"), Err(QueryError::Unavailable(_))));
    assert!(is_unusable(&signed("40004", "ACQ.TRADE_HAS_CLOSE")));
    assert!(is_unusable(&signed("10000", "")));
}

#[test]
fn another_status_than_200_is_an_outage_or_nothing() {
    let body = signed(&trade().to_string());
    for (status, is_outage) in [
        (429, true),
        (500, true),
        (502, true),
        (599, true),
        (100, false),
        (201, false),
        (302, false),
        (404, false),
        (600, false),
    ] {
        let found = respond(&ours(), &payment(PAYMENT, None), status, body.as_bytes());
        assert_eq!(matches!(found, Err(QueryError::Unavailable(_))), is_outage, "{status}");
        assert_eq!(is_unusable(&found), !is_outage, "{status}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn no_response_is_a_panic_and_none_without_a_trade_reports_one(
        status in prop_oneof![4 => Just(200_u16), 1 => any::<u16>()],
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}".prop_map(String::into_bytes),
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}".prop_map(|value| signed(&value).into_bytes()),
        ],
    ) {
        let found = respond(&ours(), &payment(7, None), status, &body);
        prop_assert!(found.is_err(), "{:?}", found);
        prop_assert!(!found.unwrap_err().to_string().is_empty());
    }
}
