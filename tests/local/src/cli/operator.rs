//! What an operator asks of a table: is it sound, what happened to a payment, what waits for me.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use local::audit::{self, Row};
use local::operator::{OutOfReach, Table, body};
use local::{clock, defaults};
use pay_core::domain::{EventKey, RawBody, Status, Timestamp};
use pay_core::ports::TraceParent;
use pay_core::usecases::quarantine::{Decision, Resolve, resolve};
use pay_service::http::sha256;
use serde_json::{Value, json};

use super::columns::{columns, time};

/// Which table, and how it is shown.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Where DynamoDB is: what `cargo local` prints, or an emulator's URL. Without it AWS is asked,
    /// with the region and the credentials in the environment.
    #[arg(long, value_name = "URL")]
    aws_endpoint: Option<String>,
    /// The table.
    #[arg(long, value_name = "NAME", default_value = defaults::TABLE)]
    table: String,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

impl Target {
    fn open(&self) -> Result<Table> {
        Table::open(self.aws_endpoint.as_deref(), &self.table)
    }
}

/// What `history` takes.
#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    /// The payment's id.
    payment: u64,
    #[command(flatten)]
    target: Target,
}

/// What `quarantine` takes.
#[derive(Debug, Args)]
pub(super) struct QuarantineArguments {
    #[command(subcommand)]
    command: QuarantineCommand,
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    /// Lists the messages that did not fit, the oldest first.
    List(Target),
    /// Decides on one: it moves the payment after all, or it is put aside.
    Resolve(ResolveArguments),
}

#[derive(Debug, Args)]
struct ResolveArguments {
    /// The message, as `list` names it: `<payment id>/<provider>/<event id>`.
    message: String,
    /// What becomes of it.
    #[arg(value_enum)]
    decision: DecisionArgument,
    /// Who decides, and why: kept with the payment.
    #[arg(long)]
    note: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DecisionArgument {
    /// The payment becomes what the message says, with the payment's own amount.
    Accept,
    /// Nothing becomes of it.
    Dismiss,
}

pub(super) async fn audit(target: Target) -> Result<ExitCode> {
    let found = audit::audit(&target.open()?.items().await?);
    let sound = found.violations.is_empty();
    let text = if target.json {
        format!("{}\n", serde_json::to_string(&found)?)
    } else {
        let audit::Audit { payments, orders, events, quarantined, untold, violations } = &found;
        let rows = violations.iter().map(|violation| {
            [violation.promise.to_owned(), violation.item.clone(), violation.what.clone()]
        });
        let listed = columns(["promise", "item", "violation"], rows);
        let listed = if sound { String::new() } else { format!("\n{listed}") };
        format!(
            "{payments} payments of {orders} orders, {events} events; {quarantined} in quarantine, \
             {untold} orders to be told\n{} violations\n{listed}",
            violations.len()
        )
    };
    stdout().write_all(text.as_bytes())?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn history(arguments: HistoryArguments) -> Result<ExitCode> {
    let HistoryArguments { payment, target } = arguments;
    let mut rows = target.open()?.under(&format!("pay#{payment}")).await?;
    let Some(at) = rows.iter().position(|row| row.text("sk") == "record") else {
        bail!("there is no payment {payment} in the table {}", target.table);
    };
    let record = rows.remove(at);
    rows.sort_by_key(|event| (event.number("at"), event.number("version")));
    if target.json {
        let events = rows.iter().map(shown).collect::<Result<Vec<_>>>()?;
        writeln!(stdout(), "{}", json!({"record": record.0, "events": events}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let attributes = record.0.iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str()));
    let attributes = attributes.map(|(name, value)| {
        let number = value
            .as_u64()
            .filter(|_| name.ends_with("_time") || name.ends_with("_at") || name == "due");
        let text = number.map_or_else(|| plain(value), time);
        [name.clone(), text]
    });
    let mut text = columns(["record", ""], attributes);
    let mut events = Vec::new();
    for row in &rows {
        let moved = match (row.number("status_before"), row.number("status_after")) {
            (Some(before), Some(after)) if before != after => {
                format!("{} -> {}", status(before), status(after))
            }
            (Some(_) | None, _) => String::new(),
        };
        let note = if row.text("provider") == "operator" { body(row)? } else { String::new() };
        events.push([
            time(row.number("at").unwrap_or_default()),
            name(row),
            cell(row, "outcome"),
            cell(row, "amount"),
            moved,
            cell(row, "version"),
            cell(row, "verdict"),
            format!("{}{note}", cell(row, "reason")),
        ]);
    }
    text.push('\n');
    text.push_str(&columns(
        ["at", "event", "outcome", "amount", "status", "version", "verdict", "reason, note"],
        events.into_iter(),
    ));
    stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn quarantine(arguments: QuarantineArguments) -> Result<ExitCode> {
    match arguments.command {
        QuarantineCommand::List(target) => list(target).await,
        QuarantineCommand::Resolve(arguments) => decide(arguments).await,
    }
}

async fn list(target: Target) -> Result<ExitCode> {
    let rows = target.open()?.quarantine().await?;
    if target.json {
        for row in &rows {
            writeln!(stdout(), "{}", shown(row)?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let cells = rows.iter().map(|row| {
        [
            time(row.number("at").unwrap_or_default()),
            name(row),
            cell(row, "outcome"),
            format!("{} {}", cell(row, "amount"), cell(row, "currency")),
            cell(row, "reason"),
            cell(row, "provider_txn"),
        ]
    });
    let text = columns(["at", "message", "outcome", "amount", "reason", "transaction"], cells);
    stdout().write_all(text.as_bytes())?;
    let messages = if rows.len() == 1 { "message" } else { "messages" };
    writeln!(stdout(), "{} {messages}", rows.len())?;
    Ok(ExitCode::SUCCESS)
}

async fn decide(arguments: ResolveArguments) -> Result<ExitCode> {
    let ResolveArguments { message, decision, note, target } = arguments;
    let key = EventKey::parse(&message)
        .with_context(|| format!("{message} is not <payment id>/<provider>/<event id>"))?;
    let (decision, done) = match decision {
        DecisionArgument::Accept => (Decision::Accept, "accepted"),
        DecisionArgument::Dismiss => (Decision::Dismiss, "dismissed"),
    };
    let note = RawBody::new(note.as_bytes(), sha256(&[note.as_bytes()]));
    let now = Timestamp::from_millis(clock::now_ms())?;
    let trace = TraceParent::start(u128::from(now.millis()), now.millis());
    let request = Resolve { key, decision, note };
    let store = target.open()?.payments();
    resolve((&OutOfReach, &OutOfReach), &store, request, now, &trace).await?;
    if target.json {
        writeln!(stdout(), "{}", json!({"message": message, "decision": done}))?;
    } else {
        writeln!(stdout(), "{message} is {done}")?;
        if decision == Decision::Accept {
            writeln!(stdout(), "An order that has to be told is told by the next reconcile.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A status in a word.
fn status(code: u64) -> String {
    Status::new(code)
        .map_or_else(|_odd| code.to_string(), |status| format!("{status:?}").to_lowercase())
}

/// An item for a program: its attributes, its name, and its body as text.
fn shown(row: &Row) -> Result<Value> {
    let mut shown = row.0.clone();
    shown.insert("message".to_owned(), json!(name(row)));
    shown.insert("body".to_owned(), json!(body(row)?));
    Ok(Value::Object(shown))
}

/// How a message is called here and in `resolve`.
fn name(row: &Row) -> String {
    let payment = row.text("pk").strip_prefix("pay#").unwrap_or("stray");
    let event = row.text("sk").split('#').skip(2).collect::<Vec<_>>().join("#");
    format!("{payment}/{}/{event}", row.text("provider"))
}

fn cell(row: &Row, name: &str) -> String {
    row.0.get(name).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
