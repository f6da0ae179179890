//! The Rust code that ships: without tests, and without what only tests switch on.

use std::path::PathBuf;

use local::binaries;

use super::sources;

/// A file of the code that ships.
pub(super) struct Shipped {
    /// Its path in the workspace.
    pub(super) path: String,
    /// Its text. Lines that do not ship are empty.
    pub(super) text: String,
}

/// What begins an item that does not ship.
const NOT_SHIPPED: [&str; 2] = ["#[cfg(test)]", r#"#[cfg(feature = "testing")]"#];

/// Every file of the crates and programs that ships.
pub(super) fn shipped() -> Vec<Shipped> {
    let mut files: Vec<(PathBuf, String)> =
        ["shared", "functions", "payctl"].into_iter().flat_map(sources).collect();
    let own = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "src");
    files.retain(|(path, _)| own(path));
    let mut excluded = Vec::new();
    let mut shipped = Vec::new();
    for (path, source) in files {
        let (text, modules) = strip(&source);
        // The folder of a file's modules.
        let folder = match path.file_stem().unwrap().to_str().unwrap() {
            "lib" | "main" => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        excluded.extend(modules.into_iter().map(|name| folder.join(name)));
        shipped.push((path, text));
    }
    assert!(!excluded.is_empty());
    shipped.retain(|(path, _)| {
        let is_in =
            |module: &PathBuf| path.starts_with(module) || path.with_extension("") == *module;
        !excluded.iter().any(is_in)
    });
    let root = binaries::workspace().unwrap();
    let relative = |path: PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    shipped.into_iter().map(|(path, text)| Shipped { path: relative(path), text }).collect()
}

/// A file's text with the lines of items that do not ship emptied, and the names of such modules that
/// have files of their own.
fn strip(source: &str) -> (String, Vec<String>) {
    let (mut text, mut modules) = (String::new(), Vec::new());
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if !NOT_SHIPPED.contains(&line.trim()) {
            text.push_str(line);
            text.push('\n');
            continue;
        }
        text.push('\n');
        let indent: String = line.chars().take_while(|letter| *letter == ' ').collect();
        let mut next = || {
            let next = lines.next().unwrap();
            text.push('\n');
            next
        };
        let mut item = next();
        while item.trim_start().starts_with("#[") {
            item = next();
        }
        if let Some(name) = item.strip_suffix(';').and_then(|item| item.split_once("mod ")) {
            modules.push(name.1.to_owned());
        }
        // An item of several lines ends with a brace under its first letter.
        if !item.ends_with([';', ',', '}']) {
            let end = format!("{indent}}}");
            while !next().starts_with(&end) {}
        }
    }
    (text, modules)
}

#[test]
fn what_does_not_ship_is_stripped() {
    let source = "\
use a::B;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[cfg(feature = \"testing\")]
mod world;
fn one() {}
#[cfg(test)]
mod inner {
    use super::*;

    fn two() {
        three();
    }
}
struct Four {
    #[cfg(test)]
    five: u8,
    six: u8,
}
";
    let (text, modules) = strip(source);
    assert_eq!(modules, ["tests", "world"]);
    assert_eq!(text.lines().count(), source.lines().count());
    let kept: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(kept, ["use a::B;", "fn one() {}", "struct Four {", "    six: u8,", "}"]);
}
