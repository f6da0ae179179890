//! One name, one type: no two modules of what ships define a type of the same name.

use std::collections::BTreeMap;

use super::shipped::shipped;

/// The names of the types that a file defines.
fn defined(text: &str) -> Vec<&str> {
    text.lines().filter_map(definition).collect()
}

/// The name of the type whose definition begins on this line.
fn definition(line: &str) -> Option<&str> {
    let is_top = !line.starts_with(' ');
    let mut item = line.trim_start();
    if let Some(rest) = item.strip_prefix("pub") {
        item = match rest.strip_prefix('(') {
            Some(rest) => rest.split_once(')')?.1,
            None => rest,
        };
    }
    let (keyword, rest) = item.trim_start().split_once(' ')?;
    // Further in, `type` is an associated type, whose name is the trait's.
    let defines =
        matches!(keyword, "struct" | "enum" | "trait" | "union") || (keyword == "type" && is_top);
    let name =
        rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next()?;
    (defines && name.starts_with(|letter: char| letter.is_ascii_uppercase())).then_some(name)
}

#[test]
fn no_two_modules_define_a_type_of_one_name() {
    let shipped = shipped();
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &shipped {
        for name in defined(&file.text) {
            places.entry(name).or_default().push(&file.path);
        }
    }
    assert!(places.len() > 150, "{}: are definitions found?", places.len());
    places.retain(|_, places| places.len() > 1);
    let listed: Vec<String> =
        places.iter().map(|(name, places)| format!("{name}: {}", places.join(", "))).collect();
    assert!(listed.is_empty(), "defined more than once:\n{}", listed.join("\n"));
}

#[test]
fn a_definition_is_found_at_any_visibility() {
    for (line, name) in [
        ("pub struct Amount {", Some("Amount")),
        ("struct Hs256(hmac::Key);", Some("Hs256")),
        ("pub(super) enum Scripted<'a> {", Some("Scripted")),
        ("pub(crate) trait Verifier: fmt::Debug {", Some("Verifier")),
        ("pub type Cause = Box<dyn Error>;", Some("Cause")),
        ("    struct Shape {", Some("Shape")),
        ("    type Data = Bytes;", None),
        ("        pub struct $name(u64);", None),
        ("// struct Old {", None),
        ("impl Amount {", None),
        ("pub use amount::Amount;", None),
    ] {
        assert_eq!(definition(line), name, "{line}");
    }
}
