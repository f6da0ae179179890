//! Has the callback function go through its work list.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use local::client;
use serde_json::json;

/// What `reconcile` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where `cargo local` serves: its Invoke API is asked.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8003")]
    api: String,
    /// How many entries at most, 1 to 100000.
    #[arg(long, default_value_t = 200)]
    limit: u64,
    /// Every entry, not only those that are due.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(Arguments { api, limit, all }: Arguments) -> Result<ExitCode> {
    let url = format!("{api}/2015-03-31/functions/callback/invocations");
    let request = json!({"reconcile": {"limit": limit, "all": all}}).to_string();
    let answer = client::client("")?.post(url).body(request).send().await;
    let answer = answer.with_context(|| format!("nobody serves at {api}: start `cargo local`"))?;
    let failed = answer.headers().contains_key("x-amz-function-error");
    let text = answer.text().await?;
    if failed {
        bail!("the function refused: {text}");
    }
    writeln!(stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}
