//! `cargo local` belongs to the checkout that it is run in, not to the one that it was built in: a
//! checkout can be moved, and two can share a target folder.

use std::fs;

use local::binaries;
use tempfile::TempDir;

use crate::house::sources;
use crate::tools::run_in;

/// What the packages of the functions are in the small checkout.
const MANIFEST: &str = "version = \"0.0.0\"\nedition = \"2024\"\n";

/// A checkout that is built in a second: the real template, and functions that do nothing. The
/// folder of one of them is below it.
fn small() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let template = binaries::workspace().unwrap().join("template.yaml");
    put("template.yaml", &fs::read_to_string(template).unwrap());
    put("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"functions/*\"]\n");
    for function in ["create", "detail", "callback"] {
        let package = format!("[package]\nname = \"{function}\"\n{MANIFEST}");
        put(&format!("functions/{function}/Cargo.toml"), &package);
        put(&format!("functions/{function}/src/main.rs"), "fn main() {}\n");
    }
    root
}

#[tokio::test]
async fn template_and_keys_are_those_of_the_checkout_that_it_is_run_in() {
    let root = small();
    let deep = root.path().join("functions/create");
    fs::write(root.path().join("template.yaml"), "Resources: {}").unwrap();
    let (good, _, error) = run_in(&deep, &["demo"], "").await;
    assert!(!good);
    let template = root.path().join("template.yaml");
    assert_eq!(
        error,
        format!("error: in the template {}: it has no function\n", template.display())
    );

    let sign = ["sign", "--provider", "wechat", "--payment", "1", "--amount", "1"];
    let (good, _, error) = run_in(&deep, &sign, "").await;
    assert!(good, "{error}");
    assert!(root.path().join("target/local-stack").read_dir().unwrap().count() > 0);
}

#[tokio::test]
async fn outside_of_a_checkout_the_error_names_the_cure() {
    let nowhere = tempfile::tempdir().unwrap();
    let sign = ["sign", "--provider", "wechat", "--payment", "1", "--amount", "1"];
    for arguments in [&["demo"][..], &["--port", "0"], &sign, &["bench"], &["torture"]] {
        let (good, output, error) = run_in(nowhere.path(), arguments, "").await;
        assert!(!good && output.is_empty(), "{arguments:?}");
        let cure = "change to the checkout (cd) and run this again\n";
        assert!(error.contains("is not in a checkout of pay"), "{arguments:?}: {error}");
        assert!(error.ends_with(cure), "{arguments:?}: {error}");
    }
    // What needs no file of a checkout works anywhere.
    let (good, token, _) = run_in(nowhere.path(), &["token"], "").await;
    assert!(good && !token.is_empty());
}

#[tokio::test]
async fn a_build_says_what_it_does_and_shows_why_it_fails() {
    let root = small();
    fs::write(root.path().join("functions/create/src/main.rs"), "fn main() { broken(); }\n")
        .unwrap();
    let (good, output, error) = run_in(root.path(), &["demo"], "").await;
    assert!(!good && output.is_empty());
    let announced = "Building callback, create, detail: up to a minute the first time";
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines.first().is_some_and(|line| line.starts_with(announced)), "{error}");
    // Cargo's progress, and the compiler's own words.
    assert!(error.contains("Compiling create v0.0.0"), "{error}");
    assert!(error.contains("cannot find function `broken`"), "{error}");
    assert!(error.contains("functions/create/src/main.rs:1:13"), "{error}");
    let last = "error: cargo could not build callback, create, detail (its messages are above)";
    assert_eq!(lines.last(), Some(&last));
}

#[test]
fn no_program_keeps_the_path_that_it_was_built_in() {
    let kept = ["env!(\"CARGO_MANIFEST", "env!(\"CARGO_BIN", "env!(\"OUT_DIR", "file!()"];
    for folder in ["functions", "payctl", "shared", "tests/bench", "tests/local"] {
        for (path, source) in sources(folder) {
            // The tests of a module run where they were built.
            let source = source.split("#[cfg(test)]").next().unwrap();
            let found = kept.iter().find(|text| source.contains(**text));
            assert_eq!(found, None, "{}", path.display());
        }
    }
}
