//! Signs with the keys of the local stack.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use local::messages::{Message, Signed};
use local::simulator::simulator;
use local::{Scheme, clock, defaults, signing};
use pay_core::domain::{Outcome, Provider};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{quoted, read, scheme_parser};

/// Arguments of `sign`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The sender of the message.
    #[arg(long, value_parser = scheme_parser())]
    provider: Scheme,
    /// The secret that signs the body, of a sender that has one; by default the stack's own.
    #[arg(long, value_name = "whsec_…")]
    secret: Option<String>,
    /// The message's id; by default a new one.
    #[arg(long, value_parser = one_line)]
    id: Option<String>,
    /// The message's time, in Unix seconds; by default the present.
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,
    /// Make the whole message, about the payment with this id.
    #[arg(long, value_name = "ID", requires = "amount", conflicts_with = "body")]
    payment: Option<u64>,
    /// The payment's amount, in minor units.
    #[arg(long, value_name = "MINOR", requires = "payment")]
    amount: Option<u64>,
    /// The outcome that the message reports.
    #[arg(long, value_parser = outcome_parser(), default_value = "paid", requires = "payment")]
    outcome: Outcome,
    /// Print the command that sends the message to the API at this URL.
    #[arg(
        long, value_name = "URL", requires = "payment", num_args = 0..=1,
        default_missing_value = "http://127.0.0.1:8003"
    )]
    curl: Option<String>,
    /// The body, byte for byte as it will be sent; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    body: PathBuf,
}

/// An id is printed as a header: a line break in it would begin another one.
fn one_line(text: &str) -> Result<String> {
    ensure!(!text.contains(char::is_control), "it must not have control characters");
    Ok(text.to_owned())
}

/// Reads the name of an outcome, and lists all of them in the help.
fn outcome_parser() -> impl TypedValueParser<Value = Outcome> {
    let named = |name: String| {
        let mut all = Outcome::ALL.into_iter();
        all.find(|outcome| outcome.as_str() == name).context("there is no such outcome")
    };
    PossibleValuesParser::new(Outcome::ALL.map(Outcome::as_str)).try_map(named)
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let text = match (arguments.payment, arguments.amount) {
        (Some(payment), Some(amount)) => message(arguments, payment, amount)?.into_bytes(),
        (Some(_) | None, _) => signature(arguments, &read(&arguments.body)?)?,
    };
    stdout().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The headers that sign a body, one a line. Where the signature is part of the body, the signed
/// body, without a newline, which would be part of it.
fn signature(arguments: &Arguments, body: &[u8]) -> Result<Vec<u8>> {
    let now = arguments.timestamp.unwrap_or_else(clock::now_secs);
    let id = |prefix| {
        let new = || format!("{prefix}{}", Uuid::new_v4().simple());
        arguments.id.clone().unwrap_or_else(new)
    };
    let secret = arguments.secret.as_deref();
    let Signed { headers, body } = match arguments.provider {
        Scheme::Standard => {
            let secret = secret.unwrap_or(defaults::WEBHOOK_SECRET);
            let headers = signing::standard(secret, &id("msg_"), now, body)?.to_vec();
            Signed { headers, body: body.to_vec() }
        }
        Scheme::Provider(provider) => simulator(provider).sign(secret, &id(""), now, body)?,
    };
    if headers.is_empty() {
        return Ok(body);
    }
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    Ok(lines.concat().into_bytes())
}

/// A whole message, in one line.
fn message(arguments: &Arguments, payment: u64, amount: u64) -> Result<String> {
    let Scheme::Provider(provider) = arguments.provider else {
        bail!("a native notification names user and order as well: give it as a FILE");
    };
    let new = Message::new(payment, amount, arguments.outcome);
    let message = Message {
        id: arguments.id.clone().unwrap_or(new.id.clone()),
        now_secs: arguments.timestamp.unwrap_or(new.now_secs),
        ..new
    };
    let secret = arguments.secret.as_deref();
    let signed = message.signed(provider, secret)?;
    match &arguments.curl {
        Some(url) => curl(url, provider, &signed),
        None => doctor_line(provider, secret, &signed, message.now_secs),
    }
}

/// The message as `doctor` reads it.
fn doctor_line(
    provider: Provider,
    secret: Option<&str>,
    signed: &Signed,
    now_secs: u64,
) -> Result<String> {
    let headers = signed.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let secrets = defaults::webhook_secrets()?;
    let mut keys = secrets.get(provider.as_str()).cloned().unwrap_or_default();
    if let (Some(secret), Some(keys)) = (secret, keys.as_object_mut()) {
        keys.insert("secrets".to_owned(), json!([secret]));
    }
    let line = json!({
        "provider": provider.as_str(),
        "headers": headers.collect::<Map<String, Value>>(),
        "body_base64": BASE64.encode(&signed.body),
        "keys": keys,
        "now": now_secs,
    });
    Ok(format!("{line}\n"))
}

/// The command that sends the message, for a POSIX shell.
fn curl(url: &str, provider: Provider, signed: &Signed) -> Result<String> {
    let url = quoted(&format!("{url}/api/pay/callback/{}", provider.as_str()));
    let header = |(name, value): &(&str, String)| quoted(&format!("{name}: {value}"));
    let headers: Vec<_> = signed.headers.iter().map(header).collect();
    let body = std::str::from_utf8(&signed.body).context("the body is not UTF-8")?;
    let headers = headers.join(" -H ");
    Ok(format!("curl -sS {url} -H {headers} --data-binary {}\n", quoted(body)))
}
