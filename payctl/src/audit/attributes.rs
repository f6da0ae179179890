//! The attributes of one item, read one by one: what is missing, what has a wrong type or value, and
//! what is left over.

use std::collections::BTreeSet;

use pay_core::domain::Timestamp;

use crate::Row;
use crate::limits::TIME_SLACK_MS;

/// An item that is read, and what was found wrong with it so far. Times are compared with `now`.
pub(super) struct Attributes<'a> {
    row: &'a Row,
    now: u64,
    read: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(row: &'a Row, now: u64) -> Self {
        Self { row, now, read: BTreeSet::from(["pk", "sk"]), wrong: Vec::new() }
    }

    /// Notes what is wrong, if it is.
    pub(super) fn wrong_if(&mut self, wrong: bool, what: impl Into<String>) {
        if wrong {
            self.wrong.push(what.into());
        }
    }

    /// Whether it has the attribute.
    pub(super) fn has(&self, name: &str) -> bool {
        self.row.has(name)
    }

    /// A whole number that fits; `None` also where there is none.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        fits: impl FnOnce(u64) -> bool,
    ) -> Option<u64> {
        let number = self.row.number(name).filter(|number| fits(*number));
        self.noted(name, number, "no whole number, or out of range")
    }

    /// A number that every such item has.
    pub(super) fn must_number(
        &mut self,
        name: &'static str,
        fits: impl FnOnce(u64) -> bool,
    ) -> Option<u64> {
        self.must(name);
        self.number(name, fits)
    }

    /// What is there where it is so, and absent where it is not.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let value = self.row.0.get(name).and_then(serde_json::Value::as_bool);
        self.noted(name, value.filter(|is| *is), "not `true`").unwrap_or_default()
    }

    /// A time: after 1970 and not in the future.
    pub(super) fn time(&mut self, name: &'static str) -> Option<u64> {
        let latest = self.now.saturating_add(TIME_SLACK_MS);
        let time = self.number(name, |time| time > 0 && Timestamp::from_millis(time).is_ok())?;
        self.wrong_if(time > latest, format!("{name} is in the future"));
        Some(time)
    }

    /// A time that every such item has.
    pub(super) fn must_time(&mut self, name: &'static str) -> Option<u64> {
        self.must(name);
        self.time(name)
    }

    /// A text that fits; `None` also where there is none.
    pub(super) fn text(
        &mut self,
        name: &'static str,
        fits: impl FnOnce(&str) -> bool,
    ) -> Option<&'a str> {
        let text = self.row.get_text(name).filter(|text| fits(text));
        self.noted(name, text, "no text, or none that this attribute has")
    }

    /// A text that every such item has.
    pub(super) fn must_text(
        &mut self,
        name: &'static str,
        fits: impl FnOnce(&str) -> bool,
    ) -> Option<&'a str> {
        self.must(name);
        self.text(name, fits)
    }

    /// Bytes that every such item has.
    pub(super) fn must_bytes(&mut self, name: &'static str) -> Option<Vec<u8>> {
        self.must(name);
        let bytes = self.row.bytes(name);
        self.noted(name, bytes, "no bytes")
    }

    /// The value of a closed list that a text names; `None` also where there is none.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        all: &[T],
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.row.get_text(name);
        let found = text.and_then(|text| all.iter().copied().find(|value| as_str(*value) == text));
        self.noted(name, found, "none of the words of this attribute")
    }

    /// The order of two times, as far as two invocations agree on it.
    pub(super) fn in_order(
        &mut self,
        (one, first): (&str, Option<u64>),
        (other, then): (&str, Option<u64>),
    ) {
        if let (Some(first), Some(then)) = (first, then) {
            let late = first > then.saturating_add(TIME_SLACK_MS);
            self.wrong_if(late, format!("{other} is before {one}"));
        }
    }

    /// Everything that is wrong, with every attribute that no such item has.
    pub(super) fn finish(mut self) -> Vec<String> {
        let unknown = self.row.0.keys().filter(|name| !self.read.contains(name.as_str()));
        let unknown = unknown.map(|name| format!("no item of ours has the attribute {name} here"));
        self.wrong.extend(unknown.collect::<Vec<_>>());
        self.wrong
    }

    fn must(&mut self, name: &'static str) {
        self.wrong_if(!self.row.has(name), format!("{name} is missing"));
    }

    fn noted<T>(&mut self, name: &'static str, value: Option<T>, wrong: &str) -> Option<T> {
        self.read.insert(name);
        self.wrong_if(value.is_none() && self.row.has(name), format!("{name} is {wrong}"));
        value
    }
}
