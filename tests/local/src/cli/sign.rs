//! Signs with the keys of the local stack.

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use local::messages::{Message, Outcome, Signed};
use local::{clock, defaults, signing};
use pay_providers::PaymentProvider;
use serde_json::{Map, Value, json};

use super::{Provider, read};

/// What `sign` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose message it is.
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
    /// Makes the whole message, about our payment of this id.
    #[arg(long, value_name = "ID", requires = "amount", conflicts_with_all = ["body", "secret"])]
    payment: Option<u64>,
    /// The payment's amount, in minor units.
    #[arg(long, value_name = "MINOR", requires = "payment")]
    amount: Option<u64>,
    /// What the message reports.
    #[arg(long, value_enum, default_value = "paid", requires = "payment")]
    outcome: Outcome,
    /// Prints the command that sends the message to the API at this URL.
    #[arg(
        long, value_name = "URL", requires = "payment", num_args = 0..=1,
        default_missing_value = "http://127.0.0.1:8003"
    )]
    curl: Option<String>,
    /// The body, byte for byte as it will be sent; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    body: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let text = match (arguments.payment, arguments.amount) {
        (Some(payment), Some(amount)) => message(arguments, payment, amount)?,
        (Some(_) | None, _) => signature(arguments, &read(&arguments.body)?)?,
    };
    stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// A given body's headers, one a line; Alipay's form as it is signed, with no line of its own: a
/// newline would be part of it.
fn signature(arguments: &Arguments, body: &[u8]) -> Result<String> {
    let now = arguments.timestamp.unwrap_or_else(clock::now_secs);
    let id = || arguments.id.clone().unwrap_or_else(|| clock::uuid().replace('-', ""));
    let secret = arguments.secret.as_deref();
    let headers = match arguments.provider {
        Provider::Standard => {
            let id = arguments.id.clone().unwrap_or_else(|| format!("msg_{}", id()));
            let secret = secret.unwrap_or(defaults::WEBHOOK_SECRET);
            signing::standard(secret, &id, now, body)?.to_vec()
        }
        Provider::Stripe => {
            signing::stripe(secret.unwrap_or(defaults::STRIPE_SECRET), now, body).to_vec()
        }
        Provider::Wechat => signing::wechat(now, &id(), body)?.to_vec(),
        Provider::Alipay => {
            let fields: Vec<_> = form_urlencoded::parse(body).collect();
            return signing::alipay(&fields);
        }
    };
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    Ok(lines.concat())
}

/// A whole message, in one line.
fn message(arguments: &Arguments, payment: u64, amount: u64) -> Result<String> {
    let Some(provider) = arguments.provider.payment_provider() else {
        bail!("our own gateway's message names user and order as well: give it as a FILE");
    };
    let new = Message::new(payment, amount, arguments.outcome);
    let message = Message {
        id: arguments.id.clone().unwrap_or(new.id.clone()),
        now_secs: arguments.timestamp.unwrap_or(new.now_secs),
        ..new
    };
    let signed = message.from(provider)?;
    match &arguments.curl {
        Some(url) => curl(url, provider, &signed),
        None => doctors(provider, &signed, message.now_secs),
    }
}

/// The message as `doctor` reads it.
fn doctors(provider: PaymentProvider, signed: &Signed, now_secs: u64) -> Result<String> {
    let headers = signed.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let secrets = defaults::webhook_secrets()?;
    let line = json!({
        "provider": provider.as_str(),
        "headers": headers.collect::<Map<String, Value>>(),
        "body_base64": BASE64.encode(&signed.body),
        "keys": secrets.get(provider.as_str()),
        "now": now_secs,
    });
    Ok(format!("{line}\n"))
}

/// The command that sends the message, for a POSIX shell.
fn curl(url: &str, provider: PaymentProvider, signed: &Signed) -> Result<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let url = quoted(&format!("{url}/api/pay/callback/{}", provider.as_str()));
    let header = |(name, value): &(&str, String)| quoted(&format!("{name}: {value}"));
    let headers: Vec<_> = signed.headers.iter().map(header).collect();
    let body = std::str::from_utf8(&signed.body).context("the body is no text")?;
    let headers = headers.join(" -H ");
    Ok(format!("curl -sS {url} -H {headers} --data-binary {}\n", quoted(body)))
}
