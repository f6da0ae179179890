//! Has the callback function do what is due.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use local::client;
use serde_json::json;

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The URL at which `cargo local` serves.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8003")]
    api: String,
    /// The most entries, 1 to 100000.
    #[arg(long, default_value_t = 200)]
    limit: u64,
    /// Do all entries, not only those that are due by now.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(Arguments { api, limit, all }: Arguments) -> Result<ExitCode> {
    let url = format!("{api}/2015-03-31/functions/callback/invocations");
    let request = json!({"operation": "sweep", "limit": limit, "all": all}).to_string();
    let response = client::client("")?.post(url).body(request).send().await;
    let response =
        response.with_context(|| format!("nothing serves at {api}: start `cargo local`"))?;
    let failed = response.headers().contains_key("x-amz-function-error");
    let text = response.text().await?;
    if failed {
        bail!("the function failed: {text}");
    }
    writeln!(stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}
