//! Queries of one checkout: the request, and what responses prove.

use pay_core::{
    domain::{CheckoutNumber, Notification, Outcome, PaymentId},
    ports::{ProviderState, Query, QueryError, QueryState},
};
use serde_json::{Value, json};

use super::{
    super::{NOW, at, headers, transaction, verified},
    PAYMENT, TRANSACTION, ours, payment, request,
    response::{respond, success},
};
use crate::{
    Querier as _, Verified,
    samples::{
        checkouts::{CHECKOUT, checkout, number},
        queries::{NONCE, Pairs, is_unusable, one},
        signature_of,
    },
    wechat::tests::envelope,
};

fn ours_of(reference: &str) -> Query {
    checkout(reference, None, "1900000001")
}

/// An order under a reference, in a state.
fn order(reference: &str, state: &str) -> Value {
    let mut order = transaction();
    order["out_trade_no"] = json!(reference);
    order["trade_state"] = json!(state);
    if state != "SUCCESS" {
        order.as_object_mut().unwrap().remove("transaction_id");
    }
    order
}

fn about(query: &Query, order: &Value) -> (ProviderState, Notification) {
    match one(success(query, order.to_string().as_bytes())) {
        (QueryState::Payment(state), notification) => (state, notification),
        other => panic!("{other:?}"),
    }
}

fn named(notification: &Notification) -> (Option<PaymentId>, Option<CheckoutNumber>) {
    (notification.payment, notification.checkout)
}

#[test]
fn a_checkout_is_asked_for_by_its_reference() {
    let request = request(&ours(), &ours_of("000007_1"));
    assert_eq!(request.target, "/v3/pay/transactions/out-trade-no/000007_1?mchid=1900000001");
    let (name, authorization) = &request.headers[0];
    assert_eq!(*name, "authorization");
    let signature = format!("signature=\"{}\"", signature_of("wechat-by-checkout"));
    assert!(authorization.ends_with(&signature), "{authorization}");
}

/// Another account does not know of it: that it is absent there would prove nothing.
#[test]
fn another_account_is_not_asked() {
    let other = checkout(CHECKOUT, None, "1900000002");
    assert!(matches!(ours().request(&other, NONCE, at(NOW)), Err(QueryError::NoKey)));
    let body = order(CHECKOUT, "SUCCESS").to_string();
    assert!(matches!(success(&other, body.as_bytes()), Err(QueryError::NoKey)));
}

#[test]
fn what_became_of_a_checkout_names_it() {
    let id = PaymentId::new(PAYMENT).unwrap();
    for (state, want, outcome, what) in [
        ("SUCCESS", ProviderState::Paid, Some(Outcome::Paid), TRANSACTION),
        ("NOTPAY", ProviderState::Open, None, CHECKOUT),
        ("USERPAYING", ProviderState::Processing, None, CHECKOUT),
        ("CLOSED", ProviderState::Closed, Some(Outcome::Closed), CHECKOUT),
    ] {
        let (found, notification) = about(&ours_of(CHECKOUT), &order(CHECKOUT, state));
        assert_eq!((found, notification.report.outcome), (want, outcome), "{state}");
        assert_eq!(named(&notification), (Some(id), Some(number(2))), "{state}");
        let event = format!("query.{}.{what}", want.as_str());
        assert_eq!(notification.event_id.as_str(), event, "{state}");
    }
    let absent = json!({"code": "ORDER_NOT_EXIST", "message": "…"}).to_string();
    let (_, notification) =
        one(respond(&ours(), &ours_of(CHECKOUT), (404, &Pairs::new(), absent.as_bytes())));
    assert_eq!(named(&notification), (Some(id), Some(number(2))));
    assert_eq!(notification.event_id.as_str(), format!("query.absent.{CHECKOUT}"));
}

/// Each is another order at WeChat Pay, and has a valid signature.
#[test]
fn a_response_about_another_checkout_proves_nothing() {
    let bare = PAYMENT.to_string();
    for other in ["1217752501201407_3", "1217752501201408_2", &bare, "1217752501201407_02", "x"] {
        for state in ["SUCCESS", "NOTPAY", "CLOSED"] {
            let body = order(other, state).to_string();
            assert!(is_unusable(&success(&ours_of(CHECKOUT), body.as_bytes())), "{other} {state}");
        }
    }
    // By the reference of the payment alone no checkout of it is asked for.
    let body = order(CHECKOUT, "NOTPAY").to_string();
    assert!(is_unusable(&success(&payment(PAYMENT, None), body.as_bytes())));
    // Its transaction may be that of any.
    let by_transaction = payment(PAYMENT, Some(TRANSACTION));
    let (state, notification) = about(&by_transaction, &order(CHECKOUT, "SUCCESS"));
    assert_eq!((state, notification.checkout), (ProviderState::Paid, Some(number(2))));
    let unsigned = (200, &Pairs::new(), body.as_bytes());
    assert!(is_unusable(&respond(&ours(), &ours_of(CHECKOUT), unsigned)));
    let recorded = headers(body.as_bytes(), NOW - 301);
    let recorded = (200, &recorded, body.as_bytes());
    assert!(is_unusable(&respond(&ours(), &ours_of(CHECKOUT), recorded)));
}

#[test]
fn a_notification_names_the_checkout_that_was_paid() {
    for (reference, checkout) in [(CHECKOUT, Some(number(2))), ("1217752501201407", None)] {
        let body = envelope("TRANSACTION.SUCCESS", &order(reference, "SUCCESS")).to_string();
        let Ok(Verified::Notification(found)) = verified(body.as_bytes()) else { panic!() };
        let id = PaymentId::new(PAYMENT).unwrap();
        assert_eq!(named(&found), (Some(id), checkout), "{reference}");
        assert_eq!((&found.wrong_account, &found.review), (&None, &None));
    }
    for other in ["1217752501201407_0", "1217752501201407_21", "17_1"] {
        let body = envelope("TRANSACTION.SUCCESS", &order(other, "SUCCESS")).to_string();
        let Ok(Verified::Notification(found)) = verified(body.as_bytes()) else { panic!() };
        assert_eq!(named(&found), (None, None), "{other}");
    }
}
