//! The refunds of a payment: each by itself, against its reference, against the events that made it
//! what it is, and together against what the record says went back.

use pay_core::domain::{
    Outcome, Provider, ProviderRef, ProviderRefund, ProviderTxn, RefundId, RefundReport,
    RefundState, Refunds, Source, Verdict,
};

use super::attributes::Attributes;
use super::chain::{Findings, RECORD};
use super::event::ReadEvent;
use super::key::refund_reference_of;
use super::record::Record;
use crate::Row;
use crate::limits::TIME_SLACK_MS;

/// A refund, as far as it can be read.
#[derive(Debug, Clone)]
pub(super) struct ReadRefund {
    sk: String,
    id: RefundId,
    amount: Option<u64>,
    taken_from: Option<ProviderRef>,
    provider_refund: Option<ProviderRefund>,
    /// The total that it was reported with, if no provider named it.
    total: Option<u64>,
    state: Option<RefundState>,
    create_time: Option<u64>,
    update_time: Option<u64>,
}

/// What a provider's id of a refund stands for.
#[derive(Debug, Clone)]
pub(super) struct ReadReference {
    sk: String,
    provider: Provider,
    provider_refund: ProviderRefund,
    refund: Option<RefundId>,
}

/// Reads a refund, and says what is wrong with it.
pub(super) fn read(id: RefundId, row: &Row, now: u64) -> (ReadRefund, Vec<String>) {
    let mut of = Attributes::of(row, now);
    let source = of.must_number("source", |source| Source::new(source).is_ok());
    let txn = of.text("provider_txn", |txn| ProviderTxn::new(txn).is_ok());
    let is_id = |id: &str| ProviderRefund::new(id).is_ok();
    let named = of.text("provider_refund", is_id).and_then(|id| ProviderRefund::new(id).ok());
    of.text("reference", is_id);
    of.must_text("state", |_any| true);
    let total = id.as_str().strip_prefix("total-").and_then(|total| total.parse::<u64>().ok());
    let refund = ReadRefund {
        sk: row.text("sk").to_owned(),
        amount: of.must_number("amount", |_any| true),
        taken_from: source.and_then(|source| {
            let txn = txn.and_then(|txn| ProviderTxn::new(txn).ok());
            Some(ProviderRef { source: Source::new(source).ok()?, txn })
        }),
        total: total.filter(|total| RefundId::of_total(*total) == id),
        state: of.word("state", &RefundState::ALL, RefundState::as_str),
        create_time: of.must_time("create_time"),
        update_time: of.must_time("update_time"),
        provider_refund: named,
        id,
    };
    of.in_order(("create_time", refund.create_time), ("update_time", refund.update_time));
    match (&refund.provider_refund, refund.total) {
        (Some(named), _) => {
            let provider = refund.taken_from.as_ref().and_then(|of| Provider::of_source(of.source));
            let own = provider.map(|provider| RefundId::adopted(provider, named));
            of.wrong_if(own.as_ref() != Some(&refund.id), "its id is not that of the provider's");
        }
        (None, None) => of.wrong_if(true, "neither an id of the provider's, nor a total"),
        (None, Some(total)) => {
            let more = refund.amount.is_some_and(|amount| amount > total);
            of.wrong_if(more, "more than the total that it was reported with");
            let succeeded = refund.state.is_none_or(|state| state == RefundState::Succeeded);
            of.wrong_if(!succeeded, "a total that did not succeed");
            of.wrong_if(of.has("reference"), "a reference, and no id of the provider's");
        }
    }
    (refund, of.finish())
}

/// Reads a reference, and says what is wrong with it; `None` if its key is none of a reference.
pub(super) fn read_reference(row: &Row, now: u64) -> Option<(ReadReference, Vec<String>)> {
    let (provider, provider_refund) = refund_reference_of(row.text("sk"))?;
    let mut of = Attributes::of(row, now);
    let refund = of.must_text("refund", |id| RefundId::new(id).is_ok());
    let refund = refund.and_then(|id| RefundId::new(id).ok());
    let sk = row.text("sk").to_owned();
    Some((ReadReference { sk, provider, provider_refund, refund }, of.finish()))
}

/// The sort keys of all of them.
pub(super) fn keys<'a>(
    refunds: &'a [ReadRefund],
    references: &'a [ReadReference],
) -> impl Iterator<Item = &'a str> {
    let refunds = refunds.iter().map(|refund| refund.sk.as_str());
    refunds.chain(references.iter().map(|reference| reference.sk.as_str()))
}

/// Checks the refunds of a record.
pub(super) fn check(
    record: &Record,
    refunds: &[ReadRefund],
    references: &[ReadReference],
    events: &[ReadEvent],
) -> Findings {
    let mut found = Findings::new();
    let mut wrong = |sk: &str, what: &str| found.push((sk.to_owned(), "I21", what.to_owned()));
    for refund in refunds {
        for what in against_record(record, refund) {
            wrong(&refund.sk, what);
        }
        let own = |reference: &&ReadReference| refund.is_of(reference);
        if refund.provider_refund.is_some() && !references.iter().any(|one| own(&one)) {
            wrong(&refund.sk, "no reference stands for it");
        }
        if !events.iter().any(|event| refund.is_made_by(event, record)) {
            wrong(&refund.sk, "no event made it what it is");
        }
    }
    for reference in references {
        if !refunds.iter().any(|refund| refund.is_of(reference)) {
            wrong(&reference.sk, "it stands for no refund that has its id");
        }
    }
    let counted = events.iter().filter(|event| event.verdict == Some(Verdict::Applied));
    for event in counted {
        if event.counts(record).is_some_and(|id| !refunds.iter().any(|refund| refund.id == id)) {
            wrong(&event.sk, "the refund that it counted is missing");
        }
    }
    let Refunds { sum, total } = together(refunds);
    if record.refunds.sum != sum {
        wrong(RECORD, "refunds_sum is not the sum of its refunds");
    }
    if record.refunds.total != total {
        wrong(RECORD, "refunds_total is not the highest total of its refunds");
    }
    found
}

/// What the refunds come to.
fn together(refunds: &[ReadRefund]) -> Refunds {
    let named = refunds.iter().filter(|refund| refund.provider_refund.is_some());
    let succeeded = named.filter(|refund| refund.state == Some(RefundState::Succeeded));
    let sum = succeeded.filter_map(|refund| refund.amount).fold(0, u64::saturating_add);
    let totals = refunds.iter().filter_map(|refund| refund.total);
    Refunds { sum, total: totals.max().unwrap_or_default() }
}

fn against_record(record: &Record, refund: &ReadRefund) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    if let (Some(own), Some(from)) = (&record.reference, &refund.taken_from)
        && !own.may_match(from)
    {
        wrong.push("taken from other money than paid its payment");
    }
    if let (Some(paid), Some(amount)) = (record.amount, refund.amount)
        && amount > paid
        && refund.state == Some(RefundState::Succeeded)
    {
        wrong.push("more than its payment");
    }
    let before = |first: Option<u64>, then: Option<u64>| {
        first.zip(then).is_some_and(|(first, then)| then.saturating_add(TIME_SLACK_MS) < first)
    };
    if before(record.create_time, refund.create_time) {
        wrong.push("create_time is before its payment was created");
    }
    if before(refund.update_time, record.update_time) {
        wrong.push("update_time is after its payment last changed");
    }
    wrong
}

impl ReadRefund {
    fn is_of(&self, reference: &ReadReference) -> bool {
        let provider = self.taken_from.as_ref().and_then(|of| Provider::of_source(of.source));
        provider == Some(reference.provider)
            && self.provider_refund.as_ref() == Some(&reference.provider_refund)
            && reference.refund.as_ref() == Some(&self.id)
    }

    /// Whether an event changed it to what it is.
    fn is_made_by(&self, event: &ReadEvent, record: &Record) -> bool {
        let as_reported = match &event.refund {
            Some(RefundReport::One { amount_minor, state, .. }) => {
                self.amount == Some(*amount_minor) && self.state == Some(*state)
            }
            Some(RefundReport::Total(_)) | None => true,
        };
        event.verdict == Some(Verdict::Applied)
            && event.at == self.update_time
            && event.counts(record).as_ref() == Some(&self.id)
            && as_reported
    }
}

impl ReadEvent {
    /// The refund that a notification is about which counts when it is applied; `None` if it is about none.
    fn counts(&self, record: &Record) -> Option<RefundId> {
        if self.outcome != Some(Outcome::Refunded) {
            return None;
        }
        match &self.refund {
            // It proves that it was paid, and is not kept.
            Some(
                RefundReport::One { state: RefundState::Pending, .. } | RefundReport::Total(0),
            ) => None,
            Some(RefundReport::One { id, .. }) => {
                let source = self.reference.as_ref()?.source;
                Some(RefundId::adopted(Provider::of_source(source)?, id))
            }
            Some(RefundReport::Total(total)) => Some(RefundId::of_total(*total)),
            None => record.amount.map(RefundId::of_total),
        }
    }
}
