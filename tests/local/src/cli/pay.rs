//! Pays a checkout, as the payer does.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use local::{client, defaults};
use serde_json::Value;

/// Arguments of `pay`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The payment, of which the newest checkout that can be paid is meant; or the reference of a checkout, as
    /// `000007_1`.
    #[arg(value_name = "ID", value_parser = named)]
    checkout: String,
    /// The API of the local stack that runs on this machine.
    #[arg(long, value_name = "URL")]
    api: Option<String>,
}

fn named(text: &str) -> Result<String, &'static str> {
    let fits = !text.is_empty() && text.bytes().all(|of| of.is_ascii_digit() || of == b'_');
    if fits { Ok(text.to_owned()) } else { Err("it must be a number, or one as 000007_1") }
}

pub(super) async fn run(Arguments { checkout, api }: Arguments) -> Result<ExitCode> {
    let api = api.unwrap_or_else(|| format!("http://{}:{}", defaults::HOST, defaults::PORT));
    let request = client::client("")?.post(format!("{api}/local-stack/pay/{checkout}"));
    let response = request.send().await;
    let hint = "start one with `cargo local`, or name the URL of its API with --api";
    let response = response.with_context(|| format!("no local stack runs at {api}: {hint}"))?;
    let (status, text) = (response.status(), response.text().await?);
    if !status.is_success() {
        bail!(
            "nothing was paid; of a page of Alipay's it knows only once its URL is opened:\n{text}"
        );
    }
    let paid: Value = serde_json::from_str(&text)?;
    let provider = paid.get("provider").and_then(Value::as_str).unwrap_or_default();
    let webhooks = paid.get("webhooks").and_then(Value::as_array).into_iter().flatten();
    let webhooks: Vec<_> = webhooks.filter_map(Value::as_str).collect();
    writeln!(stdout(), "{checkout} is paid at {provider}; its webhook: {}", webhooks.join(", "))?;
    Ok(ExitCode::SUCCESS)
}
