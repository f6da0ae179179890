//! Rules of this repository that no lint checks.

mod shipped;
mod types;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use local::binaries;

use crate::operations;

/// Every Rust file below a folder of the workspace.
pub(crate) fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&binaries::workspace().unwrap().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder}");
    found.sort();
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    found.into_iter().map(read).collect()
}

#[test]
fn only_main_names_an_adapter() {
    for function in operations::functions() {
        for (path, source) in sources(&format!("functions/{function}/src")) {
            let wires = path.ends_with("main.rs");
            assert_eq!(source.contains("adapters"), wires, "{}", path.display());
        }
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for folder in ["functions", "payctl", "shared", "tests"] {
        for (path, source) in sources(folder) {
            let lines = source.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn a_release_can_respond_after_a_panic() {
    let manifest = fs::read_to_string(binaries::workspace().unwrap().join("Cargo.toml")).unwrap();
    let (_, release) = manifest.split_once("[profile.release]\n").unwrap();
    let mut settings = release.lines().take_while(|line| !line.is_empty());
    // Not left to the default: cargo-lambda has another.
    assert!(settings.any(|line| line == r#"panic = "unwind""#));
}
