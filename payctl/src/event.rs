//! An event of the log as people and programs read it.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::Status;
use serde_json::{Map, Value};

use crate::Row;

/// An event: its item in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventEntry<'a>(pub(crate) &'a Row);

impl EventEntry<'_> {
    /// Its name, by which a decision names it: `<payment id>/<sender>/<event id>`.
    pub(crate) fn name(self) -> String {
        let payment = self.0.text("pk").strip_prefix("pay#").unwrap_or("unmatched");
        let event = self.0.text("sk").split('#').skip(2).collect::<Vec<_>>().join("#");
        format!("{payment}/{}/{event}", self.0.text("sender"))
    }

    /// An attribute; empty where there is none.
    pub(crate) fn cell(self, name: &str) -> String {
        self.0.0.get(name).map(plain).unwrap_or_default()
    }

    /// The amount and currency that it reports.
    pub(crate) fn amount(self) -> String {
        format!("{} {}", self.cell("amount"), self.cell("currency")).trim().to_owned()
    }

    /// In what it does not match the record, with both sides.
    pub(crate) fn mismatch(self) -> String {
        let Some(field) = self.0.get_text("mismatch") else {
            return String::new();
        };
        let side = |name| self.0.get_text(name).unwrap_or("nothing");
        format!("{field}: expected {}, received {}", side("expected"), side("received"))
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

    /// Its body, as far as it is kept. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    ///
    /// The item has no body, or one that is not bytes.
    pub(crate) fn body(self) -> Result<String> {
        let bytes = BASE64.decode(self.0.text("body")).context("the body is not bytes")?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its attributes, its name, and its body as text.
    ///
    /// # Errors
    ///
    /// As [`Self::body`].
    pub(crate) fn json(self) -> Result<Value> {
        let mut members: Map<String, Value> = self.0.0.clone();
        members.insert("event".to_owned(), self.name().into());
        members.insert("body".to_owned(), self.body()?.into());
        Ok(Value::Object(members))
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
