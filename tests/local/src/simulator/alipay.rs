//! Alipay. Its signature is a field of the form that is the body, so no placeholder stands for it.
//!
//! Sources: alipay-sdk-nodejs-all; opendocs.alipay.com, "asynchronous notification parameters".

mod api;
mod checkouts;
mod refunds;

use anyhow::{Context as _, Result, bail};
use pay_core::domain::Outcome;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::api::APP_KEY;
use super::ledger::{Occasion, Trade, TradeState};
use super::{RefundReports, Simulator, Webhook};
use crate::clock;
use crate::keys::KeptKey;
use crate::messages::{Message, Signed};
use pay_core::domain::RefundState;

/// The shop's application at Alipay.
const APP_ID: &str = "2021000000000001";

/// The shop's account at Alipay.
const SELLER_ID: &str = "2088000000000001";

/// The key with which Alipay signs here.
pub static KEY: KeptKey = KeptKey::named("alipay.pem");

/// Alipay.
pub static SIMULATOR: Simulator = Simulator {
    name: "Alipay",
    content_type: "application/x-www-form-urlencoded; charset=utf-8",
    key: Some(&KEY),
    sign: |_secret, _id, _now_secs, body| Ok(Signed { headers: Vec::new(), body: sign(body)? }),
    entry: || {
        let keys = [KEY.get()?.public_pem()];
        Ok(json!({"public_keys": keys, "app_id": APP_ID, "seller_id": SELLER_ID}))
    },
    event_id: |message| message.id.clone(),
    content,
    encode,
    placeholders: &[],
    transaction,
    webhooks,
    refund_reports: RefundReports::InAll,
    webhook_point: "alipay:webhook",
    api: &api::API,
};

/// The form with its signature. Fields of an earlier one are replaced.
fn sign(form: &[u8]) -> Result<Vec<u8>> {
    let fields = form_urlencoded::parse(form);
    let fields: Vec<_> =
        fields.filter(|(name, _)| !["sign", "sign_type"].contains(&&**name)).collect();
    let mut sorted = fields.clone();
    // By the name alone: `a` comes before `a1`, though `a=` would not.
    sorted.sort_unstable();
    let pairs: Vec<_> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let signature = KEY.get()?.sign(pairs.join("&").as_bytes())?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).append_pair("sign_type", "RSA2").append_pair("sign", &signature);
    Ok(form.finish().into_bytes())
}

fn transaction(payment: u64, checkout: u32) -> String {
    format!("2026{checkout:02}{payment:022}")
}

fn content(message: &Message) -> Result<Value> {
    let Message { payment, amount, now_secs, .. } = message;
    let mut trade = Trade::new(*payment, transaction(*payment, 0), *amount, *now_secs);
    trade.state = match message.outcome {
        Outcome::Paid => TradeState::Paid,
        Outcome::Refunded => {
            trade.refunds.push(message.as_refund());
            TradeState::Paid
        }
        Outcome::Closed => TradeState::Closed,
        Outcome::Failed => bail!("Alipay sends no message when an attempt to pay fails"),
    };
    fields(&trade, &message.id, message.now_secs)
}

/// What a message says about a payment: everything, its refunds in one sum.
fn fields(trade: &Trade, id: &str, now_secs: u64) -> Result<Value> {
    let now = beijing_text(now_secs)?;
    let status = match trade.state {
        TradeState::Open | TradeState::Processing => "WAIT_BUYER_PAY",
        TradeState::Paid if trade.is_refunded() => "TRADE_CLOSED",
        TradeState::Paid => "TRADE_SUCCESS",
        TradeState::Closed => "TRADE_CLOSED",
    };
    let mut fields = json!({
        "app_id": APP_ID, "charset": "utf-8", "gmt_create": now, "notify_id": id,
        "notify_time": now, "notify_type": "trade_status_sync",
        "out_trade_no": trade.reference(), "seller_id": SELLER_ID,
        "subject": "Order 1 + postage, 100% cotton", "total_amount": yuan(trade.amount),
        "trade_no": trade.transaction, "trade_status": status, "version": "1.0",
    });
    let refunded = trade.refunded();
    if let (1.., Some(fields)) = (refunded, fields.as_object_mut()) {
        fields.insert("gmt_refund".to_owned(), json!(now));
        fields.insert("refund_fee".to_owned(), json!(yuan(refunded)));
    }
    Ok(fields)
}

fn webhooks(trade: &Trade, occasion: Occasion<'_>, now_secs: u64) -> Result<Vec<Webhook>> {
    let refund = match occasion {
        Occasion::Paid | Occasion::Closed => None,
        Occasion::Refund { refund, .. } if refund.state == RefundState::Succeeded => Some(refund),
        Occasion::Failed | Occasion::Refund { .. } => return Ok(Vec::new()),
    };
    let id = Uuid::new_v4().simple().to_string();
    let mut content = fields(trade, &id, now_secs)?;
    if let (Some(refund), Some(content)) = (refund, content.as_object_mut()) {
        content.insert("out_biz_no".to_owned(), json!(refund.number()));
    }
    Ok(vec![Webhook { id, content }])
}

/// A time in Beijing, as Alipay writes it.
fn beijing_text(secs: u64) -> Result<String> {
    Ok(clock::beijing_time(secs)?.replace('T', " ").replace("+08:00", ""))
}

/// The form of these fields, not signed yet. A value that is no text is written as JSON.
fn encode(fields: &Value) -> Result<Vec<u8>> {
    let fields = fields.as_object().context("a form is an object")?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        form.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
    }
    Ok(form.finish().into_bytes())
}

/// An amount in fen as yuan.
fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::{Message, Outcome, clock, content, yuan};

    #[test]
    fn amounts_and_times_are_written_as_alipay_does() {
        assert_eq!([yuan(0), yuan(1), yuan(10_050)], ["0.00", "0.01", "100.50"]);
        assert_eq!(clock::beijing_time(1_624_523_846).unwrap(), "2021-06-24T16:37:26+08:00");
        let message = Message { now_secs: 1_624_523_846, ..Message::new(1, 1, Outcome::Paid) };
        assert_eq!(content(&message).unwrap()["notify_time"], "2021-06-24 16:37:26");
    }
}
