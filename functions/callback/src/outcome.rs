//! What became of a message, for operators: its log line and its metrics.

use pay_core::{
    domain::{Misfit, PaymentId, Status, Verdict},
    ports::chain,
    usecases::callback::{CallbackError, Notice, Received, Telling},
};
use pay_service::metrics;

/// Logs and counts what became of a message, beside the line of the invocation.
pub(crate) fn tell(notice: &Notice, outcome: &Result<Received, CallbackError>) {
    match outcome {
        Ok(received) => {
            log_received(notice, received);
            count_received(received);
        }
        Err(CallbackError::Misfit(misfit)) => quarantined(notice, *misfit),
        // The line of the invocation says why, and counts it.
        Err(CallbackError::Unavailable(_) | CallbackError::Fault(_)) => {}
    }
}

fn log_received(notice: &Notice, received: &Received) {
    let (provider, event_id) = (notice.provider.as_str(), notice.event_id.as_str());
    let payment_id = received.record.id.get();
    let verdict = received.verdict.as_str();
    tracing::info!(provider, event_id, payment_id, verdict, "message taken");
    match &received.telling {
        Telling::None | Telling::Done => {}
        Telling::Uncleared(error) => {
            let cause = chain(error);
            tracing::warn!(payment_id, cause, "order told, and will be told again");
        }
        Telling::Failed(error) => {
            let cause = chain(error);
            tracing::warn!(provider, event_id, payment_id, cause, "order not told yet");
        }
    }
}

fn count_received(received: &Received) {
    let Received { record, verdict, telling } = received;
    if matches!(telling, Telling::Failed(_)) {
        metrics::TELLINGS_FAILED.count();
    }
    if *verdict != Verdict::Applied {
        return;
    }
    let (currency, minor) = (record.amount.currency().code(), record.amount.minor());
    match record.status {
        // Nothing moves there.
        Status::Pending => {}
        Status::Failed => metrics::PAYMENTS_FAILED.count(),
        Status::Closed => metrics::PAYMENTS_CLOSED.count(),
        Status::Paid => {
            metrics::PAYMENTS_PAID.count();
            metrics::AMOUNT_PAID.add_under("Currency", currency, minor);
        }
        Status::Refunded => {
            metrics::PAYMENTS_REFUNDED.count();
            metrics::AMOUNT_REFUNDED.add_under("Currency", currency, minor);
        }
    }
}

fn quarantined(notice: &Notice, misfit: Misfit) {
    let (provider, event_id) = (notice.provider.as_str(), notice.event_id.as_str());
    let payment_id = notice.payment.map(PaymentId::get);
    let reason = misfit.as_str();
    tracing::warn!(provider, event_id, payment_id, reason, "message quarantined");
    metrics::MESSAGES_QUARANTINED.count_by(&[("Reason", reason)]);
}
