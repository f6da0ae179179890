//! The content of an accepted message, as `doctor` prints it.

use pay_core::domain::{Notification, Outcome, PaymentId, ProviderTxn, RefundReport, Report};
use serde::Serialize;

/// What a message reports about what went back.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ReportedRefund {
    One { id: String, amount: u64, state: &'static str },
    Total { total: u64 },
}

/// The notification in an accepted message. A member is `null` where the message lacks it.
#[derive(Debug, Serialize)]
pub(super) struct Reported {
    event_id: String,
    payment_id: Option<u64>,
    provider_txn: Option<String>,
    amount: Option<u64>,
    currency: Option<String>,
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<ReportedRefund>,
    wrong_account: bool,
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

impl ReportedRefund {
    fn of(refund: &RefundReport) -> Self {
        match refund {
            RefundReport::One { id, amount_minor, state, .. } => Self::One {
                id: id.as_str().to_owned(),
                amount: *amount_minor,
                state: state.as_str(),
            },
            RefundReport::Total(total) => Self::Total { total: *total },
        }
    }
}
