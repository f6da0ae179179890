//! An event of the log as people and programs read it.

use anyhow::{Context as _, Result};
use pay_core::domain::Status;
use pay_service::start::clock;
use serde_json::{Map, Value};

use crate::Row;
use crate::audit::faults;
use crate::name::Name;
use crate::print::time;

/// Why an item waits that cannot be taken for what it says.
pub(crate) const UNREADABLE: &str = "unreadable";

/// An event: its item in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventEntry<'a>(pub(crate) &'a Row);

impl EventEntry<'_> {
    /// Its name, by which a decision names it.
    pub(crate) fn name(self) -> String {
        Name::of(self.0).to_string()
    }

    /// Why it cannot be taken for what it says; empty for an event that the service wrote.
    pub(crate) fn unreadable(self) -> Vec<String> {
        faults(self.0, clock())
    }

    /// An attribute; empty where there is none.
    pub(crate) fn cell(self, name: &str) -> String {
        self.0.0.get(name).map(plain).unwrap_or_default()
    }

    /// The amount and currency that it reports.
    pub(crate) fn amount(self) -> String {
        format!("{} {}", self.cell("amount"), self.cell("currency")).trim().to_owned()
    }

    /// In what it does not match the record, with both sides; of an unreadable one what is wrong with it.
    pub(crate) fn mismatch(self) -> String {
        let wrong = self.unreadable();
        if !wrong.is_empty() {
            return format!("unreadable: {}", wrong.join("; "));
        }
        let Some(field) = self.0.get_text("mismatch") else {
            return String::new();
        };
        let side = |name| self.0.get_text(name).unwrap_or("nothing");
        format!("{field}: expected {}, received {}", side("expected"), side("received"))
    }

    /// Why a quarantined one waits, in a word or two: the field that does not match.
    pub(crate) fn reason(self) -> String {
        if !self.unreadable().is_empty() {
            return UNREADABLE.to_owned();
        }
        self.0.get_text("mismatch").unwrap_or("none given").to_owned()
    }

    /// What every list of events begins with: when it came, its name, and what it reports.
    pub(crate) fn report(self) -> [String; 6] {
        let at = time(self.0.number("at").unwrap_or_default());
        let [outcome, source, transaction] =
            ["outcome", "source", "provider_txn"].map(|name| self.cell(name));
        [at, self.name(), outcome, self.amount(), source, transaction]
    }

    /// The status before and after, where it moved.
    pub(crate) fn moved(self) -> String {
        match (self.0.number("status_before"), self.0.number("status_after")) {
            (Some(before), Some(after)) if before != after => {
                format!("{} -> {}", status(before), status(after))
            }
            (Some(_) | None, _) => String::new(),
        }
    }

    /// What it did; of a notification that a person decided on also what was decided.
    pub(crate) fn verdict(self) -> String {
        let verdict = [self.cell("verdict"), self.cell("decision")];
        verdict.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Who decided.
    pub(crate) fn by(self) -> String {
        [self.cell("by"), self.cell("decided_by")].concat()
    }

    /// Its body, as far as it is kept. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    ///
    /// The item has no body, or one that is not bytes.
    pub(crate) fn body(self) -> Result<String> {
        let bytes = self.0.bytes("body").context("the body is not bytes")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its attributes, its name, its body as text, and of an unreadable one what is wrong with it.
    pub(crate) fn json(self) -> Value {
        let mut members: Map<String, Value> = self.0.0.clone();
        members.insert("event".to_owned(), self.name().into());
        if let Ok(body) = self.body() {
            members.insert("body".to_owned(), body.into());
        }
        let wrong = self.unreadable();
        if !wrong.is_empty() {
            members.insert("unreadable".to_owned(), wrong.into());
        }
        Value::Object(members)
    }
}

/// A status as a word.
pub(crate) fn status(code: u64) -> String {
    Status::new(code)
        .map_or_else(|_odd| code.to_string(), |status| format!("{status:?}").to_lowercase())
}

/// A value without the quotes of JSON.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
