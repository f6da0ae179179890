//! WeChat Pay's API as far as it makes, closes and reads payments, and makes and reads refunds.
//!
//! Sources: wechatpay-go; pay.weixin.qq.com/doc/v3, "query an order", "query a refund", "signing",
//! "error codes".

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::api::{Api, Call, Reply, verifies};
use super::super::ledger::{Ledger, Trade, TradeState};
use super::super::shop_keys::{ShopKey, ShopKeys};
use super::{API_V3_KEY, APPID, KEY, MCHID, SERIAL, checkouts, objects, refunds, sign};
use crate::clock;
use crate::faults::server;
use crate::keys::KeptKey;

/// The key with which the shop signs its calls.
pub static MERCHANT_KEY: KeptKey = KeptKey::named("wechat-merchant.pem");

/// The serial of the certificate of [`MERCHANT_KEY`].
pub const MERCHANT_SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";

/// The key to which [`MERCHANT_KEY`] is rotated.
static NEXT_MERCHANT_KEY: KeptKey = KeptKey::named("wechat-merchant-next.pem");

/// The serial of the certificate of [`NEXT_MERCHANT_KEY`].
const NEXT_MERCHANT_SERIAL: &str = "6268A10F0ED1A7EF26FCF92B58168B8343A2C9F2";

/// How far the clock of a caller may be off, in seconds.
const CLOCK_OFF_MAX_SECS: u64 = 300;

/// What begins the header that signs a call.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";

/// WeChat Pay's API.
pub(super) const API: Api = Api {
    url: ("WECHAT_URL", ""),
    entry: |key| {
        let (serial, key) = certificate(key);
        Ok(json!({
            "mchid": MCHID, "appid": APPID, "serial": serial,
            "private_key": key.get()?.private_pem(), "api_v3_key": API_V3_KEY,
            "public_keys": {SERIAL: KEY.get()?.public_pem()},
        }))
    },
    point,
    closes_what_is_over: false,
    respond,
    open: |_, _, _| Ok(None),
    write,
    problem,
    throttled: || problem(StatusCode::TOO_MANY_REQUESTS),
    error_envelope: || problem(StatusCode::NOT_IMPLEMENTED),
    nothing_found: absent,
    references: &["out_trade_no", "out_refund_no"],
};

/// The serial of the shop's certificate, and the key that it is of.
fn certificate(key: ShopKey) -> (&'static str, &'static KeptKey) {
    match key {
        ShopKey::First => (MERCHANT_SERIAL, &MERCHANT_KEY),
        ShopKey::Next => (NEXT_MERCHANT_SERIAL, &NEXT_MERCHANT_KEY),
    }
}

fn point(call: &Call) -> &'static str {
    match call.path()[..] {
        ["v3", "pay", "transactions", "out-trade-no" | "id", _] if call.is_get() => {
            "wechat:payment"
        }
        ["v3", "pay", "transactions", method]
            if call.is_post() && checkouts::METHODS.contains(&method) =>
        {
            "wechat:make-checkout"
        }
        ["v3", "pay", "transactions", "out-trade-no", _, "close"] if call.is_post() => {
            "wechat:close"
        }
        ["v3", "refund", "domestic", "refunds", _] if call.is_get() => "wechat:refund",
        ["v3", "refund", "domestic", "refunds"] if call.is_post() => "wechat:make-refund",
        _ => "",
    }
}

fn respond(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Result<Reply> {
    // A path that is not known has a response without a body.
    if point(call).is_empty() {
        return Ok(Reply::unsigned(StatusCode::NOT_FOUND, Value::Null));
    }
    if let Some(missing) = ["user-agent", "accept"].iter().find(|name| call.header(name).is_none())
    {
        let text = format!("no {missing}");
        return Ok(error(StatusCode::BAD_REQUEST, "PARAM_ERROR", &text));
    }
    if call.header("wechatpay-serial").is_some_and(|serial| serial != SERIAL) {
        let text = "Wechatpay-Serial is not the serial of our public key";
        return Ok(error(StatusCode::BAD_REQUEST, "PARAM_ERROR", text));
    }
    if let Some(wrong) = wrong_signature(&mut ledger.keys, call, now_secs)? {
        return Ok(error(StatusCode::UNAUTHORIZED, "SIGN_ERROR", &wrong));
    }
    match call.path()[..] {
        ["v3", "pay", "transactions", _] => Ok(checkouts::make(ledger, call, now_secs)),
        [.., "close"] => Ok(checkouts::close(ledger, call, now_secs)),
        ["v3", "refund", "domestic", "refunds"] => refunds::make(ledger, call, now_secs),
        ["v3", "refund", .., number] => {
            let found = ledger.refund_that(|refund| refund.number() == number);
            let found = found.map(|(trade, refund)| objects::refund(trade, refund)).transpose()?;
            Ok(found.map_or_else(
                || error(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "退款单不存在"),
                signed,
            ))
        }
        [.., by, id] => {
            if call.parameter("mchid").as_deref() != Some(MCHID) {
                let text = "mchid is not that of the signature";
                return Ok(error(StatusCode::BAD_REQUEST, "PARAM_ERROR", text));
            }
            let is_paid = |trade: &&Trade| trade.state == TradeState::Paid;
            let found = match by {
                "id" => ledger.by_transaction(id).filter(is_paid),
                _ => ledger.by_reference(id),
            };
            let found = found.map(objects::transaction).transpose()?;
            Ok(found.map_or_else(absent, signed))
        }
        _ => Ok(problem(StatusCode::NOT_FOUND)),
    }
}

/// What is wrong with the signature of a call, if anything is.
fn wrong_signature(keys: &mut ShopKeys, call: &Call, now_secs: u64) -> Result<Option<String>> {
    let wrong = |text: &str| Ok(Some(text.to_owned()));
    let header = call.header("authorization").and_then(|text| text.strip_prefix(SCHEME));
    let Some(header) = header else {
        return wrong("no Authorization of this scheme");
    };
    let fields = header.split(',').filter_map(|field| field.trim().split_once('='));
    let unquoted = |text: &str| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    let fields = fields.filter_map(|(name, value)| Some((name, unquoted(value)?)));
    let fields: BTreeMap<&str, String> = fields.collect();
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    if field("mchid") != MCHID {
        return wrong("mchid is not known");
    }
    let is_its_serial = |key: &ShopKey| certificate(*key).0 == field("serial_no");
    let Some(key) = keys.accepted.iter().copied().find(is_its_serial) else {
        return wrong("serial_no is not that of the merchant's certificate");
    };
    let (timestamp, nonce) = (field("timestamp"), field("nonce_str"));
    let off = timestamp.parse::<u64>().ok().map(|timestamp| timestamp.abs_diff(now_secs));
    if off.is_none_or(|off| off > CLOCK_OFF_MAX_SECS) {
        return wrong("timestamp is more than five minutes off");
    }
    if nonce.is_empty() {
        return wrong("no nonce_str");
    }
    let (method, path) = (&call.head.method, call.path_and_query());
    let mut message = format!("{method}\n{path}\n{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(&call.body);
    message.push(b'\n');
    let public_pem = certificate(key).1.get()?.public_pem();
    if !verifies(public_pem, &message, field("signature"))? {
        return wrong("the signature does not fit");
    }
    keys.used = Some(key);
    Ok(None)
}

pub(super) fn signed(content: Value) -> Reply {
    Reply { status: StatusCode::OK, member: String::new(), content, signed: true, effect: None }
}

fn absent() -> Reply {
    error(StatusCode::NOT_FOUND, "ORDER_NOT_EXIST", "订单不存在")
}

/// An error. WeChat Pay does not sign one.
pub(super) fn error(status: StatusCode, code: &str, text: &str) -> Reply {
    Reply::unsigned(status, json!({"code": code, "message": text}))
}

fn problem(status: StatusCode) -> Reply {
    let code = match status {
        StatusCode::TOO_MANY_REQUESTS => "FREQUENCY_LIMITED",
        status if status.is_server_error() => "SYSTEM_ERROR",
        _ => "PARAM_ERROR",
    };
    error(status, code, "an injected fault")
}

fn write(reply: &Reply) -> Result<Response<Bytes>> {
    let content = Some(&reply.content).filter(|content| !content.is_null());
    let body = content.map(Value::to_string).unwrap_or_default();
    let mut headers = Vec::new();
    if reply.signed {
        let nonce = Uuid::new_v4().simple().to_string();
        headers.extend(sign(clock::now_secs(), &nonce, body.as_bytes())?);
    }
    let mut response = server::response(reply.status, "application/json; charset=utf-8", body);
    for (name, value) in headers {
        let value = HeaderValue::try_from(value).map_err(|error| anyhow!("{name}: {error}"))?;
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}
