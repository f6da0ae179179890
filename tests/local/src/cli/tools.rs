//! Tokens and events, without a running stack.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use local::events::{self, Filling};
use local::{clock, defaults, tokens};

use super::{Secrets, access_secret, read};

/// Arguments of `token`.
#[derive(Debug, Args)]
pub(super) struct TokenArguments {
    /// The user.
    #[arg(long, default_value_t = 1)]
    uid: u64,
    /// Make it a service's token: pay:callback for a gateway of the shop's own, pay:service for the
    /// shop.
    #[arg(long)]
    scope: Option<String>,
    /// The secret that signs the token.
    #[arg(long, value_name = "TEXT", default_value = defaults::ACCESS_SECRET, value_parser = access_secret)]
    access_secret: String,
}

/// Arguments of `event`.
#[derive(Debug, Args)]
pub(super) struct EventArguments {
    /// The event; `-` is standard input.
    #[arg(value_name = "FILE")]
    event: PathBuf,
    /// The value of a placeholder: `--set oid=7` fills `{{oid}}`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    values: Vec<(String, String)>,
    #[command(flatten)]
    secrets: Secrets,
}

fn pair(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').ok_or_else(|| anyhow!("it must be NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) fn token(arguments: &TokenArguments) -> Result<ExitCode> {
    let TokenArguments { uid, scope, access_secret } = arguments;
    let token = tokens::issue(access_secret, *uid, scope.as_deref(), clock::now_secs());
    writeln!(stdout(), "{token}")?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn event(arguments: EventArguments) -> Result<ExitCode> {
    let text = String::from_utf8(read(&arguments.event)?).context("the event is not UTF-8")?;
    let filling = Filling {
        access_secret: arguments.secrets.access_secret,
        webhook_secret: arguments.secrets.webhook_secret,
        values: arguments.values.into_iter().collect(),
        ..Filling::default()
    };
    let event = events::fill(&text, &filling)?;
    writeln!(stdout(), "{event:#}")?;
    Ok(ExitCode::SUCCESS)
}
