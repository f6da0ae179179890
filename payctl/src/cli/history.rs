//! Shows what happened to one payment.

use anyhow::{Result, bail};
use clap::Args;
use pay_service::start::clock;
use serde_json::json;

use super::End;
use crate::Row;
use crate::audit::faults;
use crate::event::{EventEntry, plain, status};
use crate::print::{columns, print, print_json, time};
use crate::target::TableTarget;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    /// The payment's id.
    payment: u64,
    #[command(flatten)]
    target: TableTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const HEAD: [&str; 12] = [
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

pub(super) async fn run(
    HistoryArguments { payment, target, json }: HistoryArguments,
) -> Result<End> {
    let table = target.open().await?;
    let mut rows = table.under(&format!("pay#{payment}")).await?;
    if rows.is_empty() {
        bail!("there is no payment {payment} in the table {}", table.name());
    }
    let at = rows.iter().position(|row| row.text("sk") == "record");
    let record = at.map(|at| rows.remove(at));
    let wrong = match &record {
        Some(record) => faults(record, clock()),
        None => vec!["it does not exist".to_owned()],
    };
    rows.sort_by_key(|event| (event.number("at"), event.number("version")));
    if json {
        let events: Vec<_> = rows.iter().map(|row| EventEntry(row).json()).collect();
        let mut shown = json!({"record": record.map(|record| record.0), "events": events});
        if let Some(members) = shown.as_object_mut().filter(|_| !wrong.is_empty()) {
            members.insert("unreadable".to_owned(), wrong.into());
        }
        print_json(&shown)?;
    } else {
        let wrong = match wrong.join("; ") {
            wrong if wrong.is_empty() => wrong,
            wrong => format!("the record is unreadable: {wrong}\n"),
        };
        let events = columns(HEAD, rows.iter().map(cells));
        print(&format!("{}{wrong}\n{events}", attributes(&record.unwrap_or_default())))?;
    }
    Ok(End::Done)
}

/// A record: one line an attribute.
fn attributes(record: &Row) -> String {
    let shown = record.0.iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str()));
    let lines = shown.map(|(name, value)| {
        let text = match value.as_u64() {
            Some(millis) if name.ends_with("_time") || name == "due" => time(millis),
            Some(code) if name == "status" => format!("{code} ({})", status(code)),
            Some(_) | None => plain(value),
        };
        [name.clone(), text]
    });
    columns(["record", ""], lines)
}

fn cells(row: &Row) -> [String; HEAD.len()] {
    let event = EventEntry(row);
    let note = if row.text("sender") == "operator" { event.body().ok() } else { None };
    [
        time(row.number("at").unwrap_or_default()),
        event.name(),
        event.cell("outcome"),
        event.amount(),
        event.cell("source"),
        event.cell("provider_txn"),
        event.moved(),
        event.cell("version"),
        event.verdict(),
        event.mismatch(),
        event.by(),
        note.unwrap_or_default(),
    ]
}
