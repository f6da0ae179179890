//! An entry of the event log by itself: of a payment, or unmatched.

use pay_core::domain::{
    CheckoutNumber, Decision, Digest, EventId, EventKey, Mismatch, MismatchField, Note, Operator,
    Outcome, ProviderRef, ProviderRefund, ProviderTxn, RawBody, RefundReport, RefundState, Sender,
    Source, Status, Transition, Verdict,
};
use pay_service::http::sha256;
use pay_service::limits::EVENT_CURRENCY_MAX_CHARS;

use super::attributes::Attributes;
use super::request::Requested;
use super::table::Key;
use crate::Row;
use crate::operation::Intention;

/// An event, as far as it can be read. Without its body: a payment may have many.
#[derive(Debug, Clone)]
pub(super) struct ReadEvent {
    pub(super) sk: String,
    pub(super) sender: Sender,
    pub(super) at: Option<u64>,
    pub(super) verdict: Option<Verdict>,
    pub(super) outcome: Option<Outcome>,
    pub(super) refund: Option<RefundReport>,
    pub(super) reference: Option<ProviderRef>,
    pub(super) amount: Option<u64>,
    pub(super) currency: Option<String>,
    pub(super) before: Option<Status>,
    pub(super) after: Option<Status>,
    pub(super) version: Option<u64>,
    pub(super) mismatch: Option<Mismatch>,
    /// The quarantined notification whose money an operator gives back by it.
    pub(super) gives_back: Option<EventKey>,
}

/// A decision that two items speak of: the notification, and the event of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The item that names the other one.
    pub(super) from: Key,
    /// The event that is named.
    pub(super) to: EventKey,
    /// Whether it is the notification that names the event of the decision.
    pub(super) is_decision: bool,
    /// What was decided, as the item has it.
    pub(super) decision: Decision,
    /// Who decided, as the item has it.
    pub(super) by: String,
    /// When.
    pub(super) at: Option<u64>,
}

/// Reads an event, and says what is wrong with it.
pub(super) fn read(key: &EventKey, row: &Row, now: u64) -> (ReadEvent, Option<Link>, Vec<String>) {
    let mut of = Attributes::of(row, now);
    of.must_text("sender", |sender| sender == key.sender.as_str());
    let source = of.must_number("source", |source| Source::new(source).is_ok());
    let txn = of.text("provider_txn", |txn| ProviderTxn::new(txn).is_ok());
    let status = |code: Option<u64>| code.and_then(|code| Status::new(code).ok());
    of.must_text("verdict", |_any| true);
    let field = of.word("mismatch", &MismatchField::ALL, MismatchField::as_str);
    let sides = ["expected", "received"].map(|name| {
        of.text(name, |text| text.chars().count() <= Mismatch::TEXT_MAX).map(str::to_owned)
    });
    let [expected, received] = sides;
    let entry = ReadEvent {
        sk: row.text("sk").to_owned(),
        sender: key.sender,
        at: of.must_time("at"),
        verdict: of.word("verdict", &Verdict::ALL, Verdict::as_str),
        outcome: of.word("outcome", &Outcome::ALL, Outcome::as_str),
        refund: refund(&mut of),
        reference: source.and_then(|source| {
            let txn = txn.and_then(|txn| ProviderTxn::new(txn).ok());
            Some(ProviderRef { source: Source::new(source).ok()?, txn })
        }),
        amount: of.number("amount", |_any| true),
        currency: of
            .text("currency", |text| text.chars().count() <= EVENT_CURRENCY_MAX_CHARS)
            .map(str::to_owned),
        before: status(of.number("status_before", |code| Status::new(code).is_ok())),
        after: status(of.number("status_after", |code| Status::new(code).is_ok())),
        version: of.number("version", |version| version > 0),
        mismatch: field.map(|field| Mismatch { field, expected, received }),
        gives_back: None,
    };
    let noted = entry.sender == Sender::Operator && entry.verdict == Some(Verdict::Noted);
    let about = row.get_text("about").filter(|_| noted);
    let gives_back = about.and_then(|about| EventKey::parse(about).ok());
    let entry = ReadEvent { gives_back, ..entry };
    of.wrong_if(
        entry.reserved().is_some() && !entry.is_reservation_of(key),
        "a refund of another payment",
    );
    of.number("checkout", |number| {
        u32::try_from(number).is_ok_and(|number| CheckoutNumber::new(number).is_ok())
    });
    let of_provider = matches!(key.sender, Sender::Provider(_));
    of.wrong_if(of.has("checkout") && !of_provider, "a checkout, and no provider's event");
    let digest = body(&mut of, &entry);
    name(&mut of, key, &entry, digest);
    sender(&mut of, &entry);
    state(&mut of, key, &entry);
    let is_ours = entry.requested().is_some() || entry.is_end();
    of.wrong_if(
        key.sender == Sender::Sweep && !is_ours,
        "an event of the sweep that closes nothing",
    );
    let link = match key.sender {
        Sender::Operator | Sender::Sweep if is_ours => None,
        Sender::Operator if entry.is_intention() => {
            intention(&mut of, &entry);
            None
        }
        Sender::Operator => decision(&mut of, key, &entry),
        Sender::Native | Sender::Sweep | Sender::Provider(_) => review(&mut of, &entry),
    };
    let link =
        link.map(|link| Link { from: (row.text("pk").into(), row.text("sk").into()), ..link });
    (entry, link, of.finish())
}

/// What it reports of a refund: one, or the total so far.
fn refund(of: &mut Attributes<'_>) -> Option<RefundReport> {
    let is_id = |id: &str| ProviderRefund::new(id).is_ok();
    let id = of.text("refund", is_id);
    let reference = of.text("refund_reference", is_id);
    let amount = of.number("refund_amount", |_any| true);
    let state = of.word("refund_state", &RefundState::ALL, RefundState::as_str);
    let total = of.number("refunded", |_any| true);
    let one = ["refund", "refund_amount", "refund_state"];
    let parts = one.iter().filter(|name| of.has(name)).count();
    of.wrong_if(![0, one.len()].contains(&parts), "a part of a refund");
    of.wrong_if(parts == 0 && of.has("refund_reference"), "a reference of no refund");
    of.wrong_if(parts > 0 && of.has("refunded"), "one refund, and a total");
    if let Some(total) = total {
        return Some(RefundReport::Total(total));
    }
    let provider_id = |id| ProviderRefund::new(id).ok();
    Some(RefundReport::One {
        id: provider_id(id?)?,
        reference: reference.and_then(provider_id),
        amount_minor: amount?,
        state: state?,
    })
}

/// The body, its length, and its digest where the whole of it is kept.
fn body(of: &mut Attributes<'_>, entry: &ReadEvent) -> Option<Digest> {
    let digest = of.must_text("sha256", |hex| Digest::from_hex(hex).is_ok());
    let digest = digest.and_then(|hex| Digest::from_hex(hex).ok());
    let length = of.must_number("len", |_any| true);
    let kept = of.must_bytes("body");
    if let (Some(digest), Some(length), Some(kept)) = (digest, length, &kept) {
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        of.wrong_if(
            kept.len() != whole.min(RawBody::KEPT_MAX),
            "len is not the length of the body",
        );
        let is_whole = kept.len() == whole;
        of.wrong_if(is_whole && sha256(&[kept]) != digest, "sha256 is not that of the body");
    }
    let is_ours = entry.requested().is_some() || entry.is_end();
    if entry.sender == Sender::Operator && !is_ours {
        let note = kept.as_deref().and_then(|kept| str::from_utf8(kept).ok());
        let fits = note.is_some_and(|note| Note::new(note).is_ok());
        of.wrong_if(!fits, "the body is no note of a decision");
    }
    digest
}

/// The event id and its suffix, which is the version that was reached, the digest of the body, or the
/// mismatch of a response to a query.
fn name(of: &mut Attributes<'_>, key: &EventKey, entry: &ReadEvent, digest: Option<Digest>) {
    let (id, suffix) = match key.name().split_once('#') {
        Some((id, suffix)) => (id, Some(suffix)),
        None => (key.name(), None),
    };
    let Some(digest) = digest else {
        return;
    };
    of.wrong_if(EventId::new(Some(id), digest).as_str() != id, "its event id can be none");
    let version = entry.version.map(|version| version.to_string());
    let digest = digest.to_string();
    // A response to a query that does not match is there once for each way in which it does not.
    let field = entry.mismatch.as_ref().filter(|_| is_response(&entry.sk));
    let field = field.map(|mismatch| mismatch.field.as_str());
    let known =
        suffix.is_none_or(|of| of == digest || Some(of) == version.as_deref() || Some(of) == field);
    of.wrong_if(!known, "its suffix is no version, digest of its body, or mismatch of its own");
}

/// Whether this is the sort key of a provider's response to a query of ours.
pub(super) fn is_response(sk: &str) -> bool {
    let name = sk.strip_prefix("event#").and_then(|sk| sk.split_once('#'));
    name.is_some_and(|(_, id)| id.starts_with("query."))
}

/// A provider's notification has the provider as source.
fn sender(of: &mut Attributes<'_>, entry: &ReadEvent) {
    if let (Sender::Provider(provider), Some(reference)) = (entry.sender, &entry.reference) {
        let own = reference.source == provider.source();
        of.wrong_if(!own, "another source than its sender's");
    }
    let is_ours = entry.requested().is_some() || entry.is_end();
    let is_native = entry.sender == Sender::Native && !is_ours;
    let native = is_native && entry.amount.is_none();
    of.wrong_if(native, "a native notification without amount");
}

/// Status and version of the record, and the verdict, which follows from them by the table of transitions.
fn state(of: &mut Attributes<'_>, key: &EventKey, entry: &ReadEvent) {
    let ReadEvent { before, after, version, outcome, verdict, .. } = *entry;
    let has_record = before.is_some() && after.is_some() && version.is_some();
    let has_none = before.is_none() && after.is_none() && version.is_none();
    // A person may dismiss what cannot be read, or whose record cannot be.
    let dismissed = entry.sender == Sender::Operator && verdict == Some(Verdict::Ignored);
    match key.payment {
        Some(_) => of.wrong_if(
            !(has_record || dismissed && has_none),
            "no status and version of its record",
        ),
        None => of.wrong_if(!has_none, "a status or version, and no record"),
    }
    let unmatched = key.payment.is_none() && !dismissed;
    of.wrong_if(
        unmatched && verdict != Some(Verdict::Quarantined),
        "unmatched, and not quarantined",
    );
    let gives_back = entry.gives_back.is_some();
    let has_mismatch = verdict == Some(Verdict::Quarantined) || gives_back;
    of.wrong_if(
        entry.mismatch.is_some() != has_mismatch && !dismissed,
        "a mismatch if and only if it is quarantined",
    );
    of.wrong_if(
        entry.mismatch.is_none() && (of.has("expected") || of.has("received")),
        "a side of a mismatch, and no mismatch",
    );
    let refunded = outcome == Some(Outcome::Refunded);
    of.wrong_if(entry.refund.is_some() && !refunded, "a refund, and another outcome");
    let (Some(before), Some(after), Some(verdict)) = (before, after, verdict) else {
        return;
    };
    let unpaid = entry.reserved().is_some() && before != Status::Paid;
    of.wrong_if(unpaid, "a refund requested of a payment that is not paid");
    let for_open = matches!(entry.requested(), Some(Requested::Close | Requested::Checkout(_)));
    of.wrong_if(
        for_open && before > Status::Failed,
        "a checkout or a close requested of a payment that nobody can pay",
    );
    let moved = before != after;
    // What went back in part, or did not after all, leaves a paid payment paid; other money than what the
    // payment was paid with leaves it as it is.
    let counted =
        refunded && verdict == Verdict::Applied && (after >= Status::Paid || entry.is_of_ours());
    let changed = moved || counted;
    of.wrong_if(
        changed != (verdict == Verdict::Applied),
        "applied if and only if the status moved",
    );
    // What a person has decided to give back.
    let is_known_money = verdict == Verdict::Noted
        && outcome == Some(Outcome::Paid)
        && matches!(entry.sender, Sender::Native | Sender::Provider(_))
        && entry.reference.as_ref().is_some_and(|of| of.txn.is_some());
    let fits = if dismissed || verdict == Verdict::Quarantined {
        true
    } else if gives_back || is_known_money {
        outcome == Some(Outcome::Paid) && before == after
    } else if refunded {
        of_refund(entry, (before, after), verdict)
    } else {
        by_table(outcome, (before, after), verdict)
    };
    of.wrong_if(!fits, "another verdict than the table has for its outcome");
}

fn by_table(outcome: Option<Outcome>, (before, after): (Status, Status), verdict: Verdict) -> bool {
    let by_table = outcome.map(|outcome| before.transition(outcome, true));
    match (verdict, by_table) {
        (Verdict::Applied, Some(Transition::Move(to) | Transition::MoveIfLive(to))) => to == after,
        (Verdict::Duplicate, by_table) => by_table == Some(Transition::Duplicate),
        (Verdict::Stale, by_table) => by_table == Some(Transition::Stale),
        // It ends a checkout, or begins to close the payment.
        (Verdict::Noted, _) if outcome == Some(Outcome::Closed) && before < Status::Closed => {
            before == after
        }
        // Noted is one that only said where to look.
        (Verdict::Ignored | Verdict::Noted, by_table) => by_table.is_none(),
        (Verdict::Applied | Verdict::Quarantined, _) => false,
    }
}

/// The verdict on a refund follows from what went back before: what it cannot be whatever that was.
fn of_refund(entry: &ReadEvent, (before, after): (Status, Status), verdict: Verdict) -> bool {
    let report = entry.refund.as_ref();
    let is_in =
        |of: RefundState| matches!(report, Some(RefundReport::One { state, .. }) if *state == of);
    let (is_pending, is_failed) = (is_in(RefundState::Pending), is_in(RefundState::Failed));
    let is_ours = entry.is_of_ours();
    match verdict {
        // One that we were asked for is kept as it goes, and moves no status of a payment that was paid.
        Verdict::Applied if (is_pending || is_failed) && is_ours && before >= Status::Paid => {
            before == after
        }
        Verdict::Applied if is_ours && before < Status::Paid && before == after => true,
        // One that is pending proves that it was paid, and one that failed gives nothing back.
        Verdict::Applied if is_pending => before < Status::Paid && after == Status::Paid,
        Verdict::Applied if is_failed => after == Status::Paid,
        Verdict::Applied if report.is_none() => after == Status::Refunded,
        Verdict::Applied => after >= Status::Paid && after >= before,
        // Nothing went back yet, or it only said where to look.
        Verdict::Noted => before == after,
        Verdict::Duplicate => !is_pending && (report.is_some() || before == Status::Refunded),
        Verdict::Stale => !is_failed && report.is_some(),
        Verdict::Ignored | Verdict::Quarantined => false,
    }
}

/// Whether a quarantined notification waits, or was decided on: one of the two.
fn review(of: &mut Attributes<'_>, entry: &ReadEvent) -> Option<Link> {
    let quarantined = entry.verdict == Some(Verdict::Quarantined);
    let queue = of.text("queue", |queue| queue == "review");
    let due = of.number("due", |_any| true);
    let waits = of.has("queue");
    of.wrong_if(waits && !quarantined, "on the review list, and not quarantined");
    of.wrong_if(queue.is_some() && due != entry.at, "due at another time than it was quarantined");
    of.wrong_if(!waits && of.has("due"), "due without queue");
    let decision = of.word("decision", &Decision::ALL, Decision::as_str);
    let by = of.text("decided_by", |name| Operator::new(name).is_ok());
    let at = of.time("decided_time");
    of.in_order(("at", entry.at), ("decided_time", at));
    let event = of.text("decision_event", |key| {
        EventKey::parse(key).is_ok_and(|key| key.sender == Sender::Operator)
    });
    let names = ["decision", "decided_by", "decided_time", "decision_event"];
    let decided = names.iter().filter(|name| of.has(name)).count();
    of.wrong_if(![0, names.len()].contains(&decided), "a part of a decision");
    of.wrong_if(decided > 0 && !quarantined, "a decision, and not quarantined");
    of.wrong_if(decided > 0 && waits, "on the review list, and decided");
    of.wrong_if(
        quarantined && decided == 0 && !waits,
        "quarantined, and neither on the review list nor decided",
    );
    Some(Link {
        from: Key::default(),
        to: EventKey::parse(event?).ok()?,
        is_decision: true,
        decision: decision?,
        by: by?.to_owned(),
        at,
    })
}

/// The event of what an operator had a function do: who, and what its id says, too.
fn intention(of: &mut Attributes<'_>, entry: &ReadEvent) {
    of.must_text("by", |name| Operator::new(name).is_ok());
    let about = of.must_text("about", |about| Intention::parse(about).is_some());
    let intention = about.and_then(Intention::parse);
    let id = entry.id().unwrap_or_default();
    of.wrong_if(
        intention.is_some_and(|intention| !intention.fits(id)),
        "its event id says that something else was intended",
    );
    of.wrong_if(entry.before != entry.after, "an intention, and the status moved");
}

/// The event of a decision: who decided, on which notification.
fn decision(of: &mut Attributes<'_>, key: &EventKey, entry: &ReadEvent) -> Option<Link> {
    let decision = match entry.verdict {
        Some(Verdict::Applied) => Some(Decision::Accept),
        Some(Verdict::Ignored) => Some(Decision::Dismiss),
        Some(Verdict::Noted) => Some(Decision::Refund),
        Some(Verdict::Duplicate | Verdict::Stale | Verdict::Quarantined) | None => None,
    };
    of.wrong_if(decision.is_none(), "no verdict of a decision");
    let by = of.must_text("by", |name| Operator::new(name).is_ok());
    let about =
        of.must_text("about", |about| about.starts_with("item/") || EventKey::parse(about).is_ok());
    let to = EventKey::parse(about?).ok()?;
    let own = format!("{}.{}.", to.sender.as_str(), to.name().replace('#', "."));
    let id = key.name().split('#').next().unwrap_or_default();
    let hashed = Digest::from_hex(id).is_ok();
    of.wrong_if(!(id.starts_with(&own) || hashed), "its event id names another notification");
    Some(Link {
        from: Key::default(),
        to,
        is_decision: false,
        decision: decision?,
        by: by?.to_owned(),
        at: entry.at,
    })
}
