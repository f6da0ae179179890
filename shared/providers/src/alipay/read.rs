//! Reads the form into a notification.

use pay_core::domain::{MismatchField, Outcome, PaymentId, Provider, ProviderRef, Report};

use super::{AlipayKeys, TRADE, signed::SignedFields};
use crate::{
    Ignored, Verified,
    adapter::{Message, transaction, unknown, wrong_account},
    decimal::minor_units,
};

/// Decimals of an amount in yuan: 1 yuan is 100 fen.
const DECIMALS: usize = 2;

/// The `notify_type` of refunds that were made as a batch: of several trades, in a format of its own.
const BATCH_REFUND: &str = "batch_refund_notify";

impl AlipayKeys {
    /// Reads an authentic message. The parameters of the buyer's return redirect are signed the
    /// same way; they have no `notify_type`, and are ignored.
    pub(super) fn read(&self, fields: &SignedFields<'_>, body: &[u8]) -> Verified {
        if fields.may_have("notify_type", BATCH_REFUND) {
            let reason = format!("not supported, give it another notify_url: {BATCH_REFUND}");
            return Message::inapplicable(fields.get("notify_id"), &reason)
                .into_notification(Provider::Alipay, body);
        }
        if fields.may_be_broken("notify_type") {
            return Message::inapplicable(fields.get("notify_id"), "an unknown `notify_type`")
                .into_notification(Provider::Alipay, body);
        }
        if !fields.may_have("notify_type", TRADE) {
            return Verified::Ignored(Ignored::OtherKind);
        }
        let refunded = if fields.are_clear() { refunded(fields) } else { None };
        let Some(refunded) = refunded else {
            return Message::ambiguous().into_notification(Provider::Alipay, body);
        };
        let outcome = match (fields.get("trade_status"), refunded) {
            (Some("WAIT_BUYER_PAY"), _) => return Verified::Ignored(Ignored::Unpaid),
            // A partial refund leaves it in `TRADE_SUCCESS`, a full one closes it.
            (Some("TRADE_SUCCESS"), false) | (Some("TRADE_FINISHED"), _) => Some(Outcome::Paid),
            (Some("TRADE_SUCCESS"), true) => Some(Outcome::PartlyRefunded),
            (Some("TRADE_CLOSED"), false) => Some(Outcome::Closed),
            (Some("TRADE_CLOSED"), true) => Some(Outcome::Refunded),
            (_, _) => None,
        };
        let unknown_outcome =
            outcome.is_none().then(|| unknown(MismatchField::Outcome, "trade_status"));
        let other_seller =
            |seller: &str| wrong_account("seller_id", self.seller_id.as_slice(), Some(seller));
        let (txn, unknown_txn) = transaction("trade_no", Ok(fields.get("trade_no")));
        let message = Message {
            event_id: fields.get("notify_id"),
            payment: fields.get("out_trade_no").and_then(|id| PaymentId::parse(id).ok()),
            // `app_id` is always there, `seller_id` is not.
            wrong_account: wrong_account("app_id", &self.app_ids, fields.get("app_id"))
                .or_else(|| fields.get("seller_id").and_then(other_seller)),
            review: unknown_outcome.or(unknown_txn),
            report: Report {
                outcome,
                reference: ProviderRef { txn, ..ProviderRef::NONE },
                amount_minor: fields
                    .get("total_amount")
                    .and_then(|yuan| minor_units(yuan, DECIMALS)),
                currency: Some("CNY".to_owned()),
            },
        };
        message.into_notification(Provider::Alipay, body)
    }
}

/// Whether something was refunded; `None` if that is ambiguous: every sign of it may as well be the
/// end of a text that stands before it.
fn refunded(fields: &SignedFields<'_>) -> Option<bool> {
    let time = fields.get("gmt_refund").map(|_| "gmt_refund");
    // A fee that cannot be read counts as a refund.
    let fee = fields.get("refund_fee").filter(|fee| minor_units(fee, DECIMALS) != Some(0));
    let mut signs = time.into_iter().chain(fee.map(|_| "refund_fee")).peekable();
    match signs.peek() {
        None => Some(false),
        Some(_) => signs.any(|sign| !fields.may_end_a_text(sign)).then_some(true),
    }
}
