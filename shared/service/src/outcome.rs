//! What a notification did, for operators: its log line and its metrics.

use pay_core::{
    domain::{Mismatch, Notification, PaymentId, Provider, Sender, Status},
    ports::chain,
    usecases::apply::{Applied, ApplyError, OrderNotification},
};
use pay_providers::Ignored;

use crate::metrics;

/// Logs and counts what a notification did, beside the line of the invocation.
pub fn record(notification: &Notification, outcome: &Result<Applied, ApplyError>) {
    match outcome {
        Ok(applied) => {
            log(notification, applied);
            count(applied);
        }
        Err(ApplyError::Mismatch(mismatch)) => quarantined(notification, mismatch),
        Err(ApplyError::NotOurs) => {
            if let Sender::Provider(provider) = notification.sender {
                ignored(provider, Ignored::NotOurs);
            }
        }
        // The line of the invocation has the cause, and counts it.
        Err(ApplyError::Failed(_)) => {}
    }
}

/// Logs and counts a provider's message that changes no payment.
pub fn ignored(provider: Provider, reason: Ignored) {
    let (sender, word) = (provider.as_str(), reason.as_str());
    tracing::info!(sender, reason = reason.text(), "notification ignored");
    metrics::MESSAGES_IGNORED.count_by(&[("Provider", sender), ("Reason", word)]);
}

fn log(notification: &Notification, applied: &Applied) {
    let (sender, event_id) = (notification.sender.as_str(), notification.event_id.as_str());
    let payment_id = applied.record.id.get();
    let verdict = applied.verdict.as_str();
    tracing::info!(sender, event_id, payment_id, verdict, "notification applied");
    let refund_id = applied.refund.as_ref().map(|refund| refund.id.as_str());
    for (notified, refund_id) in
        [(&applied.order_notification, None), (&applied.refund_notification, refund_id)]
    {
        match notified {
            OrderNotification::NotDue | OrderNotification::Done => {}
            OrderNotification::NotCleared(error) => {
                let (cause, why) =
                    (chain(error), "order service notified; the sweep will repeat it");
                tracing::warn!(payment_id, refund_id, cause, "{why}");
            }
            OrderNotification::Failed(error) => {
                let (cause, why) = (chain(error), "order service not notified yet");
                tracing::warn!(sender, event_id, payment_id, refund_id, cause, "{why}");
            }
        }
    }
}

fn count(applied: &Applied) {
    let Applied { before, record, order_notification, refund_notification, .. } = applied;
    for notified in [order_notification, refund_notification] {
        if matches!(notified, OrderNotification::Failed(_)) {
            metrics::ORDER_NOTIFICATIONS_FAILED.count();
        }
    }
    let (currency, minor) = (record.amount.currency().code(), record.amount.minor());
    let back = record.refunded().saturating_sub(before.refunded());
    if back > 0 {
        metrics::REFUNDS_RECORDED.count();
        metrics::AMOUNT_REFUNDED.add_under("Currency", currency, back);
    }
    if record.status == before.status {
        return;
    }
    match record.status {
        // No transition leads there.
        Status::Pending => {}
        Status::Failed => metrics::PAYMENTS_FAILED.count(),
        Status::Closed => metrics::PAYMENTS_CLOSED.count(),
        Status::Paid => {
            metrics::PAYMENTS_PAID.count();
            metrics::AMOUNT_PAID.add_under("Currency", currency, minor);
        }
        Status::Refunded => metrics::PAYMENTS_REFUNDED.count(),
    }
}

fn quarantined(notification: &Notification, mismatch: &Mismatch) {
    let (sender, event_id) = (notification.sender.as_str(), notification.event_id.as_str());
    let payment_id = notification.payment.map(PaymentId::get);
    let field = mismatch.field.as_str();
    let (expected, received) = (mismatch.expected.as_deref(), mismatch.received.as_deref());
    tracing::warn!(
        sender,
        event_id,
        payment_id,
        mismatch = field,
        expected,
        received,
        "notification quarantined"
    );
    metrics::NOTIFICATIONS_QUARANTINED.count_by(&[("Mismatch", field)]);
}
