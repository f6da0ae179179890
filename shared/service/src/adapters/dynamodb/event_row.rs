//! Rows of the event log.

use aws_sdk_dynamodb::types::AttributeValue;
use pay_core::domain::{
    CheckoutNumber, Decided, Decision, Digest, Event, EventKey, Mismatch, MismatchField, Operator,
    Outcome, ProviderRefund, Quarantined, RefundReport, RefundState, Report, Timestamp, Verdict,
};

use super::{
    keys::{self, REVIEW},
    payment_row::read_reference,
    row::{BadRow, Item, b, must_number, must_text, n, number, put_if_some, s, text},
};
use crate::limits::EVENT_CURRENCY_MAX_CHARS;

/// None of its names is the key of `oid-index` or `uid-index`: only payments are found there.
pub(super) fn event_item(event: &Event) -> Item {
    let report = &event.report;
    let mut item = keys::event(&event.key()).into_item();
    item.extend(
        [
            ("at", n(event.at.millis())),
            ("sender", s(event.sender.as_str())),
            ("verdict", s(event.verdict.as_str())),
            ("source", n(report.reference.source.get().into())),
            ("sha256", s(event.body.digest().to_string())),
            ("len", n(event.body.len())),
            ("body", b(event.body.kept())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let currency = report.currency.as_ref().map(|text| {
        let kept: String = text.chars().take(EVENT_CURRENCY_MAX_CHARS).collect();
        s(kept)
    });
    let status = |code: Option<u8>| code.map(|code| n(code.into()));
    let mismatch = event.mismatch.as_ref();
    for (name, value) in [
        ("outcome", report.outcome.map(|outcome| s(outcome.as_str()))),
        ("provider_txn", report.reference.txn.as_ref().map(|txn| s(txn.as_str()))),
        ("amount", report.amount_minor.map(n)),
        ("currency", currency),
        ("checkout", event.checkout.map(|number| n(number.get().into()))),
        ("status_before", status(event.status.map(|(before, _)| before.code()))),
        ("status_after", status(event.status.map(|(_, after)| after.code()))),
        ("version", event.version.map(n)),
        ("mismatch", mismatch.map(|mismatch| s(mismatch.field.as_str()))),
        ("expected", mismatch.and_then(|mismatch| mismatch.expected.clone()).map(s)),
        ("received", mismatch.and_then(|mismatch| mismatch.received.clone()).map(s)),
        ("by", event.decision.as_ref().map(|decision| s(decision.by.as_str()))),
        ("about", event.decision.as_ref().map(|decision| s(&decision.about))),
    ] {
        put_if_some(&mut item, name, value);
    }
    if let Some(refund) = &report.refund {
        item.extend(refund_attributes(refund).map(|(name, value)| (name.to_owned(), value)));
    }
    if event.verdict == Verdict::Quarantined {
        item.insert("queue".to_owned(), s(REVIEW));
        item.insert("due".to_owned(), n(event.at.millis()));
    }
    item
}

/// What is reported about one refund, or the total so far.
fn refund_attributes(
    report: &RefundReport,
) -> impl Iterator<Item = (&'static str, AttributeValue)> {
    let attributes = match report {
        RefundReport::One { id, reference, amount_minor, state } => [
            Some(("refund", s(id.as_str()))),
            reference.as_ref().map(|reference| ("refund_reference", s(reference.as_str()))),
            Some(("refund_amount", n(*amount_minor))),
            Some(("refund_state", s(state.as_str()))),
        ],
        RefundReport::Total(total) => [Some(("refunded", n(*total))), None, None, None],
    };
    attributes.into_iter().flatten()
}

/// What a decision on a quarantined event needs to know; `None` for an event with another verdict.
pub(super) fn read_quarantined(item: &Item) -> Result<Option<Quarantined>, BadRow> {
    if must_text(item, "verdict")? != Verdict::Quarantined.as_str() {
        return Ok(None);
    }
    Ok(Some(Quarantined {
        report: Report {
            outcome: word(item, "outcome", &Outcome::ALL, Outcome::as_str)?,
            refund: read_refund_report(item)?,
            reference: read_reference(item)?,
            amount_minor: number(item, "amount")?,
            currency: text(item, "currency")?.map(str::to_owned),
        },
        checkout: read_checkout_number(item)?,
        mismatch: read_mismatch(item)?,
        decided: read_decided(item)?,
    }))
}

fn read_checkout_number(item: &Item) -> Result<Option<CheckoutNumber>, BadRow> {
    let Some(number) = number(item, "checkout")? else { return Ok(None) };
    let number = u32::try_from(number).map_err(|_large| BadRow::Malformed("checkout"))?;
    Ok(Some(CheckoutNumber::new(number)?))
}

fn read_refund_report(item: &Item) -> Result<Option<RefundReport>, BadRow> {
    let total = number(item, "refunded")?;
    let id = text(item, "refund")?;
    let Some(id) = id else {
        return Ok(total.map(RefundReport::Total));
    };
    if total.is_some() {
        return Err(BadRow::Malformed("refunded"));
    }
    let state = word(item, "refund_state", &RefundState::ALL, RefundState::as_str)?;
    Ok(Some(RefundReport::One {
        id: ProviderRefund::new(id)?,
        reference: text(item, "refund_reference")?.map(ProviderRefund::new).transpose()?,
        amount_minor: must_number(item, "refund_amount")?,
        state: state.ok_or(BadRow::Missing("refund_state"))?,
    }))
}

/// A decision, as the notification that it is about keeps it.
pub(super) fn decided_attributes(decided: &Decided) -> [(&'static str, AttributeValue); 4] {
    [
        ("decision", s(decided.decision.as_str())),
        ("decided_by", s(decided.by.as_str())),
        ("decided_time", n(decided.at.millis())),
        ("decision_event", s(decided.event.to_string())),
    ]
}

/// The decision on a notification; `None` while it is on the review list. It is one or the other.
fn read_decided(item: &Item) -> Result<Option<Decided>, BadRow> {
    let waits = match text(item, "queue")? {
        None => false,
        Some(REVIEW) => true,
        Some(_) => return Err(BadRow::Malformed("queue")),
    };
    let decision = word(item, "decision", &Decision::ALL, Decision::as_str)?;
    let Some(decision) = decision else {
        return if waits { Ok(None) } else { Err(BadRow::Missing("decision")) };
    };
    if waits {
        return Err(BadRow::Malformed("queue"));
    }
    Ok(Some(Decided {
        decision,
        by: Operator::new(must_text(item, "decided_by")?)?,
        at: Timestamp::from_millis(must_number(item, "decided_time")?)?,
        event: EventKey::parse(must_text(item, "decision_event")?)?,
    }))
}

fn read_mismatch(item: &Item) -> Result<Option<Mismatch>, BadRow> {
    let field = word(item, "mismatch", &MismatchField::ALL, MismatchField::as_str)?;
    let Some(field) = field else {
        return Ok(None);
    };
    let side = |name| Ok::<_, BadRow>(text(item, name)?.map(str::to_owned));
    Ok(Some(Mismatch { field, expected: side("expected")?, received: side("received")? }))
}

/// The value that an attribute names; `None` where the attribute is absent.
pub(super) fn word<T: Copy>(
    item: &Item,
    name: &'static str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<Option<T>, BadRow> {
    let Some(word) = text(item, name)? else {
        return Ok(None);
    };
    let found = all.iter().copied().find(|value| as_str(*value) == word);
    found.map(Some).ok_or(BadRow::Malformed(name))
}

/// The digest of the body that an event keeps.
pub(super) fn read_digest(item: &Item) -> Result<Digest, BadRow> {
    Ok(Digest::from_hex(must_text(item, "sha256")?)?)
}
