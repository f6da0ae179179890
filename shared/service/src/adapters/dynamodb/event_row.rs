//! Rows of the event log.

use pay_core::domain::{
    Digest, Event, Misfit, Money, Outcome, ProviderTxn, Quarantined, Said, Source, Verdict,
};

use super::{
    keys::{self, QUARANTINE},
    row::{BadRow, Item, b, must_number, must_text, n, number, put_if_some, s, text},
};

/// A currency is three letters; what a message claims is kept as far as it may still be one.
const CURRENCY_KEPT_CHARS: usize = 16;

/// None of its names is the key of `oid-index` or `uid-index`: only payments are found there.
pub(super) fn event_item(event: &Event) -> Item {
    let mut item = keys::event(&event.key()).into_item();
    item.extend(
        [
            ("at", n(event.at.millis())),
            ("provider", s(event.provider.as_str())),
            ("verdict", s(event.verdict.as_str())),
            ("source", n(event.said.money.source.get().into())),
            ("sha256", s(event.body.digest().to_string())),
            ("len", n(event.body.len())),
            ("body", b(event.body.kept())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let said = &event.said;
    let currency = said.currency.as_ref().map(|text| {
        let kept: String = text.chars().take(CURRENCY_KEPT_CHARS).collect();
        s(kept)
    });
    let status = |code: Option<u8>| code.map(|code| n(code.into()));
    for (name, value) in [
        ("outcome", said.outcome.map(|outcome| s(outcome.as_str()))),
        ("provider_txn", said.money.txn.as_ref().map(|txn| s(txn.as_str()))),
        ("amount", said.amount_minor.map(n)),
        ("currency", currency),
        ("status_before", status(event.status.map(|(before, _)| before.code()))),
        ("status_after", status(event.status.map(|(_, after)| after.code()))),
        ("version", event.version.map(n)),
        ("reason", event.reason.map(Misfit::as_str).map(s)),
    ] {
        put_if_some(&mut item, name, value);
    }
    if event.verdict == Verdict::Quarantined {
        item.insert("work".to_owned(), s(QUARANTINE));
        item.insert("due".to_owned(), n(event.at.millis()));
    }
    item
}

/// An entry that was put in quarantine, as far as a decision on it needs to know; `None` for others.
pub(super) fn read_quarantined(item: &Item) -> Result<Option<Quarantined>, BadRow> {
    if must_text(item, "verdict")? != Verdict::Quarantined.as_str() {
        return Ok(None);
    }
    let outcome = text(item, "outcome")?.map(|word| named(&Outcome::ALL, word, Outcome::as_str));
    let reason = text(item, "reason")?.map(|word| named(&Misfit::ALL, word, Misfit::as_str));
    let source = Source::new(must_number(item, "source")?)?;
    let txn = text(item, "provider_txn")?.map(ProviderTxn::new).transpose()?;
    Ok(Some(Quarantined {
        said: Said {
            outcome: outcome.transpose()?,
            money: Money { source, txn },
            amount_minor: number(item, "amount")?,
            currency: text(item, "currency")?.map(str::to_owned),
        },
        reason: reason.transpose()?,
        open: text(item, "work")? == Some(QUARANTINE),
    }))
}

fn named<T: Copy>(all: &[T], word: &str, name: fn(T) -> &'static str) -> Result<T, BadRow> {
    let found = all.iter().copied().find(|one| name(*one) == word);
    found.ok_or(BadRow::WrongType("outcome or reason"))
}

/// The digest of the message that an entry keeps.
pub(super) fn read_digest(item: &Item) -> Result<Digest, BadRow> {
    Ok(Digest::from_hex(must_text(item, "sha256")?)?)
}
