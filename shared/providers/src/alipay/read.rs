//! Reads the form into a notification.

use pay_core::domain::{MismatchField, Outcome, Provider, ProviderRef, RefundReport, Report};

use super::{AlipayKeys, TRADE, signed::SignedFields};
use crate::{
    Ignored, Verified,
    adapter::{Message, transaction, unknown, wrong_account},
    decimal::minor_units,
    out_trade_no,
};

/// Decimals of an amount in yuan: 1 yuan is 100 fen.
pub(super) const DECIMALS: usize = 2;

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
        let (outcome, refund) = match (fields.get("trade_status"), refunded) {
            (Some("WAIT_BUYER_PAY"), _) => return Verified::Ignored(Ignored::Unpaid),
            (Some("TRADE_SUCCESS" | "TRADE_FINISHED"), TotalRefund::Nothing) => {
                (Ok(Outcome::Paid), None)
            }
            (Some("TRADE_CLOSED"), TotalRefund::Nothing) => (Ok(Outcome::Closed), None),
            // A partial refund leaves it in `TRADE_SUCCESS`, a full one closes it.
            (
                Some("TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED"),
                TotalRefund::Some(total),
            ) => (Ok(Outcome::Refunded), Some(RefundReport::Total(total))),
            (Some("TRADE_CLOSED"), TotalRefund::Unknown) => (Ok(Outcome::Refunded), None),
            (Some("TRADE_SUCCESS" | "TRADE_FINISHED"), TotalRefund::Unknown) => {
                (Err("refund_fee"), None)
            }
            (_, _) => (Err("trade_status"), None),
        };
        let unknown_outcome = outcome.err().map(|name| unknown(MismatchField::Outcome, name));
        let other_seller =
            |seller: &str| wrong_account("seller_id", self.seller_id.as_slice(), Some(seller));
        let (txn, unknown_txn) = transaction("trade_no", Ok(fields.get("trade_no")));
        let named = fields.get("out_trade_no").and_then(out_trade_no::named);
        let message = Message {
            event_id: fields.get("notify_id"),
            payment: named.map(|(payment, _)| payment),
            checkout: named.and_then(|(_, checkout)| checkout),
            // `app_id` is always there, `seller_id` is not.
            wrong_account: wrong_account("app_id", &self.app_ids, fields.get("app_id"))
                .or_else(|| fields.get("seller_id").and_then(other_seller)),
            review: unknown_outcome.or(unknown_txn),
            is_shared: false,
            report: Report {
                outcome: outcome.ok(),
                refund,
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

/// What was refunded so far.
enum TotalRefund {
    Nothing,
    /// This much, in fen.
    Some(u64),
    /// Something; how much cannot be read for certain.
    Unknown,
}

/// What was refunded so far; `None` if that is ambiguous: every sign of it may as well be the end of a
/// text that stands before it.
fn refunded(fields: &SignedFields<'_>) -> Option<TotalRefund> {
    let time = fields.get("gmt_refund").map(|_| "gmt_refund");
    let total = fields.get("refund_fee").map(|fee| minor_units(fee, DECIMALS));
    // A fee that cannot be read counts as a refund.
    let fee = total.filter(|total| *total != Some(0)).map(|_| "refund_fee");
    let is_certain = |sign: &&str| !fields.may_end_a_text(sign);
    if time.is_none() && fee.is_none() {
        return Some(TotalRefund::Nothing);
    }
    match (fee.filter(is_certain), time.filter(is_certain)) {
        (Some(_), _) => Some(total.flatten().map_or(TotalRefund::Unknown, TotalRefund::Some)),
        (None, Some(_)) => Some(TotalRefund::Unknown),
        (None, None) => None,
    }
}
