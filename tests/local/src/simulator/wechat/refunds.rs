//! Refunds that the shop orders of WeChat Pay.
//!
//! Sources: wechatpay-go `services/refunddomestic`; pay.weixin.qq.com/doc/v3, "request a refund".

use anyhow::Result;
use hyper::StatusCode;
use pay_core::domain::RefundState;
use serde_json::Value;
use uuid::Uuid;

use super::super::api::{Call, Reply};
use super::super::ledger::{Ledger, NotBegun, Orders, Trade, TradeRefund};
use super::api::{error, signed};
use super::objects;

/// Makes a refund once for an `out_refund_no`: a repeat gets the same refund as it is now. It is only
/// accepted at first.
pub(super) fn make(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Result<Reply> {
    let json = call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let content: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let Some(order) = Order::read(&content).filter(|_| json) else {
        return Ok(error(StatusCode::BAD_REQUEST, "PARAM_ERROR", "参数错误"));
    };
    if let Some((trade, refund)) = ledger.refund_that(|refund| refund.number() == order.number) {
        if refund.amount != order.refund || !order.is_of(trade) {
            let text = "订单金额或退款金额与之前请求不一致";
            return Ok(error(StatusCode::FORBIDDEN, "REFUND_FEE_MISMATCH", text));
        }
        return Ok(signed(objects::refund(trade, refund)?));
    }
    if let Orders::Refused(code) = &ledger.orders {
        return Ok(error(StatusCode::FORBIDDEN, code, "refused"));
    }
    if ledger.by_transaction(order.transaction).is_some_and(|trade| !order.is_of(trade)) {
        return Ok(error(StatusCode::BAD_REQUEST, "PARAM_ERROR", "订单金额不一致"));
    }
    let refund = TradeRefund {
        // Digits only.
        id: format!("50{:039}", Uuid::new_v4().as_u128()),
        reference: Some(order.number.to_owned()),
        amount: order.refund,
        state: RefundState::Pending,
        is_stranded: false,
        time_secs: now_secs,
    };
    Ok(match ledger.begin(order.transaction, refund.clone()) {
        Ok(trade) => signed(objects::refund(trade, &refund)?).beginning(&refund),
        Err(NotBegun::NoTrade | NotBegun::NotPaid) => {
            error(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", "订单不存在")
        }
        // Which code the real API has for it is not known for certain.
        Err(NotBegun::NothingLeft | NotBegun::WrongAmount) => {
            error(StatusCode::BAD_REQUEST, "INVALID_REQUEST", "累计退款金额大于订单金额")
        }
    })
}

/// What is ordered.
struct Order<'a> {
    transaction: &'a str,
    number: &'a str,
    refund: u64,
    total: u64,
    currency: &'a str,
}

impl<'a> Order<'a> {
    /// `None` if something is missing or too long.
    fn read(content: &'a Value) -> Option<Self> {
        let text = |name: &str| content.get(name).and_then(Value::as_str);
        let amount = content.get("amount")?;
        let number = |name: &str| amount.get(name).and_then(Value::as_u64);
        let is_short = text("reason").is_none_or(|reason| (1..=80).contains(&reason.len()));
        let order = Self {
            transaction: text("transaction_id")?,
            number: text("out_refund_no")?,
            refund: number("refund")?,
            total: number("total")?,
            currency: amount.get("currency")?.as_str()?,
        };
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"_-|*@".contains(&letter);
        let named = (1..=64).contains(&order.number.len()) && order.number.bytes().all(fits);
        Some(order).filter(|order| named && is_short && order.refund > 0)
    }

    /// Whether it is about this payment and its whole amount.
    fn is_of(&self, trade: &Trade) -> bool {
        let Self { transaction, total, currency, .. } = *self;
        (transaction, total, currency) == (&*trade.transaction, trade.amount, &*trade.currency)
    }
}
