//! The content of an accepted message, as `doctor` prints it.

use pay_core::domain::{Notification, Outcome, PaymentId, ProviderTxn, Report};
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
    wrong_account: bool,
}

impl Reported {
    pub(super) fn of(notification: &Notification) -> Self {
        let Report { outcome, reference, amount_minor, currency } = &notification.report;
        Self {
            event_id: notification.event_id.as_str().to_owned(),
            payment_id: notification.payment.map(PaymentId::get),
            provider_txn: reference.txn.as_ref().map(ProviderTxn::as_str).map(str::to_owned),
            amount: *amount_minor,
            currency: currency.clone(),
            outcome: outcome.map(Outcome::as_str),
            wrong_account: notification.wrong_account.is_some(),
        }
    }
}
