//! A quarantined notification and its payment, as they are in the table.

use anyhow::{Context as _, Result};
use pay_core::domain::PaymentId;

use crate::name::Name;
use crate::{Row, Table};

/// Reads a name as a list of the quarantine shows it.
///
/// # Errors
///
/// It is none.
pub(crate) fn named(notification: &str) -> Result<Name> {
    let forms = "<payment id>/<sender>/<event id>, nor item/<pk>/<sk> as `list` shows it";
    Name::parse(notification).with_context(|| format!("{notification} is not {forms}"))
}

/// The item of this name.
///
/// # Errors
///
/// There is none, or the table cannot be read.
pub(crate) async fn find(table: &Table, name: &Name) -> Result<Row> {
    let (pk, sk) = &name.0;
    let row = table.item(pk, sk).await?;
    row.with_context(|| format!("there is no notification {name} in the table {}", table.name()))
}

/// The record of a payment.
///
/// # Errors
///
/// The table cannot be read.
pub(crate) async fn payment(table: &Table, id: Option<PaymentId>) -> Result<Option<Row>> {
    match id {
        Some(id) => table.item(&format!("pay#{id}"), "record").await,
        None => Ok(None),
    }
}
