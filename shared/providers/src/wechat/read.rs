//! Decrypts the notification and reads it.

use pay_core::{
    domain::{Outcome, PaymentId, Provider, ProviderRef, ProviderTxn, Report},
    json::Object,
};

use super::{WeChatKeys, decrypt::Encrypted};
use crate::{
    Verified, VerifyError,
    adapter::{Message, wrong_account},
};

impl WeChatKeys {
    /// Reads an authentic message. Unknown members are ignored.
    pub(super) fn read(&self, body: &[u8]) -> Result<Verified, VerifyError> {
        let provider = Provider::WeChat;
        let Some(notification) = Object::parse(body) else {
            return Ok(Message::unreadable(None).into_notification(provider, body));
        };
        let of_kind: for<'a> fn(&Self, &Object, Option<&'a str>) -> Message<'a> =
            match notification.text("event_type").unwrap_or_default() {
                "TRANSACTION.SUCCESS" => Self::transaction,
                "REFUND.SUCCESS" => Self::refund,
                _ => return Ok(Verified::Ignored("no event that changes a payment")),
            };
        let Some(key) = &self.api_v3_key else {
            return Ok(Verified::Ignored("no api_v3_key to decrypt it with"));
        };
        let event_id = notification.text("id");
        let Some(encrypted) = notification.object("resource").and_then(Encrypted::read) else {
            return Ok(Message::unreadable(event_id).into_notification(provider, body));
        };
        let decrypted = key.decrypt(&encrypted).ok_or(VerifyError::Undecryptable)?;
        let message = match Object::parse(&decrypted) {
            Some(resource) => of_kind(self, &resource, event_id),
            None => Message::unreadable(event_id),
        };
        Ok(message.into_notification(provider, body))
    }

    /// A payment, also one that was refunded since.
    fn transaction<'a>(&self, transaction: &Object, event_id: Option<&'a str>) -> Message<'a> {
        let outcome = match transaction.text("trade_state") {
            Some("SUCCESS" | "REFUND") => Some(Outcome::Paid),
            Some("PAYERROR") => Some(Outcome::Failed),
            Some("CLOSED" | "REVOKED") => Some(Outcome::Closed),
            _ => None,
        };
        let message = self.common(transaction, outcome, event_id);
        let other = wrong_account("appid", self.appid.as_deref(), transaction.text("appid"));
        Message { wrong_account: message.wrong_account.or(other), ..message }
    }

    /// A refund. It has its own amount and the payment's; it is a full refund if both are equal. It
    /// does not have the appid.
    fn refund<'a>(&self, refund: &Object, event_id: Option<&'a str>) -> Message<'a> {
        let amount = |name: &str| refund.object("amount").and_then(|amount| amount.integer(name));
        let all = amount("refund").is_some() && amount("refund") == amount("total");
        let outcome = match refund.text("refund_status") {
            Some("SUCCESS") if all => Some(Outcome::Refunded),
            Some("SUCCESS") => Some(Outcome::PartlyRefunded),
            _ => None,
        };
        self.common(refund, outcome, event_id)
    }

    /// The members that both have. `total` is the payment's amount; `payer_total` is what the payer
    /// was charged after coupons.
    fn common<'a>(
        &self,
        resource: &Object,
        outcome: Option<Outcome>,
        event_id: Option<&'a str>,
    ) -> Message<'a> {
        let amount = resource.object("amount");
        let currency = amount.and_then(|amount| amount.text("currency")).unwrap_or("CNY");
        Message {
            event_id,
            payment: resource.text("out_trade_no").and_then(|id| PaymentId::parse(id).ok()),
            wrong_account: wrong_account("mchid", self.mchid.as_deref(), resource.text("mchid")),
            review: None,
            report: Report {
                outcome,
                reference: ProviderRef {
                    txn: resource.text("transaction_id").and_then(|txn| ProviderTxn::new(txn).ok()),
                    ..ProviderRef::NONE
                },
                amount_minor: amount.and_then(|amount| amount.integer("total")),
                currency: Some(currency.to_owned()),
            },
        }
    }
}
