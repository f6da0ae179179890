//! WeChat Pay, API v3: headers carry an RSA signature over the raw bytes; the payment inside the
//! body is encrypted.
//!
//! Sources: wechatpay-go `core/notify/notify.go`, `core/auth/validators`, `core/consts/const.go`,
//! `services/payments/models.go`; wechatpay-java `AeadAesCipher`, `RefundNotification`;
//! pay.weixin.qq.com/doc/v3 "notifications".

mod checkout_call;
mod close_call;
mod decrypt;
mod keys;
mod querier;
mod read;
mod refund;
mod refund_call;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;

pub use keys::WeChatKeys;

use crate::{Acknowledgement, Adapter};
use querier::WeChatQuerier;

/// Unix seconds of this delivery attempt.
pub const TIMESTAMP_HEADER: &str = "wechatpay-timestamp";
/// Random text of this delivery attempt.
pub const NONCE_HEADER: &str = "wechatpay-nonce";
/// The signature, in base64.
pub const SIGNATURE_HEADER: &str = "wechatpay-signature";
/// The key that made the signature: a platform certificate's serial number in hex, or
/// `PUB_KEY_ID_…`.
pub const SERIAL_HEADER: &str = "wechatpay-serial";
/// The algorithm; may be absent.
pub const SIGNATURE_TYPE_HEADER: &str = "wechatpay-signature-type";

/// The one algorithm. Another product signs as `WECHATPAY-BRAND-…`.
pub const SIGNATURE_TYPE: &str = "WECHATPAY2-SHA256-RSA2048";

pub(crate) const ADAPTER: Adapter = Adapter {
    keys: |entry| Ok(Arc::new(WeChatKeys::from_json(entry)?)),
    querier: |entry| Ok(Arc::new(WeChatQuerier::from_json(entry)?)),
    url: "https://api.mch.weixin.qq.com",
    // 200 or 204, whatever the body; older editions of its documentation want this one.
    acknowledgement: Acknowledgement::Json(r#"{"code":"SUCCESS","message":"OK"}"#),
    rejection: Some(|title| serde_json::json!({"code": "FAIL", "message": title}).to_string()),
};

/// Cases of the official SDKs' own suites.
#[cfg(test)]
pub(crate) const VECTORS: &str = include_str!("../vectors/wechat.json");
