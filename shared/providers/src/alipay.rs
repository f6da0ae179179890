//! Alipay: a form with an RSA signature over its other fields.
//!
//! Sources: alipay-sdk-nodejs-all `src/alipay.ts`; smartwalle/alipay `alipay.go`, `notify.go`,
//! `notify_type.go`, `trade_type.go`; opendocs.alipay.com "asynchronous notifications".

mod checkout_call;
mod close_call;
mod form;
mod keys;
mod querier;
mod read;
mod refund;
mod refund_call;
mod response;
mod signed;
#[cfg(test)]
mod tests;
mod verify;

use std::sync::Arc;

pub use keys::AlipayKeys;

use crate::{Acknowledgement, Adapter};
use querier::AlipayQuerier;

/// The field that holds the signature, in base64.
pub const SIGNATURE_FIELD: &str = "sign";
/// The field that names the algorithm.
pub const SIGNATURE_TYPE_FIELD: &str = "sign_type";
/// The one algorithm: RSA over SHA-256. `RSA` would be SHA-1.
pub const SIGNATURE_TYPE: &str = "RSA2";

/// The `notify_type` of a notification about a payment.
const TRADE: &str = "trade_status_sync";

pub(crate) const ADAPTER: Adapter = Adapter {
    keys: |entry| Ok(Arc::new(AlipayKeys::from_json(entry)?)),
    querier: |entry| Ok(Arc::new(AlipayQuerier::from_json(entry)?)),
    url: "https://openapi.alipay.com/gateway.do",
    acknowledgement: Acknowledgement::Text("success"),
    rejection: None,
};
