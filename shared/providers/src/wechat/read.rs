//! Decrypts the notification and reads it.

use pay_core::{
    domain::{
        Mismatch, MismatchField, Outcome, Provider, ProviderRef, ProviderRefund, RefundReport,
        RefundState, Report,
    },
    json::{Json, Object},
};

use super::{WeChatKeys, decrypt::Encrypted};
use crate::{
    Ignored, Verified, VerifyError,
    adapter::{Message, UnknownType, failed_refund, optional, transaction, unknown, wrong_account},
    out_trade_no,
};

impl WeChatKeys {
    /// Reads an authentic message. Unknown members are ignored.
    pub(super) fn read(&self, body: &[u8]) -> Result<Verified, VerifyError> {
        let provider = Provider::WeChat;
        let Some(notification) = Object::parse_message(body) else {
            return Ok(Message::unreadable(None).into_notification(provider, body));
        };
        let event_id = notification.text("id");
        let of_kind: for<'a> fn(&Self, &Object, Option<&'a str>) -> Message<'a> =
            match optional(&notification, "event_type", Json::as_text) {
                Ok(Some("TRANSACTION.SUCCESS")) => Self::transaction,
                Ok(Some("REFUND.SUCCESS")) => Self::refund,
                Ok(Some("REFUND.ABNORMAL")) => Self::abnormal_refund,
                Ok(Some("REFUND.CLOSED")) => Self::closed_refund,
                Ok(Some(kind)) if may_report_money(kind) => {
                    let reason = format!("not supported, give it another notify_url: {kind}");
                    let message = Message::inapplicable(event_id, &reason);
                    return Ok(message.into_notification(provider, body));
                }
                Ok(_) => return Ok(Verified::Ignored(Ignored::OtherKind)),
                Err(UnknownType) => {
                    return Ok(Message::unreadable(event_id).into_notification(provider, body));
                }
            };
        let Some(key) = &self.api_v3_key else {
            return Ok(Verified::Ignored(Ignored::NoKey));
        };
        let Some(encrypted) = notification.object("resource").and_then(Encrypted::read) else {
            return Ok(Message::unreadable(event_id).into_notification(provider, body));
        };
        let decrypted = key.decrypt(&encrypted).ok_or(VerifyError::Undecryptable)?;
        let message = match Object::parse_message(&decrypted) {
            Some(resource) => of_kind(self, &resource, event_id),
            None => Message::unreadable(event_id),
        };
        Ok(message.into_notification(provider, body))
    }

    /// A payment, also one that was refunded since.
    pub(super) fn transaction<'a>(
        &self,
        transaction: &Object,
        event_id: Option<&'a str>,
    ) -> Message<'a> {
        if transaction.get("combine_out_trade_no").is_some() {
            let reason = "a combined payment, which is not supported: order each payment alone";
            return Message::inapplicable(event_id, reason);
        }
        let outcome = match optional(transaction, "trade_state", Json::as_text) {
            Ok(Some("SUCCESS" | "REFUND")) => Ok(Some(Outcome::Paid)),
            Ok(Some("PAYERROR")) => Ok(Some(Outcome::Failed)),
            Ok(Some("CLOSED" | "REVOKED")) => Ok(Some(Outcome::Closed)),
            // Nothing is paid yet.
            Ok(Some("NOTPAY" | "USERPAYING" | "ACCEPT")) => Ok(None),
            Ok(_) | Err(UnknownType) => Err(unknown(MismatchField::Outcome, "trade_state")),
        };
        let message = self.common(transaction, outcome, event_id);
        let other = wrong_account("appid", &self.appids, transaction.text("appid"));
        Message { wrong_account: message.wrong_account.or(other), ..message }
    }

    /// A refund. It has its own amount and the payment's, and not the appid.
    fn refund<'a>(&self, refund: &Object, event_id: Option<&'a str>) -> Message<'a> {
        let state = match optional(refund, "refund_status", Json::as_text) {
            Ok(Some("SUCCESS")) => Ok(RefundState::Succeeded),
            // The type says otherwise: neither is certain.
            Ok(Some(status @ ("ABNORMAL" | "CLOSED"))) => Err(failed_refund(status)),
            Ok(_) | Err(UnknownType) => Err(unknown(MismatchField::Outcome, "refund_status")),
        };
        self.one_refund(refund, state, event_id)
    }

    /// A refund that could not be paid out, which needs work by hand at WeChat Pay.
    fn abnormal_refund<'a>(&self, refund: &Object, event_id: Option<&'a str>) -> Message<'a> {
        self.one_refund(refund, Err(failed_refund("REFUND.ABNORMAL")), event_id)
    }

    /// A refund that did not happen: the money stays.
    fn closed_refund<'a>(&self, refund: &Object, event_id: Option<&'a str>) -> Message<'a> {
        let state = match optional(refund, "refund_status", Json::as_text) {
            Ok(Some("CLOSED")) => Ok(RefundState::Failed),
            Ok(_) | Err(UnknownType) => Err(failed_refund("REFUND.CLOSED")),
        };
        self.one_refund(refund, state, event_id)
    }

    fn one_refund<'a>(
        &self,
        refund: &Object,
        state: Result<RefundState, Mismatch>,
        event_id: Option<&'a str>,
    ) -> Message<'a> {
        let report = state.and_then(|state| one(refund, state));
        let outcome = report.as_ref().map(|_| Some(Outcome::Refunded)).map_err(Clone::clone);
        let message = self.common(refund, outcome, event_id);
        Message { report: Report { refund: report.ok(), ..message.report }, ..message }
    }

    /// The members that all have. `total` is the payment's amount; `payer_total` is what the payer
    /// was charged after coupons.
    pub(super) fn common<'a>(
        &self,
        resource: &Object,
        outcome: Result<Option<Outcome>, Mismatch>,
        event_id: Option<&'a str>,
    ) -> Message<'a> {
        let amount = resource.object("amount");
        // CNY only where it is absent; of another type it is none, which fits no record.
        let currency = amount.and_then(|amount| amount.get("currency")).map(Json::as_text);
        let txn = optional(resource, "transaction_id", Json::as_text);
        let (txn, unknown_txn) = transaction("transaction_id", txn);
        let (outcome, unknown_outcome) = match outcome {
            Ok(outcome) => (outcome, None),
            Err(unknown) => (None, Some(unknown)),
        };
        let named = resource.text("out_trade_no").and_then(out_trade_no::named);
        Message {
            event_id,
            payment: named.map(|(payment, _)| payment),
            checkout: named.and_then(|(_, checkout)| checkout),
            wrong_account: self.wrong_merchant(resource),
            review: unknown_outcome.or(unknown_txn),
            is_shared: false,
            report: Report {
                outcome,
                refund: None,
                reference: ProviderRef { txn, ..ProviderRef::NONE },
                amount_minor: amount.and_then(|amount| amount.integer("total")),
                currency: currency.unwrap_or(Some("CNY")).map(str::to_owned),
            },
        }
    }

    /// A payment that a service provider collected for a merchant has other members, and its
    /// `out_trade_no` is unique for that merchant only.
    fn wrong_merchant(&self, resource: &Object) -> Option<Mismatch> {
        let mismatch = wrong_account("mchid", self.mchid.as_slice(), resource.text("mchid"))?;
        let Some(partner) = resource.text("sp_mchid") else { return Some(mismatch) };
        let received = format!("sp_mchid={partner}: partner mode is not supported");
        Some(Mismatch { received: Some(received), ..mismatch })
    }
}

/// One refund by its id, or the mismatch where id or amount cannot be read.
pub(super) fn one(refund: &Object, state: RefundState) -> Result<RefundReport, Mismatch> {
    let id = |name: &str| refund.text(name).and_then(|id| ProviderRefund::new(id).ok());
    let amount = refund.object("amount").and_then(|amount| amount.integer("refund"));
    let unknown = |name| unknown(MismatchField::Outcome, name);
    Ok(RefundReport::One {
        id: id("refund_id").ok_or_else(|| unknown("refund_id"))?,
        reference: id("out_refund_no"),
        amount_minor: amount.ok_or_else(|| unknown("refund"))?,
        state,
    })
}

/// Whether an event of a type that is not read may report money: payments and refunds of other
/// products, such as orders by pay score.
fn may_report_money(kind: &str) -> bool {
    let of_money = ["TRANSACTION.", "REFUND."].iter().any(|family| kind.starts_with(family));
    of_money || kind == "PAYSCORE.USER_PAID"
}
