//! Checkouts that the shop orders of Alipay, and closes. A page and an order string are opened by the payer.
//!
//! Sources: smartwalle/alipay `trade_type.go`; opendocs.alipay.com, "alipay.trade.precreate",
//! "alipay.trade.page.pay", "alipay.trade.wap.pay", "alipay.trade.app.pay", "alipay.trade.close".

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::api::{Opened, Reply};
use super::super::checkouts::TradeCheckout;
use super::super::ledger::{Ledger, Trade, TradeState};
use super::api::{CLOSE, PRECREATE, business_error, success};
use super::refunds::fen;
use super::transaction;
use crate::clock;

/// The methods of pages and order strings, the way to pay of each and the product that it needs.
pub(super) const PAGES: [(&str, &str, &str); 3] = [
    ("alipay.trade.page.pay", "page", "FAST_INSTANT_TRADE_PAY"),
    ("alipay.trade.wap.pay", "wap", "QUICK_WAP_WAY"),
    ("alipay.trade.app.pay", "app", "QUICK_MSECURITY_PAY"),
];

type Parameters = BTreeMap<String, String>;

/// Makes a code once for an `out_trade_no`. The trade is not there before a payer scans it.
pub(super) fn precreate(ledger: &mut Ledger, parameters: &Parameters, now_secs: u64) -> Reply {
    match ordered(ledger, parameters, "qr", now_secs) {
        Ok(trade) => {
            let qr_code = format!("https://qr.alipay.com/bax{}", trade.transaction);
            let content = json!({
                "code": "10000", "msg": "Success", "out_trade_no": trade.reference(),
                "qr_code": qr_code,
            });
            success(PRECREATE, content)
        }
        Err(sub_code) => business_error(PRECREATE, &sub_code),
    }
}

/// The payer opens a page or an order string.
pub(super) fn open(ledger: &mut Ledger, parameters: &Parameters, now_secs: u64) -> Opened {
    let method = parameters.get("method").map_or("", String::as_str);
    let page = PAGES.iter().find(|(name, ..)| *name == method);
    let (_, method, product) = page.ok_or("no page of this method")?;
    if content(parameters).get("product_code") != Some(&json!(product)) {
        return Err("ACQ.INVALID_PARAMETER".to_owned());
    }
    let trade = ordered(ledger, parameters, method, now_secs)?;
    if trade.is_over(now_secs) {
        return Err("the last moment to pay is over".to_owned());
    }
    ledger.begin_checkout(&trade.transaction);
    Ok(trade.transaction)
}

/// Closes a trade that is there.
pub(super) fn close(ledger: &mut Ledger, trade: &Trade, now_secs: u64) -> Reply {
    match trade.state {
        TradeState::Open => {
            let closed = ledger.close(trade, now_secs);
            let content = json!({
                "code": "10000", "msg": "Success", "out_trade_no": closed.reference(),
                "trade_no": closed.transaction,
            });
            success(CLOSE, content).closing(&closed)
        }
        TradeState::Processing => business_error(CLOSE, "ACQ.REASON_TRADE_STATUS_INVALID"),
        TradeState::Paid | TradeState::Closed => business_error(CLOSE, "ACQ.TRADE_STATUS_ERROR"),
    }
}

fn content(parameters: &Parameters) -> Value {
    let content = parameters.get("biz_content").map_or("", String::as_str);
    serde_json::from_str(content).unwrap_or_default()
}

/// What is ordered, made once; or the `sub_code` of why not.
fn ordered(
    ledger: &mut Ledger,
    parameters: &Parameters,
    method: &'static str,
    now_secs: u64,
) -> Result<Trade, String> {
    let order = read(parameters, method, now_secs).ok_or("ACQ.INVALID_PARAMETER")?;
    if let Some(known) = ledger.by_reference(&order.reference()) {
        return match known.state {
            TradeState::Paid => Err("ACQ.TRADE_HAS_SUCCESS".to_owned()),
            TradeState::Closed => Err("ACQ.TRADE_HAS_CLOSE".to_owned()),
            TradeState::Open | TradeState::Processing => {
                let of =
                    |trade: &Trade| trade.checkout.clone().map(|of| (of.method, of.parameters));
                let is_same = of(known) == of(&order);
                let differs = || "ACQ.CONTEXT_INCONSISTENT".to_owned();
                is_same.then(|| known.clone()).ok_or_else(differs)
            }
        };
    }
    if let Some(code) = &ledger.refused_checkouts {
        return Err(code.clone());
    }
    ledger.put(order.clone());
    Ok(order)
}

/// `None` if something is missing, or is what Alipay does not take.
fn read(parameters: &Parameters, method: &'static str, now_secs: u64) -> Option<Trade> {
    let content = content(parameters);
    let text = |name: &str| content.get(name).and_then(Value::as_str);
    let reference = text("out_trade_no")?;
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_';
    let named = reference.len() <= 64 && reference.bytes().all(fits);
    // The real one takes any. This one keeps what it orders by payment.
    let (payment, number) = reference.split_once('_')?;
    let (payment, number) = (payment.parse().ok()?, number.parse().ok()?);
    let amount = fen(text("total_amount")?).filter(|amount| *amount > 0)?;
    let is_described = text("subject").is_some_and(|subject| {
        !subject.is_empty() && subject.len() <= 256 && !subject.contains(['/', '=', '&'])
    });
    let expires_secs = match text("time_expire") {
        Some(time) => {
            let time = format!("{}+08:00", time.replacen(' ', "T", 1));
            Some(clock::beijing_secs(&time)?)
        }
        None => None,
    };
    let is_notified = parameters.get("notify_url").is_some_and(|url| url.starts_with("https://"));
    let trade = Trade::new(payment, transaction(payment, number), amount, now_secs);
    let parameters = Bytes::from(content.to_string());
    let checkout = TradeCheckout { number, method, parameters, expires_secs, is_begun: false };
    let trade = Trade { checkout: Some(checkout), ..trade };
    (named && is_described && is_notified && trade.reference() == reference).then_some(trade)
}
