//! The refunds of a payment: each by itself, against its reference, against the events that made it
//! what it is, and together against what the record says went back.

use pay_core::domain::{
    Digest, EventKey, Outcome, Provider, ProviderRef, ProviderRefund, ProviderTxn, RefundId,
    RefundReason, RefundReference, RefundReport, RefundState, Refunds, Source, Status, Verdict,
};
use pay_core::limits::{BACKOFF_MAX_MS, QUERY_BACKOFF_MAX_MS};

use super::attributes::Attributes;
use super::chain::{Findings, RECORD};
use super::event::ReadEvent;
use super::key::{payment_of, refund_reference_of};
use super::outside;
use super::record::{Record, outbox};
use crate::Row;
use crate::limits::{REFUND_REQUESTED_MS, TIME_SLACK_MS};

/// A refund, as far as it can be read.
#[derive(Debug, Clone)]
pub(super) struct ReadRefund {
    pub(super) sk: String,
    pub(super) id: RefundId,
    pub(super) amount: Option<u64>,
    pub(super) taken_from: Option<ProviderRef>,
    provider_refund: Option<ProviderRefund>,
    /// The total that it was reported with, if no provider named it.
    total: Option<u64>,
    /// Whether we were asked for it.
    is_request: bool,
    /// The quarantined notification whose money it gives back.
    pub(super) quarantined: Option<EventKey>,
    /// Whether that was more than an hour before the audit.
    is_old: bool,
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
    let quarantined = of.text("quarantined", |key| EventKey::parse(key).is_ok());
    let create_time = of.must_time("create_time");
    let latest = now.saturating_sub(REFUND_REQUESTED_MS);
    let refund = ReadRefund {
        sk: row.text("sk").to_owned(),
        amount: of.must_number("amount", |_any| true),
        taken_from: source.and_then(|source| {
            let txn = txn.and_then(|txn| ProviderTxn::new(txn).ok());
            Some(ProviderRef { source: Source::new(source).ok()?, txn })
        }),
        total: total.filter(|total| RefundId::of_total(*total) == id),
        is_request: of.has("key"),
        quarantined: quarantined.and_then(|key| EventKey::parse(key).ok()),
        state: of.word("state", &RefundState::ALL, RefundState::as_str),
        is_old: create_time.is_some_and(|made| made < latest),
        create_time,
        update_time: of.must_time("update_time"),
        provider_refund: named,
        id,
    };
    of.in_order(("create_time", refund.create_time), ("update_time", refund.update_time));
    request(&mut of, &refund, row);
    due(&mut of, &refund, now);
    match (&refund.provider_refund, refund.total) {
        // Its id is that of its key, whatever the provider calls it.
        (_, _) if refund.is_request => {}
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

/// What we were asked for: a key, which its id is made of.
fn request(of: &mut Attributes<'_>, refund: &ReadRefund, row: &Row) {
    let key = of.text("key", |hex| Digest::from_hex(hex).is_ok());
    of.text("reason", |reason| RefundReason::new(reason).is_ok());
    of.wrong_if(of.has("reason") && !refund.is_request, "a reason, and no key");
    let requested = refund.state == Some(RefundState::Requested);
    of.wrong_if(requested && !refund.is_request, "requested without a key");
    let (payment, key) = (payment_of(row.text("pk")), key.map(Digest::from_hex));
    if let (Some(payment), Some(Ok(key))) = (payment, key) {
        let own = RefundId::requested(RefundReference::new(payment, key));
        of.wrong_if(own != refund.id, "its id is not that of its key");
    }
    if let Some(quarantined) = &refund.quarantined {
        outside::request(of, (payment, key.and_then(Result::ok)), quarantined, row);
    }
}

/// The entry of the outbox: until it has come to an end, and then until the order service is notified.
fn due(of: &mut Attributes<'_>, refund: &ReadRefund, now: u64) {
    let is_open = refund.is_open();
    let longest = if is_open { QUERY_BACKOFF_MAX_MS } else { BACKOFF_MAX_MS };
    outbox(of, refund.create_time, longest, now);
    of.wrong_if(is_open && !of.has("queue"), "it has not come to an end, and is not due");
    let failed = refund.state == Some(RefundState::Failed);
    of.wrong_if(failed && of.has("queue"), "due, and failed");
    let is_done = refund.quarantined.is_some() && !is_open;
    of.wrong_if(is_done && of.has("queue"), "due, and the order service does not hear of it");
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
pub(super) fn check(known: &Known<'_>, events: &[ReadEvent]) -> Findings {
    let mut found = outside::check(known, events);
    let Known { record, refunds, references } = known;
    for refund in refunds.iter().filter(|refund| refund.is_stuck()) {
        let what = "requested more than an hour ago, and what became of it is not known";
        found.push((refund.sk.clone(), "I22", what.to_owned()));
    }
    let mut wrong = |sk: &str, what: &str| found.push((sk.to_owned(), "I21", what.to_owned()));
    for refund in *refunds {
        for what in against_record(record, refund) {
            wrong(&refund.sk, what);
        }
        let own = |reference: &&ReadReference| refund.is_of(reference);
        if refund.provider_refund.is_some() && !references.iter().any(|one| own(&one)) {
            wrong(&refund.sk, "no reference stands for it");
        }
        if !events.iter().any(|event| refund.is_made_by(event, known)) {
            wrong(&refund.sk, "no event made it what it is");
        }
    }
    for reference in *references {
        if !refunds.iter().any(|refund| refund.is_of(reference)) {
            wrong(&reference.sk, "it stands for no refund that has its id");
        }
    }
    let is_missing = |id: RefundId| !refunds.iter().any(|refund| refund.id == id);
    for event in events {
        let counted = event.verdict == Some(Verdict::Applied);
        if counted && known.counted_by(event).is_some_and(is_missing) {
            wrong(&event.sk, "the refund that it counted is missing");
        }
        if event.reserved().is_some_and(is_missing) {
            wrong(&event.sk, "the refund that it reserved is missing");
        }
    }
    let Refunds { sum, total, pending } = together(refunds);
    if record.refunds.sum != sum {
        wrong(RECORD, "refunds_sum is not the sum of its refunds");
    }
    if record.refunds.total != total {
        wrong(RECORD, "refunds_total is not the highest total of its refunds");
    }
    if record.refunds.pending != pending {
        wrong(RECORD, "refund_pending is not the sum of its refunds that have not come to an end");
    }
    found
}

/// What the refunds come to.
fn together(refunds: &[ReadRefund]) -> Refunds {
    let sum_of = |counts: &dyn Fn(&ReadRefund) -> bool| {
        let counted = refunds.iter().filter(|refund| !refund.is_outside() && counts(refund));
        counted.filter_map(|refund| refund.amount).fold(0, u64::saturating_add)
    };
    let is_one = |refund: &ReadRefund| refund.provider_refund.is_some() || refund.is_request;
    let totals = refunds.iter().filter_map(|refund| refund.total);
    Refunds {
        sum: sum_of(&|refund| is_one(refund) && refund.state == Some(RefundState::Succeeded)),
        total: totals.max().unwrap_or_default(),
        pending: sum_of(&|refund| refund.is_open()),
    }
}

fn against_record(record: &Record, refund: &ReadRefund) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let is_outside = refund.is_outside();
    if let (Some(own), Some(from)) = (&record.reference, &refund.taken_from)
        && !is_outside
        && !own.may_match(from)
    {
        wrong.push("taken from other money than paid its payment");
    }
    if let (Some(paid), Some(amount)) = (record.amount, refund.amount)
        && amount > paid
        && !is_outside
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
    /// Whether it gives back other money than what the payment was paid with.
    pub(super) const fn is_outside(&self) -> bool {
        self.quarantined.is_some()
    }

    /// Whether it has not come to an end: it reserves its amount, of the payment or of other money.
    fn is_open(&self) -> bool {
        self.is_request && self.state.is_some_and(|state| !state.is_final())
    }

    /// Whether what became of it at its provider is not known for long.
    fn is_stuck(&self) -> bool {
        self.is_old && self.state == Some(RefundState::Requested)
    }

    fn is_of(&self, reference: &ReadReference) -> bool {
        let provider = self.taken_from.as_ref().and_then(|of| Provider::of_source(of.source));
        provider == Some(reference.provider)
            && self.provider_refund.as_ref() == Some(&reference.provider_refund)
            && reference.refund.as_ref() == Some(&self.id)
    }

    /// Whether an event changed it to what it is.
    fn is_made_by(&self, event: &ReadEvent, known: &Known<'_>) -> bool {
        if self.state == Some(RefundState::Requested) {
            let reserved = event.reserved().as_ref() == Some(&self.id)
                || self.quarantined.is_some() && event.gives_back == self.quarantined;
            return reserved && event.at == self.update_time;
        }
        let as_reported = match &event.refund {
            Some(RefundReport::One { amount_minor, state, .. }) => {
                self.amount == Some(*amount_minor) && self.state == Some(*state)
            }
            Some(RefundReport::Total(_)) | None => true,
        };
        event.verdict == Some(Verdict::Applied)
            && event.at == self.update_time
            && known.counted_by(event).as_ref() == Some(&self.id)
            && as_reported
    }
}

/// What is known of the refunds of a record when an event is read.
pub(super) struct Known<'a> {
    pub(super) record: &'a Record,
    pub(super) refunds: &'a [ReadRefund],
    references: &'a [ReadReference],
}

impl<'a> Known<'a> {
    pub(super) const fn of(
        record: &'a Record,
        refunds: &'a [ReadRefund],
        references: &'a [ReadReference],
    ) -> Self {
        Self { record, refunds, references }
    }

    /// The refund of other money that an event is about, or of the money that one which was only noted reports.
    pub(super) fn outside(&self, event: &ReadEvent) -> Option<&'a ReadRefund> {
        let id = self.counted_by(event);
        let noted = event.verdict == Some(Verdict::Noted)
            && event.gives_back.is_none()
            && event.outcome.is_some_and(Outcome::moves_money);
        let reference = event.reference.as_ref().filter(|_| noted);
        let is_of = |refund: &&ReadRefund| {
            let from = refund.taken_from.as_ref();
            let is_same = from.zip(reference).is_some_and(|(from, of)| from.is_same(of));
            is_same || id.as_ref() == Some(&refund.id)
        };
        self.refunds.iter().filter(|refund| refund.is_outside()).find(is_of)
    }

    /// The refund that a notification is about which counts when it is applied; `None` if it is about none.
    fn counted_by(&self, event: &ReadEvent) -> Option<RefundId> {
        if event.outcome != Some(Outcome::Refunded) {
            return None;
        }
        match &event.refund {
            // It proves that it was paid, and is not kept.
            Some(RefundReport::One { reference, state: RefundState::Pending, .. })
                if event.before < Some(Status::Paid)
                    && self.requested(reference.as_ref()).is_none() =>
            {
                None
            }
            Some(RefundReport::Total(0)) => None,
            Some(RefundReport::One { id, reference, .. }) => {
                self.requested(reference.as_ref()).or_else(|| {
                    let provider = Provider::of_source(event.reference.as_ref()?.source)?;
                    let named =
                        |of: &&ReadReference| of.provider == provider && of.provider_refund == *id;
                    let named = self.references.iter().find(named).and_then(|of| of.refund.clone());
                    let is_request = |id: &RefundId| self.is_request(id);
                    named.filter(is_request).or_else(|| Some(RefundId::adopted(provider, id)))
                })
            }
            Some(RefundReport::Total(total)) => Some(RefundId::of_total(*total)),
            None => self.record.amount.map(RefundId::of_total),
        }
    }

    /// The refund that we were asked for with this reference.
    fn requested(&self, reference: Option<&ProviderRefund>) -> Option<RefundId> {
        let reference = RefundReference::parse(reference?.as_str()).ok()?;
        let id = RefundId::requested(reference);
        self.is_request(&id).then_some(id)
    }

    fn is_request(&self, id: &RefundId) -> bool {
        self.refunds.iter().any(|refund| refund.is_request && refund.id == *id)
    }
}
