//! A short torture of the real functions, and that its check sees what it is to see.

use std::process::Output;
use std::time::Duration;

use local::audit::Row;
use local::operator::Table;
use local::torture::{self, Options, check::check};
use local::{Stack, StackOptions};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::stage;

#[tokio::test]
async fn what_is_killed_frozen_and_failed_heals_and_what_is_broken_is_named() {
    let stack = StackOptions { instances: 3, ..stage::options().await };
    let stack = Stack::start(stack).await.unwrap();
    let options = Options { time: Duration::from_secs(8), seed: 20_261_123 };
    let (facts, report) = torture::torment(&stack, options).await.unwrap();
    let table = Table::open(Some(&stack.dynamodb), &stack.table).unwrap();
    let items = table.items().await.unwrap();
    let tellings = stack.shop().tellings();
    assert_eq!(report.violations, [""; 0]);
    assert_eq!(check(&items, &facts, &tellings), []);
    assert!(report.kills > 0 && report.stops > 0 && !report.faults.is_empty(), "{report}");
    assert!(report.payments > 5 && tellings.len() > 5, "{report}");

    // What was written by the real functions, damaged by hand.
    let broken = |invariant: &str, items: &[Row]| {
        let found = check(items, &facts, &tellings);
        assert!(found.iter().any(|found| found.promise == invariant), "{invariant}: {found:?}");
    };
    let of = |wanted: &dyn Fn(&Row) -> bool| items.iter().position(wanted).unwrap();
    let without = |at: usize| [&items[..at], &items[at + 1..]].concat();
    let paid = of(&|row| row.text("sk") == "record" && row.number("status") == Some(1));
    broken("I1", &without(of(&|row| row.text("sk") == "guard")));
    broken("I4", &without(paid));
    broken("I6", &without(of(&|row| row.text("verdict") == "applied")));
    let damaged = |name: &str, value: Value| {
        let mut items = items.clone();
        items[paid].0.insert(name.to_owned(), value);
        items
    };
    broken("I3", &damaged("amount", json!(1_000_000)));
    broken("I6", &damaged("version", json!(1)));
    let mut untold = items.clone();
    untold[paid].0.remove("told_at");
    broken("I8", &untold);
    broken("I9", &damaged("work", json!("order#0")));

    // The shop is told once more, as by a function that makes up a key for each telling.
    let mut twice = tellings.clone();
    twice.extend(tellings.first().cloned());
    let last = twice.last_mut().unwrap();
    (last.key, last.counted) = (Some("another".to_owned()), true);
    let found = check(&items, &facts, &twice);
    assert!(found.iter().any(|found| found.promise == "I10"), "{found:?}");
}

#[tokio::test]
async fn the_command_prints_its_figures_and_succeeds() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(["torture", "--seconds", "1", "--seed", "7", "--instances", "1", "--json"]);
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    let (shown, error) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{shown}{error}");
    let figures: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&figures["seed"], &figures["violations"]), (&json!(7), &json!([])));
    assert!(figures["requests"].as_u64().unwrap() > 0 && figures["answers"]["create 200"].is_u64());
}
