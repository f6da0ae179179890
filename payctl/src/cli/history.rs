//! Shows what happened to one payment.

use anyhow::{Result, bail};
use clap::Args;
use pay_core::domain::{PaymentId, ProviderRef};
use pay_core::ports::Payments as _;
use pay_service::start::clock;
use serde_json::json;

use super::End;
use crate::arguments::{payment_id, transaction};
use crate::audit::{ItemKind, faults, kind};
use crate::event::{EventEntry, plain, status};
use crate::print::{columns, print, print_json, time};
use crate::target::TableTarget;
use crate::{Row, Table};

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    /// The payment's id.
    #[arg(value_parser = payment_id, required_unless_present = "transaction")]
    payment: Option<PaymentId>,
    /// In its place the provider's transaction: `stripe#pi_3N…`.
    #[arg(long, value_parser = transaction, conflicts_with = "payment")]
    transaction: Option<ProviderRef>,
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

const REFUNDS: [&str; 13] = [
    "refund",
    "amount",
    "state",
    "source",
    "transaction",
    "reference",
    "requested",
    "reason",
    "money of",
    "due",
    "created",
    "updated",
    "unreadable",
];

const CHECKOUTS: [&str; 11] = [
    "checkout",
    "provider",
    "method",
    "state",
    "provider id",
    "expires",
    "called",
    "absent",
    "created",
    "updated",
    "unreadable",
];

pub(super) async fn run(
    HistoryArguments { payment, transaction, target, json }: HistoryArguments,
) -> Result<End> {
    let table = target.open().await?;
    let payment = match (payment, transaction) {
        (Some(payment), _) => payment,
        (None, Some(of)) => paid_by(&table, &of).await?,
        (None, None) => bail!("a payment's id or a provider's transaction is needed"),
    };
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
    let (refunds, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| matches!(kind(row), Some(ItemKind::Refund(_))));
    let (mut checkouts, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| matches!(kind(row), Some(ItemKind::Checkout(_))));
    // Their keys order them as texts.
    checkouts.sort_by_key(|row| row.number("create_time"));
    let (references, mut rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| matches!(kind(row), Some(ItemKind::RefundReference(_))));
    rows.sort_by_key(|event| (event.number("at"), event.number("version")));
    if json {
        let events: Vec<_> = rows.iter().map(|row| EventEntry(row).json()).collect();
        let plain = |rows: Vec<Row>| rows.into_iter().map(|row| row.0).collect::<Vec<_>>();
        let mut shown = json!({
            "record": record.map(|record| record.0),
            "events": events,
            "checkouts": plain(checkouts),
            "refunds": plain(refunds),
            "refund_references": plain(references),
        });
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
        let refunds = match &refunds[..] {
            [] => String::new(),
            refunds => format!("\n{}", columns(REFUNDS, refunds.iter().map(refund_cells))),
        };
        let checkouts = match &checkouts[..] {
            [] => String::new(),
            checkouts => format!("\n{}", columns(CHECKOUTS, checkouts.iter().map(checkout_cells))),
        };
        let record = attributes(&record.unwrap_or_default());
        print(&format!("{record}{wrong}\n{events}{checkouts}{refunds}"))?;
    }
    Ok(End::Done)
}

/// The payment of a provider's transaction, as the index has it.
async fn paid_by(table: &Table, reference: &ProviderRef) -> Result<PaymentId> {
    let name = reference.transaction().unwrap_or_default();
    match table.payments().of_transaction(reference).await?[..] {
        [] => bail!(
            "no payment of the table {} has the transaction {name}; the index of transactions may lag a \
             moment",
            table.name()
        ),
        [payment] => Ok(payment),
        [one, other, ..] => bail!(
            "payments {one} and {other} have the transaction {name}: give the id of one; `payctl audit` \
             names all that share one"
        ),
    }
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

fn refund_cells(row: &Row) -> [String; REFUNDS.len()] {
    let cell = |name: &str| row.0.get(name).map(plain).unwrap_or_default();
    let at = |name| time(row.number(name).unwrap_or_default());
    let wrong = faults(row, clock()).join("; ");
    // By its key, which only one that we were asked for has.
    let requested = if row.has("key") { "yes" } else { "" };
    [
        row.text("sk").trim_start_matches("refund#").to_owned(),
        cell("amount"),
        cell("state"),
        cell("source"),
        cell("provider_txn"),
        cell("reference"),
        requested.to_owned(),
        cell("reason"),
        // Else what the payment was paid with.
        cell("quarantined"),
        row.number("due").map(time).unwrap_or_default(),
        at("create_time"),
        at("update_time"),
        wrong,
    ]
}

fn checkout_cells(row: &Row) -> [String; CHECKOUTS.len()] {
    let cell = |name: &str| row.0.get(name).map(plain).unwrap_or_default();
    let at = |name| row.number(name).map(time).unwrap_or_default();
    [
        row.text("sk").trim_start_matches("checkout#").to_owned(),
        cell("provider"),
        cell("method"),
        cell("state"),
        cell("provider_id"),
        at("expires_time"),
        at("called_time"),
        at("absent_time"),
        at("create_time"),
        at("update_time"),
        faults(row, clock()).join("; "),
    ]
}

fn cells(row: &Row) -> [String; HEAD.len()] {
    let event = EventEntry(row);
    let note = if row.text("sender") == "operator" { event.body().ok() } else { None };
    let [at, name, outcome, amount, source, transaction] = event.report();
    [
        at,
        name,
        outcome,
        amount,
        source,
        transaction,
        event.moved(),
        event.cell("version"),
        event.verdict(),
        event.mismatch(),
        event.by(),
        note.unwrap_or_default(),
    ]
}
