//! WeChat Pay's payments and refunds, as calls and messages have them.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::ledger::{Trade, TradeRefund, TradeState};
use super::{APPID, MCHID};
use crate::clock;
use pay_core::domain::RefundState;

/// A payment. The transaction and the time are there once it is paid.
pub(super) fn transaction(trade: &Trade) -> Result<Value> {
    let (state, text) = match trade.state {
        TradeState::Open => ("NOTPAY", "订单未支付"),
        TradeState::Processing => ("USERPAYING", "用户支付中"),
        TradeState::Paid if trade.refunds.is_empty() => ("SUCCESS", "支付成功"),
        TradeState::Paid => ("REFUND", "转入退款"),
        TradeState::Closed => ("CLOSED", "已关闭"),
    };
    let mut object = json!({
        "mchid": MCHID, "appid": APPID, "out_trade_no": trade.reference(),
        "trade_type": trade_type(trade), "trade_state": state, "trade_state_desc": text,
        "amount": {"total": trade.amount, "currency": trade.currency},
    });
    if trade.state == TradeState::Paid
        && let Some(object) = object.as_object_mut()
    {
        let currency = &trade.currency;
        let amount = json!({
            "total": trade.amount, "payer_total": trade.amount, "currency": currency,
            "payer_currency": currency,
        });
        object.insert("amount".to_owned(), amount);
        object.insert("transaction_id".to_owned(), json!(trade.transaction));
        object.insert("success_time".to_owned(), json!(clock::beijing_time(trade.time_secs)?));
    }
    Ok(object)
}

/// The way to pay, in the words of queries.
fn trade_type(trade: &Trade) -> &'static str {
    match trade.method() {
        Some("h5") => "MWEB",
        Some("jsapi") => "JSAPI",
        Some("app") => "APP",
        _ => "NATIVE",
    }
}

/// What has become of a refund, in the words of queries and messages.
fn status(refund: &TradeRefund) -> &'static str {
    match refund.state {
        RefundState::Requested | RefundState::Pending if refund.is_stranded => "ABNORMAL",
        RefundState::Requested | RefundState::Pending => "PROCESSING",
        RefundState::Succeeded => "SUCCESS",
        RefundState::Failed => "CLOSED",
    }
}

/// A refund, as the query of it has it.
pub(super) fn refund(trade: &Trade, refund: &TradeRefund) -> Result<Value> {
    let time = clock::beijing_time(refund.time_secs)?;
    let mut object = json!({
        "refund_id": refund.id, "out_refund_no": refund.number(),
        "transaction_id": trade.transaction, "out_trade_no": trade.reference(),
        "channel": "ORIGINAL", "user_received_account": "支付用户零钱", "create_time": time,
        "funds_account": "AVAILABLE", "status": status(refund),
        "amount": {
            "total": trade.amount, "refund": refund.amount, "payer_total": trade.amount,
            "payer_refund": refund.amount, "settlement_total": trade.amount,
            "settlement_refund": refund.amount, "discount_refund": 0, "currency": trade.currency,
        },
    });
    if let (RefundState::Succeeded, Some(object)) = (refund.state, object.as_object_mut()) {
        object.insert("success_time".to_owned(), json!(time));
    }
    Ok(object)
}

/// A refund, as a message has it: with other names, and without a currency.
pub(super) fn refund_notification(trade: &Trade, refund: &TradeRefund) -> Result<Value> {
    let mut object = json!({
        "mchid": MCHID, "out_trade_no": trade.reference(),
        "transaction_id": trade.transaction, "out_refund_no": refund.number(),
        "refund_id": refund.id, "refund_status": status(refund),
        "amount": {
            "total": trade.amount, "refund": refund.amount, "payer_total": trade.amount,
            "payer_refund": refund.amount,
        },
    });
    if let (RefundState::Succeeded, Some(object)) = (refund.state, object.as_object_mut()) {
        object.insert("success_time".to_owned(), json!(clock::beijing_time(refund.time_secs)?));
    }
    Ok(object)
}
