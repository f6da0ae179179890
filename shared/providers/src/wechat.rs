//! WeChat Pay, API v3: signed with RSA in headers over the raw bytes, the payment itself encrypted
//! inside.
//!
//! Sources: wechatpay-go `core/notify/notify.go`, `core/auth/validators`, `core/consts/const.go`,
//! `services/payments/models.go`; wechatpay-java `AeadAesCipher`, `RefundNotification`;
//! pay.weixin.qq.com/doc/v3 "notifications".

mod seal;

use std::fmt;

use pay_core::{
    domain::{Outcome, PaymentId, ProviderTxn, Report, Timestamp},
    json::{Json, Object},
    ports::BadSecret,
};

use super::{
    Headers, Message, Reading, RsaKey, Verifier, WebhookError, base64, keys::optional_text, recent,
    required,
};
use seal::ApiV3Key;

/// Unix seconds of this attempt to deliver it.
pub const TIMESTAMP_HEADER: &str = "wechatpay-timestamp";
/// Random text of this attempt.
pub const NONCE_HEADER: &str = "wechatpay-nonce";
/// The signature, in base64.
pub const SIGNATURE_HEADER: &str = "wechatpay-signature";
/// Which key made it: a platform certificate's serial number in hex, or `PUB_KEY_ID_…`.
pub const SERIAL_HEADER: &str = "wechatpay-serial";
/// The algorithm; may be absent.
pub const SIGNATURE_TYPE_HEADER: &str = "wechatpay-signature-type";

/// The one algorithm. Another product signs as `WECHATPAY-BRAND-…`.
pub const SIGNATURE_TYPE: &str = "WECHATPAY2-SHA256-RSA2048";

/// How WeChat Pay's own probes begin: wrong signatures, sent to see that they are refused.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// How far a timestamp may lie from now, either way and inclusive: wechatpay-go refuses 300.
const TOLERANCE_SECS: u64 = 299;

/// What a message is checked and opened with. Never printed.
#[derive(Clone, Default)]
pub struct WeChatKeys {
    /// By serial: while a key is changed, messages signed with either arrive.
    public_keys: Vec<(String, RsaKey)>,
    api_v3_key: Option<ApiV3Key>,
    mchid: Option<String>,
    appid: Option<String>,
}

impl WeChatKeys {
    /// Reads the secret's entry: `{"public_keys": {"<serial>": "<certificate or public key>"},
    /// "api_v3_key": "…", "mchid": "…", "appid": "…"}`.
    ///
    /// # Errors
    ///
    /// [`BadSecret`]: no public key, one that could never check a signature, a text that is none.
    pub fn from_json(entry: &Json) -> Result<Self, BadSecret> {
        let entry = entry.as_object().ok_or(BadSecret("`wechat` is not an object"))?;
        let public_keys = entry
            .object("public_keys")
            .map(|keys| keys.iter().map(public_key).collect::<Result<Vec<_>, _>>())
            .transpose()?
            .filter(|keys| !keys.is_empty())
            .ok_or(BadSecret("`wechat` has no object `public_keys` of one serial or more"))?;
        let bad = BadSecret("`api_v3_key`, `mchid` or `appid` of `wechat` is empty or no text");
        let api_v3_key = optional_text(entry, "api_v3_key", bad)?;
        Ok(Self {
            public_keys,
            api_v3_key: api_v3_key.map(|text| ApiV3Key::new(&text)),
            mchid: optional_text(entry, "mchid", bad)?,
            appid: optional_text(entry, "appid", bad)?,
        })
    }
}

fn public_key((serial, key): (&str, &Json)) -> Result<(String, RsaKey), BadSecret> {
    if serial.is_empty() {
        return Err(BadSecret("a serial in `public_keys` of `wechat` is empty"));
    }
    Ok((serial.to_owned(), RsaKey::parse(key.as_text().unwrap_or_default())?))
}

impl fmt::Debug for WeChatKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serials: Vec<&str> = self.public_keys.iter().map(|(serial, _)| &**serial).collect();
        write!(f, "WeChatKeys({serials:?}, ..)")
    }
}

impl Verifier for WeChatKeys {
    /// The signature is checked before anything is decrypted: opening the seal proves only that
    /// somebody knows the APIv3 key.
    ///
    /// Errors, in the order they are checked:
    /// - [`WebhookError::MissingHeader`], [`WebhookError::Doubled`] (also for a comma, as gateways
    ///   join doubled headers), [`WebhookError::BadHeader`].
    /// - [`WebhookError::BadAlgorithm`].
    /// - [`WebhookError::BadTimestamp`], [`WebhookError::Stale`], [`WebhookError::Early`].
    /// - [`WebhookError::Probe`].
    /// - [`WebhookError::NoKeys`], [`WebhookError::UnknownSerial`], [`WebhookError::NoSignature`],
    ///   [`WebhookError::BadSignature`].
    /// - [`WebhookError::Undecryptable`]: genuine, and our APIv3 key does not open it.
    fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Reading, WebhookError> {
        let timestamp = visible(headers, TIMESTAMP_HEADER)?;
        let nonce = visible(headers, NONCE_HEADER)?;
        let signature = visible(headers, SIGNATURE_HEADER)?;
        let serial = visible(headers, SERIAL_HEADER)?;
        match headers.get_one(SIGNATURE_TYPE_HEADER) {
            Ok(None | Some(SIGNATURE_TYPE)) => {}
            Ok(Some(_)) => return Err(WebhookError::BadAlgorithm),
            Err(_doubled) => return Err(WebhookError::Doubled(SIGNATURE_TYPE_HEADER)),
        }
        recent(timestamp, now, TOLERANCE_SECS)?;
        if signature.starts_with(PROBE) {
            return Err(WebhookError::Probe);
        }
        let key = self.key(serial)?;
        let signature = base64(signature).ok_or(WebhookError::NoSignature)?;
        if !key.verifies(&signed(timestamp, nonce, body), &signature) {
            return Err(WebhookError::BadSignature);
        }
        self.read(body)
    }

    fn complete(&self) -> Result<(), BadSecret> {
        if !self.api_v3_key.as_ref().is_some_and(ApiV3Key::is_usable) {
            return Err(BadSecret("`wechat` has no `api_v3_key` of 32 bytes"));
        }
        if self.mchid.is_none() || self.appid.is_none() {
            return Err(BadSecret("`wechat` has no `mchid` or no `appid`"));
        }
        Ok(())
    }
}

/// What WeChat Pay signs: each of the three ends in a newline.
fn signed(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}

/// A header of the signature: no value of theirs has a comma, nor what could end a signed line.
fn visible<'a>(headers: &'a Headers<'_>, name: &'static str) -> Result<&'a str, WebhookError> {
    let value = required(headers, name)?;
    if value.contains(',') {
        return Err(WebhookError::Doubled(name));
    }
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(WebhookError::BadHeader(name))
    }
}

impl WeChatKeys {
    fn key(&self, serial: &str) -> Result<&RsaKey, WebhookError> {
        if self.public_keys.is_empty() {
            return Err(WebhookError::NoKeys);
        }
        let mut keys = self.public_keys.iter();
        keys.find(|(known, _)| known.eq_ignore_ascii_case(serial))
            .map(|(_, key)| key)
            .ok_or(WebhookError::UnknownSerial)
    }

    /// Reads a message that passed. What WeChat Pay adds is passed over.
    fn read(&self, body: &[u8]) -> Result<Reading, WebhookError> {
        let Some(notification) = Object::parse(body) else {
            return Ok(Reading::Message(Message::unreadable(None)));
        };
        let of_kind: fn(&Self, &Object, Message) -> Message =
            match notification.text("event_type").unwrap_or_default() {
                "TRANSACTION.SUCCESS" => Self::transaction,
                "REFUND.SUCCESS" => Self::refund,
                _ => return Ok(Reading::Ignored("no event that moves a payment")),
            };
        let Some(key) = &self.api_v3_key else {
            return Ok(Reading::Ignored("no api_v3_key to open it with"));
        };
        let base = Message::unreadable(notification.text("id"));
        let Some(sealed) = notification.object("resource").and_then(seal::Sealed::read) else {
            return Ok(Reading::Message(base));
        };
        let opened = key.open(&sealed).ok_or(WebhookError::Undecryptable)?;
        Ok(Reading::Message(match Object::parse(&opened) {
            Some(resource) => of_kind(self, &resource, base),
            None => base,
        }))
    }

    /// A payment that was made, whatever else has become of it since.
    fn transaction(&self, transaction: &Object, base: Message) -> Message {
        let report = match transaction.text("trade_state") {
            Some("SUCCESS" | "REFUND") => Report::Outcome(Outcome::Paid),
            Some("PAYERROR") => Report::Outcome(Outcome::Failed),
            Some("CLOSED" | "REVOKED") => Report::Outcome(Outcome::Closed),
            _ => Report::Nothing,
        };
        let other = self.appid.is_some() && self.appid.as_deref() != transaction.text("appid");
        let common = self.common(transaction, base);
        Message { report, foreign: common.foreign || other, ..common }
    }

    /// Money that went back. Each refund says how much of the whole it is; a payment is refunded
    /// by one that is all of it. A refund does not name the appid.
    fn refund(&self, refund: &Object, base: Message) -> Message {
        let amount = |name: &str| refund.object("amount").and_then(|amount| amount.integer(name));
        let all = amount("refund").is_some() && amount("refund") == amount("total");
        let report = match refund.text("refund_status") {
            Some("SUCCESS") if all => Report::Outcome(Outcome::Refunded),
            Some("SUCCESS") => Report::PartialRefund,
            _ => Report::Nothing,
        };
        Message { report, ..self.common(refund, base) }
    }

    /// What both name alike. `payer_total` is what is left after coupons: ours is `total`.
    fn common(&self, resource: &Object, base: Message) -> Message {
        let amount = resource.object("amount");
        let currency = amount.and_then(|amount| amount.text("currency")).unwrap_or("CNY");
        Message {
            payment: resource.text("out_trade_no").and_then(|id| PaymentId::parse(id).ok()),
            txn: resource.text("transaction_id").and_then(|txn| ProviderTxn::new(txn).ok()),
            amount_minor: amount.and_then(|amount| amount.integer("total")),
            currency: Some(currency.to_owned()),
            foreign: self.mchid.is_some() && self.mchid.as_deref() != resource.text("mchid"),
            ..base
        }
    }
}

/// Cases of the official SDKs' own suites.
#[cfg(test)]
pub(super) const VECTORS: &str = include_str!("../vectors/wechat.json");

#[cfg(test)]
mod tests;
