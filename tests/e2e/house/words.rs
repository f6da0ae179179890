//! Retired words: what an idea was called before it got its word in docs/glossary.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use local::binaries;

use super::shipped::shipped;
use super::sources;

/// A retired word, by how it is recognized.
#[derive(Clone, Copy, Debug)]
enum Retired {
    /// This word.
    Word(&'static str),
    /// Every word that begins so.
    Stem(&'static str),
    /// These words in a row, whatever separates them.
    Phrase(&'static str),
    /// This name in code, by its exact spelling; one with `_` also as a part of a name.
    Name(&'static str),
}

use Retired::{Name, Phrase, Stem, Word};

const RETIRED: [Retired; 49] = [
    Word("told"),
    Word("untold"),
    Word("telling"),
    Word("tellings"),
    Name("tell_paid"),
    Name("to_tell"),
    Stem("reconcil"),
    Stem("misfit"),
    Word("unfit"),
    Word("park"),
    Word("parks"),
    Word("parked"),
    Word("parking"),
    Word("stray"),
    Word("strays"),
    Stem("thank"),
    Word("teach"),
    Word("teaches"),
    Word("teaching"),
    Word("taught"),
    Word("door"),
    Word("doors"),
    Word("mend"),
    Word("mends"),
    Word("mended"),
    Word("mending"),
    Word("refusal"),
    Word("refusals"),
    Word("answer"),
    Word("answers"),
    Word("answered"),
    Word("answering"),
    Word("edge"),
    Word("edges"),
    Word("foreign"),
    Stem("promise"),
    Word("promising"),
    Phrase("put off"),
    Phrase("puts off"),
    Phrase("putting off"),
    Phrase("work list"),
    Phrase("work lists"),
    Phrase("work index"),
    Stem("settl"),
    Word("notice"),
    Word("notices"),
    Word("noticed"),
    Name("PaymentProvider"),
    Name("Money"),
];

/// Where a retired word may stand: file, word, reason.
const ALLOWED: [(&str, &str, &str); 1] = [(
    "docs/glossary.md",
    "reconcile",
    "it has one meaning, to compare with a provider's statement, and the glossary says so",
)];

/// A line of a file.
struct Line<'a> {
    /// Its words in lower case, those within `snake_case` and `CamelCase` too.
    words: Vec<String>,
    /// What of it is code.
    code: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn of(text: &'a str, is_rust: bool) -> Self {
        let (code, prose) = match text.split_once("//") {
            Some((code, comment)) if is_rust => (code, comment),
            None if is_rust => (text, ""),
            _ => ("", text),
        };
        let quoted = prose.split('`').skip(1).step_by(2);
        Self { words: words(text), code: std::iter::once(code).chain(quoted).collect() }
    }

    /// A retired word as the line has it, if it does.
    fn find(&self, retired: Retired) -> Option<String> {
        match retired {
            Word(word) => self.words.iter().find(|found| *found == word).cloned(),
            Stem(stem) => self.words.iter().find(|found| found.starts_with(stem)).cloned(),
            Phrase(phrase) => {
                let parts: Vec<&str> = phrase.split(' ').collect();
                let mut windows = self.words.windows(parts.len());
                windows.any(|window| window == parts).then(|| phrase.to_owned())
            }
            Name(name) => {
                let names = self.code.iter().flat_map(|code| {
                    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                });
                let fits =
                    |found: &&str| *found == name || (name.contains('_') && found.contains(name));
                names.into_iter().find(fits).map(str::to_owned)
            }
        }
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_after_lower_case = false;
    for letter in text.chars() {
        if !letter.is_alphabetic() || (letter.is_uppercase() && is_after_lower_case) {
            words.push(String::new());
        }
        if letter.is_alphabetic() {
            words.last_mut().unwrap().extend(letter.to_lowercase());
        }
        is_after_lower_case = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every text that the rule is for, by its path: the code that ships, the template, the documents, and the
/// text of the command lines.
fn texts() -> Vec<(String, String)> {
    let root = binaries::workspace().unwrap();
    let mut texts: Vec<(String, String)> =
        shipped().into_iter().map(|file| (file.path, file.text)).collect();
    let mut files: Vec<String> =
        ["template.yaml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned).into();
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        // Pictures have no words.
        if path.extension().is_none_or(|of| of != "png") {
            files.push(format!("docs/{}", path.file_name().unwrap().to_str().unwrap()));
        }
    }
    let mut programs = sources("tests/local/src");
    programs.retain(|(path, _)| path.to_str().unwrap().contains("/src/cli"));
    assert!(!programs.is_empty());
    for (path, text) in programs {
        texts.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), text));
    }
    for file in files {
        let text = fs::read_to_string(root.join(&file)).unwrap();
        texts.push((file, text));
    }
    texts
}

/// The part of a line that the rule is for: of the glossary's table all but the column of retired words.
fn part<'a>(path: &str, line: &'a str) -> &'a str {
    if path == "docs/glossary.md" && line.starts_with('|') {
        let row = line.trim_end_matches('|');
        return row.rsplit_once('|').unwrap().0;
    }
    line
}

#[test]
fn no_retired_word_comes_back() {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for (path, text) in texts() {
        let is_rust = Path::new(&path).extension().is_some_and(|kind| kind == "rs");
        for (number, text) in (1..).zip(text.lines()) {
            let line = Line::of(part(&path, text), is_rust);
            for word in RETIRED.into_iter().filter_map(|retired| line.find(retired)) {
                match ALLOWED
                    .iter()
                    .find(|(file, allowed, _)| (*file, *allowed) == (&*path, &*word))
                {
                    Some(allowed) => drop(used.insert(*allowed)),
                    None => found.push(format!("{path}:{number}: {word}: {}", text.trim())),
                }
            }
        }
    }
    assert!(found.is_empty(), "{} retired words:\n{}", found.len(), found.join("\n"));
    assert_eq!(used, ALLOWED.into(), "exceptions that nothing needs");
}

#[test]
fn a_retired_word_is_found_in_every_spelling() {
    let found = |line: &str, is_rust: bool| -> Vec<String> {
        let line = Line::of(line, is_rust);
        RETIRED.into_iter().filter_map(|retired| line.find(retired)).collect()
    };
    for (line, word) in [
        ("/// It is told once.", "told"),
        ("let told_at = 1;", "told"),
        ("struct Untold;", "untold"),
        ("fn is_to_be_told() {}", "told"),
        (r#""order not told yet""#, "told"),
        ("the telling of it", "telling"),
        ("store.tell_paid(id)", "tell_paid"),
        ("let orders_to_tell = 1;", "orders_to_tell"),
        ("cargo local reconcile", "reconcile"),
        ("Reconciliation", "reconciliation"),
        ("enum Misfits {", "misfits"),
        ("UNFIT", "unfit"),
        ("it parks the message", "parks"),
        ("a Parked one", "parked"),
        ("stray#native", "stray"),
        ("thanked for", "thanked"),
        ("Thanks::Json", "thanks"),
        ("it teaches the record", "teaches"),
        ("taught", "taught"),
        ("enum Door {", "door"),
        ("by both doors", "doors"),
        ("mended by", "mended"),
        ("struct Refusal {", "refusal"),
        ("the refusals of", "refusals"),
        ("the answer to it", "answer"),
        ("it answers 200", "answers"),
        ("what is answered", "answered"),
        ("answering it", "answering"),
        ("mod edge;", "edge"),
        ("both edges", "edges"),
        ("is_foreign", "foreign"),
        ("mod promises;", "promises"),
        ("what is promised", "promised"),
        ("it is put off", "put off"),
        (r#""put_off""#, "put off"),
        ("the work-list", "work list"),
        ("work-index", "work index"),
        ("settle(store)", "settle"),
        ("settlement", "settlement"),
        ("settling", "settling"),
        ("a failure is that request's to notice", "notice"),
        ("unless noticed", "noticed"),
        ("use a::{Money, B};", "Money"),
        ("enum PaymentProvider {", "PaymentProvider"),
    ] {
        assert_eq!(found(line, true), [word], "{line}");
    }
    assert_eq!(found("the type `Money`", false), ["Money"]);
    for line in [
        "/// Money moved for the first time.",
        "no way to tell",
        "it tells",
        "a spark and a market, a thermometer, an outdoor parka",
        "recommended amendments",
        "an unnoticed compromise",
        "put it off",
        "a network list",
        "the payment provider",
    ] {
        assert_eq!(found(line, true), [""; 0], "{line}");
    }
}
