//! Notifications that wait for a person's decision.

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use pay_core::domain::{EventKey, OrderId, Payment, RawBody, Timestamp, UserId};
use pay_core::ports::{Order, Orders, ShopError, TraceParent, Users};
use pay_core::usecases::quarantine::{Decision, Resolve, resolve};
use pay_service::http::sha256;
use pay_service::start::clock;
use serde_json::{Value, json};

use super::End;
use crate::event::{EventEntry, plain, status};
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
    Accept(DecisionArguments),
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
    /// The notification, as `list` names it: `<payment id>/<sender>/<event id>`.
    notification: String,
    #[command(flatten)]
    target: TableTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct DecisionArguments {
    /// The notification, as `list` names it: `<payment id>/<sender>/<event id>`.
    notification: String,
    /// Who decides, and why; kept in the event log.
    #[arg(long)]
    note: String,
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
        QuarantineCommand::Accept(arguments) => decide(Decision::Accept, arguments).await,
        QuarantineCommand::Dismiss(arguments) => decide(Decision::Dismiss, arguments).await,
    }
}

async fn list(ListArguments { target, json }: ListArguments) -> Result<End> {
    let rows = target.open().await?.quarantine().await?;
    if json {
        rows.iter().try_for_each(|row| print_json(&EventEntry(row).json()?))?;
        return Ok(End::Done);
    }
    let cells = rows.iter().map(|row| {
        let event = EventEntry(row);
        [
            time(row.number("at").unwrap_or_default()),
            event.name(),
            event.cell("outcome"),
            event.amount(),
            event.cell("source"),
            event.cell("provider_txn"),
            event.mismatch(),
        ]
    });
    let head = ["at", "notification", "outcome", "amount", "source", "transaction", "mismatch"];
    let listed = columns(head, cells);
    let notifications = if rows.len() == 1 { "notification" } else { "notifications" };
    print(&format!("{listed}{} {notifications}\n", rows.len()))?;
    Ok(End::Done)
}

async fn show(ShowArguments { notification, target, json }: ShowArguments) -> Result<End> {
    let key = key(&notification)?;
    let table = target.open().await?;
    let Some(row) = table.event(&key).await? else {
        bail!("there is no notification {notification} in the table {}", table.name());
    };
    let record = payment(&table, &key).await?;
    let event = EventEntry(&row);
    if json {
        let record = record.map(|record| Value::Object(record.0));
        print_json(&json!({"notification": event.json()?, "record": record}))?;
        return Ok(End::Done);
    }
    let waits = if row.has("queue") { "waits for a decision" } else { "decided" };
    let facts = [
        ["at".to_owned(), time(row.number("at").unwrap_or_default())],
        ["review".to_owned(), waits.to_owned()],
        ["mismatch".to_owned(), event.mismatch()],
    ];
    let (size, sha256) = (event.cell("len"), event.cell("sha256"));
    print(&format!(
        "{}\n{}\nbody{}{}\n{}\n",
        columns(["notification", &notification], facts.into_iter()),
        beside(event, record.as_ref()),
        if size.is_empty() { String::new() } else { format!(", {size} bytes") },
        if sha256.is_empty() { String::new() } else { format!(", SHA-256 {sha256}") },
        event.body()?.replace(|letter: char| letter.is_control() && letter != '\n', " "),
    ))?;
    Ok(End::Done)
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

async fn decide(decision: Decision, arguments: DecisionArguments) -> Result<End> {
    let DecisionArguments { notification, note, target, json } = arguments;
    let key = key(&notification)?;
    let done = match decision {
        Decision::Accept => "accepted",
        Decision::Dismiss => "dismissed",
    };
    let note = RawBody::new(note.as_bytes(), sha256(&[note.as_bytes()]));
    let now: Timestamp = clock();
    let trace = TraceParent::start(u128::from(now.millis()), now.millis());
    let table = target.open().await?;
    let request = Resolve { key: key.clone(), decision, note };
    resolve((&OutOfReach, &OutOfReach), &table.payments(), request, now, &trace).await?;
    let record = payment(&table, &key).await?;
    let status = record.and_then(|record| record.number("status")).map(status);
    if json {
        print_json(&json!({"event": notification, "decision": done, "status": status}))?;
        return Ok(End::Done);
    }
    let of_payment = match (key.payment, &status) {
        (Some(payment), Some(status)) => format!("; payment {payment} is {status}"),
        (None, _) | (_, None) => String::new(),
    };
    print(&format!("{notification} is {done}{of_payment}\n"))?;
    if decision == Decision::Accept {
        print("If its order service is to be notified, the next sweep does it.\n")?;
    }
    Ok(End::Done)
}

fn key(notification: &str) -> Result<EventKey> {
    EventKey::parse(notification)
        .with_context(|| format!("{notification} is not <payment id>/<sender>/<event id>"))
}

/// The record of the payment that a notification names.
async fn payment(table: &Table, key: &EventKey) -> Result<Option<Row>> {
    match key.payment {
        Some(id) => table.item(&format!("pay#{id}"), "record").await,
        None => Ok(None),
    }
}

/// The shop, which an operator's tool does not call. A payment that becomes paid stays due, and the
/// sweep notifies the order service within a minute.
#[derive(Debug, Clone, Copy)]
struct OutOfReach;

fn left_to_the_sweep() -> ShopError {
    ShopError::Unavailable("left to the sweep".into())
}

impl Users for OutOfReach {
    async fn exists(&self, _uid: UserId, _trace: &TraceParent) -> Result<bool, ShopError> {
        Err(left_to_the_sweep())
    }
}

impl Orders for OutOfReach {
    async fn find(
        &self,
        _oid: OrderId,
        _payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        Err(left_to_the_sweep())
    }

    async fn notify_paid(&self, _payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        Err(left_to_the_sweep())
    }
}
