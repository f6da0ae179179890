//! Shows what happened to one payment.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::End;
use crate::Row;
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

const HEAD: [&str; 11] = [
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
    "note",
];

pub(super) async fn run(
    HistoryArguments { payment, target, json }: HistoryArguments,
) -> Result<End> {
    let table = target.open().await?;
    let mut rows = table.under(&format!("pay#{payment}")).await?;
    let Some(at) = rows.iter().position(|row| row.text("sk") == "record") else {
        bail!("there is no payment {payment} in the table {}", table.name());
    };
    let record = rows.remove(at);
    rows.sort_by_key(|event| (event.number("at"), event.number("version")));
    if json {
        let events = rows.iter().map(|row| EventEntry(row).json()).collect::<Result<Vec<_>>>()?;
        print_json(&json!({"record": record.0, "events": events}))?;
    } else {
        let events = rows.iter().map(cells).collect::<Result<Vec<_>>>()?;
        let events = columns(HEAD, events.into_iter());
        print(&format!("{}\n{events}", attributes(&record)))?;
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

fn cells(row: &Row) -> Result<[String; HEAD.len()]> {
    let event = EventEntry(row);
    let note = if row.text("sender") == "operator" { event.body()? } else { String::new() };
    Ok([
        time(row.number("at").unwrap_or_default()),
        event.name(),
        event.cell("outcome"),
        event.amount(),
        event.cell("source"),
        event.cell("provider_txn"),
        event.moved(),
        event.cell("version"),
        event.cell("verdict"),
        event.mismatch(),
        note,
    ])
}
