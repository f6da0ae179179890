//! Reads the form into a notification.

use pay_core::domain::{Outcome, PaymentId, Provider, ProviderRef, Report};

use super::{AlipayKeys, TRADE, signed::SignedFields};
use crate::{
    Verified,
    adapter::{Message, transaction, wrong_account},
    decimal::minor_units,
};

/// Decimals of an amount in yuan: 1 yuan is 100 fen.
const DECIMALS: usize = 2;

impl AlipayKeys {
    /// Reads an authentic message. The parameters of the buyer's return redirect are signed the
    /// same way; they have no `notify_type`, and are ignored.
    pub(super) fn read(&self, fields: &SignedFields<'_>, body: &[u8]) -> Verified {
        if !fields.may_have("notify_type", TRADE) {
            return Verified::Ignored("no notification about a trade");
        }
        let refunded = if fields.are_clear() { refunded(fields) } else { None };
        let Some(refunded) = refunded else {
            return Message::ambiguous().into_notification(Provider::Alipay, body);
        };
        let Some(outcome) = outcome(fields, refunded) else {
            return Verified::Ignored("a trade that waits for its buyer, or in an unknown state");
        };
        let other = |name, expected: &Option<String>| {
            wrong_account(name, expected.as_deref(), fields.get(name))
        };
        let (txn, review) = transaction("trade_no", Ok(fields.get("trade_no")));
        let message = Message {
            event_id: fields.get("notify_id"),
            payment: fields.get("out_trade_no").and_then(|id| PaymentId::parse(id).ok()),
            wrong_account: other("app_id", &self.app_id)
                .or_else(|| other("seller_id", &self.seller_id)),
            review,
            report: Report {
                outcome: Some(outcome),
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

/// What became of the trade. A partial refund leaves it in `TRADE_SUCCESS`, a full one closes it.
fn outcome(fields: &SignedFields<'_>, refunded: bool) -> Option<Outcome> {
    Some(match (fields.get("trade_status")?, refunded) {
        ("TRADE_SUCCESS", false) | ("TRADE_FINISHED", _) => Outcome::Paid,
        ("TRADE_SUCCESS", true) => Outcome::PartlyRefunded,
        ("TRADE_CLOSED", false) => Outcome::Closed,
        ("TRADE_CLOSED", true) => Outcome::Refunded,
        _ => return None,
    })
}
