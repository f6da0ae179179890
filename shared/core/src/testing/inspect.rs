//! What a store keeps that no port reads: the event log and what its due index lists.

use super::Table;
use crate::{
    domain::{Decided, Event, PaymentId, Provider, Refund, RefundReport, Sender, Verdict},
    limits::SWEEP_QUEUES,
};

/// A look behind the port, for the contract.
pub trait Inspect {
    /// The events of a payment, or the unmatched events of a sender, in the order of their keys.
    fn events(
        &self,
        of: Option<PaymentId>,
        sender: Sender,
    ) -> impl Future<Output = Vec<LoggedEvent>> + Send;

    /// Everything that the due index lists, sorted.
    fn listed(&self) -> impl Future<Output = Vec<Listed>> + Send;

    /// The refund references of a payment: the rest of each key, and the refund that it holds; sorted.
    fn refund_references(
        &self,
        of: PaymentId,
    ) -> impl Future<Output = Vec<(String, String)>> + Send;

    /// Makes a payment's record unreadable, as a mistaken hand does.
    fn spoil(&self, id: PaymentId) -> impl Future<Output = ()> + Send;
}

/// An entry of the due index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its queue.
    pub queue: String,
    /// When it is due, in Unix milliseconds.
    pub due: u64,
    /// The item it is about.
    pub pk: String,
    /// The rest of its key.
    pub sk: String,
}

/// An entry of the event log, attribute by attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after its attribute")]
pub struct LoggedEvent {
    pub pk: String,
    pub sk: String,
    pub at: u64,
    pub sender: String,
    pub outcome: Option<String>,
    pub status_before: Option<u64>,
    pub status_after: Option<u64>,
    pub version: Option<u64>,
    pub verdict: String,
    pub mismatch: Option<String>,
    pub expected: Option<String>,
    pub received: Option<String>,
    pub source: u64,
    pub provider_txn: Option<String>,
    pub amount: Option<u64>,
    pub refund: Option<String>,
    pub refund_reference: Option<String>,
    pub refund_amount: Option<u64>,
    pub refund_state: Option<String>,
    pub refunded: Option<u64>,
    pub checkout: Option<u64>,
    pub currency: Option<String>,
    pub sha256: String,
    pub len: u64,
    pub body: Vec<u8>,
    pub queue: Option<String>,
    pub due: Option<u64>,
    pub by: Option<String>,
    pub about: Option<String>,
    pub decision: Option<String>,
    pub decided_by: Option<String>,
    pub decided_time: Option<u64>,
    pub decision_event: Option<String>,
}

impl LoggedEvent {
    /// What an event must be kept as.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let listed = (event.verdict == Verdict::Quarantined).then_some(event.at.millis());
        let suffix = event.suffix.as_ref().map(|suffix| format!("#{suffix}"));
        let report = &event.report;
        let mismatch = event.mismatch.as_ref();
        let (refund, refund_reference, refund_amount, refund_state, refunded) = match &report.refund
        {
            Some(RefundReport::One { id, reference, amount_minor, state }) => (
                Some(id.as_str().to_owned()),
                reference.as_ref().map(|reference| reference.as_str().to_owned()),
                Some(*amount_minor),
                Some(state.as_str().to_owned()),
                None,
            ),
            Some(RefundReport::Total(total)) => (None, None, None, None, Some(*total)),
            None => (None, None, None, None, None),
        };
        Self {
            pk: match event.payment {
                Some(id) => format!("pay#{id}"),
                None => format!("unmatched#{}", event.sender.as_str()),
            },
            sk: format!(
                "event#{}#{}{}",
                event.sender.as_str(),
                event.id.as_str(),
                suffix.unwrap_or_default()
            ),
            at: event.at.millis(),
            sender: event.sender.as_str().to_owned(),
            outcome: report.outcome.map(|outcome| outcome.as_str().to_owned()),
            status_before: event.status.map(|(before, _)| before.code().into()),
            status_after: event.status.map(|(_, after)| after.code().into()),
            version: event.version,
            verdict: event.verdict.as_str().to_owned(),
            mismatch: mismatch.map(|mismatch| mismatch.field.as_str().to_owned()),
            expected: mismatch.and_then(|mismatch| mismatch.expected.clone()),
            received: mismatch.and_then(|mismatch| mismatch.received.clone()),
            source: report.reference.source.get().into(),
            provider_txn: report.reference.txn.as_ref().map(|txn| txn.as_str().to_owned()),
            amount: report.amount_minor,
            refund,
            refund_reference,
            refund_amount,
            refund_state,
            refunded,
            checkout: event.checkout.map(|number| number.get().into()),
            currency: report.currency.clone(),
            sha256: event.body.digest().to_string(),
            len: event.body.len(),
            body: event.body.kept().to_vec(),
            queue: listed.map(|_| "review".to_owned()),
            due: listed,
            by: event.decision.as_ref().map(|decision| decision.by.as_str().to_owned()),
            about: event.decision.as_ref().map(|decision| decision.about.clone()),
            decision: None,
            decided_by: None,
            decided_time: None,
            decision_event: None,
        }
    }

    /// The same after a decision.
    pub fn resolved(&mut self, decided: &Decided) {
        (self.queue, self.due) = (None, None);
        self.decision = Some(decided.decision.as_str().to_owned());
        self.decided_by = Some(decided.by.as_str().to_owned());
        self.decided_time = Some(decided.at.millis());
        self.decision_event = Some(decided.event.to_string());
    }
}

/// The refund reference that a refund must have, if a provider of ours named it: the rest of its key.
pub(super) fn refund_reference(refund: &Refund) -> Option<String> {
    let provider = Provider::of_source(refund.taken_from.source)?;
    let named = refund.provider_refund.as_ref()?;
    Some(format!("refund-ref#{}#{}", provider.as_str(), named.as_str()))
}

/// What the due index of a table must list.
pub(super) fn listed(table: &Table) -> Vec<Listed> {
    let due = table.payments.values().filter_map(|payment| {
        Some(Listed {
            queue: format!("sweep#{}", payment.id.get() % SWEEP_QUEUES),
            due: payment.due?.at.millis(),
            pk: format!("pay#{}", payment.id),
            sk: "record".to_owned(),
        })
    });
    let refunds = table.refunds.values().filter_map(|refund| {
        Some(Listed {
            queue: format!("sweep#{}", refund.payment.get() % SWEEP_QUEUES),
            due: refund.due?.at.millis(),
            pk: format!("pay#{}", refund.payment),
            sk: format!("refund#{}", refund.id.as_str()),
        })
    });
    let open = table.events.iter().filter(|event| !table.resolved.contains_key(&event.key()));
    let review = open.filter_map(|event| {
        let row = LoggedEvent::of(event);
        Some(Listed { queue: row.queue?, due: row.due?, pk: row.pk, sk: row.sk })
    });
    let mut all: Vec<_> = due.chain(refunds).chain(review).collect();
    all.sort();
    all
}
