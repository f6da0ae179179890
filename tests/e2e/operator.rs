//! The operator's tools, as a person runs them: against the table of a running stack.

use local::{Stack, binaries};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::api;
use crate::stage::{Payment, own, payment, payment_in, report, shown};
use crate::table;

/// The exit code, and what is printed on both outputs.
async fn run(stack: &Stack, arguments: &[&str]) -> (i32, String) {
    let target = ["--aws-endpoint", &stack.dynamodb, "--table", &stack.table];
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let output = command.args(arguments).args(target).current_dir(binaries::workspace());
    let output = output.output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// A payment of 100, and a message in quarantine that says 99 was paid; the message's name.
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
async fn an_audit_finds_a_sound_table_sound_and_a_broken_promise() {
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
    assert!(text.contains("1 in quarantine, 0 orders to be told\n0 violations\n"), "{text}");

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
    let promises: Vec<&str> = found["violations"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|violation| violation["promise"].as_str())
        .collect();
    for promise in ["I1", "I6", "I8", "row"] {
        assert!(promises.contains(&promise), "{found}");
    }
    let (code, text) = run(&stack, &["audit"]).await;
    assert!(code == 1 && text.contains("live payments"), "{text}");
}

#[tokio::test]
async fn a_person_accepts_a_message_and_dismisses_another() {
    let stack = own().await;
    let (paid, accepted) = short(&stack).await;
    let (left, dismissed) = short(&stack).await;
    let (code, text) = run(&stack, &["quarantine", "list"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&accepted) && text.contains(&dismissed), "{text}");
    assert!(text.contains("amount-mismatch  pi_9"), "{text}");
    assert!(text.ends_with("2 messages\n"), "{text}");

    let note = "ada: the provider confirmed 100";
    let resolve = async |message: &str, decision: &str| {
        run(&stack, &["quarantine", "resolve", message, decision, "--note", note]).await
    };
    assert_eq!(resolve(&accepted, "accept").await.0, 0);
    assert_eq!(shown(&stack, paid).await["status"], 1);
    assert_eq!(shown(&stack, paid).await["amount"], 100);
    assert!(table::is_to_be_told(&stack, paid.id).await);
    let all = json!({"reconcile": {"all": true}});
    assert_eq!(stack.invoke("callback", &all).await.unwrap()["told"], 1);
    assert_eq!(stack.shop().times_paid(paid.oid), 1);

    assert_eq!(resolve(&dismissed, "dismiss").await.0, 0);
    assert_eq!(shown(&stack, left).await["status"], 0);
    for (message, why) in [
        (&*accepted, "has decided on this message already"),
        (&*dismissed, "has decided on this message already"),
        ("7/stripe/evt_7", "no such message is in quarantine"),
        ("evt_7", "is not <payment id>/<provider>/<event id>"),
    ] {
        let (code, text) = resolve(message, "accept").await;
        assert!(code == 1 && text.contains(why), "{text}");
    }
    let (_, text) = run(&stack, &["quarantine", "list"]).await;
    assert!(text.ends_with("0 messages\n"), "{text}");
    let (code, text) = run(&stack, &["audit"]).await;
    assert_eq!(code, 0, "{text}");

    let (code, text) = run(&stack, &["history", &paid.id.to_string()]).await;
    assert_eq!(code, 0, "{text}");
    for shown in [&*accepted, "pending -> paid", "quarantined", "applied", note, "told_at"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let (code, text) = run(&stack, &["history", "7"]).await;
    assert!(code == 1 && text.contains("there is no payment 7"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_accepted_is_said_to_be_so() {
    let stack = own().await;
    let (payment, message) = short(&stack).await;
    report(&stack, payment, 3, 1).await.ok();
    let words = ["quarantine", "resolve", &message, "accept", "--note", "x"];
    let (code, text) = run(&stack, &words).await;
    assert!(code == 1 && text.contains("only dismissed: the payment says so already"), "{text}");
    let (code, text) = run(&stack, &["quarantine", "list", "--json"]).await;
    let line: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((code, &line["message"]), (0, &json!(message)));
    assert!(line["body"].as_str().unwrap().contains("\"amount\":99"), "{line}");
    // No one is at home.
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let nowhere = command.args(["audit", "--aws-endpoint", "http://127.0.0.1:9"]).output().await;
    let nowhere = nowhere.unwrap();
    assert_eq!(nowhere.status.code(), Some(1));
    let text = String::from_utf8(nowhere.stderr).unwrap();
    assert!(text.contains("cannot read the table payments"), "{text}");
}
