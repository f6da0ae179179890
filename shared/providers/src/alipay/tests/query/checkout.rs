//! Queries of one checkout: the request, and what responses prove.

use pay_core::{
    domain::{CheckoutNumber, Notification, Outcome, PaymentId},
    ports::{ProviderState, Query, QueryError, QueryState},
};
use serde_json::{Value, json};

use super::{
    super::now,
    PAYMENT, TRADE, ours, payment, request,
    response::{failed, respond, signed, trade, with},
};
use crate::{
    Querier as _, Verified,
    alipay::tests::{body, trade as notified, verify, with as notified_with},
    samples::{
        checkouts::{CHECKOUT, checkout, number},
        queries::{NONCE, is_unusable, one},
        signature_of,
    },
};

const APP: &str = "2019073166072302";

fn about(query: &Query, value: &Value) -> (ProviderState, Notification) {
    match one(respond(&ours(), query, 200, signed(&value.to_string()).as_bytes())) {
        (QueryState::Payment(state), notification) => (state, notification),
        other => panic!("{other:?}"),
    }
}

fn of(reference: &str) -> Value {
    with(trade(), "out_trade_no", json!(reference))
}

fn named(notification: &Notification) -> (Option<PaymentId>, Option<CheckoutNumber>) {
    (notification.payment, notification.checkout)
}

#[test]
fn a_checkout_is_asked_for_by_its_reference() {
    let found = request(&checkout("000007_1", None, APP), now());
    assert_eq!(found.body, b"biz_content=%7B%22out_trade_no%22%3A%22000007_1%22%7D");
    let sign = signature_of("alipay-by-checkout");
    let sign = sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    assert!(found.target.ends_with(&format!("&sign={sign}")), "{}", found.target);
}

/// Another account does not know of it: that it is absent there would prove nothing.
#[test]
fn another_account_is_not_asked() {
    assert_eq!(ours().account().unwrap().as_str(), APP);
    let other = checkout(CHECKOUT, None, "2019073166072303");
    assert!(matches!(ours().request(&other, NONCE, now()), Err(QueryError::NoKey)));
    let body = signed(&of(CHECKOUT).to_string());
    let found = respond(&ours(), &other, 200, body.as_bytes());
    assert!(matches!(found, Err(QueryError::NoKey)));
}

#[test]
fn what_became_of_a_checkout_names_it() {
    let ours_of = checkout(CHECKOUT, None, APP);
    let id = Some(PaymentId::new(PAYMENT).unwrap());
    let waiting = with(of(CHECKOUT), "trade_status", json!("WAIT_BUYER_PAY"));
    let closed = with(of(CHECKOUT), "trade_status", json!("TRADE_CLOSED"));
    let absent = failed("40004", "ACQ.TRADE_NOT_EXIST");
    for (value, state, outcome, what) in [
        (of(CHECKOUT), ProviderState::Paid, Some(Outcome::Paid), TRADE),
        (waiting, ProviderState::Open, None, TRADE),
        (with(closed, "send_pay_date", None), ProviderState::Closed, Some(Outcome::Closed), TRADE),
        (
            with(absent.clone(), "out_trade_no", json!(CHECKOUT)),
            ProviderState::Absent,
            None,
            CHECKOUT,
        ),
        (with(absent, "out_trade_no", None), ProviderState::Absent, None, CHECKOUT),
    ] {
        let (found, notification) = about(&ours_of, &value);
        assert_eq!((found, notification.report.outcome), (state, outcome), "{value}");
        assert_eq!(named(&notification), (id, Some(number(2))), "{value}");
        let event = format!("query.{}.{what}", state.as_str());
        assert_eq!(notification.event_id.as_str(), event, "{value}");
    }
}

/// Each is another trade, and its response has a valid signature.
#[test]
fn a_response_about_another_checkout_proves_nothing() {
    let (ours_of, bare) = (checkout(CHECKOUT, None, APP), PAYMENT.to_string());
    for other in ["1217752501201407_3", "1217752501201408_2", &bare, "1217752501201407_02", "x"] {
        let body = signed(&of(other).to_string());
        let found = respond(&ours(), &ours_of, 200, body.as_bytes());
        assert!(is_unusable(&found), "{other}");
    }
    // By the reference of the payment alone no checkout of it is asked for, nor a trade of another text.
    for (asked, other) in [(PAYMENT, CHECKOUT), (7, "000007")] {
        let body = signed(&of(other).to_string());
        let found = respond(&ours(), &payment(asked, None), 200, body.as_bytes());
        assert!(is_unusable(&found), "{other}");
    }
    // A trade may be that of any.
    let (state, notification) = about(&payment(PAYMENT, Some(TRADE)), &of(CHECKOUT));
    assert_eq!((state, notification.checkout), (ProviderState::Paid, Some(number(2))));
    let unsigned = json!({"alipay_trade_query_response": of(CHECKOUT)}).to_string();
    assert!(is_unusable(&respond(&ours(), &ours_of, 200, unsigned.as_bytes())));
}

#[test]
fn a_notification_names_the_checkout_that_was_paid() {
    for (reference, id, checkout) in [
        (CHECKOUT, Some(PAYMENT), Some(number(2))),
        ("1217752501201407", Some(PAYMENT), None),
        ("000007_1", Some(7), Some(number(1))),
        ("000007", Some(7), None),
        ("1217752501201407_0", None, None),
        ("17_1", None, None),
    ] {
        let fields = notified_with(notified(), "out_trade_no", Some(reference));
        let Ok(Verified::Notification(found)) = verify(&body(&fields)) else { panic!() };
        let id = id.map(|id| PaymentId::new(id).unwrap());
        assert_eq!(named(&found), (id, checkout), "{reference}");
    }
}
