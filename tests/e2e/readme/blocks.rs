//! The blocks of commands in the documents: pasted in order into a shell, beside a stack, they print what
//! the documents show.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use local::{Stack, StackOptions, binaries};
use pay_core::domain::Provider;
use pay_core::ports::SecretKeys as _;
use pay_providers::WebhookKeys;
use pay_service::auth::AuthKey;
use regex::Regex;
use serde_json::Value;
use tokio::process::Command;

use super::{rows, section, workspace_file};
use crate::payctl;
use crate::stage;

/// What is not run here, by its first words: what serves, and what takes hours, AWS, or a container.
const ELSEWHERE: [&str; 10] = [
    "cargo local\n",
    "cargo local demo --serve",
    "cargo local bench",
    "cargo local torture",
    "cargo mutants",
    "cargo test",
    "python3 -m venv",
    "sam build",
    "for f in ",
    "aws ",
];

/// Runs what is built instead of building it again, on this test's own stack instead of the port that a
/// person's has.
const CARGO: &str = r#"#!/bin/sh
[ "$1" = --quiet ] && shift
case $1 in local) program=$LOCAL ;; payctl) program=$PAYCTL ;; *) exit 9 ;; esac
shift
for argument; do
  shift
  case $argument in --curl | --local) argument=$argument=$API ;; esac
  set -- "$@" "$argument"
done
exec "$program" "$@"
"#;

/// Stands for the AWS CLI: an output is its own name, and so is the file with a secret's value.
const AWS: &str = r#"#!/bin/sh
case "$1 $2" in
  "cloudformation describe-stacks") printf %s "$*" | sed "s/.*OutputKey=='\([A-Za-z]*\)'.*/\1/" ;;
  "secretsmanager get-secret-value") cat "$SECRETS/$4" ;;
  "secretsmanager put-secret-value") cat >"$SECRETS/$4" ;;
  *) exit 9 ;;
esac
"#;

/// A block of commands, and what the page shows of its output.
#[derive(Debug)]
struct Block {
    commands: String,
    shown: Option<String>,
}

/// The blocks of a page, in order. Those in a list are indented.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines();
    let mut fresh = false;
    while let Some(line) = lines.next() {
        let Some((indent, language)) = line.split_once("```") else {
            fresh &= line.is_empty() || !line.starts_with('#');
            continue;
        };
        let inside = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let inside: Vec<&str> = inside.map(|line| line.get(indent.len()..).unwrap()).collect();
        let text = format!("{}\n", inside.join("\n"));
        match language {
            "sh" => blocks.push(Block { commands: text, shown: None }),
            "text" if fresh => blocks.last_mut().unwrap().shown = Some(text),
            _ => {}
        }
        // What is shown belongs to the commands before it.
        fresh = language == "sh";
    }
    blocks
}

impl Block {
    fn runs_here(&self) -> bool {
        !ELSEWHERE.iter().any(|start| self.commands.starts_with(start))
    }
}

/// A text without what differs from run to run: ids, times, signatures, and the width of columns.
fn stable(text: &str) -> String {
    const HEX: &str = "[0-9a-f]";
    let uuid = format!(r"\b{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}\b");
    let changes = [
        (uuid.as_str(), "UUID"),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]+)?Z", "TIME"),
        (r"v1,[A-Za-z0-9+/]{43}=", "SIGNATURE"),
        (r"\b[0-9]{12,}\b", "ID"),
        (r"\b[0-9a-f]{8,64}\b", "HEX"),
        (" +", " "),
        (r" ?\n", "\n"),
    ];
    let replace = |text: String, (pattern, by): &(&str, &str)| {
        Regex::new(pattern).unwrap().replace_all(&text, *by).into_owned()
    };
    changes.iter().fold(text.to_owned(), replace).trim().to_owned()
}

/// A folder with programs that stand before all others.
fn programs(folder: &Path) -> String {
    for (name, text) in [("cargo", CARGO), ("aws", AWS)] {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// A run of blocks in one shell: the exit code of each and what it printed.
struct Pasted {
    results: Vec<(i32, String)>,
    errors: String,
}

/// Pastes blocks into one shell, with the values of secrets in this folder: in the clone beside a stack,
/// or else in that folder.
async fn paste(stack: Option<&Stack>, secrets: &Path, blocks: &[&Block]) -> Pasted {
    let folder = tempfile::tempdir().unwrap();
    let clone = binaries::workspace().unwrap();
    let api = stack.map(|stack| stack.api.clone()).unwrap_or_default();
    // What comes after a block is its exit code.
    let end = "printf '\\036%d\\036' $?\n";
    let script: Vec<&str> =
        blocks.iter().flat_map(|block| [block.commands.as_str(), end]).collect();
    let script = script.concat();
    let script = script.replace("http://127.0.0.1:8003", &api);
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(if stack.is_some() { &clone } else { secrets })
        .stdin(std::process::Stdio::null())
        .env("PATH", programs(folder.path()))
        .env("LOCAL", env!("CARGO_BIN_EXE_local"))
        .env("PAYCTL", payctl::program().await)
        .env("API", &api)
        .env("SECRETS", secrets)
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut parts = printed.split('\u{1e}');
    let mut results = Vec::new();
    while let (Some(text), Some(code)) = (parts.next(), parts.next()) {
        results.push((code.parse().unwrap(), text.to_owned()));
    }
    assert_eq!(results.len(), blocks.len(), "{printed}");
    Pasted { results, errors: String::from_utf8(output.stderr).unwrap() }
}

/// Pastes all blocks of these texts that run here, beside a stack of their own, and compares what is
/// printed with what is shown.
async fn follow(texts: &[&str]) {
    let stack =
        Stack::start(StackOptions { instances: 1, ..stage::options().await }).await.unwrap();
    let all: Vec<Block> = texts.iter().flat_map(|text| blocks(text)).collect();
    let run: Vec<&Block> = all.iter().filter(|block| block.runs_here()).collect();
    let secrets = tempfile::tempdir().unwrap();
    let pasted = paste(Some(&stack), secrets.path(), &run).await;
    for (block, (code, printed)) in run.iter().zip(&pasted.results) {
        let Block { commands, shown } = block;
        assert_eq!(*code, 0, "{commands}\n{printed}\n{}", pasted.errors);
        let Some(shown) = shown.as_deref().map(stable) else { continue };
        let printed = stable(printed);
        // A page shows the beginning of what is long.
        let same = match shown.strip_suffix("\n…") {
            Some(beginning) => printed.starts_with(beginning),
            None => printed == shown,
        };
        assert!(same, "{commands}\nshown:\n{shown}\nprinted:\n{printed}\n{}", pasted.errors);
    }
    stack.stop().await.unwrap();
}

/// The part of the README that every other page goes on from.
fn beginning(readme: &str) -> &str {
    section(readme, "Serve it, and call it with curl")
}

/// The part of the page on the local stack that other pages go on from.
fn shop(local: &str) -> &str {
    section(local, "Another user, another order")
}

#[tokio::test]
async fn the_readme_pasted_from_top_to_bottom_prints_what_it_shows() {
    follow(&[&workspace_file("README.md")]).await;
}

#[tokio::test]
async fn the_pages_that_go_on_from_the_readme_print_what_they_show() {
    let [readme, local, api, webhooks] =
        ["README.md", "docs/local.md", "docs/api.md", "docs/providers.md"].map(workspace_file);
    follow(&[beginning(&readme), &local]).await;
    follow(&[beginning(&readme), shop(&local), &api]).await;
    follow(&[beginning(&readme), shop(&local), &webhooks]).await;
}

/// Every page with blocks of commands, and the blocks.
fn pages() -> BTreeMap<PathBuf, Vec<Block>> {
    let root = binaries::workspace().unwrap();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let markdown = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let pages = markdown.chain([root.join("README.md"), root.join("CONTRIBUTING.md")]);
    pages.map(|path| (path.clone(), blocks(&fs::read_to_string(path).unwrap()))).collect()
}

#[test]
fn a_block_can_be_pasted_as_it_is() {
    let placeholder = Regex::new(r"<[a-z][A-Za-z0-9 _-]*>|…|\.\.\.").unwrap();
    let mut read = 0;
    for (path, blocks) in pages() {
        for block in blocks {
            let found = placeholder.find(&block.commands).map(|found| found.as_str());
            assert_eq!(found, None, "{}: {}", path.display(), block.commands);
            read += 1;
        }
    }
    assert!(read > 40, "{read}");
}

/// The first key under `standard` of a webhook secret, all of them, and whether Stripe's entry is there.
fn keys(secrets: &Path) -> (String, usize, bool) {
    let text = fs::read_to_string(secrets.join("WebhookSecretArn")).unwrap();
    let keys = WebhookKeys::from_secret(&text).unwrap();
    assert_eq!(keys.unusable(), []);
    let value: Value = serde_json::from_str(&text).unwrap();
    let standard = value["standard"].as_array().unwrap();
    let stripe = keys.usable().any(|name| name == Provider::Stripe.as_str());
    (standard[0].as_str().unwrap().to_owned(), standard.len(), stripe)
}

#[tokio::test]
async fn the_first_webhook_secret_that_the_readme_makes_can_be_used() {
    let readme = workspace_file("README.md");
    let blocks = blocks(section(&readme, "Deploy"));
    let makes = blocks.iter().find(|block| block.commands.contains("openssl rand")).unwrap();
    let secrets = tempfile::tempdir().unwrap();
    let pasted = paste(None, secrets.path(), &[makes]).await;
    assert_eq!(pasted.results[0].0, 0, "{}", pasted.errors);
    assert_eq!(keys(secrets.path()).1, 1);
}

#[tokio::test]
async fn a_secret_is_rotated_by_the_commands_as_they_are() {
    let page = workspace_file("docs/operations.md");
    let defining = blocks(section(&page, "Before you use the commands"));
    let rotating = blocks(section(&page, "Rotate a secret"));
    let [access, add, remove, fetch, put, replace] = rotating.as_slice() else {
        panic!("{rotating:?}")
    };
    assert!(!replace.runs_here(), "the last one replaces environments");
    let secrets = tempfile::tempdir().unwrap();
    let before = local::defaults::webhook_secrets().unwrap().to_string();
    fs::write(secrets.path().join("WebhookSecretArn"), &before).unwrap();
    let (old, _, _) = keys(secrets.path());
    let run = async |blocks: &[&Block]| {
        let blocks = [&[&defining[0]], blocks].concat();
        let pasted = paste(None, secrets.path(), &blocks).await;
        let failed = pasted.results.iter().any(|(code, _)| *code != 0);
        assert!(!failed, "{:?} {}", pasted.results, pasted.errors);
    };
    run(&[access, add]).await;
    let access = fs::read_to_string(secrets.path().join("AccessSecretArn")).unwrap();
    AuthKey::from_secret(&access).unwrap();
    let (new, all, stripe) = keys(secrets.path());
    assert!(new != old && all == 2 && stripe);
    run(&[remove]).await;
    assert_eq!(keys(secrets.path()), (new.clone(), 1, true));
    run(&[fetch, put]).await;
    assert_eq!(keys(secrets.path()), (new, 1, true));
    assert!(!secrets.path().join("webhooks.json").exists());
}

#[test]
fn what_the_local_stack_does_not_answer_is_marked() {
    let page = workspace_file("docs/operations.md");
    let table: Vec<Vec<&str>> = rows(section(&page, "Before you use the commands")).collect();
    let marked: BTreeSet<&str> = table.iter().flat_map(|cells| cells[0].split('`')).collect();
    let called =
        Regex::new(r"\b(aws [a-z]+ [a-z-]+|sam [a-z]+|payctl|logs|output|secret|put_secret) ");
    let called = called.unwrap();
    let mut used = BTreeSet::new();
    for block in blocks(&page) {
        // `aws logs tail` is not our `logs`.
        let commands = block.commands.lines().filter(|line| !line.trim_start().starts_with('-'));
        for line in commands {
            used.extend(called.captures_iter(line).map(|found| found[1].to_owned()));
        }
    }
    assert!(used.len() > 15, "{used:?}");
    for command in used {
        assert!(marked.contains(command.as_str()), "{command} has no row");
    }
}
