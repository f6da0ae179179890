//! Refunds that we order: the request byte for byte, and what each response proves.

use pay_core::{
    domain::{Outcome, Provider, ProviderRefund, RefundReport, RefundState, Report, WebUrl},
    ports::{QueryError, QueryResponse, QueryState, RefundOrder},
};
use serde_json::{Value, json};

use super::{
    super::{NOW, Pair, SERIAL, at, headers, with},
    OUR_SERIAL, PAYMENT, REFUND, TRANSACTION, ours,
};
use crate::{
    Querier as _,
    query::RawRequest,
    samples::{
        self,
        orders::{Made, Ordered, REASON, is_unusable, respond, unknown},
        queries::{NONCE, Pairs},
        signature_of,
    },
};

const PROVIDER: Provider = Provider::WeChat;

fn ordered() -> Ordered {
    Ordered::new(PROVIDER, (REFUND, TRANSACTION), 30, (100, "CNY"))
}

fn made(response: (u16, &Pairs, &[u8])) -> Made {
    respond(&ours(), &ordered(), response, at(NOW))
}

/// A signed response.
fn of(refund: &Value) -> Made {
    let body = refund.to_string().into_bytes();
    made((200, &headers(&body, NOW), &body))
}

/// An error without a signature.
fn error(status: u16, code: &str) -> Made {
    made((status, &Pairs::new(), json!({"code": code, "message": "…"}).to_string().as_bytes()))
}

fn a_refund(status: &str) -> Value {
    json!({
        "refund_id": "50000000382019052709732678859", "out_refund_no": REFUND,
        "transaction_id": TRANSACTION, "out_trade_no": PAYMENT.to_string(), "status": status,
        "create_time": "2026-11-23T15:59:00+08:00",
        "amount": {"total": 100, "refund": 30, "payer_refund": 27, "currency": "CNY"},
    })
}

fn changed(mut refund: Value, name: &str, value: impl Into<Option<Value>>) -> Value {
    match value.into() {
        Some(value) => refund[name] = value,
        None => drop(refund.as_object_mut().unwrap().remove(name)),
    }
    refund
}

#[test]
fn an_order_is_signed_byte_for_byte_with_its_body() {
    let named = format!(r#""out_refund_no":"{REFUND}""#);
    let (amount, txn) = (
        r#""amount":{"currency":"CNY","refund":30,"total":100}"#,
        format!(r#""transaction_id":"{TRANSACTION}""#),
    );
    let reason = r#""reason":"退款 \"a\" & b=1/2""#;
    for (ordered, body, case) in [
        (ordered(), format!("{{{amount},{named},{txn}}}"), "wechat-make-refund"),
        (
            ordered().because(REASON),
            format!("{{{amount},{named},{reason},{txn}}}"),
            "wechat-make-refund-with-reason",
        ),
    ] {
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000001\",nonce_str=\"{NONCE}\",\
             timestamp=\"1700000000\",serial_no=\"{OUR_SERIAL}\",signature=\"{}\"",
            signature_of(case)
        );
        let want = RawRequest {
            method: "POST",
            target: "/v3/refund/domestic/refunds".to_owned(),
            headers: vec![
                ("authorization", authorization),
                ("accept", "application/json".to_owned()),
                ("user-agent", "pay/0.1.0".to_owned()),
                ("wechatpay-serial", SERIAL.to_owned()),
                ("content-type", "application/json".to_owned()),
            ],
            body: body.into_bytes(),
        };
        let found = ours().refund_request(&ordered.order(), NONCE, at(NOW)).unwrap();
        assert_eq!(String::from_utf8_lossy(&found.body), String::from_utf8_lossy(&want.body));
        assert_eq!(found.headers, want.headers, "{case}");
        assert!(found == want, "{case}: {}", found.target);
    }
}

/// Without it, an older kind of message comes, or none.
#[test]
fn an_order_says_where_to_report_what_becomes_of_it() {
    let (ordered, url) = (ordered(), WebUrl::new("https://pay.example/api/pay/callback/wechat"));
    let notify_url = url.as_ref().ok();
    let order = RefundOrder { notify_url, ..ordered.order() };
    let found = ours().refund_request(&order, NONCE, at(NOW)).unwrap();
    let body: Value = serde_json::from_slice(&found.body).unwrap();
    assert_eq!(body["notify_url"], "https://pay.example/api/pay/callback/wechat");
    assert_eq!(body.as_object().unwrap().len(), 4);
}

#[test]
fn a_refund_that_wechat_pay_cannot_make_is_not_ordered() {
    let of_txn = |txn| Ordered::new(PROVIDER, (REFUND, txn), 30, (100, "CNY"));
    let yen = Ordered::new(PROVIDER, (REFUND, TRANSACTION), 30, (100, "JPY"));
    for ordered in [of_txn("pi_1"), of_txn("1/../2"), of_txn("1?x=1"), yen] {
        ordered.assert_rejected_before();
        let found = ours().refund_request(&ordered.order(), NONCE, at(NOW)).err();
        assert!(matches!(found, Some(QueryError::Unusable(_))), "{found:?}");
    }
    ordered().assert_may_be_ordered();
}

#[test]
fn a_refund_that_was_made_says_where_it_stands() {
    for (status, state) in [
        ("SUCCESS", RefundState::Succeeded),
        ("PROCESSING", RefundState::Pending),
        ("ABNORMAL", RefundState::Pending),
        ("CLOSED", RefundState::Failed),
    ] {
        let refund = a_refund(status);
        let id = ProviderRefund::new("50000000382019052709732678859").unwrap();
        let reference = Some(ProviderRefund::new(REFUND).unwrap());
        let one = RefundReport::One { id, reference, amount_minor: 30, state };
        let report = samples::report(PROVIDER, TRANSACTION, Outcome::Refunded, (100, "CNY"));
        let report = Report { refund: Some(one), ..report };
        let event = format!("query.{}.50000000382019052709732678859", state.as_str());
        let body = refund.to_string();
        let notification = ordered().notification(PROVIDER, &event, report, body.as_bytes());
        let want = QueryResponse {
            state: QueryState::Refund(state),
            notifications: vec![notification],
            next: None,
        };
        assert_eq!(of(&refund).unwrap(), want, "{status}");
    }
}

#[test]
fn a_response_about_something_else_or_that_cannot_be_read_proves_nothing() {
    for (name, other) in [
        ("out_refund_no", json!("1217752501201407_0123456789abcdee")),
        ("out_refund_no", Value::Null),
        ("transaction_id", json!("4200000001202611231234567891")),
        ("transaction_id", Value::Null),
        ("status", json!("success")),
        ("status", Value::Null),
        ("refund_id", json!("5 0")),
        ("refund_id", Value::Null),
        ("amount", json!({"refund": "30", "currency": "CNY"})),
        ("amount", Value::Null),
    ] {
        assert!(
            is_unusable(&of(&changed(a_refund("SUCCESS"), name, other.clone()))),
            "{name} {other}"
        );
        assert!(is_unusable(&of(&changed(a_refund("SUCCESS"), name, None))), "{name}");
    }
    let other = changed(a_refund("SUCCESS"), "mchid", json!("1900000002"));
    assert!(is_unusable(&of(&other)));
    // The response to a query of the payment.
    assert!(is_unusable(&of(&super::super::transaction())));
    for body in ["", "null", "[]", "{", "{}", "<html>"] {
        let body = body.as_bytes();
        assert!(is_unusable(&made((200, &headers(body, NOW), body))), "{body:?}");
    }
}

#[test]
fn a_refund_counts_only_with_a_signature_that_fits() {
    let body = a_refund("SUCCESS").to_string().into_bytes();
    let good = headers(&body, NOW);
    assert!(made((200, &good, &body)).is_ok());
    let text = [NOW.to_string().as_bytes(), b"\nnonce\n", &body, b"\n"].concat();
    let other = with(good.clone(), "Wechatpay-Signature", &Pair::other().sign(&text));
    for headers in [Pairs::new(), other] {
        assert!(is_unusable(&made((200, &headers, &body))));
    }
    let late = respond(&ours(), &ordered(), (200, &good, &body), at(NOW + 300));
    assert!(is_unusable(&late));
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert!(is_unusable(&made((200, &good, &changed))), "{index}");
    }
    // Only 200 has a refund.
    for status in [201, 204, 206, 400, 404] {
        assert!(is_unusable(&made((status, &good, &body))), "{status}");
    }
}

#[test]
fn only_a_listed_code_refuses() {
    for code in
        ["REFUND_FEE_MISMATCH", "RESOURCE_NOT_EXISTS", "TRADE_OVERDUE", "USER_ACCOUNT_ABNORMAL"]
    {
        let body = json!({"code": code, "message": "…"}).to_string();
        for status in [400, 403, 404] {
            ordered().assert_refused(PROVIDER, code, body.as_bytes(), error(status, code));
        }
        for status in [200, 202, 302, 401, 409, 410, 429, 500, 502] {
            assert!(unknown(&error(status, code)).is_some(), "{status} {code}");
        }
    }
    // The same request succeeds once somebody has paid in.
    assert_eq!(unknown(&error(403, "NOT_ENOUGH")), Some("unusable"));
    let Err(cause) = error(403, "NOT_ENOUGH") else { panic!() };
    let cause = std::error::Error::source(&cause).unwrap().to_string();
    assert!(cause.contains("NOT_ENOUGH"), "{cause}");
    for (status, code) in [
        (403, "RULE_LIMIT"),
        (403, "TRADE_ERROR"),
        (400, "INVALID_REQUEST"),
        (404, "ORDER_NOT_EXIST"),
        (403, "refund_fee_mismatch"),
        (403, ""),
    ] {
        assert!(is_unusable(&error(status, code)), "{status} {code}");
    }
    for body in ["", "<html>", "[]", r#"{"code":["TRADE_OVERDUE"]}"#, r#""TRADE_OVERDUE""#] {
        assert!(is_unusable(&made((403, &Pairs::new(), body.as_bytes()))), "{body}");
    }
}

#[test]
fn any_other_response_leaves_the_outcome_unknown() {
    for (status, code, kind) in [
        // Accepted, perhaps.
        (202, "", "unavailable"),
        (429, "FREQUENCY_LIMITED", "unavailable"),
        (500, "SYSTEM_ERROR", "unavailable"),
        (503, "", "unavailable"),
        (400, "PARAM_ERROR", "rejected"),
        (400, "MCH_NOT_EXISTS", "rejected"),
        (401, "SIGN_ERROR", "rejected"),
        (403, "NO_AUTH", "rejected"),
    ] {
        assert_eq!(unknown(&error(status, code)), Some(kind), "{status} {code}");
    }
}
