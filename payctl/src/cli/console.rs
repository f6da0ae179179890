//! Serves the console.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use clap::Args;
use pay_core::domain::{Operator, TimeToLive};

use super::End;
use super::quarantine::{decider, operator};
use crate::arguments::{function_name, time_to_live};
use crate::console::{Access, App, AuditJob, ConsoleServer, Functions, Place};
use crate::print::print;
use crate::target::TableTarget;

/// Arguments of `console`.
#[derive(Debug, Args)]
pub(super) struct ConsoleArguments {
    #[command(flatten)]
    target: TableTarget,
    /// The port of 127.0.0.1 to serve at; 0 takes any that is free.
    #[arg(long, value_name = "N", default_value_t = 8010)]
    port: u16,
    /// Open the link in the browser.
    #[arg(long)]
    open: bool,
    /// Show, and change nothing.
    #[arg(long)]
    read_only: bool,
    /// The create function of this name or ARN in AWS: with it the console closes payments. Those of a local stack
    /// are known.
    #[arg(long, value_name = "NAME", value_parser = function_name, conflicts_with = "local")]
    create: Option<String>,
    /// The callback function of this name or ARN in AWS: with it the console queries, refunds and sweeps payments.
    #[arg(long, value_name = "NAME", value_parser = function_name, conflicts_with = "local")]
    callback: Option<String>,
    /// What the functions have as `PAYMENT_TTL_SECONDS`: the audit finds also payments that should be closed by now.
    #[arg(long, value_name = "SECONDS", value_parser = time_to_live)]
    ttl_seconds: Option<TimeToLive>,
    /// Who decides; the name of the user, unless it is said.
    #[arg(long, value_name = "NAME", value_parser = operator)]
    by: Option<Operator>,
}

/// Serves until it is interrupted.
pub(super) async fn run(arguments: ConsoleArguments) -> Result<End> {
    let ConsoleArguments { target, port, open, read_only, create, callback, ttl_seconds, by } =
        arguments;
    let by = decider(by, &target)?;
    let (table, endpoint) = target.open_at().await?;
    let functions = Functions::open(&target.functions(), create, callback).await?;
    let place = Place::of_arn(&table.arn().await?, endpoint)?;
    let served = ConsoleServer::listen(port).await?;
    let access = Access::new(served.address.port())?;
    let link = access.link();
    let where_it_is = match &place.endpoint {
        Some(endpoint) => format!("{} at {endpoint}", place.table),
        None => format!("{} in AWS {}, {}", place.table, place.account, place.region),
    };
    print(&format!(
        "Table {where_it_is}\nOpen this link, which works once; Ctrl-C ends the console:\n{link}\n"
    ))?;
    if open {
        open_in_browser(&link)?;
    }
    let (is_read_only, audit) = (read_only, AuditJob::new(ttl_seconds));
    let app = App { table, place, access, by, is_read_only, functions, audit };
    served.until(app, interrupted()).await?;
    Ok(End::Done)
}

async fn interrupted() {
    // Without the signal nothing ends it but the system, which does not ask.
    match tokio::signal::ctrl_c().await {
        Ok(()) | Err(_) => {}
    }
}

/// Has the system open a link.
fn open_in_browser(link: &str) -> Result<()> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = std::process::Command::new(program);
    let command =
        command.arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
        .spawn()
        .map(drop)
        .with_context(|| format!("cannot open a browser with {program}: open the link by hand"))
}
