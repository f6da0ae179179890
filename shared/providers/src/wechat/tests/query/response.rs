//! What responses prove.

use pay_core::{
    domain::{
        EventId, Mismatch, MismatchField, Notification, Outcome, PaymentId, Provider, ProviderRef,
        Report, Sender,
    },
    ports::{ProviderState, Query, QueryError, QueryState},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        super::{
            NONCE_HEADER, SERIAL_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER,
            querier::WeChatQuerier, verify::signed,
        },
        NOW, Pair, SERIAL, at, headers, transaction, with,
    },
    PAYMENT, TRANSACTION, entry, ours, payment, querier,
};
use crate::{
    samples::{
        self,
        queries::{self, Found, Pairs, is_unusable},
        without_content,
    },
    sha256,
};

pub(super) fn respond(
    querier: &WeChatQuerier,
    query: &Query,
    response: (u16, &Pairs, &[u8]),
) -> Found {
    queries::respond(querier, query, response, at(NOW))
}

/// A signed success.
pub(super) fn success(query: &Query, body: &[u8]) -> Found {
    respond(&ours(), query, (200, &headers(body, NOW), body))
}

fn of(order: &Value) -> Found {
    success(&payment(PAYMENT, None), order.to_string().as_bytes())
}

/// An error without a signature.
fn error(status: u16, body: &str) -> Found {
    respond(&ours(), &payment(PAYMENT, None), (status, &Pairs::new(), body.as_bytes()))
}

fn one(found: Found) -> (ProviderState, Notification) {
    match queries::one(found) {
        (QueryState::Payment(state), notification) => (state, notification),
        other => panic!("{other:?}"),
    }
}

fn with_state(state: &str) -> Value {
    let mut order = transaction();
    order["trade_state"] = json!(state);
    order
}

#[test]
fn a_paid_order_is_read_as_its_notification_is() {
    use ProviderState::{Paid, Refunded};
    for (state, txn, want) in [
        ("SUCCESS", None, Paid),
        ("SUCCESS", Some(TRANSACTION), Paid),
        // How much went back is not said.
        ("REFUND", None, Refunded),
    ] {
        let body = with_state(state).to_string();
        let (found, notification) = one(success(&payment(PAYMENT, txn), body.as_bytes()));
        assert_eq!(found, want, "{state}");
        let report = samples::report(Provider::WeChat, TRANSACTION, Outcome::Paid, (100, "CNY"));
        let id = format!("query.{}.{TRANSACTION}", want.as_str());
        let want = Notification {
            sender: Sender::Provider(Provider::WeChat),
            payment: Some(PaymentId::new(PAYMENT).unwrap()),
            queried: true,
            report,
            ..without_content(Provider::WeChat, Some(&id), body.as_bytes())
        };
        assert_eq!(notification, want, "{state}");
    }
}

#[test]
fn an_order_that_is_not_paid_says_how_it_stands() {
    use ProviderState::{Closed, Open, Processing};
    for (state, want, outcome) in [
        ("NOTPAY", Open, None),
        // A failed attempt may be followed by another.
        ("PAYERROR", Open, None),
        ("USERPAYING", Processing, None),
        ("ACCEPT", Processing, None),
        ("CLOSED", Closed, Some(Outcome::Closed)),
        ("REVOKED", Closed, Some(Outcome::Closed)),
    ] {
        let mut order = with_state(state);
        order.as_object_mut().unwrap().remove("transaction_id");
        let (found, notification) = one(of(&order));
        assert_eq!((found, notification.report.outcome), (want, outcome), "{state}");
        assert_eq!(notification.event_id.as_str(), format!("query.{}", want.as_str()), "{state}");
        assert_eq!(notification.payment, Some(PaymentId::new(PAYMENT).unwrap()), "{state}");
        assert!(notification.queried && notification.review.is_none(), "{state}");
    }
}

/// A response that was recorded when another payment was asked for has a valid signature, too.
#[test]
fn a_response_about_something_else_proves_nothing() {
    for (name, other) in [
        ("out_trade_no", json!("1217752501201408")),
        ("out_trade_no", json!("000007")),
        ("out_trade_no", json!(PAYMENT)),
        ("out_trade_no", json!("1217752501201407 ")),
        ("out_trade_no", Value::Null),
        ("mchid", json!("1900000002")),
        ("mchid", json!(1_900_000_001)),
        ("mchid", Value::Null),
        ("combine_out_trade_no", json!("1217752501201407")),
    ] {
        for state in ["SUCCESS", "NOTPAY", "CLOSED"] {
            let mut order = with_state(state);
            order[name] = other.clone();
            assert!(is_unusable(&of(&order)), "{name} {other} {state}");
        }
    }
    let body = transaction().to_string();
    let other = payment(PAYMENT, Some("4200000001202611231234567891"));
    assert!(is_unusable(&success(&other, body.as_bytes())));
    let without = with_state("NOTPAY");
    let mut without = without;
    without.as_object_mut().unwrap().remove("transaction_id");
    let asked = payment(PAYMENT, Some(TRANSACTION));
    assert!(is_unusable(&success(&asked, without.to_string().as_bytes())));
    // A short id is padded.
    let mut seven = transaction();
    for reference in ["7", "000007"] {
        seven["out_trade_no"] = json!(reference);
        let body = seven.to_string();
        assert_eq!(one(success(&payment(7, None), body.as_bytes())).0, ProviderState::Paid);
    }
    seven["out_trade_no"] = json!("07");
    assert!(is_unusable(&success(&payment(7, None), seven.to_string().as_bytes())));
}

#[test]
fn what_cannot_be_read_proves_nothing() {
    for (name, other) in [
        ("trade_state", json!("success")),
        ("trade_state", json!("PART_PAID")),
        ("trade_state", json!(1)),
        ("trade_state", Value::Null),
        ("transaction_id", Value::Null),
        ("transaction_id", json!("")),
        ("transaction_id", json!("1 2")),
        ("transaction_id", json!(["1"])),
    ] {
        let mut order = transaction();
        order[name] = other.clone();
        assert!(is_unusable(&of(&order)), "{name} {other}");
    }
    for name in ["trade_state", "transaction_id"] {
        let mut order = transaction();
        order.as_object_mut().unwrap().remove(name);
        assert!(is_unusable(&of(&order)), "{name}");
    }
    let twice = transaction().to_string().replacen('{', r#"{"trade_state":"NOTPAY","#, 1);
    for body in ["", "null", "[]", "{", "{}", &twice] {
        assert!(is_unusable(&success(&payment(PAYMENT, None), body.as_bytes())), "{body}");
    }
}

/// The record decides about another amount: the money is there.
#[test]
fn another_amount_or_currency_is_reported_as_it_is() {
    for (amount, minor, currency) in [
        (json!({"total": 99, "currency": "CNY"}), Some(99), Some("CNY")),
        (json!({"total": 100}), Some(100), Some("CNY")),
        (json!({"total": 100, "currency": "HKD"}), Some(100), Some("HKD")),
        (json!({"total": "100", "currency": 1}), None, None),
        (Value::Null, None, Some("CNY")),
    ] {
        let mut order = transaction();
        order["amount"] = amount.clone();
        let (state, found) = one(of(&order));
        assert_eq!(state, ProviderState::Paid);
        let found = (found.report.amount_minor, found.report.currency);
        assert_eq!(found, (minor, currency.map(str::to_owned)), "{amount}");
    }
}

/// Another shop of the same merchant may use the same references.
#[test]
fn an_order_of_another_application_is_for_a_wrong_account() {
    let mut entry = entry();
    entry["appid"] = json!(["wx0000000000000001", "wx0000000000000002"]);
    let querier = querier(&entry).unwrap();
    let expected = Some("appid=wx0000000000000001 or wx0000000000000002");
    for (appid, received) in [
        (json!("wx0000000000000001"), None),
        (json!("wx0000000000000002"), None),
        (json!("wx0000000000000003"), Some(Some("appid=wx0000000000000003"))),
        (Value::Null, Some(None)),
    ] {
        let mut order = transaction();
        order["appid"] = appid.clone();
        let body = order.to_string();
        let headers = headers(body.as_bytes(), NOW);
        let found = respond(&querier, &payment(PAYMENT, None), (200, &headers, body.as_bytes()));
        let want =
            received.map(|received| Mismatch::new(MismatchField::Account, expected, received));
        assert_eq!(one(found).1.wrong_account, want, "{appid}");
        // Without one configured, the merchant decides.
        assert_eq!(one(of(&order)).1.wrong_account, None, "{appid}");
    }
}

#[test]
fn a_success_counts_only_with_a_signature_that_fits() {
    let body = transaction().to_string();
    let (query, body) = (payment(PAYMENT, None), body.as_bytes());
    let good = headers(body, NOW);
    let found = |headers: &Pairs| respond(&ours(), &query, (200, headers, body));
    assert!(found(&good).is_ok());
    assert!(is_unusable(&found(&Pairs::new())));
    for name in [TIMESTAMP_HEADER, NONCE_HEADER, SIGNATURE_HEADER, SERIAL_HEADER] {
        let absent: Pairs =
            good.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name)).cloned().collect();
        assert!(is_unusable(&found(&absent)), "{name}");
        assert!(is_unusable(&found(&with(good.clone(), name, "1"))), "{name}");
    }
    let other = Pair::other().sign(&signed(&NOW.to_string(), "nonce", body));
    assert!(is_unusable(&found(&with(good.clone(), SIGNATURE_HEADER, &other))));
    // WeChat Pay's clock and ours are six minutes apart.
    for (secs, is_usable) in
        [(NOW - 360, false), (NOW + 360, false), (NOW - 299, true), (NOW + 299, true)]
    {
        assert_eq!(found(&headers(body, secs)).is_ok(), is_usable, "{secs}");
    }
    // The status is not signed.
    for status in [200, 201] {
        assert!(respond(&ours(), &query, (status, &good, body)).is_ok(), "{status}");
    }
    assert!(is_unusable(&respond(&ours(), &query, (204, &headers(b"", NOW), b""))));
}

#[test]
fn one_changed_byte_proves_nothing() {
    let body = transaction().to_string().into_bytes();
    let (ours, query, headers) = (ours(), payment(PAYMENT, None), headers(&body, NOW));
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert!(is_unusable(&respond(&ours, &query, (200, &headers, &changed))), "{index}");
    }
}

#[test]
fn both_keys_count_while_one_is_changed() {
    let mut entry = entry();
    entry["public_keys"] =
        json!({SERIAL: Pair::one().public_pem(), "7CE59D1F522D7012": Pair::other().public_pem()});
    let both = querier(&entry).unwrap();
    let (query, body) = (payment(PAYMENT, None), transaction().to_string());
    let body = body.as_bytes();
    let one = headers(body, NOW);
    assert!(respond(&both, &query, (200, &one, body)).is_ok());
    let signature = Pair::other().sign(&signed(&NOW.to_string(), "nonce", body));
    let other = with(with(one, SIGNATURE_HEADER, &signature), SERIAL_HEADER, "7CE59D1F522D7012");
    assert!(respond(&both, &query, (200, &other, body)).is_ok());
    // Once it is gone, what it signed counts no more.
    assert!(is_unusable(&respond(&ours(), &query, (200, &other, body))));
    let crossed = with(other, SERIAL_HEADER, SERIAL);
    assert!(is_unusable(&respond(&both, &query, (200, &crossed, body))));
}

#[test]
fn an_order_that_is_not_there_is_absent() {
    for code in ["ORDER_NOT_EXIST", "ORDERNOTEXIST"] {
        let body = json!({"code": code, "message": "订单不存在"}).to_string();
        let (state, found) = one(error(404, &body));
        assert_eq!(state, ProviderState::Absent, "{code}");
        let id = "query.absent";
        let want = Notification {
            payment: Some(PaymentId::new(PAYMENT).unwrap()),
            queried: true,
            ..without_content(Provider::WeChat, Some(id), body.as_bytes())
        };
        assert_eq!(found, want, "{code}");
        let reference = ProviderRef { source: Provider::WeChat.source(), txn: None };
        assert_eq!(found.report, Report { reference, ..Report::NONE });
        assert_eq!(found.event_id, EventId::new(Some(id), sha256(&[])));
    }
}

/// Whoever could forge one would otherwise end payments.
#[test]
fn an_error_that_is_not_listed_proves_nothing() {
    let coded = |status, code: &str| error(status, &json!({"code": code}).to_string());
    for (status, code) in [
        (400, "PARAM_ERROR"),
        (400, "MCH_NOT_EXISTS"),
        (400, "APPID_MCHID_NOT_MATCH"),
        (401, "SIGN_ERROR"),
        (403, "NO_AUTH"),
    ] {
        let found = coded(status, code);
        assert!(matches!(found, Err(QueryError::Rejected(_))), "{status} {code} {found:?}");
    }
    for (status, code) in [
        (202, ""),
        (429, "FREQUENCY_LIMITED"),
        (429, "RATELIMIT_EXCEEDED"),
        (429, "ORDER_NOT_EXIST"),
        (500, "SYSTEM_ERROR"),
        (500, "ORDER_NOT_EXIST"),
        (502, ""),
        (503, "SIGN_ERROR"),
        (599, ""),
    ] {
        let found = coded(status, code);
        assert!(matches!(found, Err(QueryError::Unavailable(_))), "{status} {code} {found:?}");
    }
    for (status, code) in [
        (200, "ORDER_NOT_EXIST"),
        (400, "ORDER_NOT_EXIST"),
        (403, "ORDER_NOT_EXIST"),
        (410, "ORDER_NOT_EXIST"),
        (404, "order_not_exist"),
        (404, "RESOURCE_NOT_EXISTS"),
        (404, "SIGN_ERROR"),
        (404, ""),
        (400, "ORDER_CLOSED"),
        (400, "ORDERPAID"),
        (401, "PARAM_ERROR"),
        (403, "RULE_LIMIT"),
        (301, ""),
        (100, ""),
        (600, ""),
    ] {
        assert!(is_unusable(&coded(status, code)), "{status} {code}");
    }
    for body in ["", "<html>", "[]", r#"{"code":["ORDER_NOT_EXIST"]}"#, r#"{"code":404}"#] {
        assert!(is_unusable(&error(404, body)), "{body}");
    }
    let twice = r#"{"code":"ORDER_NOT_EXIST","code":"X"}"#;
    assert!(is_unusable(&error(404, twice)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn no_response_is_a_panic_and_none_without_a_signature_reports_money(
        status in prop_oneof![Just(200_u16), Just(404), any::<u16>()],
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}".prop_map(String::into_bytes),
        ],
        is_signed in any::<bool>(),
    ) {
        let headers = if is_signed { headers(&body, NOW) } else { Pairs::new() };
        match respond(&ours(), &payment(7, None), (status, &headers, &body)) {
            Ok(found) => {
                prop_assert_eq!(found.state, QueryState::Payment(ProviderState::Absent));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
