//! The event log of one payment against its record: an event reached every version, every
//! transition is one of the table, and together they lead to what the record has.

use std::collections::BTreeMap;

use pay_core::domain::{
    Currency, MismatchField, Outcome, ProviderRef, RefundReport, Sender, Status, Verdict,
};

use super::event::{ReadEvent, is_response};
use super::record::Record;
use super::refund::Known;
use crate::event::status;
use crate::limits::TIME_SLACK_MS;

/// What is wrong, and the sort key of the item that it is wrong with.
pub(super) type Findings = Vec<(String, &'static str, String)>;

pub(super) const RECORD: &str = "record";

/// Where a record stands after the versions that were walked.
struct Walk<'a> {
    known: &'a Known<'a>,
    status: Status,
    /// When its version was reached: of several times any may be it.
    at: Vec<u64>,
    reference: ProviderRef,
    paid_time: Option<u64>,
    found: Findings,
}

/// Checks the events of a record.
pub(super) fn check(record: &Record, events: &[ReadEvent], known: &Known<'_>) -> Findings {
    let mut found = Findings::new();
    for event in events {
        found.extend(
            fits(record, event, known).into_iter().map(|what| (event.sk.clone(), "I6", what)),
        );
    }
    let (Some(version), Some(created)) = (record.version, record.create_time) else {
        // Reported with the record already.
        return found;
    };
    let mut by_version: BTreeMap<u64, Vec<&ReadEvent>> = BTreeMap::new();
    for event in events {
        if let Some(version) = event.version {
            by_version.entry(version).or_default().push(event);
        }
    }
    let mut of_record = |what: String| found.push((RECORD.to_owned(), "I6", what));
    if let Some(beyond) = by_version.keys().next_back().filter(|beyond| **beyond > version) {
        of_record(format!("an event reached version {beyond}, the record has {version}"));
    }
    // Bounded: a version beyond what a log of this length can reach is a gap already.
    let most = u64::try_from(events.len()).unwrap_or(u64::MAX).saturating_add(2);
    let gap = (2..=version.min(most)).find(|version| !by_version.contains_key(version));
    if let Some(gap) = gap {
        of_record(format!("no event reached version {gap}"));
    }
    let mut walk = Walk {
        known,
        status: Status::Pending,
        at: vec![created],
        reference: ProviderRef::NONE,
        paid_time: None,
        found,
    };
    for (version, events) in &by_version {
        walk.version(*version, events);
    }
    walk.end(record, gap.is_none())
}

impl Walk<'_> {
    fn wrong(&mut self, event: &ReadEvent, what: impl Into<String>) {
        self.found.push((event.sk.clone(), "I6", what.into()));
    }

    /// The events of one version: one reached it, the others found the record there.
    fn version(&mut self, version: u64, events: &[&ReadEvent]) {
        // A request of ours raises the version as well, and reports nothing.
        let raised = |event: &&&ReadEvent| {
            event.verdict == Some(Verdict::Applied)
                || event.requested().is_some()
                || event.gives_back.is_some()
        };
        let mut moves = events.iter().filter(raised);
        let first = moves.next();
        if let Some(second) = moves.next() {
            self.wrong(second, format!("a second event reached version {version}"));
        }
        if let Some(event) = first {
            self.moved(event);
        } else if version > 1 {
            self.completed(events, version);
        }
        for event in events {
            self.stayed(event);
        }
    }

    /// The event that moved the record, against where the record was.
    fn moved(&mut self, event: &ReadEvent) {
        let word = |of: Status| status(of.code().into());
        if let Some(before) = event.before.filter(|before| *before != self.status) {
            let (before, was) = (word(before), word(self.status));
            self.wrong(event, format!("moved from {before}, but the status was {was}"));
        }
        if event.after == Some(Status::Paid) && event.before != Some(Status::Paid) {
            self.paid_time = event.at;
        }
        let is_outside = event.gives_back.is_some() || self.known.outside(event).is_some();
        match (event.before, event.after, &event.reference) {
            // Of other money than what the payment was paid with.
            (_, _, _) if is_outside => {}
            (Some(Status::Paid | Status::Refunded), _, Some(of)) => {
                self.reference = self.reference.completed_by(of).unwrap_or(self.reference.clone());
            }
            (_, Some(Status::Paid | Status::Refunded), Some(of)) => self.reference = of.clone(),
            (_, _, _) => {}
        }
        self.status = event.after.unwrap_or(self.status);
        self.at = event.at.into_iter().collect();
    }

    /// The event that completed the reference, and so raised the version without a move.
    fn completed(&mut self, events: &[&ReadEvent], version: u64) {
        let before = self.reference.clone();
        let mut times = Vec::new();
        for event in events {
            if event.begins_closing() {
                times.extend(event.at);
                continue;
            }
            let kept = [Verdict::Duplicate, Verdict::Stale, Verdict::Noted];
            let repeats = event.verdict.is_some_and(|verdict| kept.contains(&verdict));
            let reports = event.outcome.is_some_and(Outcome::moves_money);
            let adds = event.reference.as_ref().filter(|of| before.completed_by(of).is_some());
            let is_outside = self.known.outside(event).is_some();
            if let Some(of) = adds.filter(|_| repeats && reports && !is_outside) {
                // One of them completed it; to that the others add nothing.
                self.reference = self.reference.completed_by(of).unwrap_or(self.reference.clone());
                times.extend(event.at);
            }
        }
        if times.is_empty() {
            let what = format!("no event moved it or completed its reference to version {version}");
            self.found.push((RECORD.to_owned(), "I6", what));
        } else {
            self.at = times;
        }
    }

    /// An event that moved nothing, against where the record was then.
    fn stayed(&mut self, event: &ReadEvent) {
        if event.after.is_some_and(|after| after != self.status) {
            self.wrong(event, "its status is not the record's at that version");
        }
        if let (Some(then), Some(at)) = (self.at.iter().min(), event.at)
            && at.saturating_add(TIME_SLACK_MS) < *then
        {
            self.wrong(event, "at is before its version was reached");
        }
    }

    /// The record, against where its events lead. With a gap only the status can be compared.
    fn end(mut self, record: &Record, whole: bool) -> Findings {
        let other_reference = record.reference.as_ref().is_some_and(|of| *of != self.reference);
        let other_time = record.update_time.is_some_and(|time| !self.at.contains(&time));
        for (wrong, what) in [
            (
                record.status.is_some_and(|status| status != self.status),
                "its events end in another status",
            ),
            (whole && other_time, "update_time is not when its version was reached"),
            (
                whole && record.paid_time != self.paid_time,
                "paid_time is not when an event moved it to paid",
            ),
            (whole && other_reference, "another provider reference than its events report"),
        ] {
            if wrong {
                self.found.push((RECORD.to_owned(), "I6", what.to_owned()));
            }
        }
        self.found
    }
}

/// What an event reports, against what the record has for good.
fn fits(record: &Record, event: &ReadEvent, known: &Known<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    if let (Some(created), Some(at)) = (record.create_time, event.at)
        && at.saturating_add(TIME_SLACK_MS) < created
    {
        wrong.push("at is before the payment was created".to_owned());
    }
    // What other money goes back is compared with its refund.
    let is_outside = event.gives_back.is_some() || known.outside(event).is_some();
    if event.requested().is_some() || event.is_intention() || event.is_end() || is_outside {
        return wrong;
    }
    let closed = event.outcome == Some(Outcome::Closed);
    let by_provider = matches!(event.sender, Sender::Provider(_));
    let (noted, applied) = (Some(Verdict::Noted), Some(Verdict::Applied));
    if closed && event.verdict == noted && record.checkouts == 0 {
        wrong.push("closed and only noted, and its payment has no checkout".to_owned());
    }
    if closed && event.verdict == applied && by_provider && record.checkouts > 0 {
        wrong.push("it closed a payment with checkouts, of which it ends one".to_owned());
    }
    let code = record.currency.map(Currency::code);
    // A report about one refund need not say how much was paid, where it names the same money.
    let is_one = matches!(event.refund, Some(RefundReport::One { .. }));
    let is_same = |own: &ProviderRef| event.reference.as_ref().is_some_and(|of| of.is_same(own));
    let says_less = is_one && record.reference.as_ref().is_some_and(is_same);
    // Nor does a response to a query that reports nothing.
    let says_nothing = event.outcome.is_none() && is_response(&event.sk);
    let no_amount = event.amount.is_none() && (says_less || says_nothing);
    let same_amount = record.amount.is_none() || event.amount == record.amount || no_amount;
    let same_currency = match &event.currency {
        Some(currency) => code.is_none_or(|code| code == currency),
        // Optional in a native notification.
        None => event.sender == Sender::Native || says_nothing,
    };
    let dismissed = event.sender == Sender::Operator && event.verdict == Some(Verdict::Ignored);
    if event.verdict == Some(Verdict::Quarantined) {
        if let Some(mismatch) = &event.mismatch
            && mismatch.field == MismatchField::Amount
        {
            let text = |amount: Option<u64>| amount.map(|amount| amount.to_string());
            let named =
                mismatch.expected == text(record.amount) && mismatch.received == text(event.amount);
            // That it names the same money may have been learnt since.
            let same = record.amount.is_none() || event.amount == record.amount;
            if same || !named {
                wrong.push("its mismatch in the amount is none, or of other amounts".to_owned());
            }
        }
        return wrong;
    }
    if dismissed {
        return wrong;
    }
    if !same_amount {
        wrong.push("another amount than its record's, and not quarantined".to_owned());
    }
    if !same_currency {
        wrong.push("another currency than its record's, and not quarantined".to_owned());
    }
    if let (Some(own), Some(reported), Some(outcome)) =
        (&record.reference, &event.reference, event.outcome)
        && outcome.moves_money()
        && !own.may_match(reported)
        && event.after.is_some_and(|after| after >= Status::Paid)
    {
        wrong.push("another provider reference than its record's, and not quarantined".to_owned());
    }
    wrong
}
