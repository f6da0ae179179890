//! What an accepted message says about a payment.

use pay_core::domain::{Outcome, PaymentId, ProviderTxn, Report};
use pay_providers::Message;
use serde::Serialize;

/// What the message says; `null` for what it does not.
#[derive(Debug, Serialize)]
pub(super) struct Says {
    event_id: Option<String>,
    payment_id: Option<u64>,
    provider_txn: Option<String>,
    amount: Option<u64>,
    currency: Option<String>,
    outcome: &'static str,
    foreign: bool,
}

impl Says {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            event_id: message.event_id.clone(),
            payment_id: message.payment.map(PaymentId::get),
            provider_txn: message.txn.as_ref().map(ProviderTxn::as_str).map(str::to_owned),
            amount: message.amount_minor,
            currency: message.currency.clone(),
            outcome: outcome(message.report),
            foreign: message.foreign,
        }
    }
}

const fn outcome(report: Report) -> &'static str {
    match report {
        Report::Outcome(Outcome::Paid) => "paid",
        Report::Outcome(Outcome::Failed) => "failed",
        Report::Outcome(Outcome::Closed) => "closed",
        Report::Outcome(Outcome::Refunded) => "refunded",
        Report::PartialRefund => "partial refund",
        Report::Nothing => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_word() {
        let words = Outcome::ALL.map(|found| outcome(Report::Outcome(found)));
        assert_eq!(words, ["failed", "closed", "paid", "refunded"]);
        assert_eq!(outcome(Report::PartialRefund), "partial refund");
        assert_eq!(outcome(Report::Nothing), "nothing");
    }
}
