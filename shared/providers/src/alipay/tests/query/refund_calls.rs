//! Refunds that we order: the request byte for byte, and what each response proves.

use pay_core::{
    domain::{Provider, RefundReport, RefundState, Report},
    ports::{QueryError, QueryResponse, QueryState},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{Pair, now},
    PAYMENT, REFUND, TRADE, ours,
    response::with,
};
use crate::{
    Querier as _,
    query::RawRequest,
    samples::{
        orders::{Made, Ordered, REASON, is_unusable, respond, unknown},
        queries::{NONCE, Pairs},
        signature_of,
    },
};

const PROVIDER: Provider = Provider::Alipay;
const MEMBER: &str = "alipay_trade_refund_response";

fn ordered() -> Ordered {
    Ordered::new(PROVIDER, (REFUND, TRADE), 1233, (8888, "CNY"))
}

fn a_refund() -> Value {
    json!({
        "code": "10000", "msg": "Success", "buyer_logon_id": "159****4027", "fund_change": "Y",
        "gmt_refund_pay": "2026-11-23 15:58:00", "out_trade_no": PAYMENT.to_string(),
        "refund_fee": "20.00", "send_back_fee": "12.33", "trade_no": TRADE,
    })
}

fn failed(code: &str, sub_code: &str) -> Value {
    json!({"code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "…"})
}

/// The response around a value, signed.
fn signed(value: &str) -> String {
    let sign = Pair::one().sign(value.as_bytes());
    format!(r#"{{"{MEMBER}":{value},"sign":"{sign}"}}"#)
}

fn raw(status: u16, body: &str) -> Made {
    respond(&ours(), &ordered(), (status, &Pairs::new(), body.as_bytes()), now())
}

fn of(value: &Value) -> Made {
    raw(200, &signed(&value.to_string()))
}

#[test]
fn an_order_is_signed_byte_for_byte() {
    let reason = "%22refund_reason%22%3A%22%E9%80%80%E6%AC%BE%20%5C%22a%5C%22%20%26%20b%3D1%2F2%22\
                  %2C";
    for (ordered, reason, case) in [
        (ordered(), "", "alipay-make-refund"),
        (ordered().because(REASON), reason, "alipay-make-refund-with-reason"),
    ] {
        let signature = signature_of(case);
        let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let want = RawRequest {
            method: "POST",
            target: format!(
                "?app_id=2019073166072302&charset=utf-8&format=JSON&method=alipay.trade.refund\
                 &sign_type=RSA2&timestamp=2023-11-15%2006%3A13%3A20&version=1.0&sign={signature}"
            ),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", "application/x-www-form-urlencoded;charset=utf-8".to_owned()),
                ("user-agent", "pay/0.1.0".to_owned()),
            ],
            body: format!(
                "biz_content=%7B%22out_request_no%22%3A%221217752501201407_0123456789abcdef%22%2C\
                 %22refund_amount%22%3A%2212.33%22%2C{reason}\
                 %22trade_no%22%3A%222026112322001468450512505578%22%7D"
            )
            .into_bytes(),
        };
        let found = ours().refund_request(&ordered.order(), NONCE, now()).unwrap();
        assert_eq!(String::from_utf8_lossy(&found.body), String::from_utf8_lossy(&want.body));
        assert_eq!(found.target, want.target, "{case}");
        assert!(found == want, "{case}");
    }
}

#[test]
fn an_amount_is_written_in_yuan() {
    for (fen, yuan) in [(1, "0.01"), (10, "0.10"), (100, "1.00"), (4_294_967_295, "42949672.95")] {
        let ordered = Ordered::new(PROVIDER, (REFUND, TRADE), fen, (4_294_967_295, "CNY"));
        ordered.assert_may_be_ordered();
        let body = ours().refund_request(&ordered.order(), NONCE, now()).unwrap().body;
        let form: Vec<_> = form_urlencoded::parse(&body).collect();
        let [(_, content)] = &*form else { panic!("{form:?}") };
        let content: Value = serde_json::from_str(content).unwrap();
        assert_eq!(content["refund_amount"], json!(yuan));
    }
    // 100 yen would be 1.00 yuan.
    let yen = Ordered::new(PROVIDER, (REFUND, TRADE), 100, (100, "JPY"));
    yen.assert_rejected_before();
    let found = ours().refund_request(&yen.order(), NONCE, now()).err();
    assert!(matches!(found, Some(QueryError::Unusable(_))), "{found:?}");
}

/// First this refund, whose reservation ends; then what went back of the trade in all.
#[test]
fn a_refund_that_changed_funds_is_reported_with_the_total() {
    for refund in [
        a_refund(),
        with(a_refund(), "out_request_no", json!(REFUND)),
        // Our payment may have been paid under a reference of somebody else.
        with(a_refund(), "out_trade_no", json!("shop-7")),
    ] {
        let body = signed(&refund.to_string());
        let one = ordered().report(PROVIDER, RefundState::Succeeded);
        // How much the trade paid is known from the order.
        let (total, amount_minor) = (Some(RefundReport::Total(2000)), Some(8888));
        let total = Report { refund: total, amount_minor, ..one.clone() };
        let of =
            |event: &str, report| ordered().notification(PROVIDER, event, report, body.as_bytes());
        let want = QueryResponse {
            state: QueryState::Refund(RefundState::Succeeded),
            notifications: vec![
                of(&format!("query.succeeded.{REFUND}"), one),
                of("query.refunded.2000", total),
            ],
            next: None,
        };
        assert_eq!(raw(200, &body).unwrap(), want, "{refund}");
    }
    // Nothing but this refund went back so far.
    let first = of(&with(a_refund(), "refund_fee", json!("12.33"))).unwrap();
    assert_eq!(first.notifications[1].report.refund, Some(RefundReport::Total(1233)));
}

/// It was made before, or not at all: the query of it says which.
#[test]
fn a_refund_that_changed_no_funds_is_pending() {
    let unchanged = || with(a_refund(), "fund_change", json!("N"));
    for refund in [
        with(unchanged(), "refund_fee", None),
        with(unchanged(), "refund_fee", json!("0.00")),
        // Less than by this refund alone: it is not among them.
        with(unchanged(), "refund_fee", json!("12.32")),
    ] {
        let body = signed(&refund.to_string());
        let report = ordered().report(PROVIDER, RefundState::Pending);
        let event = format!("query.pending.{REFUND}");
        let want = QueryResponse {
            state: QueryState::Refund(RefundState::Pending),
            notifications: vec![ordered().notification(PROVIDER, &event, report, body.as_bytes())],
            next: None,
        };
        assert_eq!(raw(200, &body).unwrap(), want, "{refund}");
    }
    for bad in [json!(20), json!("-20.00"), json!("20.001")] {
        assert!(is_unusable(&of(&with(unchanged(), "refund_fee", bad.clone()))), "{bad}");
    }
}

/// A repeat of a refund that was made says what went back in all, as its first response did.
#[test]
fn a_repeat_reports_the_total() {
    let repeat = |yuan: &str| {
        let unchanged = with(a_refund(), "fund_change", json!("N"));
        let unchanged = with(unchanged, "send_back_fee", json!("0.00"));
        of(&with(unchanged, "refund_fee", json!(yuan))).unwrap()
    };
    for (yuan, total) in [("20.00", 2000), ("12.33", 1233)] {
        let QueryResponse { state, notifications, .. } = repeat(yuan);
        assert_eq!(state, QueryState::Refund(RefundState::Pending));
        let [one, all] = &notifications[..] else { panic!("{notifications:?}") };
        assert_eq!(one.report, ordered().report(PROVIDER, RefundState::Pending));
        assert_eq!(all.report.refund, Some(RefundReport::Total(total)));
        assert_eq!(all.event_id.as_str(), format!("query.refunded.{total}"));
        assert_eq!(all.report.amount_minor, Some(8888));
    }
}

#[test]
fn a_response_about_something_else_or_that_cannot_be_read_proves_nothing() {
    for (name, other) in [
        ("trade_no", json!("2026112322001468450512505579")),
        ("trade_no", json!("")),
        ("trade_no", json!(2026)),
        ("out_request_no", json!("1217752501201407_0123456789abcdee")),
        ("out_request_no", json!([REFUND])),
        ("fund_change", json!("y")),
        ("fund_change", json!("")),
        ("fund_change", json!(true)),
        ("refund_fee", json!(20)),
        ("refund_fee", json!("-20.00")),
        ("refund_fee", json!("20.001")),
        ("refund_fee", json!("")),
        // Less in all than by this refund alone.
        ("refund_fee", json!("12.32")),
        ("refund_fee", json!("0.00")),
        ("code", json!("10001")),
        ("code", json!(10000)),
        ("code", json!("")),
    ] {
        assert!(is_unusable(&of(&with(a_refund(), name, other.clone()))), "{name} {other}");
    }
    for name in ["trade_no", "fund_change", "refund_fee", "code"] {
        assert!(is_unusable(&of(&with(a_refund(), name, None))), "{name}");
    }
    // The responses to other methods, whose values are signed alike.
    let refund = signed(&a_refund().to_string());
    for other in ["alipay_trade_fastpay_refund_query_response", "alipay_trade_query_response"] {
        assert!(is_unusable(&raw(200, &refund.replace(MEMBER, other))), "{other}");
    }
    for body in ["", "null", "[]", "{", "{}", "<html>", &signed("null"), &signed("{}")] {
        assert!(is_unusable(&raw(200, body)), "{body}");
    }
    let twice = a_refund().to_string().replacen('{', r#"{"fund_change":"N","#, 1);
    assert!(is_unusable(&raw(200, &signed(&twice))));
}

#[test]
fn only_a_listed_code_refuses() {
    for code in [
        "DISCORDANT_REPEAT_REQUEST",
        "REASON_TRADE_BEEN_FREEZEN",
        "REASON_TRADE_REFUND_FEE_ERR",
        "REFUND_AMT_NOT_EQUAL_TOTAL",
        "REFUND_FEE_ERROR",
        "SELLER_BALANCE_NOT_ENOUGH",
        "TRADE_HAS_FINISHED",
        "TRADE_NOT_ALLOW_REFUND",
        "TRADE_NOT_EXIST",
        "TRADE_STATUS_ERROR",
    ] {
        let full = format!("ACQ.{code}");
        for value in
            [failed("40004", &full), with(failed("40004", &full), "trade_no", json!(TRADE))]
        {
            let body = signed(&value.to_string());
            ordered().assert_refused(PROVIDER, &full, body.as_bytes(), raw(200, &body));
            let sign = Pair::other().sign(value.to_string().as_bytes());
            for body in [
                json!({MEMBER: value}).to_string(),
                json!({"error_response": value}).to_string(),
                format!(r#"{{"{MEMBER}":{value},"sign":"{sign}"}}"#),
            ] {
                assert!(is_unusable(&raw(200, &body)), "{body}");
            }
        }
        let other = with(failed("40004", &full), "trade_no", json!("2026112322001468450512505579"));
        assert!(is_unusable(&of(&other)), "{code}");
        assert!(is_unusable(&of(&failed("40004", code))), "{code}");
        assert!(is_unusable(&of(&failed("10003", &full))), "{code}");
        // What was executed is not refused.
        let executed = with(a_refund(), "sub_code", json!(full));
        assert!(of(&executed).is_ok(), "{code}");
    }
    for code in [
        "ACQ.REFUND_CHARGE_ERROR",
        "ACQ.INVALID_PARAMETER",
        "ACQ.trade_not_exist",
        "ACQ.",
        "isv.TRADE_NOT_EXIST",
        "",
    ] {
        assert!(is_unusable(&of(&failed("40004", code))), "{code}");
    }
}

#[test]
fn any_other_response_leaves_the_outcome_unknown() {
    for (code, sub_code, kind) in [
        ("40004", "ACQ.SYSTEM_ERROR", "unavailable"),
        ("20000", "isp.unknow-error", "unavailable"),
        ("40005", "isv.call-limited", "unavailable"),
        ("40001", "isv.missing-signature", "rejected"),
        ("40002", "isv.invalid-signature", "rejected"),
        ("40006", "isv.insufficient-user-permissions", "rejected"),
    ] {
        let value = failed(code, sub_code);
        assert_eq!(unknown(&of(&value)), Some(kind), "{code}");
        let error = json!({"error_response": value}).to_string();
        assert_eq!(unknown(&raw(200, &error)), Some(kind), "{code}");
    }
    let refund = signed(&a_refund().to_string());
    for (status, kind) in [
        (429, "unavailable"),
        (500, "unavailable"),
        (503, "unavailable"),
        (201, "unusable"),
        (302, "unusable"),
        (401, "unusable"),
        (404, "unusable"),
    ] {
        assert_eq!(unknown(&raw(status, &refund)), Some(kind), "{status}");
    }
}

#[test]
fn a_refund_counts_only_with_a_signature_that_fits() {
    let value = a_refund().to_string();
    let body = signed(&value);
    assert!(raw(200, &body).is_ok());
    for sign in ["", "AAAA", &Pair::other().sign(value.as_bytes())] {
        let body = format!(r#"{{"{MEMBER}":{value},"sign":"{sign}"}}"#);
        assert!(is_unusable(&raw(200, &body)), "{sign}");
    }
    for index in 0..body.len() {
        let mut changed = body.clone().into_bytes();
        changed[index] ^= 1;
        let made = respond(&ours(), &ordered(), (200, &Pairs::new(), &changed), now());
        assert!(unknown(&made).is_some(), "{index} {made:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn no_response_is_a_panic_and_none_without_a_signature_reports_a_refund(
        status in prop_oneof![4 => Just(200_u16), 1 => any::<u16>()],
        body in prop_oneof![
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}",
            "[{}\\[\\]\":,a-z0-9\\\\]{0,64}".prop_map(|value| signed(&value)),
            Just(json!({MEMBER: a_refund()}).to_string()),
        ],
    ) {
        prop_assert!(unknown(&raw(status, &body)).is_some());
    }
}
