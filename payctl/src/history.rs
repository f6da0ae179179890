//! What happened to one payment: its items sorted by what they are, and each as a row of values. The command and
//! the console show the same rows.

use pay_core::domain::Timestamp;

use crate::Row;
use crate::audit::{ItemKind, faults, kind};
use crate::event::{EventEntry, plain};
use crate::print::time;

/// The items of a payment.
#[derive(Debug)]
pub(crate) struct History {
    /// Its record, if there is one.
    pub(crate) record: Option<Row>,
    /// Why the record cannot be taken for what it says.
    pub(crate) wrong: Vec<String>,
    /// Its event log, oldest first, and whatever else is there that is nothing below.
    pub(crate) events: Vec<Row>,
    /// Its checkouts, oldest first.
    pub(crate) checkouts: Vec<Row>,
    /// Its refunds.
    pub(crate) refunds: Vec<Row>,
    /// What providers' ids of refunds stand for.
    pub(crate) references: Vec<Row>,
}

impl History {
    /// Sorts what is under the key of one payment.
    pub(crate) fn of(rows: Vec<Row>, now: Timestamp) -> Self {
        let mut history = Self {
            record: None,
            wrong: Vec::new(),
            events: Vec::new(),
            checkouts: Vec::new(),
            refunds: Vec::new(),
            references: Vec::new(),
        };
        for row in rows {
            if row.text("sk") == "record" {
                history.record = Some(row);
                continue;
            }
            let rows = match kind(&row) {
                Some(ItemKind::Refund(_)) => &mut history.refunds,
                Some(ItemKind::Checkout(_)) => &mut history.checkouts,
                Some(ItemKind::RefundReference(_)) => &mut history.references,
                Some(
                    ItemKind::Record(_)
                    | ItemKind::Event(_)
                    | ItemKind::Guard(_)
                    | ItemKind::Unmatched,
                )
                | None => &mut history.events,
            };
            rows.push(row);
        }
        history.wrong = match &history.record {
            Some(record) => faults(record, now),
            None => vec!["it does not exist".to_owned()],
        };
        // Their keys order them as texts.
        history.checkouts.sort_by_key(|row| row.number("create_time"));
        history.events.sort_by_key(|event| (event.number("at"), event.number("version")));
        history
    }
}

/// A value of a row, by which it can be shown as people or as programs read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A text that somebody wrote, or a number that counts nothing; empty where there is none.
    Text(String),
    /// A time in Unix milliseconds.
    Time(u64),
    /// Minor units, and their currency where the row says it.
    Amount(u64, String),
}

impl Fact {
    fn text(row: &Row, name: &str) -> Self {
        Self::Text(row.0.get(name).map(plain).unwrap_or_default())
    }

    fn time(row: &Row, name: &str) -> Self {
        row.number(name).map_or_else(|| Self::text(row, name), Self::Time)
    }

    fn money(row: &Row, name: &str) -> Self {
        let currency = row.0.get("currency").map(plain).unwrap_or_default();
        if let Some(minor) = row.number(name) {
            return Self::Amount(minor, currency);
        }
        let odd = row.0.get(name).map(plain).unwrap_or_default();
        Self::Text(format!("{odd} {currency}").trim().to_owned())
    }

    /// As the commands print it.
    pub(crate) fn printed(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Time(millis) => time(*millis),
            Self::Amount(minor, currency) => format!("{minor} {currency}").trim().to_owned(),
        }
    }
}

/// The columns of [`event`].
pub(crate) const EVENTS: [&str; 12] = [
    "at",
    "event",
    "outcome",
    "amount",
    "source",
    "transaction",
    "status",
    "version",
    "verdict",
    "mismatch",
    "by",
    "note",
];

/// An event.
pub(crate) fn event(row: &Row) -> [Fact; EVENTS.len()] {
    let event = EventEntry(row);
    let note = if row.text("sender") == "operator" { event.body().ok() } else { None };
    [
        Fact::Time(row.number("at").unwrap_or_default()),
        Fact::Text(event.name()),
        Fact::text(row, "outcome"),
        Fact::money(row, "amount"),
        Fact::text(row, "source"),
        Fact::text(row, "provider_txn"),
        Fact::Text(event.moved()),
        Fact::text(row, "version"),
        Fact::Text(event.verdict()),
        Fact::Text(event.mismatch()),
        Fact::Text(event.by()),
        Fact::Text(note.unwrap_or_default()),
    ]
}

/// The columns of [`refund`].
pub(crate) const REFUNDS: [&str; 13] = [
    "refund",
    "amount",
    "state",
    "source",
    "transaction",
    "reference",
    "requested",
    "reason",
    "money of",
    "due",
    "created",
    "updated",
    "unreadable",
];

/// A refund.
pub(crate) fn refund(row: &Row, now: Timestamp) -> [Fact; REFUNDS.len()] {
    // By its key, which only one that we were asked for has.
    let requested = if row.has("key") { "yes" } else { "" };
    [
        Fact::Text(row.text("sk").trim_start_matches("refund#").to_owned()),
        Fact::money(row, "amount"),
        Fact::text(row, "state"),
        Fact::text(row, "source"),
        Fact::text(row, "provider_txn"),
        Fact::text(row, "reference"),
        Fact::Text(requested.to_owned()),
        Fact::text(row, "reason"),
        // Else what the payment was paid with.
        Fact::text(row, "quarantined"),
        Fact::time(row, "due"),
        Fact::Time(row.number("create_time").unwrap_or_default()),
        Fact::Time(row.number("update_time").unwrap_or_default()),
        Fact::Text(faults(row, now).join("; ")),
    ]
}

/// The columns of [`checkout`].
pub(crate) const CHECKOUTS: [&str; 11] = [
    "checkout",
    "provider",
    "method",
    "state",
    "provider id",
    "expires",
    "called",
    "absent",
    "created",
    "updated",
    "unreadable",
];

/// A checkout.
pub(crate) fn checkout(row: &Row, now: Timestamp) -> [Fact; CHECKOUTS.len()] {
    [
        Fact::Text(row.text("sk").trim_start_matches("checkout#").to_owned()),
        Fact::text(row, "provider"),
        Fact::text(row, "method"),
        Fact::text(row, "state"),
        Fact::text(row, "provider_id"),
        Fact::time(row, "expires_time"),
        Fact::time(row, "called_time"),
        Fact::time(row, "absent_time"),
        Fact::time(row, "create_time"),
        Fact::time(row, "update_time"),
        Fact::Text(faults(row, now).join("; ")),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: &serde_json::Value) -> Row {
        Row(value.as_object().unwrap().clone())
    }

    #[test]
    fn items_are_sorted_by_what_they_are_and_by_when_they_came() {
        let rows = vec![
            row(&json!({"pk": "pay#7", "sk": "checkout#10", "create_time": 1})),
            row(&json!({"pk": "pay#7", "sk": "checkout#9", "create_time": 2})),
            row(&json!({"pk": "pay#7", "sk": "event#stripe#b", "at": 9, "version": 2})),
            row(&json!({"pk": "pay#7", "sk": "event#stripe#c", "at": 9, "version": 1})),
            row(&json!({"pk": "pay#7", "sk": "event#wechat#a", "at": 3})),
            row(&json!({"pk": "pay#7", "sk": "record"})),
            row(&json!({"pk": "pay#7", "sk": "refund#7_0a1b2c3d4e5f6071"})),
            row(&json!({"pk": "pay#7", "sk": "refund-ref#stripe#re_1"})),
            row(&json!({"pk": "pay#7", "sk": "what ever"})),
        ];
        let history = History::of(rows, Timestamp::from_millis(10).unwrap());
        let keys = |rows: &[Row]| {
            rows.iter().map(|row| row.text("sk").to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keys(&history.checkouts), "checkout#10 checkout#9");
        assert_eq!(keys(&history.events), "what ever event#wechat#a event#stripe#c event#stripe#b");
        assert_eq!(keys(&history.refunds), "refund#7_0a1b2c3d4e5f6071");
        assert_eq!(keys(&history.references), "refund-ref#stripe#re_1");
        assert!(history.record.is_some() && !history.wrong.is_empty());
        let none = History::of(Vec::new(), Timestamp::from_millis(10).unwrap());
        assert_eq!((none.record, none.wrong), (None, vec!["it does not exist".to_owned()]));
    }

    #[test]
    fn a_value_of_another_type_is_shown_as_it_is() {
        let odd = row(&json!({"amount": {"N": "1.5"}, "currency": "EUR", "due": "soon"}));
        assert_eq!(Fact::money(&odd, "amount").printed(), r#"{"N":"1.5"} EUR"#);
        assert_eq!(Fact::time(&odd, "due").printed(), "soon");
        let sound = row(&json!({"amount": 99, "currency": "EUR", "due": 0}));
        assert_eq!(Fact::money(&sound, "amount").printed(), "99 EUR");
        assert_eq!(Fact::time(&sound, "due").printed(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Fact::money(&sound, "none").printed(), "EUR");
    }
}
