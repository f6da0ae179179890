//! What a store keeps that no port reads: the event log and the work list.

use super::Table;
use crate::domain::{Event, Misfit, PaymentId, Provider, Verdict};

/// A look behind the port, for the contract.
pub trait Inspect {
    /// The events kept under a payment, or the provider's strays, in the order of their keys.
    fn events(
        &self,
        of: Option<PaymentId>,
        provider: Provider,
    ) -> impl Future<Output = Vec<LoggedEvent>> + Send;

    /// Everything on the work list, sorted.
    fn listed(&self) -> impl Future<Output = Vec<Listed>> + Send;
}

/// An entry of the work list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Which list.
    pub work: String,
    /// When, in Unix milliseconds.
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
    pub provider: String,
    pub outcome: Option<String>,
    pub status_before: Option<u64>,
    pub status_after: Option<u64>,
    pub version: Option<u64>,
    pub verdict: String,
    pub reason: Option<String>,
    pub source: u64,
    pub provider_txn: Option<String>,
    pub amount: Option<u64>,
    pub currency: Option<String>,
    pub sha256: String,
    pub len: u64,
    pub body: Vec<u8>,
    pub work: Option<String>,
    pub due: Option<u64>,
}

impl LoggedEvent {
    /// What an event must be kept as.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let listed = (event.verdict == Verdict::Quarantined).then_some(event.at.millis());
        let suffix = event.suffix.as_ref().map(|suffix| format!("#{suffix}"));
        let said = &event.said;
        Self {
            pk: match event.payment {
                Some(id) => format!("pay#{id}"),
                None => format!("stray#{}", event.provider.as_str()),
            },
            sk: format!(
                "event#{}#{}{}",
                event.provider.as_str(),
                event.id.as_str(),
                suffix.unwrap_or_default()
            ),
            at: event.at.millis(),
            provider: event.provider.as_str().to_owned(),
            outcome: said.outcome.map(|outcome| outcome.as_str().to_owned()),
            status_before: event.status.map(|(before, _)| before.code().into()),
            status_after: event.status.map(|(_, after)| after.code().into()),
            version: event.version,
            verdict: event.verdict.as_str().to_owned(),
            reason: event.reason.map(Misfit::as_str).map(str::to_owned),
            source: said.money.source.get().into(),
            provider_txn: said.money.txn.as_ref().map(|txn| txn.as_str().to_owned()),
            amount: said.amount_minor,
            currency: said.currency.clone(),
            sha256: event.body.digest().to_string(),
            len: event.body.len(),
            body: event.body.kept().to_vec(),
            work: listed.map(|_| "quarantine".to_owned()),
            due: listed,
        }
    }
}

/// What the work list of a table must hold.
pub(super) fn listed(table: &Table) -> Vec<Listed> {
    let tellings = table.payments.values().filter_map(|payment| {
        Some(Listed {
            work: format!("order#{}", payment.id.get() % 4),
            due: payment.work?.due.millis(),
            pk: format!("pay#{}", payment.id),
            sk: "record".to_owned(),
        })
    });
    let open = table.events.iter().filter(|event| !table.resolved.contains(&event.key()));
    let messages = open.filter_map(|event| {
        let row = LoggedEvent::of(event);
        Some(Listed { work: row.work?, due: row.due?, pk: row.pk, sk: row.sk })
    });
    let mut all: Vec<_> = tellings.chain(messages).collect();
    all.sort();
    all
}
