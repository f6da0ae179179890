//! Notifications that wait for a person's decision.

mod decide;
mod refund;

use anyhow::Result;
use clap::{Args, Subcommand};
use pay_core::domain::EventKey;
use serde_json::{Value, json};

use self::decide::{AcceptArguments, DecisionArguments};
pub(super) use self::decide::{decider, operator};
use self::refund::GiveBackArguments;
use super::End;
use crate::audit::payment_of;
use crate::event::{EventEntry, plain, status};
use crate::operation::{find, named, payment};
use crate::print::{columns, print, print_json, time};
use crate::target::TableTarget;
use crate::{Row, Table};

/// Arguments of `quarantine`.
#[derive(Debug, Args)]
pub(super) struct QuarantineArguments {
    #[command(subcommand)]
    command: QuarantineCommand,
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    /// List the quarantined notifications, oldest first.
    List(ListArguments),
    /// Show one beside its payment, with its body.
    Show(ShowArguments),
    /// Apply one: the payment gets the status that it reports, with the payment's own amount.
    Accept(AcceptArguments),
    /// Give back the money that one reports: a second payment of an order, too little, or money that came
    /// late.
    Refund(GiveBackArguments),
    /// Decide that one has no effect.
    Dismiss(DecisionArguments),
}

#[derive(Debug, Args)]
struct ListArguments {
    #[command(flatten)]
    target: TableTarget,
    /// Print a line of JSON for each.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// The notification, as `list` names it: `<payment id>/<sender>/<event id>`; of an unreadable item
    /// also `item/<pk>/<sk>`.
    notification: String,
    #[command(flatten)]
    target: TableTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(QuarantineArguments { command }: QuarantineArguments) -> Result<End> {
    match command {
        QuarantineCommand::List(arguments) => list(arguments).await,
        QuarantineCommand::Show(arguments) => show(arguments).await,
        QuarantineCommand::Accept(arguments) => decide::accept(arguments).await,
        QuarantineCommand::Refund(arguments) => refund::run(arguments).await,
        QuarantineCommand::Dismiss(arguments) => decide::dismiss(arguments).await,
    }
}

async fn list(ListArguments { target, json }: ListArguments) -> Result<End> {
    let rows = target.open().await?.quarantine().await?;
    if json {
        rows.iter().try_for_each(|row| print_json(&EventEntry(row).json()))?;
        return Ok(End::Done);
    }
    let cells = rows.iter().map(|row| {
        let event = EventEntry(row);
        let [at, name, outcome, amount, source, transaction] = event.report();
        [at, name, outcome, amount, source, transaction, event.mismatch()]
    });
    let head = ["at", "notification", "outcome", "amount", "source", "transaction", "mismatch"];
    let listed = columns(head, cells);
    let notifications = if rows.len() == 1 { "notification" } else { "notifications" };
    print(&format!("{listed}{} {notifications}\n", rows.len()))?;
    Ok(End::Done)
}

async fn show(ShowArguments { notification, target, json }: ShowArguments) -> Result<End> {
    let name = named(&notification)?;
    let table = target.open().await?;
    let row = find(&table, &name).await?;
    let record = payment(&table, payment_of(&name.0.0)).await?;
    let event = EventEntry(&row);
    if json {
        let record = record.map(|record| Value::Object(record.0));
        print_json(&json!({"notification": event.json(), "record": record}))?;
        return Ok(End::Done);
    }
    let (review, note) = review(&table, &row).await?;
    let facts = [
        ["at".to_owned(), time(row.number("at").unwrap_or_default())],
        ["review".to_owned(), review],
        ["note".to_owned(), note],
        ["mismatch".to_owned(), event.mismatch()],
    ];
    let facts = facts.into_iter().filter(|[name, text]| name != "note" || !text.is_empty());
    let (size, sha256) = (event.cell("len"), event.cell("sha256"));
    print(&format!(
        "{}\n{}\nbody{}{}\n{}\n",
        columns(["notification", &notification], facts),
        beside(event, record.as_ref()),
        if size.is_empty() { String::new() } else { format!(", {size} bytes") },
        if sha256.is_empty() { String::new() } else { format!(", SHA-256 {sha256}") },
        event.body().unwrap_or_else(|_unreadable| "it is unreadable".to_owned()),
    ))?;
    Ok(End::Done)
}

/// Whether a notification waits, or who decided what and when; and the note of the decision.
async fn review(table: &Table, row: &Row) -> Result<(String, String)> {
    if row.has("queue") {
        return Ok(("waits for a decision".to_owned(), String::new()));
    }
    let event = EventKey::parse(row.text("decision_event"));
    let decided = match event {
        Ok(event) => table.event(&event).await?,
        Err(_unreadable) => None,
    };
    let note = decided.and_then(|event| EventEntry(&event).body().ok()).unwrap_or_default();
    let at = row.number("decided_time").map(time).unwrap_or_default();
    Ok((format!("{} by {}, {at}", row.text("decision"), row.text("decided_by")), note))
}

/// What a notification reports, beside what its payment has.
fn beside(event: EventEntry<'_>, record: Option<&Row>) -> String {
    let of_record = |name: &str| match record.and_then(|record| record.0.get(name)) {
        Some(value) if name == "status" => value.as_u64().map(status).unwrap_or_default(),
        Some(value) => plain(value),
        None => String::new(),
    };
    let rows = [
        ("amount", "amount"),
        ("currency", "currency"),
        ("source", "source"),
        ("provider_txn", "provider_txn"),
        ("outcome", "status"),
    ];
    let rows = rows.map(|(of_event, name)| {
        let label = if name == "status" { "outcome, status" } else { name };
        [label.to_owned(), event.cell(of_event), of_record(name)]
    });
    let head = if record.is_some() { "payment" } else { "no payment of ours" };
    columns(["", "notification", head], rows.into_iter())
}
