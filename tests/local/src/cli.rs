//! The command line: the commands, and the arguments that they share.

mod bench;
mod demo;
mod pay;
mod serve;
mod sign;
mod tools;
mod torture;

use std::io::{Read as _, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use local::faults::{POINTS, Plan, WORDS};
use local::{Scheme, StackOptions, defaults};
use pay_core::ports::{BadSecret, SecretKeys as _};
use pay_providers::WebhookKeys;
use pay_service::auth::AuthKey;
use serde_json::json;

/// The whole service on this machine: API Gateway, Lambda, DynamoDB, Secrets Manager and a shop,
/// around the real functions.
#[derive(Debug, Parser)]
#[command(name = "cargo local", bin_name = "cargo local", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show one payment step by step: create, detail, signed callback, detail.
    Demo(demo::Arguments),
    /// Pay a checkout at its provider, as the payer does: the provider sends its webhook.
    Pay(pay::Arguments),
    /// Print a token for curl.
    Token(tools::TokenArguments),
    /// Sign the body of a webhook, or make a provider's whole message about a payment.
    ///
    /// With a body: prints the headers that sign it, one a line, for `curl -H @-`. Where the
    /// signature is a field of the form, prints the signed form, for `curl --data-binary @-`.
    ///
    /// With --payment: makes the provider's whole message and prints it as a line for `payctl doctor`, or
    /// with --curl as the command that sends it.
    Sign(sign::Arguments),
    /// Print an event with its placeholders filled, for `sam local invoke -e -`.
    Event(tools::EventArguments),
    /// Run many clients while instances die and services fail, then check the table and the shop.
    ///
    /// Fails if a response or the table violates an invariant.
    Torture(torture::Arguments),
    /// Measure the functions in release, beside a bare function and one on default settings.
    Bench(bench::Arguments),
}

/// Reads the name of a scheme, and lists all of them in the help.
fn scheme_parser() -> impl TypedValueParser<Value = Scheme> {
    PossibleValuesParser::new(Scheme::all().map(Scheme::as_str)).try_map(|name| Scheme::new(&name))
}

/// How a command starts the stack.
#[derive(Debug, Args)]
struct StackArguments {
    /// Processes of each function.
    #[arg(long, value_name = "N", default_value_t = 2)]
    instances: usize,
    /// Keep the table and the shop in this directory. One stack at a time can use it.
    #[arg(long, value_name = "DIR", conflicts_with = "aws_endpoint")]
    data: Option<PathBuf>,
    /// Use the DynamoDB and Secrets Manager at this URL, for example another emulator's.
    #[arg(long, value_name = "URL")]
    aws_endpoint: Option<String>,
    /// Build the functions as they ship.
    #[arg(long)]
    release: bool,
    /// Show what the functions print, on standard error.
    #[arg(long)]
    logs: bool,
    /// Make calls fail by the rules of this JSON file, and print at the end which did.
    #[arg(long, value_name = "FILE", long_help = faults_help())]
    faults: Option<PathBuf>,
    #[command(flatten)]
    secrets: Secrets,
}

/// The secrets, where they are not the defaults.
#[derive(Debug, Args)]
struct Secrets {
    /// The secret that signs tokens.
    #[arg(long, value_name = "TEXT", default_value = defaults::ACCESS_SECRET, value_parser = access_secret)]
    access_secret: String,
    /// The secret that signs Standard Webhooks.
    #[arg(long, value_name = "whsec_…", default_value = defaults::WEBHOOK_SECRET, value_parser = webhook_secret)]
    webhook_secret: String,
}

/// Accepts what the functions accept: with another secret they would reject every token.
fn access_secret(text: &str) -> Result<String, BadSecret> {
    AuthKey::from_secret(&json!({"access_secret": text}).to_string())?;
    // White space around it is no part of it.
    Ok(text.trim().to_owned())
}

/// Accepts what the functions accept: with another secret they would reject every notification.
fn webhook_secret(text: &str) -> Result<String, BadSecret> {
    let secret = json!({Scheme::Standard.as_str(): [text]});
    let keys = WebhookKeys::from_secret(&secret.to_string())?;
    // Its only entry is the one that is unusable.
    keys.unusable().first().map_or_else(|| Ok(text.trim().to_owned()), |(_entry, bad)| Err(*bad))
}

/// A text as a POSIX shell takes it for one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn faults_help() -> String {
    let example = r#"{"seed": 7, "rules": [
  {"at": "orders:paid", "fault": {"delay_ms": 300}, "times": 5},
  {"at": "dynamodb:TransactWriteItems", "fault": "lose-response", "percent": 10}]}"#;
    let (points, words) = (POINTS.join(", "), WORDS.join(", "));
    format!(
        "Make calls fail by the rules of this JSON file, and print at the end which did. For example:\n\n\
         {example}\n\nCalls: {points}\n\nFaults: {words}"
    )
}

impl StackArguments {
    fn options(self, port: u16) -> Result<StackOptions> {
        let mut webhook_secrets = defaults::webhook_secrets()?;
        if let Some(standard) = webhook_secrets.get_mut("standard") {
            *standard = json!([self.secrets.webhook_secret]);
        }
        Ok(StackOptions {
            port,
            instances: self.instances,
            data: self.data,
            aws_endpoint: self.aws_endpoint,
            release: self.release,
            inherit_logs: self.logs,
            access_secret: self.secrets.access_secret,
            webhook_secrets: Some(webhook_secrets),
            faults: self.faults.map_or_else(|| Ok(Plan::default()), |file| Plan::read(&file))?,
            ..StackOptions::default()
        })
    }
}

/// Reads the command line and runs the command.
pub(crate) async fn run() -> Result<ExitCode> {
    let cli = Cli::parse();
    match cli.command {
        None => serve::run(cli.serve).await,
        Some(Command::Demo(arguments)) => demo::run(arguments).await,
        Some(Command::Pay(arguments)) => pay::run(arguments).await,
        Some(Command::Token(arguments)) => tools::token(&arguments),
        Some(Command::Sign(arguments)) => sign::run(&arguments),
        Some(Command::Torture(arguments)) => torture::run(arguments).await,
        Some(Command::Bench(arguments)) => match bench::run(&arguments).await? {},
        Some(Command::Event(arguments)) => tools::event(arguments),
    }
}

/// The bytes of a file; `-` is standard input.
fn read(path: &Path) -> Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
