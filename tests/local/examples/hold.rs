//! Starts a stack whose functions never finish, and waits until it is killed. A test then checks
//! that nothing of the stack is left.
//!
//! The arguments are the template and the function's executable. Prints the process ids of the
//! instances, one of which is busy by then.

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
        printed = print(&stack) => printed?,
    }
    Ok(())
}

async fn print(stack: &Stack) -> Result<()> {
    while !stack.instances().iter().any(|instance| instance.busy) {
        tokio::task::yield_now().await;
    }
    let pids: Vec<String> = stack.instances().iter().map(|one| one.pid.to_string()).collect();
    writeln!(std::io::stdout(), "{}", pids.join(" "))?;
    std::future::pending().await
}
