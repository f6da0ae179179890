//! Checks the invariants of a whole table.

use std::io::{IsTerminal as _, Write as _, stderr};

use anyhow::Result;
use clap::Args;
use pay_core::domain::TimeToLive;
use pay_service::start::clock;

use super::End;
use crate::arguments::time_to_live;
use crate::audit::{Audit, audit};
use crate::print::{columns, print, print_json};
use crate::target::TableTarget;

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    #[command(flatten)]
    target: TableTarget,
    /// What the functions have as `PAYMENT_TTL_SECONDS`: finds also payments that should be closed by now.
    #[arg(long, value_name = "SECONDS", value_parser = time_to_live)]
    ttl_seconds: Option<TimeToLive>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(
    AuditArguments { target, ttl_seconds, json }: AuditArguments,
) -> Result<End> {
    let table = target.open().await?;
    let found = audit(&table, (clock(), ttl_seconds), |so_far| {
        let (items, wrong) = (so_far.items(), so_far.violations.len());
        progress(&format!("{items} items read, {wrong} violations so far"));
    })
    .await;
    progress("");
    let found = found?;
    if json {
        print_json(&serde_json::to_value(&found)?)?;
    } else {
        print(&text(&found))?;
    }
    Ok(End::of(found.violations.is_empty()))
}

/// Shows a person who waits at a terminal how far it is, on one line; the empty text clears it.
fn progress(text: &str) {
    let mut stderr = stderr();
    if stderr.is_terminal() {
        // `ESC [ K` clears the line from here on. A line that cannot be written is no loss.
        match write!(stderr, "\r{text}\u{1b}[K") {
            Ok(()) | Err(_) => {}
        }
    }
}

fn text(found: &Audit) -> String {
    let Audit {
        payments, orders, events, checkouts, refunds, quarantined, due, violations, ..
    } = found;
    let rows = violations.iter().map(|violation| {
        [violation.invariant.to_owned(), violation.item.clone(), violation.what.clone()]
    });
    let listed = columns(["invariant", "item", "violation"], rows);
    let listed = if violations.is_empty() { String::new() } else { format!("\n{listed}") };
    format!(
        "{payments} payments of {orders} orders, {events} events, {checkouts} checkouts, {refunds} refunds; \
         {quarantined} in quarantine, {due} due\n{} violations\n{listed}",
        violations.len()
    )
}
