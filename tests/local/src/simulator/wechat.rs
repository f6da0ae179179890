//! WeChat Pay.
//!
//! `{{wechat_signature}}` is over `wechatpay-timestamp`, `wechatpay-nonce` and the body;
//! `{{wechat_serial}}` is the serial of the key that made it.
//!
//! Sources: wechatpay-go; pay.weixin.qq.com/doc/v3, "payment notification", "refund notification".

use anyhow::{Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::Outcome;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use super::Simulator;
use crate::clock;
use crate::keys::KeptKey;
use crate::messages::{Message, Signed};

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

fn content(message: &Message) -> Result<Value> {
    let Message { payment, amount, .. } = message;
    let transaction_id = format!("4200{payment:024}");
    let (kind, summary, resource) = match message.outcome {
        Outcome::Paid => (
            "TRANSACTION.SUCCESS",
            "支付成功",
            json!({
                "mchid": MCHID, "appid": APPID, "out_trade_no": payment.to_string(),
                "transaction_id": transaction_id, "trade_type": "NATIVE", "trade_state": "SUCCESS",
                "trade_state_desc": "支付成功",
                "amount": {
                    "total": amount, "payer_total": amount, "currency": "CNY",
                    "payer_currency": "CNY",
                },
            }),
        ),
        Outcome::Refunded => (
            REFUND,
            "退款成功",
            json!({
                "mchid": MCHID, "out_trade_no": payment.to_string(),
                "transaction_id": transaction_id, "out_refund_no": format!("r{}", message.id),
                "refund_id": format!("5030{}", message.id), "refund_status": "SUCCESS",
                "amount": {
                    "total": amount, "refund": message.refunded(), "payer_total": amount,
                    "payer_refund": message.refunded(),
                },
            }),
        ),
        Outcome::Failed | Outcome::Closed => {
            bail!("WeChat Pay sends no message when a payment fails or is closed")
        }
    };
    Ok(json!({
        "id": message.id, "create_time": clock::beijing_time(message.now_secs)?,
        "resource_type": "encrypt-resource", "event_type": kind, "summary": summary,
        "resource": resource,
    }))
}

/// The type of a message about a refund.
const REFUND: &str = "REFUND.SUCCESS";

/// The `resource` of a content is what is encrypted.
fn encode(content: &Value) -> Result<Vec<u8>> {
    let mut body = content.clone();
    let refund = content.get("event_type").is_some_and(|kind| kind == REFUND);
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
