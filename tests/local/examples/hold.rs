//! Starts a stack whose functions never finish, and holds it until it is killed: what is left of
//! the stack then is a test's business.
//!
//! Takes the template and the function's executable. Prints the process ids of the instances, one
//! of which is busy by then.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use local::{Stack, StackOptions};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let template = arguments.next().context("no template")?;
    let binary = arguments.next().context("no executable")?;
    let names = ["echo", "hasty"].map(str::to_owned);
    let stack = Stack::start(StackOptions {
        template: Some(template),
        binaries: Some(names.map(|name| (name, binary.clone())).into()),
        ..StackOptions::default()
    })
    .await?;
    let event = json!({"do": "sleep"});
    tokio::select! {
        _ = stack.invoke("echo", &event) => bail!("it was to sleep"),
        told = tell(&stack) => told?,
    }
    Ok(())
}

async fn tell(stack: &Stack) -> Result<()> {
    while !stack.instances().iter().any(|instance| instance.busy) {
        tokio::task::yield_now().await;
    }
    let pids: Vec<String> = stack.instances().iter().map(|one| one.pid.to_string()).collect();
    writeln!(std::io::stdout(), "{}", pids.join(" "))?;
    std::future::pending().await
}
