//! The quarantine as a file: all that the filter shows.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Response;
use serde_json::Value;

use super::super::super::app::App;
use super::super::super::export::{FileRows, saved};
use super::super::super::fault::Fault;
use super::super::super::view::{major, provider};
use super::{PATH, QuarantineFilter, word_of_sender};
use crate::Row;
use crate::audit::payment_of;
use crate::event::EventEntry;
use crate::print;

pub(in crate::console) async fn export(
    State(app): State<Arc<App>>,
    uri: Uri,
    Query(filter): Query<QuarantineFilter>,
) -> Response {
    saved(&app, PATH, &uri, file(&app, filter)).await
}

/// The columns of the file.
const FILE: [&str; 15] = [
    "notification",
    "quarantined_time",
    "reason",
    "expected",
    "received",
    "payment",
    "sender",
    "outcome",
    "amount",
    "amount_minor",
    "currency",
    "provider",
    "transaction",
    "sha256",
    "unreadable",
];

async fn file(app: &App, filter: QuarantineFilter) -> Result<FileRows<{ FILE.len() }>, Fault> {
    let mut filter = QuarantineFilter { cursor: None, ..filter };
    let mut rows = Vec::new();
    loop {
        let (page, next) = filter.rows(app).await?;
        rows.extend(page.iter().map(values));
        if next.is_none() {
            break;
        }
        filter.cursor = next;
    }
    Ok(FileRows { name: "quarantine".to_owned(), columns: FILE, rows })
}

fn values(row: &Row) -> [Value; FILE.len()] {
    let event = EventEntry(row);
    let of = |name: &str| row.0.get(name).cloned().unwrap_or_default();
    let amount = row.number("amount").map(|minor| major(minor, row.text("currency")));
    let wrong = event.unreadable().join("; ");
    [
        event.name().into(),
        row.number("at").map_or_else(|| of("at"), |at| print::time(at).into()),
        event.reason().into(),
        of("expected"),
        of("received"),
        payment_of(row.text("pk")).map_or(Value::Null, |id| id.get().into()),
        word_of_sender(row).into(),
        of("outcome"),
        amount.map_or(Value::Null, Value::from),
        of("amount"),
        of("currency"),
        row.number("source").map_or_else(|| of("source"), |source| provider(source).into()),
        of("provider_txn"),
        of("sha256"),
        if wrong.is_empty() { Value::Null } else { wrong.into() },
    ]
}
