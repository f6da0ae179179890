//! Refunds that we order: the request byte for byte, and what each response proves.

use pay_core::{
    domain::{Outcome, Provider, ProviderRefund, RefundReport, RefundState},
    ports::{QueryResponse, QueryState, RefundCallError},
};

use super::{
    queries::{from, querier},
    *,
};
use crate::{
    Querier,
    samples::{
        orders::{Made, Ordered, REASON, is_unusable, respond, unknown},
        queries::Pairs,
    },
};

/// Our reference of the refund that is ordered.
const OURS: &str = "42_0123456789abcdef";

fn ordered(txn: &str, amount: u64, paid: (u64, &str)) -> Ordered {
    Ordered::new(Provider::Stripe, (OURS, txn), amount, paid)
}

fn ours() -> Ordered {
    ordered("pi_1", 30, (90, "EUR"))
}

fn made(status: u16, body: &str) -> Made {
    respond(&querier(), &ours(), (status, &Pairs::new(), body.as_bytes()), at(NOW))
}

fn of(refund: &Value) -> Made {
    made(200, &refund.to_string())
}

fn a_refund(status: &str) -> Value {
    json!({"id": "re_1", "object": "refund", "amount": 30, "charge": "ch_1", "currency": "eur",
           "metadata": {"payment_id": "42", "refund_id": OURS}, "payment_intent": "pi_1",
           "status": status})
}

fn with(object: &Value, name: &str, value: impl Into<Option<Value>>) -> Value {
    let mut object = object.clone();
    match value.into() {
        Some(value) => object[name] = value,
        None => drop(object.as_object_mut().unwrap().remove(name).unwrap()),
    }
    object
}

#[test]
fn an_order_is_one_request_and_always_the_same() {
    let named = format!("&metadata%5Bpayment_id%5D=42&metadata%5Brefund_id%5D={OURS}");
    let reason = "&metadata%5Breason%5D=%E9%80%80%E6%AC%BE%20%22a%22%20%26%20b%3D1%2F2";
    for (ordered, amount, rest) in [
        (ours(), "pi_1&amount=30", ""),
        (ours().because(REASON), "pi_1&amount=30", reason),
        (ordered("pi_1aB", 90, (90, "JPY")), "pi_1aB&amount=90", ""),
        // In Stripe's unit, not in that of ISO 4217.
        (ordered("pi_1", 30, (90, "ISK")), "pi_1&amount=3000", ""),
        (ordered("pi_1", 300, (900, "MGA")), "pi_1&amount=3", ""),
    ] {
        ordered.assert_may_be_ordered();
        let request = querier().refund_request(&ordered.order(), "nonce", at(NOW)).unwrap();
        assert_eq!((request.method, request.target.as_str()), ("POST", "/v1/refunds"));
        let body = format!("payment_intent={amount}{named}{rest}");
        assert_eq!(String::from_utf8_lossy(&request.body), body);
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let want = [
            ("authorization", "Bearer rk_test_51canary"),
            ("stripe-version", "2026-08-26.dahlia"),
            ("accept", "application/json"),
            ("user-agent", concat!("pay/", env!("CARGO_PKG_VERSION"))),
            ("content-type", "application/x-www-form-urlencoded"),
            ("idempotency-key", OURS),
        ];
        assert_eq!(headers, want);
        let again = querier().refund_request(&ordered.order(), "other", at(NOW + 90_000));
        assert!(again.unwrap() == request, "a key with other parameters is rejected");
    }
    let connected = from(&json!({"api_key": "rk_test_1", "account": "acct_1"})).unwrap();
    let request = connected.refund_request(&ours().order(), "nonce", at(NOW)).unwrap();
    assert!(request.headers.contains(&("stripe-account", "acct_1".to_owned())));
}

#[test]
fn a_refund_that_stripe_cannot_make_is_not_ordered() {
    for ordered in [
        ordered("ch_1", 30, (90, "EUR")),
        ordered("order:7", 30, (90, "EUR")),
        ordered("pi_1/../x", 30, (90, "EUR")),
        ordered("pi_1&amount=1", 30, (90, "EUR")),
        // No whole number of its unit, or of its steps.
        ordered("pi_1", 350, (900, "MGA")),
        ordered("pi_1", 351, (900, "KWD")),
    ] {
        ordered.assert_rejected_before();
        let found = querier().refund_request(&ordered.order(), "nonce", at(NOW)).err();
        assert!(matches!(found, Some(QueryError::Unusable(_))), "{found:?}");
    }
}

#[test]
fn a_refund_that_was_made_says_where_it_stands() {
    for (status, state) in [
        ("succeeded", RefundState::Succeeded),
        ("pending", RefundState::Pending),
        ("requires_action", RefundState::Pending),
        ("failed", RefundState::Failed),
        ("canceled", RefundState::Failed),
    ] {
        let body = a_refund(status).to_string();
        let id = ProviderRefund::new("re_1").unwrap();
        let reference = Some(ProviderRefund::new(OURS).unwrap());
        let one = RefundReport::One { id, reference, amount_minor: 30, state };
        let report = samples::report(Provider::Stripe, "pi_1", Outcome::Refunded, (30, "EUR"));
        let report = Report { refund: Some(one), amount_minor: None, ..report };
        let event = format!("query.{}.re_1", state.as_str());
        let notification = ours().notification(Provider::Stripe, &event, report, body.as_bytes());
        let want = QueryResponse {
            state: QueryState::Refund(state),
            notifications: vec![notification],
            next: None,
        };
        assert_eq!(made(200, &body).unwrap(), want, "{status}");
    }
    // The record decides about another amount.
    let found = of(&with(&a_refund("succeeded"), "amount", json!(31))).unwrap();
    let Some(RefundReport::One { amount_minor, .. }) = found.notifications[0].report.refund else {
        panic!("{found:?}");
    };
    assert_eq!(amount_minor, 31);
}

#[test]
fn a_response_about_something_else_or_that_cannot_be_read_proves_nothing() {
    for (name, other) in [
        ("object", json!("charge")),
        ("object", Value::Null),
        ("payment_intent", json!("pi_2")),
        ("payment_intent", Value::Null),
        ("metadata", json!({"payment_id": "42", "refund_id": "42_0123456789abcdee"})),
        ("metadata", json!({"payment_id": "42", "refund_id": 5})),
        ("metadata", json!({"payment_id": "42"})),
        ("metadata", json!("x")),
        ("metadata", Value::Null),
        ("status", json!("returned")),
        ("status", Value::Null),
        ("id", json!("re 1")),
        ("id", Value::Null),
        ("amount", json!("30")),
        ("amount", Value::Null),
        ("currency", Value::Null),
    ] {
        assert!(
            is_unusable(&of(&with(&a_refund("succeeded"), name, other.clone()))),
            "{name} {other}"
        );
        assert!(is_unusable(&of(&with(&a_refund("succeeded"), name, None))), "{name}");
    }
    for body in ["", "[]", "null", "{", "{}", "<html>"] {
        assert!(is_unusable(&made(200, body)), "{body}");
    }
}

fn error(kind: &str, code: impl Into<Option<&'static str>>, param: Option<&str>) -> String {
    let mut error = json!({"type": kind, "message": "…", "param": param});
    if let Some(code) = code.into() {
        error["code"] = json!(code);
    }
    json!({"error": error}).to_string()
}

#[test]
fn only_a_listed_code_refuses() {
    let kind = "invalid_request_error";
    for code in [
        "amount_too_large",
        "balance_insufficient",
        "charge_already_refunded",
        "charge_disputed",
        "refund_disputed_payment",
    ] {
        for status in [400, 402] {
            let body = error(kind, code, None);
            ours().assert_refused(Provider::Stripe, code, body.as_bytes(), made(status, &body));
        }
        for status in [200, 201, 302, 404, 409, 429, 500] {
            assert!(unknown(&made(status, &error(kind, code, None))).is_some(), "{status} {code}");
        }
    }
    // More than is left, as some versions of the API say it.
    let body = error(kind, None, Some("amount"));
    ours().assert_refused(Provider::Stripe, kind, body.as_bytes(), made(400, &body));
    for body in [
        error(kind, None, None),
        error(kind, None, Some("payment_intent")),
        error("idempotency_error", None, Some("amount")),
        error("idempotency_error", None, None),
        error("api_error", None, Some("amount")),
        // A code that is not listed says something else about the amount.
        error(kind, "amount_too_small", Some("amount")),
        error(kind, "resource_missing", Some("amount")),
        error(kind, "Charge_disputed", None),
        error(kind, "", Some("amount")),
        json!({"error": {"type": kind, "code": null, "param": "amount"}}).to_string(),
        json!({"error": {"type": kind, "code": ["charge_disputed"]}}).to_string(),
        json!({"error": "charge_disputed"}).to_string(),
        json!({"code": "charge_disputed"}).to_string(),
        String::new(),
        "charge_disputed".to_owned(),
    ] {
        for status in [400, 402] {
            assert!(is_unusable(&made(status, &body)), "{status} {body}");
        }
    }
}

#[test]
fn any_other_response_leaves_the_outcome_unknown() {
    for (status, kind) in [
        (401, "rejected"),
        (403, "rejected"),
        // Another request with our reference is in flight.
        (409, "unavailable"),
        (429, "unavailable"),
        (500, "unavailable"),
        (503, "unavailable"),
        (404, "unusable"),
        (201, "unusable"),
        (202, "unusable"),
        (204, "unusable"),
        (302, "unusable"),
        (410, "unusable"),
    ] {
        for body in [String::new(), a_refund("succeeded").to_string()] {
            assert_eq!(unknown(&made(status, &body)), Some(kind), "{status} {body}");
        }
    }
}

/// What could pay is in no event log.
#[test]
fn no_secret_of_a_response_is_kept() {
    let secret = json!({"id": "pi_1", "client_secret": "canary", "next_action": {"url": "canary"}});
    let found = of(&with(&a_refund("succeeded"), "payment_intent", secret.clone())).unwrap();
    assert!(!String::from_utf8_lossy(found.notifications[0].body.kept()).contains("canary"));
    let error = json!({"error": {"code": "charge_disputed", "payment_intent": secret}}).to_string();
    let Err(RefundCallError::Refused { report, .. }) = made(400, &error) else { panic!() };
    let kept = String::from_utf8_lossy(report.body.kept()).into_owned();
    assert!(kept.contains("charge_disputed") && !kept.contains("canary"), "{kept}");
}
