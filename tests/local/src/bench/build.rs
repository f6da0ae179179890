//! Building what is measured, and what measures it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::subjects::{DEFAULTS, Operation};
use crate::binaries;

/// Everything that runs.
#[derive(Debug, Clone)]
pub(super) struct Built {
    /// What measures.
    pub(super) program: PathBuf,
    /// What is measured, by function.
    pub(super) functions: BTreeMap<String, PathBuf>,
}

impl Built {
    pub(super) fn of(&self, function: &str) -> Result<&Path> {
        let binary = self.functions.get(function);
        binary.map(PathBuf::as_path).with_context(|| format!("{function} was not built"))
    }
}

/// Builds all that these operations need.
pub(super) async fn all(operations: &[Operation], release: bool) -> Result<Built> {
    let in_workspace = |operation: &&Operation| operation.function != DEFAULTS.function;
    let mut names: Vec<&str> =
        operations.iter().filter(in_workspace).map(|operation| operation.function).collect();
    names.sort_unstable();
    names.dedup();
    // One after the other: features unify over what is built together.
    let mut functions = if names.is_empty() {
        BTreeMap::new()
    } else {
        binaries::functions(&names, release).await?
    };
    let mut bench = binaries::functions(&["bench"], release).await?;
    if operations.len() > operations.iter().filter(in_workspace).count() {
        functions.extend(binaries::defaults().await?);
    }
    Ok(Built { program: bench.remove("bench").context("the bench was not built")?, functions })
}
