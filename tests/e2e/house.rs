//! The rules of the house that no lint knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use local::binaries;

/// Every Rust file below a folder of the workspace.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
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
    walk(&binaries::workspace().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder}");
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    found.into_iter().map(read).collect()
}

#[test]
fn only_main_names_an_adapter() {
    for function in ["create", "detail", "callback"] {
        for (path, source) in sources(&format!("functions/{function}/src")) {
            let wires = path.ends_with("main.rs");
            assert_eq!(source.contains("adapters"), wires, "{}", path.display());
        }
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for folder in ["functions", "shared", "tests"] {
        for (path, source) in sources(folder) {
            let lines = source.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn the_template_sets_every_setting_and_no_other() {
    let template = fs::read_to_string(binaries::workspace().join("template.yaml")).unwrap();
    let set: BTreeSet<&str> = template
        .split("Variables:\n")
        .skip(1)
        .flat_map(|variables| {
            variables
                .lines()
                .map(str::trim)
                .take_while(|line| line.is_empty() || is_variable(line) || line.starts_with('#'))
                .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        })
        .collect();
    let config = fs::read_to_string(binaries::workspace().join("shared/service/src/config.rs")).unwrap();
    let config = config.split("#[cfg(test)]").next().unwrap();
    let read: BTreeSet<&str> = config.split('"').filter(|text| is_name(text)).collect();
    assert_eq!(set, read);
}

fn is_variable(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| is_name(name))
}

fn is_name(text: &str) -> bool {
    text.contains('_') && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        || text == "CURRENCY"
}

#[test]
fn what_is_deployed_can_answer_for_a_panic() {
    let manifest = fs::read_to_string(binaries::workspace().join("Cargo.toml")).unwrap();
    let (_, release) = manifest.split_once("[profile.release]\n").unwrap();
    let mut settings = release.lines().take_while(|line| !line.is_empty());
    // Not left to the default: cargo-lambda has another.
    assert!(settings.any(|line| line == r#"panic = "unwind""#));
}
