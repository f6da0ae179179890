//! Checkouts that the shop orders of WeChat Pay, and closes.
//!
//! Sources: wechatpay-go `services/payments`; pay.weixin.qq.com/doc/v3, "order", "close an order".

use hyper::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::api::{Call, Reply};
use super::super::checkouts::TradeCheckout;
use super::super::ledger::{Ledger, Trade, TradeState};
use super::super::payer::PAGE;
use super::api::{error, signed};
use super::{APPID, MCHID, transaction};
use crate::clock;

/// The ways to pay that there are.
pub(super) const METHODS: [&str; 4] = ["native", "jsapi", "h5", "app"];

/// Makes a checkout once for an `out_trade_no`: a repeat with the same parameters gets another link to it.
pub(super) fn make(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    let content: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let Some(order) = Order::read(call, &content, now_secs) else {
        return error(StatusCode::BAD_REQUEST, "PARAM_ERROR", "参数错误");
    };
    if let Some(known) = ledger.by_reference(order.reference).cloned() {
        return order.again(call, &known);
    }
    if order.is_late {
        return error(StatusCode::BAD_REQUEST, "PARAM_ERROR", "time_expire is too near");
    }
    if let Some(code) = &ledger.refused_checkouts {
        return error(StatusCode::FORBIDDEN, code, "refused");
    }
    let trade = order.trade(call, now_secs);
    ledger.put(trade.clone());
    order.link(call, &trade)
}

/// Closes a checkout. Of a number that is not known it says that it is done.
pub(super) fn close(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    let content: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    if content != json!({"mchid": MCHID}) {
        return error(StatusCode::BAD_REQUEST, "PARAM_ERROR", "参数错误");
    }
    let reference = call.path().get(4).copied().unwrap_or_default();
    let done = || Reply { status: StatusCode::NO_CONTENT, ..signed(Value::Null) };
    let Some(trade) = ledger.by_reference(reference).cloned() else { return done() };
    match trade.state {
        TradeState::Open => {
            ledger.close(&trade, now_secs);
            done()
        }
        TradeState::Processing => error(StatusCode::FORBIDDEN, "TRADE_ERROR", "用户支付中"),
        TradeState::Paid => ended(&trade),
        // It may be repeated.
        TradeState::Closed => done(),
    }
}

/// The error of an order that has ended.
fn ended(trade: &Trade) -> Reply {
    let (code, text) = match trade.state {
        TradeState::Paid => ("ORDER_PAID", "该订单已支付"),
        TradeState::Open | TradeState::Processing | TradeState::Closed => {
            ("ORDER_CLOSED", "订单已关闭")
        }
    };
    error(StatusCode::BAD_REQUEST, code, text)
}

/// What is ordered.
struct Order<'a> {
    method: &'static str,
    reference: &'a str,
    payment: u64,
    number: u32,
    total: u64,
    expires_secs: Option<u64>,
    /// Whether the last moment is too near, which counts on the first order only.
    is_late: bool,
}

impl<'a> Order<'a> {
    /// `None` if something is missing, or is what WeChat Pay does not take.
    fn read(call: &Call, content: &'a Value, now_secs: u64) -> Option<Self> {
        let is_json = call.header("content-type")?.starts_with("application/json");
        let text = |name: &str| content.get(name).and_then(Value::as_str);
        let method = METHODS.into_iter().find(|method| call.path().last() == Some(method))?;
        let reference = text("out_trade_no")?;
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"_-|*".contains(&letter);
        let named = (6..=32).contains(&reference.len()) && reference.bytes().all(fits);
        // The real one takes any. This one keeps what it orders by payment.
        let (payment, number) = reference.split_once('_')?;
        let amount = content.get("amount")?;
        let total = amount.get("total").and_then(Value::as_u64).filter(|total| *total > 0)?;
        let is_yuan = amount.get("currency").is_none_or(|currency| currency == "CNY");
        let is_described = (1..=127).contains(&text("description")?.len());
        let notify_url = text("notify_url")?;
        let is_url = notify_url.starts_with("https://") && !notify_url.contains('?');
        let expires_secs = match text("time_expire") {
            Some(time) => Some(clock::beijing_secs(time)?),
            None => None,
        };
        let is_late = expires_secs.is_some_and(|last| last < now_secs.saturating_add(60));
        let is_ours = text("mchid") == Some(MCHID) && text("appid") == Some(APPID);
        let has_member = match method {
            "jsapi" => content.get("payer")?.get("openid").is_some_and(Value::is_string),
            "h5" => {
                let scene = content.get("scene_info")?;
                let kind = scene.get("h5_info").and_then(|info| info.get("type"));
                scene.get("payer_client_ip").is_some_and(Value::is_string)
                    && ["Wap", "iOS", "Android"].iter().any(|of| kind == Some(&json!(of)))
            }
            _ => true,
        };
        let fits = is_json && named && is_yuan && is_described && is_url && is_ours && has_member;
        let (payment, number) = (payment.parse().ok()?, number.parse().ok()?);
        let order = Self { method, reference, payment, number, total, expires_secs, is_late };
        fits.then_some(order)
    }

    fn trade(&self, call: &Call, now_secs: u64) -> Trade {
        let transaction = transaction(self.payment, self.number);
        let trade = Trade::new(self.payment, transaction, self.total, now_secs);
        let checkout = TradeCheckout {
            number: self.number,
            method: self.method,
            parameters: call.body.clone(),
            expires_secs: self.expires_secs,
            is_begun: true,
        };
        Trade { checkout: Some(checkout), ..trade }
    }

    /// The response to an order of what is there.
    fn again(&self, call: &Call, known: &Trade) -> Reply {
        let same = known.checkout.as_ref().is_some_and(|checkout| {
            checkout.method == self.method && checkout.parameters == call.body
        });
        match known.state {
            TradeState::Paid | TradeState::Closed => ended(known),
            TradeState::Open | TradeState::Processing if same => self.link(call, known),
            TradeState::Open | TradeState::Processing => {
                error(StatusCode::FORBIDDEN, "OUT_TRADE_NO_USED", "商户订单号重复")
            }
        }
    }

    /// What the payer's program needs, which is another one each time.
    fn link(&self, call: &Call, trade: &Trade) -> Reply {
        let id = Uuid::new_v4().simple().to_string();
        signed(match self.method {
            "native" => json!({"code_url": format!("weixin://wxpay/bizpayurl?pr={id}")}),
            "h5" => {
                let (address, transaction) = (call.address(), &trade.transaction);
                json!({"h5_url": format!("{address}/{PAGE}/{transaction}?prepay_id=wx{id}")})
            }
            _ => json!({"prepay_id": format!("wx{id}")}),
        })
    }
}
