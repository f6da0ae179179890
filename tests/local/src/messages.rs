//! Whole messages of payment providers, as they would send them to this stack.
//!
//! A partial refund is of one minor unit.

use anyhow::{Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
pub use pay_core::domain::Outcome;
use pay_core::domain::Provider;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use crate::{clock, defaults, signing};

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

impl Message {
    /// A message with an id of its own, sent now.
    #[must_use]
    pub fn new(payment: u64, amount: u64, outcome: Outcome) -> Self {
        let id = Uuid::new_v4().simple().to_string();
        Self { payment, amount, outcome, id, now_secs: clock::now_secs() }
    }

    /// The message as a provider sends it, signed with the keys of this stack.
    ///
    /// # Errors
    ///
    /// The provider never reports this outcome; [`signing`].
    pub fn from(&self, provider: Provider) -> Result<Signed> {
        let body = self.body(provider)?;
        let (kind, signed) = match provider {
            Provider::Stripe => {
                let secret = defaults::STRIPE_SECRET;
                ("application/json", signing::stripe(secret, self.now_secs, &body).to_vec())
            }
            Provider::WeChat => {
                ("application/json", signing::wechat(self.now_secs, &self.id, &body)?.to_vec())
            }
            Provider::Alipay => ("application/x-www-form-urlencoded; charset=utf-8", Vec::new()),
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
    pub fn body(&self, provider: Provider) -> Result<Vec<u8>> {
        Ok(match provider {
            Provider::Stripe => self.stripe().into_bytes(),
            Provider::WeChat => self.wechat()?.into_bytes(),
            Provider::Alipay => signing::alipay(&self.alipay()?)?.into_bytes(),
        })
    }

    /// The id under which the notification is logged.
    #[must_use]
    pub fn event_id(&self, provider: Provider) -> String {
        match provider {
            Provider::Stripe => format!("evt_{}", self.id),
            Provider::WeChat | Provider::Alipay => self.id.clone(),
        }
    }

    /// How much is refunded.
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
                "id": self.event_id(Provider::Stripe), "object": "event", "api_version": "2025-08-27.basil",
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
            "id": self.id, "create_time": beijing_time(self.now_secs)?,
            "resource_type": "encrypt-resource", "event_type": kind, "summary": summary,
            "resource": seal(original, &resource)?,
        });
        Ok(notification.to_string())
    }

    /// Source: opendocs.alipay.com, "asynchronous notification parameters".
    fn alipay(&self) -> Result<Vec<(&'static str, String)>> {
        let Self { payment, amount, .. } = self;
        let now = beijing_time(self.now_secs)?.replace('T', " ").replace("+08:00", "");
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

/// The encrypted part of a message of WeChat Pay.
///
/// # Errors
///
/// The key in [`defaults`] is unusable.
pub fn seal(original_type: &str, resource: &Value) -> Result<Value> {
    let key = UnboundKey::new(&AES_256_GCM, defaults::WECHAT_API_V3_KEY.as_bytes())
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

/// An amount in fen as yuan.
fn yuan(fen: u64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// The time in Beijing, where both providers are: `2021-06-24T16:37:26+08:00`.
fn beijing_time(secs: u64) -> Result<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(secs)?)?;
    Ok(time.to_offset(UtcOffset::from_hms(8, 0, 0)?).format(&Rfc3339)?)
}

#[cfg(test)]
mod tests {
    use pay_core::domain::{PaymentId, Provider, Report, Timestamp};
    use pay_providers::{Headers, Verified, WebhookKeys};

    use super::{Message, Outcome, beijing_time, yuan};
    use crate::defaults;

    #[test]
    fn each_message_is_verified_and_read_as_it_was_meant() {
        let secrets = defaults::webhook_secrets().unwrap().to_string();
        let keys = WebhookKeys::from_secret(&secrets).unwrap();
        let mut made = 0;
        for provider in Provider::ALL.iter().copied() {
            for outcome in Outcome::ALL {
                let message = Message::new(42, 10_050, outcome);
                let Ok(signed) = message.from(provider) else { continue };
                made += 1;
                let headers = Headers::from_pairs(&signed.headers);
                let now = Timestamp::from_millis(message.now_secs * 1000).unwrap();
                let keys = keys.provider(provider).unwrap();
                let verified = keys.verify(&headers, &signed.body, now);
                let Ok(Verified::Notification(read)) = verified else {
                    panic!("{provider:?} {outcome:?}: {verified:?}");
                };
                let named = (read.sender, read.payment, &read.wrong_account);
                assert_eq!(named, (provider.into(), PaymentId::new(42).ok(), &None));
                let id = message.event_id(provider);
                assert_eq!(read.event_id.as_str(), id, "{provider:?} {outcome:?}");
                let Report { outcome: reported, reference, amount_minor, currency } = &read.report;
                assert_eq!(*reported, Some(outcome), "{provider:?}");
                assert_eq!(*amount_minor, Some(10_050), "{provider:?} {outcome:?}");
                assert_eq!(currency.as_deref(), Some("CNY"));
                assert!(reference.source == provider.source() && reference.txn.is_some());
            }
        }
        assert_eq!(made, 12);
    }

    #[test]
    fn amounts_and_times_are_written_as_the_providers_do() {
        assert_eq!([yuan(0), yuan(1), yuan(10_050)], ["0.00", "0.01", "100.50"]);
        assert_eq!(beijing_time(1_624_523_846).unwrap(), "2021-06-24T16:37:26+08:00");
        let message = Message { now_secs: 1_624_523_846, ..Message::new(1, 1, Outcome::Paid) };
        let fields = message.alipay().unwrap();
        assert!(fields.contains(&("notify_time", "2021-06-24 16:37:26".to_owned())), "{fields:?}");
    }
}
