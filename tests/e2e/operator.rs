//! The operator's tools, as a person runs them, against the table of a running stack.

use local::{Stack, binaries};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::api;
use crate::stage::{Payment, notify, own, payment, payment_in, shown};
use crate::table;

/// Runs `cargo local`. The exit code, and what is printed on standard output and standard error.
async fn local(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let output = command.args(arguments).current_dir(binaries::workspace()).output();
    let output = output.await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// Runs a command on the table of a stack.
async fn run(stack: &Stack, arguments: &[&str]) -> (i32, String) {
    let target = ["--aws-endpoint", &stack.dynamodb, "--table", &stack.table];
    local(&[arguments, &target].concat()).await
}

/// A payment of 100, and the name of a quarantined notification that reports 99 as paid.
async fn short(stack: &Stack) -> (Payment, String) {
    let payment = payment(stack).await;
    let body = json!({"id": payment.id, "uid": payment.uid, "oid": payment.oid, "amount": 99,
                      "source": 3, "status": 1, "provider_txn": "pi_9"});
    let name = format!("msg_{}", payment.id);
    let signed =
        api::post(stack, "callback").json(&body).signed_as(&name, local::clock::now_secs());
    signed.send().await.problem("amount-mismatch");
    (payment, format!("{}/native/{name}", payment.id))
}

#[tokio::test]
async fn an_audit_passes_a_sound_table_and_finds_a_broken_invariant() {
    let stack = own().await;
    for status in [1, 2, 3, 4] {
        payment_in(&stack, status).await;
    }
    let closed = payment_in(&stack, 3).await;
    let again = api::post(&stack, "create").payer(closed.uid).json(&closed.request());
    again.send().await.ok();
    short(&stack).await;
    let (code, text) = run(&stack, &["audit"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("7 payments of 6 orders"), "{text}");
    assert!(text.contains("1 in quarantine, 0 order notifications due\n0 violations\n"), "{text}");

    let mut record = table::record(&stack, closed.id).await;
    record["status"] = json!(1);
    let item = |value: &Value| match value.as_u64() {
        Some(number) => json!({"N": number.to_string()}),
        None => json!({ "S": value }),
    };
    let item: Value = record
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), item(value)))
        .collect();
    table::put(&stack, item).await;
    let (code, text) = run(&stack, &["audit", "--json"]).await;
    assert_eq!(code, 1, "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    let invariants: Vec<&str> = found["violations"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|violation| violation["invariant"].as_str())
        .collect();
    for invariant in ["I1", "I6", "I8", "row"] {
        assert!(invariants.contains(&invariant), "{found}");
    }
    let (code, text) = run(&stack, &["audit"]).await;
    assert!(code == 1 && text.contains("live payments"), "{text}");
}

#[tokio::test]
async fn an_operator_accepts_a_notification_and_dismisses_another() {
    let stack = own().await;
    let (paid, accepted) = short(&stack).await;
    let (left, dismissed) = short(&stack).await;
    let (code, text) = run(&stack, &["quarantine", "list"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&accepted) && text.contains(&dismissed), "{text}");
    assert!(text.contains("pi_9         amount: expected 100, received 99"), "{text}");
    assert!(text.ends_with("2 notifications\n"), "{text}");

    let note = "ada: the provider confirmed 100";
    let resolve = async |name: &str, decision: &str| {
        run(&stack, &["quarantine", "resolve", name, decision, "--note", note]).await
    };
    assert_eq!(resolve(&accepted, "accept").await.0, 0);
    assert_eq!(shown(&stack, paid).await["status"], 1);
    assert_eq!(shown(&stack, paid).await["amount"], 100);
    assert!(table::is_due(&stack, paid.id).await);
    let (code, text) = local(&["sweep", "--all", "--api", &stack.api]).await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["notified"], 1);
    assert_eq!(stack.shop().times_paid(paid.oid), 1);

    assert_eq!(resolve(&dismissed, "dismiss").await.0, 0);
    assert_eq!(shown(&stack, left).await["status"], 0);
    for (name, why) in [
        (&*accepted, "has decided on this notification already"),
        (&*dismissed, "has decided on this notification already"),
        ("7/stripe/evt_7", "no such notification is in quarantine"),
        ("evt_7", "is not <payment id>/<sender>/<event id>"),
    ] {
        let (code, text) = resolve(name, "accept").await;
        assert!(code == 1 && text.contains(why), "{text}");
    }
    let (_, text) = run(&stack, &["quarantine", "list"]).await;
    assert!(text.ends_with("0 notifications\n"), "{text}");
    let (code, text) = run(&stack, &["audit"]).await;
    assert_eq!(code, 0, "{text}");

    let (code, text) = run(&stack, &["history", &paid.id.to_string()]).await;
    assert_eq!(code, 0, "{text}");
    let mismatch = "amount: expected 100, received 99";
    for shown in [
        &*accepted,
        "pending -> paid",
        "quarantined",
        mismatch,
        "applied",
        note,
        "notified_time",
        "3       pi_9",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let (code, text) = run(&stack, &["history", "7"]).await;
    assert!(code == 1 && text.contains("there is no payment 7"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_accepted_is_rejected_with_the_reason() {
    let stack = own().await;
    let (payment, name) = short(&stack).await;
    notify(&stack, payment, 3, 1).await.ok();
    let arguments = ["quarantine", "resolve", &name, "accept", "--note", "x"];
    let (code, text) = run(&stack, &arguments).await;
    assert!(
        code == 1 && text.contains("only dismissed: the payment has this status or a higher one"),
        "{text}"
    );
    let (code, text) = run(&stack, &["quarantine", "list", "--json"]).await;
    let line: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((code, &line["event"]), (0, &json!(name)));
    assert!(line["body"].as_str().unwrap().contains("\"amount\":99"), "{line}");
    // Nothing listens there.
    let (code, text) = local(&["audit", "--aws-endpoint", "http://127.0.0.1:9"]).await;
    assert!(code == 1 && text.contains("cannot read the table payments"), "{text}");
}
