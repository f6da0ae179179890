//! Checkouts that we make and close: the requests byte for byte, and what each response proves.

use pay_core::{
    domain::{CheckoutMethod, PaymentId, Provider},
    ports::{CheckoutAction, QueryError},
};
use serde_json::{Value, json};

use super::{
    super::{NOW, Pair, SERIAL, at, headers, with},
    OUR_SERIAL, entry, ours, querier,
};
use crate::{
    Querier as _,
    query::RawRequest,
    samples::{
        checkouts::{
            CHECKOUT, OrderedCheckout, RETURN_URL, Started, kind, message_of, refused, started,
        },
        queries::{NONCE, Pairs},
        signature_of,
    },
    wechat::querier::WeChatQuerier,
};

const MCHID: &str = "1900000001";
const PREPAY_ID: &str = "wx201410272009395522657a690389285100";
const PAID: [&str; 4] = ["ORDERPAID", "ORDER_PAID", "ORDERCLOSED", "ORDER_CLOSED"];

fn with_app() -> WeChatQuerier {
    let mut entry = entry();
    entry["appid"] = json!(["wx0000000000000001", "wx0000000000000002"]);
    querier(&entry).unwrap()
}

fn ordered(method: CheckoutMethod, reference: &str) -> OrderedCheckout {
    OrderedCheckout::new(method, reference, MCHID)
}

fn native() -> OrderedCheckout {
    ordered(CheckoutMethod::WeChatNative, CHECKOUT)
}

fn raw(ordered: &OrderedCheckout, response: (u16, &Pairs, &[u8])) -> Started {
    ordered.started(&with_app(), response, at(NOW))
}

/// A signed response.
fn of(ordered: &OrderedCheckout, response: &Value) -> Started {
    let body = response.to_string().into_bytes();
    raw(ordered, (200, &headers(&body, NOW), &body))
}

fn error_of(code: &str) -> Vec<u8> {
    json!({"code": code, "message": "…"}).to_string().into_bytes()
}

/// An error without a signature.
fn error(status: u16, code: &str) -> Started {
    raw(&native(), (status, &Pairs::new(), &error_of(code)))
}

/// The request that another program has signed.
fn signed(case: &str) -> RawRequest {
    let message = message_of(case);
    let lines: Vec<_> = message.split('\n').collect();
    let [method, target, timestamp, nonce, body, ""] = *lines else { panic!("{message}") };
    assert_eq!((timestamp, nonce), ("1700000000", NONCE));
    let authorization = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{MCHID}\",nonce_str=\"{NONCE}\",\
         timestamp=\"{timestamp}\",serial_no=\"{OUR_SERIAL}\",signature=\"{}\"",
        signature_of(case)
    );
    assert_eq!(method, "POST");
    RawRequest {
        method: "POST",
        target: target.to_owned(),
        headers: vec![
            ("authorization", authorization),
            ("accept", "application/json".to_owned()),
            ("user-agent", "pay/0.1.0".to_owned()),
            ("wechatpay-serial", SERIAL.to_owned()),
            ("content-type", "application/json".to_owned()),
        ],
        body: body.as_bytes().to_vec(),
    }
}

fn assert_same(found: &RawRequest, case: &str) {
    let want = signed(case);
    assert_eq!(String::from_utf8_lossy(&found.body), String::from_utf8_lossy(&want.body));
    assert_eq!((&found.target, &found.headers), (&want.target, &want.headers), "{case}");
    assert!(*found == want, "{case}");
}

#[test]
fn an_order_is_signed_byte_for_byte_with_its_body() {
    for (ordered, case) in [
        (native(), "wechat-make-native"),
        (
            ordered(CheckoutMethod::WeChatH5, CHECKOUT)
                .at_address("203.0.113.7")
                // It is no parameter of the order.
                .back_to(RETURN_URL),
            "wechat-make-h5",
        ),
        (
            ordered(CheckoutMethod::WeChatJsapi, CHECKOUT).by("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
            "wechat-make-jsapi",
        ),
        // A reference has six characters or more.
        (ordered(CheckoutMethod::WeChatApp, "000007_1"), "wechat-make-app"),
    ] {
        assert_same(&ordered.sent(&with_app(), at(NOW)), case);
        // Other parameters would be another order: only what signs it differs.
        let again = ordered.sent(&with_app(), at(NOW + 1_000));
        assert_eq!(again.body, signed(case).body, "{case}");
    }
}

#[test]
fn what_wechat_pay_cannot_make_is_not_ordered() {
    let mut without_url = native();
    without_url.checkout.parameters.notify_url = None;
    for (ordered, kind) in [
        (native().of(8888, "HKD"), "unusable"),
        (without_url, "unusable"),
        (ordered(CheckoutMethod::AlipayQr, CHECKOUT), "unusable"),
        (OrderedCheckout::new(CheckoutMethod::WeChatNative, CHECKOUT, "1900000002"), "no-key"),
    ] {
        assert_eq!(ordered.cannot_be_made(&with_app()).kind(), kind);
    }
    // Without an app nothing is ordered, which the account says before, and all else works.
    assert_eq!(native().cannot_be_made(&ours()).kind(), "rejected");
    assert_eq!(ours().account(), None);
    assert_eq!(with_app().account().unwrap().as_str(), MCHID);
}

#[test]
fn a_code_is_shown_and_a_page_opened() {
    let (text, url) = ("weixin://wxpay/bizpayurl?pr=p4lpSuKzz", "https://wx.tenpay.com/pay?x=1");
    let qr = started(CheckoutAction::Qr { text: text.to_owned() });
    assert_eq!(of(&native(), &json!({"code_url": text})).unwrap(), qr);
    let h5 = ordered(CheckoutMethod::WeChatH5, CHECKOUT).at_address("2001:db8::1");
    let back =
        format!("{url}&redirect_url=https%3A%2F%2Fshop.example%2Fpaid%3Forder%3D7%26x%3D%252F");
    for (ordered, want) in [(h5.clone(), url), (h5.clone().back_to(RETURN_URL), &back)] {
        let redirect = started(CheckoutAction::Redirect { url: want.to_owned() });
        assert_eq!(of(&ordered, &json!({"h5_url": url})).unwrap(), redirect);
    }
    for odd in ["http://wx.tenpay.com/", "javascript:alert(1)", "//wx.tenpay.com", ""] {
        assert_eq!(kind(&of(&h5, &json!({"h5_url": odd}))), "unusable", "{odd}");
    }
}

/// What another program has signed with the same key.
#[test]
fn the_payers_wechat_gets_what_we_signed() {
    let client = |parameters: &[(&'static str, &str)]| {
        let parameters = parameters.iter().map(|(name, value)| (*name, (*value).to_owned()));
        started(CheckoutAction::Client { parameters: parameters.collect() })
    };
    let response = json!({"prepay_id": PREPAY_ID});
    let jsapi = client(&[
        ("appId", "wx0000000000000001"),
        ("timeStamp", "1700000000"),
        ("nonceStr", NONCE),
        ("package", &format!("prepay_id={PREPAY_ID}")),
        ("signType", "RSA"),
        ("paySign", &signature_of("wechat-pay-jsapi")),
    ]);
    let ordered_jsapi = ordered(CheckoutMethod::WeChatJsapi, CHECKOUT).by("oUpF8");
    assert_eq!(of(&ordered_jsapi, &response).unwrap(), jsapi);
    let app = client(&[
        ("appid", "wx0000000000000001"),
        ("partnerid", MCHID),
        ("prepayid", PREPAY_ID),
        ("package", "Sign=WXPay"),
        ("noncestr", NONCE),
        ("timestamp", "1700000000"),
        ("sign", &signature_of("wechat-pay-app")),
    ]);
    assert_eq!(of(&ordered(CheckoutMethod::WeChatApp, CHECKOUT), &response).unwrap(), app);
}

/// Nothing in it names our order, so that the method is all that can be compared.
#[test]
fn a_response_about_another_method_or_that_cannot_be_read_proves_nothing() {
    let members = ["code_url", "h5_url", "prepay_id"].map(|name| json!({name: "https://x"}));
    for (method, own) in [
        (CheckoutMethod::WeChatNative, 0),
        (CheckoutMethod::WeChatH5, 1),
        (CheckoutMethod::WeChatJsapi, 2),
        (CheckoutMethod::WeChatApp, 2),
    ] {
        for (index, response) in members.iter().enumerate() {
            let want = if index == own { "started" } else { "unusable" };
            assert_eq!(kind(&of(&ordered(method, CHECKOUT), response)), want, "{method:?}");
        }
    }
    for odd in [json!({"code_url": ""}), json!({"code_url": 1}), json!({"code_url": null})] {
        assert_eq!(kind(&of(&native(), &odd)), "unusable", "{odd}");
    }
    for body in ["", "null", "[]", "{", "{}", "<html>"] {
        let body = body.as_bytes();
        assert_eq!(kind(&raw(&native(), (200, &headers(body, NOW), body))), "unusable");
    }
}

#[test]
fn a_code_counts_only_with_a_signature_that_fits() {
    let body = json!({"code_url": "weixin://wxpay/bizpayurl?pr=1"}).to_string().into_bytes();
    let good = headers(&body, NOW);
    assert_eq!(kind(&raw(&native(), (200, &good, &body))), "started");
    let text = [NOW.to_string().as_bytes(), b"\nnonce\n", &body, b"\n"].concat();
    let other = with(good.clone(), "Wechatpay-Signature", &Pair::other().sign(&text));
    for headers in [Pairs::new(), other] {
        assert_eq!(kind(&raw(&native(), (200, &headers, &body))), "unusable");
    }
    // Recorded earlier.
    let late = native().started(&with_app(), (200, &good, &body), at(NOW + 300));
    assert_eq!(kind(&late), "unusable");
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert_eq!(kind(&raw(&native(), (200, &good, &changed))), "unusable", "{index}");
    }
    for status in [201, 204, 206, 400, 404] {
        assert_eq!(kind(&raw(&native(), (status, &good, &body))), "unusable", "{status}");
    }
}

/// A refused repeat may stand for an order that was paid.
#[test]
fn a_listed_code_refuses_without_proving_that_nothing_is_there() {
    for code in [
        "ACCOUNTERROR",
        "ACCOUNT_ERROR",
        "INVALID_REQUEST",
        "OUT_TRADE_NO_USED",
        "PARAM_ERROR",
        "RULELIMIT",
        "RULE_LIMIT",
        "TRADE_ERROR",
    ] {
        for status in [400, 403] {
            assert_eq!(refused(&error(status, code)), Some((code, false)), "{status}");
        }
        for status in [200, 202, 302, 401, 404, 409, 429, 500, 502] {
            assert_eq!(refused(&error(status, code)), None, "{status} {code}");
        }
    }
    assert_eq!(refused(&error(500, "OPENID_MISMATCH")), Some(("OPENID_MISMATCH", false)));
    for code in PAID {
        for status in [400, 403] {
            assert_eq!(kind(&error(status, code)), "ended", "{status} {code}");
        }
        for status in [200, 404, 429, 500] {
            assert_ne!(kind(&error(status, code)), "ended", "{status} {code}");
        }
    }
}

#[test]
fn any_other_response_leaves_the_outcome_unknown() {
    for (status, code, want) in [
        (202, "", "unavailable"),
        (429, "FREQUENCY_LIMITED", "unavailable"),
        (500, "SYSTEM_ERROR", "unavailable"),
        (503, "", "unavailable"),
        (400, "MCH_NOT_EXISTS", "rejected"),
        (400, "APPID_MCHID_NOT_MATCH", "rejected"),
        (401, "SIGN_ERROR", "rejected"),
        (403, "NO_AUTH", "rejected"),
        (403, "out_trade_no_used", "unusable"),
        (403, "", "unusable"),
        (404, "ORDER_NOT_EXIST", "unusable"),
    ] {
        assert_eq!(kind(&error(status, code)), want, "{status} {code}");
    }
    for body in ["", "<html>", "[]", r#"{"code":["ORDERPAID"]}"#, r#""ORDERPAID""#] {
        let found = raw(&native(), (403, &Pairs::new(), body.as_bytes()));
        assert_eq!(kind(&found), "unusable", "{body}");
    }
}

#[test]
fn closing_is_signed_byte_for_byte_and_only_asks() {
    let close =
        |ordered: &OrderedCheckout| with_app().close_request(&ordered.checkout, NONCE, at(NOW));
    assert_same(&close(&native()).unwrap(), "wechat-close");
    let other = OrderedCheckout::new(CheckoutMethod::WeChatNative, CHECKOUT, "1900000002");
    assert!(matches!(close(&other), Err(QueryError::NoKey)));
    let closed = |status, headers: &Pairs, body: &[u8], now| {
        let closed = native().closed(&with_app(), (status, headers, body), at(now));
        closed.map_err(|error| error.kind())
    };
    let signed = headers(b"", NOW);
    assert_eq!(closed(204, &signed, b"", NOW), Ok(()));
    assert_eq!(closed(204, &Pairs::new(), b"", NOW), Err("unusable"));
    assert_eq!(closed(204, &signed, b"", NOW + 300), Err("unusable"));
    assert_eq!(closed(204, &signed, b"{}", NOW), Err("unusable"));
    assert_eq!(closed(200, &signed, b"", NOW), Err("unusable"));
    let error = |status, code: &str| closed(status, &Pairs::new(), &error_of(code), NOW);
    for code in PAID {
        assert_eq!(error(400, code), Ok(()), "{code}");
        assert_eq!(error(403, code), Ok(()), "{code}");
        assert_eq!(error(404, code), Err("unusable"), "{code}");
    }
    for code in ["ORDER_NOT_EXIST", "ORDERNOTEXIST"] {
        assert_eq!(error(404, code), Ok(()), "{code}");
        assert_eq!(error(400, code), Err("unusable"), "{code}");
    }
    for (status, code, kind) in [
        (202, "", "unavailable"),
        (429, "FREQUENCY_LIMITED", "unavailable"),
        (500, "SYSTEM_ERROR", "unavailable"),
        (401, "SIGN_ERROR", "rejected"),
        (400, "PARAM_ERROR", "rejected"),
        (403, "TRADE_ERROR", "unusable"),
    ] {
        assert_eq!(error(status, code), Err(kind), "{status} {code}");
    }
}

#[test]
fn nothing_that_can_be_paid_with_is_printed() {
    let ordered = ordered(CheckoutMethod::WeChatJsapi, CHECKOUT).by("oUpF8");
    let found = of(&ordered, &json!({"prepay_id": PREPAY_ID})).unwrap();
    let request = ordered.sent(&with_app(), at(NOW));
    let printed = format!("{found:?} {request:?}");
    for canary in [PREPAY_ID, "paySign", "oUpF8", CHECKOUT] {
        assert!(!printed.contains(canary), "{printed}");
    }
    assert_eq!(ordered.checkout.reference.payment, PaymentId::new(1_217_752_501_201_407).unwrap());
    assert_eq!(ordered.checkout.provider(), Provider::WeChat);
}
