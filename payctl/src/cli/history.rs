//! Shows what happened to one payment.

use anyhow::{Result, bail};
use clap::Args;
use pay_core::domain::{PaymentId, ProviderRef};
use pay_core::ports::Payments as _;
use pay_service::start::clock;
use serde_json::{Value, json};

use super::End;
use crate::arguments::{payment_id, transaction};
use crate::event::{EventEntry, plain, status};
use crate::history::{CHECKOUTS, EVENTS, Fact, History, REFUNDS, checkout, event, refund};
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

pub(super) async fn run(
    HistoryArguments { payment, transaction, target, json }: HistoryArguments,
) -> Result<End> {
    let table = target.open().await?;
    let payment = match (payment, transaction) {
        (Some(payment), _) => payment,
        (None, Some(of)) => paid_by(&table, &of).await?,
        (None, None) => bail!("a payment's id or a provider's transaction is needed"),
    };
    let rows = table.under(&format!("pay#{payment}")).await?;
    if rows.is_empty() {
        bail!("there is no payment {payment} in the table {}", table.name());
    }
    let history = History::of(rows, clock());
    if json {
        print_json(&as_json(history))?;
    } else {
        print(&as_text(&history))?;
    }
    Ok(End::Done)
}

fn as_json(history: History) -> Value {
    let History { record, wrong, events, checkouts, refunds, references } = history;
    let events: Vec<_> = events.iter().map(|row| EventEntry(row).json()).collect();
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
    shown
}

fn as_text(History { record, wrong, events, checkouts, refunds, .. }: &History) -> String {
    let now = clock();
    let wrong = match wrong.join("; ") {
        wrong if wrong.is_empty() => wrong,
        wrong => format!("the record is unreadable: {wrong}\n"),
    };
    let events = table(EVENTS, events, event);
    let of_none = |rows: &[Row], text: String| {
        if rows.is_empty() { String::new() } else { format!("\n{text}") }
    };
    let refunds = of_none(refunds, table(REFUNDS, refunds, |row| refund(row, now)));
    let checkouts = of_none(checkouts, table(CHECKOUTS, checkouts, |row| checkout(row, now)));
    let record = attributes(record.as_ref().unwrap_or(&Row::default()));
    format!("{record}{wrong}\n{events}{checkouts}{refunds}")
}

fn table<const N: usize>(
    head: [&str; N],
    rows: &[Row],
    facts: impl Fn(&Row) -> [Fact; N],
) -> String {
    columns(head, rows.iter().map(|row| facts(row).map(|fact| fact.printed())))
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
