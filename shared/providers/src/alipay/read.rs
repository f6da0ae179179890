//! Reads the form into a notification.

use pay_core::domain::{Outcome, PaymentId, Provider, ProviderRef, ProviderTxn, Report};

use super::{AlipayKeys, TRADE, form::Form};
use crate::{
    Verified,
    adapter::{Message, wrong_account},
    decimal::minor_units,
};

/// Decimals of an amount in yuan: 1 yuan is 100 fen.
const DECIMALS: usize = 2;

impl AlipayKeys {
    /// Reads an authentic message. The parameters of the buyer's return redirect are signed the
    /// same way; they have no `notify_type`, and are ignored.
    pub(super) fn read(&self, form: &Form<'_>, body: &[u8]) -> Verified {
        if form.get("notify_type") != Some(TRADE) {
            return Verified::Ignored("no notification about a trade");
        }
        let Some(outcome) = outcome(form) else {
            return Verified::Ignored("a trade that waits for its buyer, or in an unknown state");
        };
        let other = |name, expected: &Option<String>| {
            wrong_account(name, expected.as_deref(), form.get(name))
        };
        let message = Message {
            event_id: form.get("notify_id"),
            payment: form.get("out_trade_no").and_then(|id| PaymentId::parse(id).ok()),
            wrong_account: other("app_id", &self.app_id)
                .or_else(|| other("seller_id", &self.seller_id)),
            report: Report {
                outcome: Some(outcome),
                reference: ProviderRef {
                    txn: form.get("trade_no").and_then(|txn| ProviderTxn::new(txn).ok()),
                    ..ProviderRef::NONE
                },
                amount_minor: form.get("total_amount").and_then(|yuan| minor_units(yuan, DECIMALS)),
                currency: Some("CNY".to_owned()),
            },
        };
        message.into_notification(Provider::Alipay, body)
    }
}

/// What became of the trade. A partial refund leaves it in `TRADE_SUCCESS`, a full one closes it.
fn outcome(form: &Form<'_>) -> Option<Outcome> {
    // A fee that cannot be read counts as a refund.
    let fee = form.get("refund_fee").is_some_and(|fee| minor_units(fee, DECIMALS) != Some(0));
    let refunded = fee || form.get("gmt_refund").is_some();
    Some(match (form.get("trade_status")?, refunded) {
        ("TRADE_SUCCESS", false) | ("TRADE_FINISHED", _) => Outcome::Paid,
        ("TRADE_SUCCESS", true) => Outcome::PartlyRefunded,
        ("TRADE_CLOSED", false) => Outcome::Closed,
        ("TRADE_CLOSED", true) => Outcome::Refunded,
        _ => return None,
    })
}
