//! Attributes of a row, read without ever taking a default for what is wrong.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use pay_core::{
    domain::{Incoherent, OutOfRange},
    ports::StoreError,
};

/// An item of the table, or a part of one.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Why a row cannot be read. Names what is wrong with it, never what it holds.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadRow {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is not of its type")]
    WrongType(&'static str),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    #[error(transparent)]
    Incoherent(#[from] Incoherent),
    #[error("the row is not the one its key names")]
    OtherKey,
}

impl From<BadRow> for StoreError {
    fn from(bad: BadRow) -> Self {
        Self::Fault(bad.into())
    }
}

pub(super) fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn b(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Puts an attribute that may be absent: DynamoDB has a null of its own, which we never write.
pub(super) fn put_if_some(item: &mut Item, name: &str, value: Option<AttributeValue>) {
    if let Some(value) = value {
        item.insert(name.to_owned(), value);
    }
}

/// A text; `None` where the attribute is absent.
pub(super) fn text<'a>(item: &'a Item, name: &'static str) -> Result<Option<&'a str>, BadRow> {
    let Some(value) = item.get(name) else {
        return Ok(None);
    };
    let text = value.as_s().map_err(|_other| BadRow::WrongType(name))?;
    Ok(Some(text))
}

/// A whole number; `None` where the attribute is absent.
pub(super) fn number(item: &Item, name: &'static str) -> Result<Option<u64>, BadRow> {
    let Some(value) = item.get(name) else {
        return Ok(None);
    };
    let digits = value.as_n().map_err(|_other| BadRow::WrongType(name))?;
    let number = digits.parse().map_err(|_odd| BadRow::WrongType(name))?;
    Ok(Some(number))
}

/// A text that every such row has.
pub(super) fn must_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, BadRow> {
    text(item, name)?.ok_or(BadRow::Missing(name))
}

/// A whole number that every such row has.
pub(super) fn must_number(item: &Item, name: &'static str) -> Result<u64, BadRow> {
    number(item, name)?.ok_or(BadRow::Missing(name))
}
