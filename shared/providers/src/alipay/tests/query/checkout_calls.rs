//! Checkouts that we make and close: the requests, pages and order strings byte for byte, and what each response
//! proves.

use pay_core::{
    domain::CheckoutMethod,
    ports::{CheckoutAction, QueryError},
};
use serde_json::{Value, json};

use super::{
    super::{Pair, at, now},
    ours,
    response::with,
};
use crate::{
    CheckoutStep, Querier as _,
    query::RawRequest,
    samples::{
        checkouts::{
            CHECKOUT, OrderedCheckout, RETURN_URL, Started, kind, message_of, refused, started,
        },
        queries::{NONCE, Pairs},
        signature_of,
    },
};

const APP: &str = "2019073166072302";
const PRECREATE: &str = "alipay_trade_precreate_response";
const CLOSE: &str = "alipay_trade_close_response";
const QR: &str = "https://qr.alipay.com/bax03431ljhokirwl38f00a7";

fn ordered(method: CheckoutMethod, reference: &str) -> OrderedCheckout {
    OrderedCheckout::new(method, reference, APP)
}

fn qr() -> OrderedCheckout {
    ordered(CheckoutMethod::AlipayQr, "000007_1")
}

/// The parameters as a query string, as the web's own encoder writes it, but for spaces.
fn encoded(parameters: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters);
    form.finish().replace('+', "%20").replace('*', "%2A")
}

/// The parameters whose text another program has signed, with its signature.
fn signed_parameters(case: &str, method: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let message = message_of(case);
    let (_, rest) = message.split_once("&biz_content=").unwrap();
    let content = rest.split("&charset=").next().unwrap();
    let mut parameters = [
        ("app_id", APP),
        ("biz_content", content),
        ("charset", "utf-8"),
        ("format", "JSON"),
        ("method", method),
        ("sign_type", "RSA2"),
        ("timestamp", "2023-11-15 06:13:20"),
        ("version", "1.0"),
    ]
    .to_vec();
    parameters.extend(more);
    parameters.sort_unstable();
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs.join("&"), message, "{case}");
    let signature = signature_of(case);
    parameters.push(("sign", &signature));
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn query_string(parameters: &[(String, String)]) -> String {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
    encoded(&parameters)
}

const NOTIFY: (&str, &str) = ("notify_url", crate::samples::checkouts::NOTIFY_URL);

#[test]
fn a_page_is_a_signed_query_byte_for_byte() {
    let back = ("return_url", RETURN_URL);
    let page = ordered(CheckoutMethod::AlipayPage, CHECKOUT).back_to(RETURN_URL);
    let wap = ordered(CheckoutMethod::AlipayWap, CHECKOUT);
    for (ordered, case, method, more) in [
        (page, "alipay-make-page", "alipay.trade.page.pay", &[NOTIFY, back][..]),
        (wap, "alipay-make-wap", "alipay.trade.wap.pay", &[NOTIFY]),
    ] {
        let want = query_string(&signed_parameters(case, method, more));
        let found = ordered_step(&ordered);
        let CheckoutStep::Redirect(query) = &found else { panic!("{case}: {found:?}") };
        assert_eq!(query.0, format!("?{want}"), "{case}");
        assert_eq!(format!("{found:?}"), "Redirect(SignedQuery)");
    }
}

fn ordered_step(ordered: &OrderedCheckout) -> CheckoutStep {
    ours().checkout_request(&ordered.order(), NONCE, now()).unwrap()
}

#[test]
fn an_app_gets_one_signed_order_string() {
    let want = signed_parameters("alipay-make-app", "alipay.trade.app.pay", &[NOTIFY]);
    // An app has no page to come back to.
    let app = ordered(CheckoutMethod::AlipayApp, CHECKOUT).back_to(RETURN_URL);
    let found = ordered_step(&app);
    let CheckoutStep::Ready(action) = &found else { panic!("{found:?}") };
    let parameters = vec![("orderStr", query_string(&want))];
    assert!(*action == CheckoutAction::Client { parameters });
    assert_eq!(format!("{found:?}"), "Ready(Client)");
}

#[test]
fn a_code_is_asked_for_byte_for_byte() {
    let mut want = signed_parameters("alipay-make-qr", "alipay.trade.precreate", &[NOTIFY]);
    let content = want.remove(1);
    let want = RawRequest {
        method: "POST",
        target: format!("?{}", query_string(&want)),
        headers: vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded;charset=utf-8".to_owned()),
            ("user-agent", "pay/0.1.0".to_owned()),
        ],
        body: query_string(&[content]).into_bytes(),
    };
    let found = qr().sent(&ours(), now());
    assert_eq!(found.target, want.target);
    assert!(found == want, "{:?}", String::from_utf8_lossy(&found.body));
}

#[test]
fn what_alipay_cannot_make_is_not_ordered() {
    let mut without_url = qr();
    without_url.checkout.parameters.notify_url = None;
    for (ordered, kind) in [
        // 100 yen would be 1.00 yuan.
        (qr().of(100, "JPY"), "unusable"),
        (ordered(CheckoutMethod::AlipayPage, CHECKOUT).of(100, "JPY"), "unusable"),
        (without_url, "unusable"),
        (ordered(CheckoutMethod::WeChatNative, CHECKOUT), "unusable"),
        (OrderedCheckout::new(CheckoutMethod::AlipayPage, CHECKOUT, "1"), "no-key"),
        (OrderedCheckout::new(CheckoutMethod::AlipayQr, CHECKOUT, "1"), "no-key"),
    ] {
        assert_eq!(ordered.cannot_be_made(&ours()).kind(), kind);
    }
}

fn raw(ordered: &OrderedCheckout, status: u16, body: &str) -> Started {
    ordered.started(&ours(), (status, &Pairs::new(), body.as_bytes()), now())
}

/// The response around a value, signed by this key.
fn signed_by(pair: &Pair, member: &str, value: &str) -> String {
    let sign = pair.sign(value.as_bytes());
    format!(r#"{{"{member}":{value},"sign":"{sign}"}}"#)
}

fn of(value: &Value) -> Started {
    raw(&qr(), 200, &signed_by(Pair::one(), PRECREATE, &value.to_string()))
}

fn made() -> Value {
    json!({"code": "10000", "msg": "Success", "out_trade_no": "000007_1", "qr_code": QR})
}

fn failed(code: &str, sub_code: &str) -> Value {
    json!({"code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "…"})
}

#[test]
fn a_code_is_shown() {
    let want = started(CheckoutAction::Qr { text: QR.to_owned() });
    assert_eq!(of(&made()).unwrap(), want);
    // Its bytes are signed, also where they are escaped.
    let escaped = made().to_string().replace('/', "\\/");
    let found = raw(&qr(), 200, &signed_by(Pair::one(), PRECREATE, &escaped));
    assert_eq!(found.unwrap(), want);
}

#[test]
fn a_response_about_something_else_or_that_cannot_be_read_proves_nothing() {
    for (name, value) in [
        ("out_trade_no", json!("000007_2")),
        ("out_trade_no", json!("000007")),
        ("out_trade_no", json!("7_1")),
        ("out_trade_no", json!(7)),
        ("out_trade_no", Value::Null),
        ("qr_code", json!("")),
        ("qr_code", json!(1)),
        ("code", json!("10003")),
        ("code", json!(10000)),
        ("code", json!("40004")),
    ] {
        let bad = with(made(), name, value);
        assert_eq!(kind(&of(&bad)), "unusable", "{bad}");
        assert_eq!(kind(&of(&with(made(), name, None))), "unusable", "{name}");
    }
    for body in ["", "null", "[]", "{", "{}", "<html>"] {
        assert_eq!(kind(&raw(&qr(), 200, body)), "unusable", "{body}");
    }
    // Of another method, and where nothing was asked.
    let query = signed_by(Pair::one(), "alipay_trade_query_response", &made().to_string());
    assert_eq!(kind(&raw(&qr(), 200, &query)), "unusable");
    let page = ordered(CheckoutMethod::AlipayPage, "000007_1");
    let good = signed_by(Pair::one(), PRECREATE, &made().to_string());
    assert_eq!(kind(&raw(&page, 200, &good)), "unusable");
}

#[test]
fn a_code_counts_only_with_a_signature_that_fits() {
    let value = made().to_string();
    let unsigned = format!(r#"{{"{PRECREATE}":{value}}}"#);
    assert_eq!(kind(&raw(&qr(), 200, &unsigned)), "unusable");
    let other = signed_by(Pair::other(), PRECREATE, &value);
    assert_eq!(kind(&raw(&qr(), 200, &other)), "unusable");
    let good = signed_by(Pair::one(), PRECREATE, &value);
    assert_eq!(kind(&raw(&qr(), 200, &good)), "started");
    assert_eq!(kind(&raw(&qr(), 200, &good.replace("bax034", "bax035"))), "unusable");
    for (status, want) in [(500, "unavailable"), (429, "unavailable"), (404, "unusable")] {
        assert_eq!(kind(&raw(&qr(), status, &good)), want, "{status}");
    }
}

/// A refused repeat may stand for a trade that was paid.
#[test]
fn a_listed_code_refuses_without_proving_that_nothing_is_there() {
    for code in [
        "ACQ.APPLY_PC_MERCHANT_CODE_ERROR",
        "ACQ.BEYOND_PAY_RESTRICTION",
        "ACQ.BEYOND_PER_RECEIPT_RESTRICTION",
        "ACQ.BUYER_ENABLE_STATUS_FORBID",
        "ACQ.BUYER_SELLER_EQUAL",
        "ACQ.CONTEXT_INCONSISTENT",
        "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT",
        "ACQ.EXIST_FORBIDDEN_WORD",
        "ACQ.INVALID_PARAMETER",
        "ACQ.INVALID_STORE_ID",
        "ACQ.NOT_SUPPORT_PAYMENT_INST",
        "ACQ.SELLER_BEEN_BLOCKED",
        "ACQ.TOTAL_FEE_EXCEED",
        "ACQ.TRADE_BUYER_NOT_MATCH",
    ] {
        assert_eq!(refused(&of(&failed("40004", code))), Some((code, false)));
        let other = with(failed("40004", code), "out_trade_no", json!("000007_2"));
        assert_eq!(kind(&of(&other)), "unusable", "{code}");
        assert_eq!(kind(&of(&failed("10000", code))), "unusable", "{code}");
        let unsigned = json!({PRECREATE: failed("40004", code)}).to_string();
        assert_eq!(kind(&raw(&qr(), 200, &unsigned)), "unusable", "{code}");
    }
    for code in ["ACQ.TRADE_HAS_CLOSE", "ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_HAS_SUCCESS"] {
        assert_eq!(kind(&of(&failed("40004", code))), "ended", "{code}");
    }
    for (code, sub_code, want) in [
        ("40004", "ACQ.SYSTEM_ERROR", "unavailable"),
        ("20000", "isp.unknow-error", "unavailable"),
        ("40005", "", "unavailable"),
        ("40002", "isv.invalid-signature", "rejected"),
        ("40001", "", "rejected"),
        ("40006", "isv.insufficient-isv-permissions", "rejected"),
        ("40004", "CONTEXT_INCONSISTENT", "unusable"),
        ("40004", "ACQ.context_inconsistent", "unusable"),
        ("40004", "ACQ.TRADE_NOT_EXIST", "unusable"),
    ] {
        assert_eq!(kind(&of(&failed(code, sub_code))), want, "{code} {sub_code}");
    }
}

#[test]
fn closing_is_signed_byte_for_byte_and_only_asks() {
    let ordered = ordered(CheckoutMethod::AlipayWap, CHECKOUT);
    let found = ours().close_request(&ordered.checkout, NONCE, now()).unwrap();
    let mut want = signed_parameters("alipay-close", "alipay.trade.close", &[]);
    let content = want.remove(1);
    assert_eq!(found.target, format!("?{}", query_string(&want)));
    assert_eq!(String::from_utf8_lossy(&found.body), query_string(&[content]));
    let other = OrderedCheckout::new(CheckoutMethod::AlipayWap, CHECKOUT, "1");
    let other = ours().close_request(&other.checkout, NONCE, now());
    assert!(matches!(other, Err(QueryError::NoKey)));
    let raw = |status, body: &str| {
        let response = (status, &Pairs::new(), body.as_bytes());
        ordered.closed(&ours(), response, at(1_700_000_000)).map_err(|error| error.kind())
    };
    let of = |value: &Value| raw(200, &signed_by(Pair::one(), CLOSE, &value.to_string()));
    let closed =
        json!({"code": "10000", "msg": "Success", "out_trade_no": CHECKOUT, "trade_no": "1"});
    assert_eq!(of(&closed), Ok(()));
    assert_eq!(of(&with(closed.clone(), "out_trade_no", None)), Err("unusable"));
    assert_eq!(of(&with(closed.clone(), "out_trade_no", json!("000007_1"))), Err("unusable"));
    assert_eq!(raw(200, &json!({CLOSE: closed}).to_string()), Err("unusable"));
    assert_eq!(raw(503, ""), Err("unavailable"));
    for code in [
        "REASON_ILLEGAL_STATUS",
        "REASON_TRADE_STATUS_INVALID",
        "TRADE_HAS_CLOSE",
        "TRADE_HAS_FINISHED",
        "TRADE_NOT_EXIST",
        "TRADE_STATUS_ERROR",
    ] {
        let refused = failed("40004", &format!("ACQ.{code}"));
        assert_eq!(of(&refused), Ok(()), "{code}");
        let other = with(refused.clone(), "out_trade_no", json!("000007_1"));
        assert_eq!(of(&other), Err("unusable"), "{code}");
        assert_eq!(raw(200, &json!({CLOSE: refused}).to_string()), Err("unusable"), "{code}");
        assert_eq!(of(&failed("40004", code)), Err("unusable"), "{code}");
    }
    for (code, sub_code, kind) in [
        ("40004", "ACQ.SYSTEM_ERROR", "unavailable"),
        ("40002", "isv.invalid-signature", "rejected"),
        ("40004", "ACQ.INVALID_PARAMETER", "unusable"),
    ] {
        assert_eq!(of(&failed(code, sub_code)), Err(kind), "{sub_code}");
    }
}
