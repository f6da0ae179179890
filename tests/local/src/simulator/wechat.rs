//! WeChat Pay.
//!
//! `{{wechat_signature}}` is over `wechatpay-timestamp`, `wechatpay-nonce` and the body;
//! `{{wechat_serial}}` is the serial of the key that made it.
//!
//! Sources: wechatpay-go; pay.weixin.qq.com/doc/v3, "payment notification", "refund notification".

mod api;
mod checkouts;
mod objects;
mod refunds;

use anyhow::{Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::Outcome;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::api::{MERCHANT_KEY, MERCHANT_SERIAL};
use super::ledger::{Occasion, Trade, TradeState};
use super::{RefundReports, Simulator, Webhook};
use crate::clock;
use crate::keys::KeptKey;
use crate::messages::{Message, Signed};
use pay_core::domain::RefundState;

/// The serial of WeChat Pay's public key here.
const SERIAL: &str = "PUB_KEY_ID_0000000000000000000000000001";

/// The key with which WeChat Pay encrypts the payment in a message: 32 bytes.
pub const API_V3_KEY: &str = "local-development-api-v3-key-032";

/// The shop's number at WeChat Pay.
const MCHID: &str = "1900000001";

/// The shop's application at WeChat Pay.
const APPID: &str = "wx0000000000000001";

/// The key with which WeChat Pay signs here.
static KEY: KeptKey = KeptKey::named("wechat.pem");

/// WeChat Pay.
pub static SIMULATOR: Simulator = Simulator {
    name: "WeChat Pay",
    content_type: "application/json",
    key: Some(&KEY),
    sign: |_secret, id, now_secs, body| {
        Ok(Signed { headers: sign(now_secs, id, body)?.to_vec(), body: body.to_vec() })
    },
    entry: || {
        Ok(json!({
            "public_keys": {SERIAL: KEY.get()?.public_pem()}, "api_v3_key": API_V3_KEY,
            "mchid": MCHID, "appid": APPID,
        }))
    },
    event_id: |message| message.id.clone(),
    content,
    encode,
    placeholders: &[
        ("wechat_serial", |_| Ok(SERIAL.to_owned())),
        ("wechat_signature", |event| {
            let timestamp_secs = event.number("wechatpay-timestamp")?;
            let nonce = event.header("wechatpay-nonce")?;
            let [_, _, (_, signature), ..] = sign(timestamp_secs, nonce, &event.body)?;
            Ok(signature)
        }),
    ],
    transaction,
    webhooks,
    refund_reports: RefundReports::OneByOne,
    webhook_point: "wechat:webhook",
    api: &api::API,
};

/// The headers that sign `body`. `nonce` is any text of visible ASCII without a comma.
fn sign(timestamp_secs: u64, nonce: &str, body: &[u8]) -> Result<[(&'static str, String); 5]> {
    let mut signed = format!("{timestamp_secs}\n{nonce}\n").into_bytes();
    signed.extend(body);
    signed.push(b'\n');
    Ok([
        ("wechatpay-timestamp", timestamp_secs.to_string()),
        ("wechatpay-nonce", nonce.to_owned()),
        ("wechatpay-signature", KEY.get()?.sign(&signed)?),
        ("wechatpay-serial", SERIAL.to_owned()),
        ("wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
    ])
}

fn transaction(payment: u64, checkout: u32) -> String {
    format!("4200{checkout:02}{payment:022}")
}

fn content(message: &Message) -> Result<Value> {
    let Message { payment, amount, now_secs, .. } = message;
    let trade = Trade::new(*payment, transaction(*payment, 0), *amount, *now_secs);
    let mut trade = Trade { state: TradeState::Paid, ..trade };
    let (kind, resource) = match message.outcome {
        Outcome::Paid => (PAID, objects::transaction(&trade)?),
        Outcome::Refunded => {
            let mut refund = message.as_refund();
            refund.id = format!("5030{}", message.id);
            trade.refunds.push(refund.clone());
            (REFUND, objects::refund_notification(&trade, &refund)?)
        }
        Outcome::Failed | Outcome::Closed => {
            bail!("WeChat Pay sends no message when a payment fails or is closed")
        }
    };
    notification(&message.id, kind, &resource, message.now_secs)
}

fn notification(id: &str, kind: &str, resource: &Value, now_secs: u64) -> Result<Value> {
    let summary = match kind {
        PAID => "支付成功",
        REFUND => "退款成功",
        REFUND_ABNORMAL => "退款异常",
        _ => "退款关闭",
    };
    Ok(json!({
        "id": id, "create_time": clock::beijing_time(now_secs)?,
        "resource_type": "encrypt-resource", "event_type": kind, "summary": summary,
        "resource": resource,
    }))
}

fn webhooks(trade: &Trade, occasion: Occasion<'_>, now_secs: u64) -> Result<Vec<Webhook>> {
    let (kind, resource) = match occasion {
        Occasion::Paid => (PAID, objects::transaction(trade)?),
        Occasion::Refund { refund, .. } => {
            let kind = match refund.state {
                RefundState::Requested | RefundState::Pending if refund.is_stranded => {
                    REFUND_ABNORMAL
                }
                RefundState::Requested | RefundState::Pending => return Ok(Vec::new()),
                RefundState::Succeeded => REFUND,
                RefundState::Failed => REFUND_CLOSED,
            };
            (kind, objects::refund_notification(trade, refund)?)
        }
        Occasion::Failed | Occasion::Closed => return Ok(Vec::new()),
    };
    let id = Uuid::new_v4().simple().to_string();
    Ok(vec![Webhook { content: notification(&id, kind, &resource, now_secs)?, id }])
}

/// The type of a message that a payment is paid.
const PAID: &str = "TRANSACTION.SUCCESS";

/// The type of a message that a refund succeeded.
const REFUND: &str = "REFUND.SUCCESS";

/// The type of a message that a refund could not be paid out.
const REFUND_ABNORMAL: &str = "REFUND.ABNORMAL";

/// The type of a message that a refund failed.
const REFUND_CLOSED: &str = "REFUND.CLOSED";

/// The `resource` of a content is what is encrypted.
fn encode(content: &Value) -> Result<Vec<u8>> {
    let mut body = content.clone();
    let kind = content.get("event_type").and_then(Value::as_str).unwrap_or_default();
    let refund = kind.starts_with("REFUND.");
    if let Some(resource) = body.get_mut("resource") {
        *resource = seal(if refund { "refund" } else { "transaction" }, resource)?;
    }
    Ok(body.to_string().into_bytes())
}

/// The encrypted part of a message.
fn seal(original_type: &str, resource: &Value) -> Result<Value> {
    let key = UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes())
        .map_err(|error| anyhow!("the APIv3 key is unusable: {error}"))?;
    let nonce = hex::encode(clock::random::<6>());
    let mut text = resource.to_string().into_bytes();
    let nonce_value = Nonce::try_assume_unique_for_key(nonce.as_bytes())
        .map_err(|error| anyhow!("the nonce is unusable: {error}"))?;
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce_value, Aad::from(original_type.as_bytes()), &mut text)
        .map_err(|error| anyhow!("cannot encrypt: {error}"))?;
    Ok(json!({
        "algorithm": "AEAD_AES_256_GCM", "original_type": original_type,
        "associated_data": original_type, "nonce": nonce, "ciphertext": BASE64.encode(text),
    }))
}
