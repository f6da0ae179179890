//! Alipay's gateway as far as it makes, closes and reads payments, and makes and reads refunds.
//!
//! Sources: alipay-sdk-python-all, alipay-sdk-nodejs-all; opendocs.alipay.com, "alipay.trade.query",
//! "alipay.trade.fastpay.refund.query", "common error codes".

use std::collections::BTreeMap;

use anyhow::Result;
use bytes::Bytes;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::super::api::{Api, Call, Opened, Reply, verifies};
use super::super::ledger::{Ledger, Trade, TradeState};
use super::super::shop_keys::{ShopKey, ShopKeys};
use super::{APP_ID, KEY, beijing_text, checkouts, refunds, yuan};
use crate::faults::server;
use crate::keys::KeptKey;
use pay_core::domain::RefundState;

/// The key with which the shop's application signs its calls.
pub static APP_KEY: KeptKey = KeptKey::named("alipay-app.pem");

/// The key to which [`APP_KEY`] is rotated.
static NEXT_APP_KEY: KeptKey = KeptKey::named("alipay-app-next.pem");

/// How far the clock of a caller may be off, in seconds. Stricter than Alipay is known to be, so that a
/// time of another zone is found.
const CLOCK_OFF_MAX_SECS: u64 = 600;

const QUERY: &str = "alipay.trade.query";
pub(super) const REFUND: &str = "alipay.trade.refund";
const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";
pub(super) const PRECREATE: &str = "alipay.trade.precreate";
pub(super) const CLOSE: &str = "alipay.trade.close";

/// Alipay's gateway.
pub(super) const API: Api = Api {
    url: ("ALIPAY_URL", "/gateway.do"),
    entry: |key| {
        let keys = [KEY.get()?.public_pem()];
        let private = app_key(key).get()?.private_pem();
        Ok(json!({"app_id": APP_ID, "private_key": private, "public_keys": keys}))
    },
    point: |call| match parameters(call).get("method").map(String::as_str) {
        Some(QUERY) => "alipay:query",
        Some(REFUND_QUERY) => "alipay:refund-query",
        Some(REFUND) => "alipay:make-refund",
        Some(PRECREATE) => "alipay:make-checkout",
        Some(CLOSE) => "alipay:close",
        _ => "",
    },
    closes_what_is_over: true,
    respond,
    open,
    write,
    problem: |status| Reply::unsigned(status, Value::Null),
    throttled: || gateway_error("40005", "isv.call-limited"),
    error_envelope: || gateway_error("20000", "isp.unknow-error"),
    nothing_found: || business_error(QUERY, "ACQ.TRADE_NOT_EXIST"),
    references: &["out_trade_no", "out_request_no", "trade_no"],
};

fn app_key(key: ShopKey) -> &'static KeptKey {
    match key {
        ShopKey::First => &APP_KEY,
        ShopKey::Next => &NEXT_APP_KEY,
    }
}

/// All parameters: those in the query, and those in the form.
fn parameters(call: &Call) -> BTreeMap<String, String> {
    if call.head.method != Method::POST || call.head.uri.path() != API.url.1 {
        return BTreeMap::new();
    }
    let query = call.head.uri.query().unwrap_or_default().as_bytes();
    let pairs = form_urlencoded::parse(query).chain(form_urlencoded::parse(&call.body));
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn respond(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Result<Reply> {
    let parameters = parameters(call);
    if parameters.is_empty() {
        return Ok(Reply::unsigned(StatusCode::NOT_FOUND, Value::Null));
    }
    let methods = [QUERY, REFUND, REFUND_QUERY, PRECREATE, CLOSE];
    let wrong = wrong_call(&mut ledger.keys, &parameters, &methods)?;
    let is_near = || is_near(parameters.get("timestamp").map_or("", String::as_str), now_secs);
    let wrong = match wrong {
        None if !is_near()? => Some(("40002", "isv.invalid-timestamp")),
        wrong => wrong,
    };
    if let Some((code, sub_code)) = wrong {
        return Ok(gateway_error(code, sub_code));
    }
    let parameter = |name: &str| parameters.get(name).map_or("", String::as_str);
    let method = parameter("method");
    let business: Value = serde_json::from_str(parameter("biz_content")).unwrap_or_default();
    let text = |name: &str| business.get(name).and_then(Value::as_str);
    if method == PRECREATE {
        return Ok(checkouts::precreate(ledger, &parameters, now_secs));
    }
    // The transaction's id wins. A trade that is not begun is not there.
    let trade = match (text("trade_no"), text("out_trade_no")) {
        (Some(id), _) => ledger.by_transaction(id),
        (None, Some(reference)) => ledger.by_reference(reference),
        (None, None) => return Ok(business_error(method, "ACQ.INVALID_PARAMETER")),
    };
    let trade = trade.filter(|trade| trade.is_begun());
    let Some(trade) = trade else { return Ok(business_error(method, "ACQ.TRADE_NOT_EXIST")) };
    match (method, text("out_request_no")) {
        (QUERY, _) => queried(trade),
        (CLOSE, _) => {
            let trade = trade.clone();
            Ok(checkouts::close(ledger, &trade, now_secs))
        }
        (REFUND, Some(number)) => {
            let (transaction, amount) = (trade.transaction.clone(), text("refund_amount"));
            refunds::make(ledger, (&transaction, number, amount), now_secs)
        }
        (_, Some(number)) => refund(trade, number),
        (_, None) => Ok(business_error(method, "ACQ.INVALID_PARAMETER")),
    }
}

/// The page that the payer's browser or app opens with what we have signed, which was signed at any time. From
/// now on the trade is there.
fn open(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Result<Option<Opened>> {
    let query = call.head.uri.query().unwrap_or_default().as_bytes();
    let parameters: BTreeMap<String, String> = form_urlencoded::parse(query).into_owned().collect();
    let method = parameters.get("method").map_or("", String::as_str);
    let is_page = call.is_get() && call.head.uri.path() == API.url.1;
    if !is_page || !checkouts::PAGES.iter().any(|(name, ..)| *name == method) {
        return Ok(None);
    }
    if let Some((code, sub_code)) = wrong_call(&mut ledger.keys, &parameters, &[method])? {
        return Ok(Some(Err(format!("{code} {sub_code}"))));
    }
    Ok(Some(checkouts::open(ledger, &parameters, now_secs)))
}

/// What is wrong with a call before its content is read, but for its time, if anything is.
fn wrong_call(
    keys: &mut ShopKeys,
    parameters: &BTreeMap<String, String>,
    methods: &[&str],
) -> Result<Option<(&'static str, &'static str)>> {
    let parameter = |name: &str| parameters.get(name).map_or("", String::as_str);
    let wrong = |sub_code| Ok(Some(("40002", sub_code)));
    let missing = |sub_code| Ok(Some(("40001", sub_code)));
    if parameter("sign").is_empty() {
        return missing("isv.missing-signature");
    }
    if parameter("app_id") != APP_ID {
        return wrong("isv.invalid-app-id");
    }
    if parameter("sign_type") != "RSA2" {
        return wrong("isv.invalid-signature-type");
    }
    if !parameter("charset").eq_ignore_ascii_case("utf-8") {
        return wrong("isv.invalid-charset");
    }
    if parameter("version") != "1.0" {
        return wrong("isv.invalid-version");
    }
    if !["", "JSON"].contains(&parameter("format")) {
        return wrong("isv.invalid-format");
    }
    if !methods.contains(&parameter("method")) {
        return wrong("isv.invalid-method");
    }
    // In the order of the map, which is that of the names: unlike in messages with `sign_type`.
    let signed = parameters.iter().filter(|(name, value)| *name != "sign" && !value.is_empty());
    let signed: Vec<_> = signed.map(|(name, value)| format!("{name}={value}")).collect();
    let signed = signed.join("&");
    let is_its_signature =
        |key| verifies(app_key(key).get()?.public_pem(), signed.as_bytes(), parameter("sign"));
    if !keys.accept(is_its_signature)? {
        return wrong("isv.invalid-signature");
    }
    Ok(None)
}

/// Whether a time in Beijing is near the present one.
fn is_near(text: &str, now_secs: u64) -> Result<bool> {
    // Compared as text, minute by minute: nothing here reads a time.
    for off in (0..=CLOCK_OFF_MAX_SECS).step_by(60) {
        for near in [now_secs.saturating_sub(off), now_secs.saturating_add(off)] {
            let near = beijing_text(near)?;
            let minute = near.rsplit_once(':').map(|(minute, _)| minute);
            let seconds = minute.and_then(|minute| text.strip_prefix(minute)?.strip_prefix(':'));
            if let Some(seconds) = seconds {
                return Ok(seconds.len() == 2 && seconds.parse::<u8>().is_ok_and(|it| it < 60));
            }
        }
    }
    Ok(false)
}

fn queried(trade: &Trade) -> Result<Reply> {
    let status = match trade.state {
        TradeState::Open | TradeState::Processing => "WAIT_BUYER_PAY",
        TradeState::Paid if trade.is_refunded() => "TRADE_CLOSED",
        TradeState::Paid => "TRADE_SUCCESS",
        TradeState::Closed => "TRADE_CLOSED",
    };
    let is_paid = trade.state == TradeState::Paid;
    let paid = yuan(if is_paid { trade.amount } else { 0 });
    let mut content = json!({
        "code": "10000", "msg": "Success", "buyer_logon_id": "159****5620",
        "buyer_pay_amount": paid, "invoice_amount": paid, "out_trade_no": trade.reference(),
        "point_amount": "0.00", "receipt_amount": paid, "subject": SUBJECT,
        "total_amount": yuan(trade.amount), "trade_no": trade.transaction, "trade_status": status,
    });
    if let Some(content) = content.as_object_mut() {
        if is_paid {
            content.insert("send_pay_date".to_owned(), json!(beijing_text(trade.time_secs)?));
        }
        if trade.state == TradeState::Processing {
            content.insert("code".to_owned(), json!("10003"));
            content.insert("msg".to_owned(), json!("order success pay inprocess"));
        }
    }
    Ok(success(QUERY, content))
}

/// A text with slashes, which Alipay escapes.
const SUBJECT: &str = "Order 1/1, see https://shop.example/orders/1";

/// A refund. One that is not there, or failed, has no status.
fn refund(trade: &Trade, number: &str) -> Result<Reply> {
    let mut content = json!({"code": "10000", "msg": "Success"});
    let done = |state| state == RefundState::Succeeded;
    let refund =
        trade.refunds.iter().find(|refund| refund.number() == number && done(refund.state));
    if let (Some(refund), Some(content)) = (refund, content.as_object_mut()) {
        for (name, value) in [
            ("out_trade_no", trade.reference()),
            ("trade_no", trade.transaction.clone()),
            ("out_request_no", refund.number()),
            ("refund_amount", yuan(refund.amount)),
            ("total_amount", yuan(trade.amount)),
            ("refund_status", "REFUND_SUCCESS".to_owned()),
            ("gmt_refund_pay", beijing_text(refund.time_secs)?),
        ] {
            content.insert(name.to_owned(), json!(value));
        }
    }
    Ok(success(REFUND_QUERY, content))
}

pub(super) fn success(method: &str, content: Value) -> Reply {
    let member = format!("{}_response", method.replace('.', "_"));
    Reply { status: StatusCode::OK, member, content, signed: true, effect: None }
}

/// An error of the business behind the gateway, which is signed.
pub(super) fn business_error(method: &str, sub_code: &str) -> Reply {
    let content = json!({
        "code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "业务处理失败",
    });
    success(method, content)
}

/// An error of the gateway itself, which is not signed.
fn gateway_error(code: &str, sub_code: &str) -> Reply {
    let content = json!({"code": code, "msg": "Invalid Arguments", "sub_code": sub_code});
    let member = "error_response".to_owned();
    Reply { status: StatusCode::OK, member, content, signed: false, effect: None }
}

fn write(reply: &Reply) -> Result<Response<Bytes>> {
    let body = if reply.content.is_null() {
        "<html>".to_owned()
    } else {
        // As PHP writes JSON. The signature is over the object as it stands here.
        let object = reply.content.to_string().replace('/', r"\/");
        let member = &reply.member;
        if reply.signed {
            let sign = KEY.get()?.sign(object.as_bytes())?;
            format!(r#"{{"{member}":{object},"sign":"{sign}"}}"#)
        } else {
            format!(r#"{{"{member}":{object}}}"#)
        }
    };
    Ok(server::response(reply.status, "text/html;charset=utf-8", body))
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn the_time_is_that_of_beijing_and_ten_minutes_may_be_off() {
        // 2021-06-24 16:37:26 in Beijing.
        let near = |text: &str| is_near(text, 1_624_523_846).unwrap();
        for text in ["2021-06-24 16:37:26", "2021-06-24 16:28:00", "2021-06-24 16:47:00"] {
            assert!(near(text), "{text}");
        }
        for text in [
            "2021-06-24 08:37:26",
            "2021-06-24 16:26:59",
            "2021-06-24 16:48:00",
            "2021-06-24 16:37:99",
            "2021-06-24T16:37:26",
            "2021-06-24 16:37",
            "",
        ] {
            assert!(!near(text), "{text}");
        }
    }
}
