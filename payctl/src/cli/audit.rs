//! Checks the invariants of a whole table.

use anyhow::Result;
use clap::Args;

use super::End;
use crate::audit::{Audit, audit};
use crate::print::{columns, print, print_json};
use crate::target::TableTarget;

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArguments {
    #[command(flatten)]
    target: TableTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(AuditArguments { target, json }: AuditArguments) -> Result<End> {
    let found = audit(&target.open().await?.items().await?);
    if json {
        print_json(&serde_json::to_value(&found)?)?;
    } else {
        print(&text(&found))?;
    }
    Ok(End::of(found.violations.is_empty()))
}

fn text(found: &Audit) -> String {
    let Audit { payments, orders, events, quarantined, due, violations } = found;
    let rows = violations.iter().map(|violation| {
        [violation.invariant.to_owned(), violation.item.clone(), violation.what.clone()]
    });
    let listed = columns(["invariant", "item", "violation"], rows);
    let listed = if violations.is_empty() { String::new() } else { format!("\n{listed}") };
    format!(
        "{payments} payments of {orders} orders, {events} events; {quarantined} in quarantine, {due} order \
         notifications due\n{} violations\n{listed}",
        violations.len()
    )
}
