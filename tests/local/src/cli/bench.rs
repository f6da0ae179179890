//! Builds the bench and what it measures, in release, then becomes the bench.

use std::convert::Infallible;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};
pub(super) use bench::Arguments;
use local::binaries;

pub(super) async fn run(arguments: &Arguments) -> Result<Infallible> {
    let mut functions = arguments.functions();
    if functions.remove("defaults") {
        binaries::defaults().await?;
    }
    // Apart from the bench: features unify over what is built together.
    if !functions.is_empty() {
        binaries::functions(&Vec::from_iter(functions), true).await?;
    }
    let built = binaries::functions(&["bench"], true).await?;
    let program = built.get("bench").context("the bench was not built")?;
    // It reads the same command line, which is known to be right.
    let error = Command::new(program).args(std::env::args_os().skip(2)).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
