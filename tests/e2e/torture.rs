//! A short torture run of the real functions. That its checks find each violation is in their unit tests.

use std::process::Output;
use std::time::Duration;

use local::torture::{self, Options, check::check};
use local::{Stack, StackOptions};
use payctl::Table;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::stage;

/// The seeds of the runs that are tried. On a busy machine few requests are made in one, and what a test waits for may
/// happen in none of them.
fn seeds(first: u64) -> std::ops::Range<u64> {
    first..first.saturating_add(4)
}

#[tokio::test]
async fn a_stack_recovers_from_kills_freezes_and_faults() {
    let mut reports = Vec::new();
    for seed in seeds(20_261_123) {
        let stack = StackOptions { instances: 3, ..stage::options().await };
        let stack = Stack::start(stack).await.unwrap();
        let options = Options { time: Duration::from_secs(8), seed };
        let (facts, report) = torture::torment(&stack, options).await.unwrap();
        let table = Table::open(Some(&stack.dynamodb), &stack.table).unwrap();
        let items = table.items().await.unwrap();
        let order_notifications = stack.shop().order_notifications();
        assert_eq!(report.violations, [""; 0]);
        assert_eq!(check(&items, &facts, &order_notifications), []);
        let was_attacked = report.kills > 0 && report.stops > 0 && !report.faults.is_empty();
        let was_busy = report.payments > 5 && order_notifications.len() > 5;
        let had_all = [report.lost, report.found, report.checkouts, report.closes, report.refunds];
        if was_attacked && was_busy && had_all.iter().all(|number| *number > 0) {
            return;
        }
        reports.push(report.to_string());
    }
    panic!("too little was done:\n{}", reports.join("\n"));
}

/// Where no provider can be asked, what its webhook would have reported is lost, and the check says so.
#[tokio::test]
async fn a_stack_that_asks_nobody_loses_payments() {
    let lost = |found: &String| {
        found.starts_with("I23: payment ")
            && found.ends_with(": paid there, and neither paid nor quarantined")
    };
    let mut reports = Vec::new();
    for seed in seeds(20_261_128) {
        let provider_secrets = Some(Value::Null);
        let stack = StackOptions { instances: 3, provider_secrets, ..stage::options().await };
        let stack = Stack::start(stack).await.unwrap();
        let options = Options { time: Duration::from_secs(8), seed };
        let report = torture::run(&stack, options).await.unwrap();
        assert!(report.lost > 0 && report.found == 0, "{report}");
        if report.violations.iter().any(lost) {
            return;
        }
        reports.push(report.to_string());
    }
    panic!("no payment was lost:\n{}", reports.join("\n"));
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
    assert!(
        figures["requests"].as_u64().unwrap() > 0 && figures["responses"]["create 200"].is_u64()
    );
}
