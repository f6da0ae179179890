//! The content of an accepted message, as `doctor` prints it.

use pay_core::domain::{
    Notification, Outcome, PaymentId, ProviderRefund, ProviderTxn, RefundReport, RefundState,
    Report,
};
use serde::Serialize;

/// The notification in an accepted message. A member is `null` where the message lacks it.
#[derive(Debug, Serialize)]
pub(super) struct Reported {
    event_id: String,
    payment_id: Option<u64>,
    provider_txn: Option<String>,
    amount: Option<u64>,
    currency: Option<String>,
    outcome: Option<&'static str>,
    #[serde(flatten)]
    refund: Option<ReportedRefund>,
    wrong_account: bool,
}

/// What it says of a refund: one, or the total so far. Absent where it says nothing.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ReportedRefund {
    One {
        refund: String,
        refund_reference: Option<String>,
        refund_amount: u64,
        refund_state: &'static str,
    },
    Total {
        refunded: u64,
    },
}

impl ReportedRefund {
    fn of(report: &RefundReport) -> Self {
        match report {
            RefundReport::One { id, reference, amount_minor, state } => Self::One {
                refund: id.as_str().to_owned(),
                refund_reference: reference.as_ref().map(ProviderRefund::as_str).map(str::to_owned),
                refund_amount: *amount_minor,
                refund_state: RefundState::as_str(*state),
            },
            RefundReport::Total(total) => Self::Total { refunded: *total },
        }
    }
}

impl Reported {
    pub(super) fn of(notification: &Notification) -> Self {
        let Report { outcome, refund, reference, amount_minor, currency } = &notification.report;
        Self {
            event_id: notification.event_id.as_str().to_owned(),
            payment_id: notification.payment.map(PaymentId::get),
            provider_txn: reference.txn.as_ref().map(ProviderTxn::as_str).map(str::to_owned),
            amount: *amount_minor,
            currency: currency.clone(),
            outcome: outcome.map(Outcome::as_str),
            refund: refund.as_ref().map(ReportedRefund::of),
            wrong_account: notification.wrong_account.is_some(),
        }
    }
}
