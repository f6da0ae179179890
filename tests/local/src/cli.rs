//! The command line: what can be asked, and who answers.

mod bench;
mod columns;
mod demo;
mod doctor;
mod operator;
mod reconcile;
mod serve;
mod sign;
mod tools;
mod torture;

use std::io::{Read as _, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use local::faults::{POINTS, Plan, WORDS};
use local::{StackOptions, defaults};
use pay_providers::PaymentProvider;
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
    /// Does the main job once and shows each step: create, detail, signed callback, detail.
    Demo(demo::Arguments),
    /// Prints a token for curl.
    Token(tools::TokenArguments),
    /// Signs a webhook's body, or makes a provider's whole message about a payment.
    ///
    /// With a body: prints the headers that sign it, one a line, for `curl -H @-`. Alipay signs
    /// inside the form, so the signed form is printed, for `curl --data-binary @-`.
    ///
    /// With --payment: makes the provider's whole message and prints it as a line for `doctor`, or
    /// with --curl as the command that sends it.
    Sign(sign::Arguments),
    /// Tells the orders that nobody has told yet, as the schedule does each minute.
    Reconcile(reconcile::Arguments),
    /// Checks a whole table against what it promises; exits with 1 if it finds a violation.
    Audit(operator::Target),
    /// Shows a payment's record and everything that was received about it.
    History(operator::HistoryArguments),
    /// The messages that did not fit: lists them, decides on one.
    Quarantine(operator::QuarantineArguments),
    /// Prints an event with its placeholders filled, for `sam local invoke -e -`.
    Event(tools::EventArguments),
    /// Says why a webhook's signature does or does not verify: JSON lines in, JSON lines out.
    #[command(after_long_help = doctor::EXAMPLE)]
    Doctor(doctor::Arguments),
    /// Many clients, dying instances and failing services; then checks everything that is left.
    ///
    /// Fails if an answer or the table is not as it must be.
    Torture(torture::Arguments),
    /// What the functions cost, in release, beside a bare function and one on default settings.
    Bench(bench::Arguments),
}

/// Whose message it is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Provider {
    /// Standard Webhooks: a gateway of ours.
    Standard,
    /// Stripe.
    Stripe,
    /// WeChat Pay, API v3.
    Wechat,
    /// Alipay.
    Alipay,
}

impl Provider {
    /// The payment provider; none for a gateway of ours.
    const fn payment_provider(self) -> Option<PaymentProvider> {
        match self {
            Self::Standard => None,
            Self::Stripe => Some(PaymentProvider::Stripe),
            Self::Wechat => Some(PaymentProvider::WeChat),
            Self::Alipay => Some(PaymentProvider::Alipay),
        }
    }
}

/// How the stack is started, by whichever command.
#[derive(Debug, Args)]
struct StackArguments {
    /// Processes of each function.
    #[arg(long, value_name = "N", default_value_t = 2)]
    instances: usize,
    /// Keep the table in this directory. The shop forgets its orders all the same.
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
    /// Make calls go wrong as this JSON file says, and show at the end which did.
    #[arg(long, value_name = "FILE", long_help = faults_help())]
    faults: Option<PathBuf>,
    #[command(flatten)]
    secrets: Secrets,
}

/// The secrets, where they are not the well-known ones.
#[derive(Debug, Args)]
struct Secrets {
    /// Signs the tokens.
    #[arg(long, value_name = "TEXT", default_value = defaults::ACCESS_SECRET)]
    access_secret: String,
    /// Signs Standard Webhooks.
    #[arg(long, value_name = "whsec_…", default_value = defaults::WEBHOOK_SECRET)]
    webhook_secret: String,
}

fn faults_help() -> String {
    let example = r#"{"seed": 7, "rules": [
  {"at": "orders:paid", "fault": {"delay_ms": 300}, "times": 5},
  {"at": "dynamodb:TransactWriteItems", "fault": "lose-answer", "percent": 10}]}"#;
    let (points, words) = (POINTS.join(", "), WORDS.join(", "));
    format!(
        "Make calls go wrong as this JSON file says, and show at the end which did. For example:\n\n\
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

/// Reads the command line and does what it says.
pub(crate) async fn run() -> Result<ExitCode> {
    let cli = Cli::parse();
    match cli.command {
        None => serve::run(cli.serve).await,
        Some(Command::Demo(arguments)) => demo::run(arguments).await,
        Some(Command::Reconcile(arguments)) => reconcile::run(arguments).await,
        Some(Command::Audit(target)) => operator::audit(target).await,
        Some(Command::History(arguments)) => operator::history(arguments).await,
        Some(Command::Quarantine(arguments)) => operator::quarantine(arguments).await,
        Some(Command::Token(arguments)) => tools::token(&arguments),
        Some(Command::Sign(arguments)) => sign::run(&arguments),
        Some(Command::Torture(arguments)) => torture::run(arguments).await,
        Some(Command::Bench(arguments)) => match bench::run(&arguments).await? {},
        Some(Command::Event(arguments)) => tools::event(arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&arguments),
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
