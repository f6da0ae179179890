//! Builds what the stack runs, with the cargo that built this program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Write as _, stderr};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::Command;

pub use bench::root as workspace;

/// Builds the binaries of these packages and returns their paths.
///
/// Cargo's progress goes to standard error.
pub async fn functions(names: &[&str], release: bool) -> Result<BTreeMap<String, PathBuf>> {
    let mut arguments: Vec<&str> = names.iter().flat_map(|name| ["--package", name]).collect();
    if release {
        arguments.push("--release");
    }
    build(&arguments, names).await
}

/// Builds the operator's program and returns its path.
pub async fn payctl() -> Result<PathBuf> {
    let mut built = build(&["--package", "payctl"], &["payctl"]).await?;
    built.remove("payctl").context("cargo built another program")
}

/// Builds an example of this package and returns its path.
pub async fn example(name: &str) -> Result<PathBuf> {
    let mut built = build(&["--package", "local", "--example", name], &[name]).await?;
    built.remove(name).context("cargo built another example")
}

/// Builds the function that is all on default settings and returns its path.
///
/// It is a workspace of its own, so that its features do not reach this one.
pub async fn defaults() -> Result<BTreeMap<String, PathBuf>> {
    let root = workspace()?;
    let manifest = root.join("tests/bench/baselines/defaults/Cargo.toml");
    let target = root.join("target/baselines");
    let (manifest, target) = (manifest.to_string_lossy(), target.to_string_lossy());
    let options = ["--release", "--locked", "--manifest-path", &manifest, "--target-dir", &target];
    build(&options, &["defaults"]).await
}

async fn build(arguments: &[&str], names: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    let root = workspace()?;
    // Cargo sets it for whatever it runs.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(&cargo);
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        if describes_a_package(&name) {
            command.env_remove(name);
        }
    }
    announce(arguments, names)?;
    let child = command
        .arg("build")
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stdin(Stdio::null())
        // Not by `output()`, which pipes both streams whatever was asked: nothing would be seen.
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| {
            let cargo = cargo.display();
            format!("cannot run {cargo}: install Rust from https://rustup.rs")
        })?;
    let output = child.wait_with_output().await.context("cargo's messages cannot be read")?;
    if !output.status.success() {
        bail!("cargo could not build {} (its messages are above)", names.join(", "));
    }
    let built = executables(&String::from_utf8_lossy(&output.stdout));
    match names.iter().find(|name| !built.contains_key(**name)) {
        None => Ok(built),
        Some(name) => bail!("the package {name} has no binary of that name"),
    }
}

/// Says what is built and how long that takes, on standard error.
fn announce(arguments: &[&str], names: &[&str]) -> Result<()> {
    let release = arguments.contains(&"--release");
    let (how, first) =
        if release { (" in release", "some minutes") } else { ("", "up to a minute") };
    let names = names.join(", ");
    let line =
        format!("Building {names}{how}: {first} the first time, a few seconds after that.\n");
    stderr().write_all(line.as_bytes()).context("cannot write to standard error")
}

/// Whether cargo describes the package of this program in this variable.
///
/// Build scripts of the cargo that we run depend on them: with other values ring, and everything
/// that depends on it, would be compiled again at each start.
fn describes_a_package(variable: &str) -> bool {
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_"];
    let names = ["CARGO_CRATE_NAME", "CARGO_BIN_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    prefixes.iter().any(|prefix| variable.starts_with(prefix)) || names.contains(&variable)
}

/// The executables in cargo's messages, by target.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let parse = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let name = message.pointer("/target/name")?.as_str()?.to_owned();
        Some((name, PathBuf::from(message.get("executable")?.as_str()?)))
    };
    messages.lines().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::executables;

    #[test]
    fn only_executables_are_taken_from_cargos_messages() {
        let built = executables(
            r#"{"reason":"compiler-artifact","target":{"name":"pay"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"create"},"executable":"/t/create"}
not json
{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(built.len(), 1);
        assert_eq!(built["create"].to_str(), Some("/t/create"));
    }
}
