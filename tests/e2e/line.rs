//! The line that each invocation writes. What it says was used is in `budgets`, what it must not say
//! in `logs`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::api;
use crate::stage::{own, payment};

/// The names in the table under "Logs" of docs/operations.md, each of its first column.
fn documented() -> BTreeSet<&'static str> {
    let text = include_str!("../../docs/operations.md");
    let (_, logs) = text.split_once("\n## Logs\n").unwrap();
    let (logs, _) = logs.split_once("\n## ").unwrap();
    let rows = logs.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" | "));
    rows.flat_map(|(names, _)| names.split('`').step_by(2))
        .filter(|name| !name.is_empty())
        .collect()
}

#[tokio::test]
async fn the_line_of_an_invocation_says_what_it_was() {
    let stack = own().await;
    let line = |of: &str| {
        let logs = stack.logs();
        let found: Vec<Value> = logs
            .lines()
            .filter(|line| line.contains("duration_ms") && line.contains(of))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(found.len(), 1, "{of} in {logs}");
        found[0].clone()
    };
    let made = payment(&stack).await;
    let created = line(&made.id.to_string());
    for (name, value) in [
        ("message", json!("answered")),
        ("door", json!("api")),
        ("outcome", json!("ok")),
        ("payment_id", json!(made.id)),
        ("cold", json!(true)),
    ] {
        assert_eq!(created[name], value, "{created}");
    }
    // A trace of our own is named after the invocation.
    let request_id = created["request_id"].as_str().unwrap().replace('-', "");
    assert_eq!(created["trace_id"], request_id);
    let times = ["duration_ms", "dynamodb_ms", "shop_ms", "secrets_ms"];
    assert!(times.iter().all(|name| created[name].is_u64()), "{created}");
    let names: BTreeSet<&str> = created.as_object().unwrap().keys().map(String::as_str).collect();
    // Where in the code it was written says nothing to an operator.
    assert_eq!(documented(), names.into_iter().filter(|name| *name != "target").collect());

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = api::post(&stack, "create").json(&made.request());
    let traced = traced.header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    let problem = traced.send().await.problem("unauthenticated");
    let refused = line(trace);
    assert_eq!(refused["request_id"], problem["request_id"]);
    for (name, value) in [
        ("message", json!("refused")),
        ("outcome", json!("unauthenticated")),
        ("cold", json!(false)),
        ("dynamodb_calls", json!(0)),
    ] {
        assert_eq!(refused[name], value, "{refused}");
    }
    assert_eq!(refused.get("payment_id"), None);
}
