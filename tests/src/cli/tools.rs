//! Tokens, signatures and events, without a running stack.

use std::io::{Read as _, Write as _, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, ValueEnum};
use local::events::{self, Filling};
use local::{clock, defaults, signing, tokens};

use super::Secrets;

/// What `token` takes.
#[derive(Debug, Args)]
pub(super) struct TokenArguments {
    /// The user.
    #[arg(long, default_value_t = 1)]
    uid: u64,
    /// Makes it a service's token: pay:callback for our own gateway, pay:service for the shop.
    #[arg(long)]
    scope: Option<String>,
    /// Signs the token.
    #[arg(long, value_name = "TEXT", default_value = defaults::ACCESS_SECRET)]
    access_secret: String,
}

/// Whose signature it is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Provider {
    /// Standard Webhooks: a gateway of ours.
    Standard,
    /// Stripe.
    Stripe,
}

/// What `sign` takes.
#[derive(Debug, Args)]
pub(super) struct SignArguments {
    /// Whose signature it is.
    #[arg(long, value_enum)]
    provider: Provider,
    /// Signs the body; without it the stack's own secret of that provider does.
    #[arg(long, value_name = "whsec_…")]
    secret: Option<String>,
    /// The message's id; without it a new one.
    #[arg(long)]
    id: Option<String>,
    /// Unix time in seconds; without it the present.
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,
    /// The body, byte for byte as it will be sent; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    body: PathBuf,
}

/// What `event` takes.
#[derive(Debug, Args)]
pub(super) struct EventArguments {
    /// The event; `-` is standard input.
    #[arg(value_name = "FILE")]
    event: PathBuf,
    /// A value for a further placeholder: `--set oid=7` fills `{{oid}}`.
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

pub(super) fn sign(arguments: &SignArguments) -> Result<ExitCode> {
    let body = read(&arguments.body)?;
    let now = arguments.timestamp.unwrap_or_else(clock::now_secs);
    let secret = arguments.secret.as_deref();
    let headers = match arguments.provider {
        Provider::Standard => {
            let id = arguments.id.clone();
            let id = id.unwrap_or_else(|| format!("msg_{}", clock::uuid().replace('-', "")));
            let secret = secret.unwrap_or(defaults::WEBHOOK_SECRET);
            signing::standard(secret, &id, now, &body)?.to_vec()
        }
        Provider::Stripe => {
            let secret = secret.unwrap_or(defaults::STRIPE_SECRET);
            signing::stripe(secret, now, &body).to_vec()
        }
    };
    for (name, value) in headers {
        writeln!(stdout(), "{name}: {value}")?;
    }
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

fn read(path: &Path) -> Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
