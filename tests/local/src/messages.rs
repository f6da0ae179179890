//! Whole messages of payment providers, as they would send them to this stack.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_providers::PaymentProvider;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use crate::{clock, defaults, signing};

/// What a message reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Outcome {
    /// The whole amount was paid.
    Paid,
    /// An attempt to pay failed.
    Failed,
    /// It was called off, or its time ran out.
    Closed,
    /// The whole amount went back.
    Refunded,
    /// A part of the amount went back: one minor unit.
    PartlyRefunded,
}

/// A message about a payment.
#[derive(Debug, Clone)]
pub struct Message {
    /// Our id of the payment.
    pub payment: u64,
    /// Its whole amount, in minor units of CNY.
    pub amount: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// The provider's id of the message.
    pub id: String,
    /// When it is sent, in Unix seconds.
    pub now_secs: u64,
}

/// A message ready to be sent.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Its headers, lower-case.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Outcome {
    /// The outcome of a name: `paid`, `partly-refunded` and so on.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        <Self as clap::ValueEnum>::from_str(name, false).ok()
    }
}

impl Message {
    /// A message of its own, sent now.
    #[must_use]
    pub fn new(payment: u64, amount: u64, outcome: Outcome) -> Self {
        let id = clock::uuid().replace('-', "");
        Self { payment, amount, outcome, id, now_secs: clock::now_secs() }
    }

    /// What a sender sends, signed with the keys of this stack.
    ///
    /// # Errors
    ///
    /// The sender never reports this outcome; [`signing`].
    pub fn from(&self, sender: PaymentProvider) -> Result<Signed> {
        let body = self.body(sender)?;
        let (kind, signed) = match sender {
            PaymentProvider::Stripe => {
                let secret = defaults::STRIPE_SECRET;
                ("application/json", signing::stripe(secret, self.now_secs, &body).to_vec())
            }
            PaymentProvider::WeChat => {
                ("application/json", signing::wechat(self.now_secs, &self.id, &body)?.to_vec())
            }
            PaymentProvider::Alipay => {
                ("application/x-www-form-urlencoded; charset=utf-8", Vec::new())
            }
        };
        let mut headers = vec![("content-type", kind.to_owned())];
        headers.extend(signed);
        Ok(Signed { headers, body })
    }

    /// The body alone. Alipay's is signed, the others' signatures are in headers.
    ///
    /// # Errors
    ///
    /// As [`Self::from`].
    pub fn body(&self, sender: PaymentProvider) -> Result<Vec<u8>> {
        Ok(match sender {
            PaymentProvider::Stripe => self.stripe().into_bytes(),
            PaymentProvider::WeChat => self.wechat()?.into_bytes(),
            PaymentProvider::Alipay => signing::alipay(&self.alipay()?)?.into_bytes(),
        })
    }

    fn part(&self) -> u64 {
        if self.outcome == Outcome::PartlyRefunded { 1 } else { self.amount }
    }

    /// Source: Stripe API reference, "The Event object", "Payment Intents", "Charges".
    fn stripe(&self) -> String {
        let Self { payment, amount, .. } = self;
        let intent = format!("pi_{payment}");
        let metadata = json!({"payment_id": payment.to_string()});
        let of_intent = |status: &str, received: u64| {
            json!({
                "id": intent, "object": "payment_intent", "amount": amount,
                "amount_received": received, "currency": "cny", "metadata": metadata,
                "status": status,
            })
        };
        let of_charge = || {
            json!({
                "id": format!("ch_{payment}"), "object": "charge", "amount": amount,
                "amount_refunded": self.part(), "currency": "cny", "metadata": metadata,
                "payment_intent": intent, "refunded": self.part() == *amount,
            })
        };
        let (kind, object) = match self.outcome {
            Outcome::Paid => ("payment_intent.succeeded", of_intent("succeeded", *amount)),
            Outcome::Failed => {
                ("payment_intent.payment_failed", of_intent("requires_payment_method", 0))
            }
            Outcome::Closed => ("payment_intent.canceled", of_intent("canceled", 0)),
            Outcome::Refunded | Outcome::PartlyRefunded => ("charge.refunded", of_charge()),
        };
        // Stripe sends, and signs, with an indent of two.
        format!(
            "{:#}",
            json!({
                "id": format!("evt_{}", self.id), "object": "event", "api_version": "2025-08-27.basil",
                "created": self.now_secs, "data": {"object": object}, "livemode": false,
                "pending_webhooks": 1, "type": kind,
            })
        )
    }

    /// Source: pay.weixin.qq.com/doc/v3, "payment notification", "refund notification".
    fn wechat(&self) -> Result<String> {
        let Self { payment, amount, .. } = self;
        let transaction_id = format!("4200{payment:024}");
        let (kind, summary, original, resource) = match self.outcome {
            Outcome::Paid => (
                "TRANSACTION.SUCCESS",
                "支付成功",
                "transaction",
                json!({
                    "mchid": defaults::WECHAT_MCHID, "appid": defaults::WECHAT_APPID,
                    "out_trade_no": payment.to_string(), "transaction_id": transaction_id,
                    "trade_type": "NATIVE", "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
                    "amount": {
                        "total": amount, "payer_total": amount, "currency": "CNY",
                        "payer_currency": "CNY",
                    },
                }),
            ),
            Outcome::Refunded | Outcome::PartlyRefunded => (
                "REFUND.SUCCESS",
                "退款成功",
                "refund",
                json!({
                    "mchid": defaults::WECHAT_MCHID, "out_trade_no": payment.to_string(),
                    "transaction_id": transaction_id, "out_refund_no": format!("r{}", self.id),
                    "refund_id": format!("5030{payment:024}"), "refund_status": "SUCCESS",
                    "amount": {
                        "total": amount, "refund": self.part(), "payer_total": amount,
                        "payer_refund": self.part(),
                    },
                }),
            ),
            Outcome::Failed | Outcome::Closed => {
                bail!("WeChat Pay sends no message when a payment fails or is closed")
            }
        };
        let notification = json!({
            "id": self.id, "create_time": beijing_time(self.now_secs, 'T', "+08:00")?,
            "resource_type": "encrypt-resource", "event_type": kind, "summary": summary,
            "resource": seal(original, &resource)?,
        });
        Ok(notification.to_string())
    }

    /// Source: opendocs.alipay.com, "asynchronous notification parameters".
    fn alipay(&self) -> Result<Vec<(&'static str, String)>> {
        let Self { payment, amount, .. } = self;
        let now = beijing_time(self.now_secs, ' ', "")?;
        let status = match self.outcome {
            Outcome::Paid | Outcome::PartlyRefunded => "TRADE_SUCCESS",
            Outcome::Closed | Outcome::Refunded => "TRADE_CLOSED",
            Outcome::Failed => bail!("Alipay sends no message when an attempt to pay fails"),
        };
        let mut fields = vec![
            ("app_id", defaults::ALIPAY_APP_ID.to_owned()),
            ("charset", "utf-8".to_owned()),
            ("gmt_create", now.clone()),
            ("notify_id", self.id.clone()),
            ("notify_time", now.clone()),
            ("notify_type", "trade_status_sync".to_owned()),
            ("out_trade_no", payment.to_string()),
            ("seller_id", defaults::ALIPAY_SELLER_ID.to_owned()),
            ("subject", "Order 1 + postage, 100% cotton".to_owned()),
            ("total_amount", yuan(*amount)),
            ("trade_no", format!("2026{payment:024}")),
            ("trade_status", status.to_owned()),
            ("version", "1.0".to_owned()),
        ];
        if matches!(self.outcome, Outcome::Refunded | Outcome::PartlyRefunded) {
            fields.push(("gmt_refund", now));
            fields.push(("refund_fee", yuan(self.part())));
        }
        Ok(fields)
    }
}

/// The encrypted part of a message of WeChat Pay's.
///
/// # Errors
///
/// The key in [`defaults`] is none.
pub fn seal(original_type: &str, resource: &Value) -> Result<Value> {
    let key = UnboundKey::new(&AES_256_GCM, defaults::WECHAT_API_V3_KEY.as_bytes())
        .map_err(|error| anyhow!("the APIv3 key is none: {error}"))?;
    let mut nonce = String::new();
    for byte in clock::random::<6>() {
        write!(nonce, "{byte:02x}")?;
    }
    let mut text = resource.to_string().into_bytes();
    let taken = Nonce::try_assume_unique_for_key(nonce.as_bytes())
        .map_err(|error| anyhow!("the nonce is none: {error}"))?;
    LessSafeKey::new(key)
        .seal_in_place_append_tag(taken, Aad::from(original_type.as_bytes()), &mut text)
        .map_err(|error| anyhow!("cannot seal: {error}"))?;
    Ok(json!({
        "algorithm": "AEAD_AES_256_GCM", "original_type": original_type,
        "associated_data": original_type, "nonce": nonce, "ciphertext": BASE64.encode(text),
    }))
}

/// An amount in fen as yuan.
fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// The time in Beijing, where both providers are.
fn beijing_time(secs: u64, between: char, zone: &str) -> Result<String> {
    let beijing = time::UtcOffset::from_hms(8, 0, 0)?;
    let time = time::OffsetDateTime::from_unix_timestamp(i64::try_from(secs)?)?;
    let time = time.to_offset(beijing);
    let date = time.date();
    let (hour, minute, second) = time.to_hms();
    Ok(format!("{date}{between}{hour:02}:{minute:02}:{second:02}{zone}"))
}

#[cfg(test)]
mod tests {
    use pay_core::domain::{PaymentId, Timestamp};
    use pay_providers::{Headers, PaymentProvider, Reading, WebhookKeys};

    use super::{Message, Outcome, beijing_time, yuan};
    use crate::defaults;

    #[test]
    fn what_is_made_is_what_the_function_takes() {
        let secrets = defaults::webhook_secrets().unwrap().to_string();
        let keys = WebhookKeys::from_secret(&secrets).unwrap();
        let mut made = 0;
        for sender in PaymentProvider::ALL {
            for outcome in [
                Outcome::Paid,
                Outcome::Failed,
                Outcome::Closed,
                Outcome::Refunded,
                Outcome::PartlyRefunded,
            ] {
                let message = Message::new(42, 10_050, outcome);
                let Ok(signed) = message.from(sender) else { continue };
                made += 1;
                let headers = Headers::from_pairs(&signed.headers);
                let now = Timestamp::from_millis(message.now_secs * 1000).unwrap();
                let keys = keys.provider(sender).unwrap();
                let Ok(Reading::Message(read)) = keys.verify(&headers, &signed.body, now) else {
                    panic!("{sender:?} {outcome:?}");
                };
                assert_eq!(read.payment, PaymentId::new(42).ok());
                assert_eq!(read.amount_minor, Some(10_050), "{sender:?} {outcome:?}");
                assert_eq!(read.currency.as_deref(), Some("CNY"));
                assert!(!read.foreign && read.txn.is_some() && read.event_id.is_some());
            }
        }
        assert_eq!(made, 12);
    }

    #[test]
    fn amounts_and_times_are_written_as_the_providers_do() {
        assert_eq!([yuan(0), yuan(1), yuan(10_050)], ["0.00", "0.01", "100.50"]);
        let time = beijing_time(1_624_523_846, 'T', "+08:00").unwrap();
        assert_eq!(time, "2021-06-24T16:37:26+08:00");
    }
}
