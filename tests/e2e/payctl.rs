//! `payctl` as a person runs it, against the table and the functions of a running stack.

mod unreadable;

use std::path::PathBuf;

use local::messages::{Message, Outcome};
use local::{Stack, binaries};
use pay_core::domain::Provider;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::api;
use crate::stage::{Payment, notify, own, own_with, payment, payment_in, shared, shown};
use crate::table;

/// The program as it is installed: built alone, without what tests switch on.
pub(crate) async fn program() -> PathBuf {
    static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    PROGRAM.get_or_init(|| async { binaries::payctl().await.unwrap() }).await.clone()
}

/// Runs it on no stack. The exit code, and what is printed on standard output and standard error.
pub(crate) async fn anywhere(arguments: &[&str]) -> (i32, String) {
    payctl(arguments).await
}

/// Runs it. The exit code, and what is printed on standard output and standard error.
async fn payctl(arguments: &[&str]) -> (i32, String) {
    // Nothing of this process's own AWS.
    let output = Command::new(program().await).args(arguments).env_clear().output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// Runs a command on a stack, which it finds by the URL of its API.
pub(crate) async fn run(stack: &Stack, arguments: &[&str]) -> (i32, String) {
    let local = format!("--local={}", stack.api);
    payctl(&[arguments, &[&local]].concat()).await
}

/// The same, which must succeed. What is printed.
pub(crate) async fn ok(stack: &Stack, arguments: &[&str]) -> String {
    let (code, text) = run(stack, arguments).await;
    assert_eq!(code, 0, "{text}");
    text
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
    let text = ok(&stack, &["audit"]).await;
    assert!(text.contains("7 payments of 6 orders"), "{text}");
    let rest = "0 checkouts, 1 refunds; 1 in quarantine, 3 due\n0 violations\n";
    assert!(text.contains(rest), "{text}");

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
    assert_eq!(code, 3, "{text}");
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
    assert!(code == 3 && text.contains("is live, and the guard names"), "{text}");
}

#[tokio::test]
async fn an_operator_accepts_a_notification_and_dismisses_another() {
    let stack = own().await;
    let (paid, accepted) = short(&stack).await;
    let (left, dismissed) = short(&stack).await;
    let text = ok(&stack, &["quarantine", "list"]).await;
    assert!(text.contains(&accepted) && text.contains(&dismissed), "{text}");
    assert!(text.contains("pi_9         amount: expected 100, received 99"), "{text}");
    assert!(text.ends_with("2 notifications\n"), "{text}");

    let note = "the provider confirmed 100";
    let resolve = async |name: &str, decision: &str| {
        let arguments = ["quarantine", decision, name, "--by", "ada", "--note", note];
        run(&stack, &arguments).await
    };
    assert_eq!(resolve(&accepted, "accept").await.0, 0);
    assert_eq!(shown(&stack, paid).await["status"], 1);
    assert_eq!(shown(&stack, paid).await["amount"], 100);
    assert!(table::is_due(&stack, paid.id).await);
    let (code, text) = run(&stack, &["sweep", "--all"]).await;
    assert_eq!(
        (code, &*text),
        (
            0,
            "1 notified, 1 queried, 0 moved, 0 rescheduled, 0 abandoned, 0 failed, 0 stale, 0 left\n"
        )
    );
    assert_eq!(stack.shop().times_paid(paid.oid), 1);

    assert_eq!(resolve(&dismissed, "dismiss").await.0, 0);
    assert_eq!(shown(&stack, left).await["status"], 0);
    for (name, why) in [
        (&*accepted, "it is decided already: accepted by ada, 2"),
        (&*dismissed, "it is decided already: dismissed by ada, 2"),
        (&*dismissed, ": the provider confirmed 100"),
        ("7/stripe/evt_7", "there is no notification 7/stripe/evt_7"),
        ("evt_7", "is not <payment id>/<sender>/<event id>"),
    ] {
        let (code, text) = resolve(name, "accept").await;
        assert!(code == 1 && text.contains(why), "{text}");
    }
    let (_, text) = run(&stack, &["quarantine", "list"]).await;
    assert!(text.ends_with("0 notifications\n"), "{text}");
    ok(&stack, &["audit"]).await;

    let text = ok(&stack, &["history", &paid.id.to_string()]).await;
    let mismatch = "amount: expected 100, received 99";
    for shown in [
        &*accepted,
        "pending -> paid",
        "quarantined, accepted",
        mismatch,
        "applied",
        "ada  the provider confirmed 100",
        "notified_time",
        "3       pi_9",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let text = ok(&stack, &["quarantine", "show", &accepted]).await;
    for shown in ["review        accepted by ada, 2", "note          the provider confirmed 100"] {
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
    // Elsewhere than on a local stack somebody has to say who decides.
    let unnamed = ["quarantine", "accept", &name, "--note", "x", "--endpoint", &stack.dynamodb];
    let (code, text) = payctl(&unnamed).await;
    assert!(code == 1 && text.contains("say who decides with --by NAME"), "{text}");
    let long = "é".repeat(1025);
    let (code, text) = run(&stack, &["quarantine", "dismiss", &name, "--note", &long]).await;
    assert!(
        code == 2 && text.contains("1 to 1024 characters are needed, and it has 1025"),
        "{text}"
    );
    let (other, _) = short(&stack).await;
    let other = other.id.to_string();
    let onto = ["quarantine", "accept", &name, "--by", "ada", "--note", "x", "--payment", &other];
    let (code, text) = run(&stack, &onto).await;
    assert!(code == 1 && text.contains("is not accepted onto another payment"), "{text}");
    let arguments = ["quarantine", "accept", &name, "--by", "ada", "--note", "x"];
    let (code, text) = run(&stack, &arguments).await;
    assert!(
        code == 1 && text.contains("only dismissed: the payment has this status or a higher one"),
        "{text}"
    );
    let (code, text) = run(&stack, &["quarantine", "list", "--json"]).await;
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((code, &line["event"]), (0, &json!(name)));
    assert!(line["body"].as_str().unwrap().contains("\"amount\":99"), "{line}");
    let text = ok(&stack, &["quarantine", "show", &name]).await;
    for shown in [
        "review        waits for a decision",
        "mismatch      amount: expected 100, received 99",
        "amount           99            100",
        "outcome, status  paid          paid",
        "\"amount\":99",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let (code, text) = run(&stack, &["quarantine", "show", &name, "--json"]).await;
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &shown["notification"]["event"]), (0, &json!(name)));
    assert_eq!(shown["record"]["amount"], 100);
}

#[tokio::test]
async fn an_unmatched_notification_is_accepted_onto_the_payment_that_is_named() {
    let stack = own().await;
    let payment = payment(&stack).await;
    // A payment at Stripe whose metadata was lost.
    let paid = Message::new(payment.id, payment.amount, Outcome::Paid);
    let lost = paid.edited(Provider::Stripe, |event| {
        event["data"]["object"]["metadata"] = json!({});
    });
    api::from_provider(&stack, Provider::Stripe, &lost.unwrap()).send().await.ok();
    let (_, text) = run(&stack, &["quarantine", "list", "--json"]).await;
    let line: Value = serde_json::from_str(text.trim()).unwrap();
    let name = line["event"].as_str().unwrap();
    assert!(name.starts_with("unmatched/stripe/"), "{name}");
    let id = payment.id.to_string();
    let accept = async |rest: &[&str]| {
        let decision = ["quarantine", "accept", name, "--by", "ada", "--note", "seen at Stripe"];
        run(&stack, &[&decision, rest].concat()).await
    };
    let (code, text) = accept(&[]).await;
    assert!(code == 1 && text.contains("it names no payment of ours: name the one"), "{text}");
    let (code, text) = accept(&["--payment", &id]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&format!("is accepted by ada; payment {id} is paid")), "{text}");
    run(&stack, &["sweep", "--all"]).await;
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    let (_, text) = run(&stack, &["history", &id]).await;
    assert!(text.contains("ada  seen at Stripe") && text.contains("pending -> paid"), "{text}");
    let (_, text) = run(&stack, &["quarantine", "list"]).await;
    assert!(text.ends_with("0 notifications\n"), "{text}");
    ok(&stack, &["audit"]).await;
}

#[tokio::test]
async fn a_payment_is_found_by_the_providers_transaction_with_its_refunds() {
    let stack = own().await;
    let (one, other) = (payment(&stack).await, payment(&stack).await);
    let send = async |payment: Payment, more: Value| {
        let mut body = payment.native(3, 1);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        api::post(&stack, "callback").json(&body).signed().send().await.ok();
    };
    let (code, text) = run(&stack, &["history", "--transaction", "stripe#pi_1"]).await;
    assert!(code == 1 && text.contains("has the transaction stripe#pi_1"), "{text}");
    send(one, json!({"provider_txn": "pi_1"})).await;
    send(one, json!({"provider_txn": "pi_1", "refunded": 30})).await;
    let text = ok(&stack, &["history", "--transaction", "stripe#pi_1"]).await;
    for shown in ["refunded       30", "total-30  30      succeeded  3       pi_1"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    let text = ok(&stack, &["history", "--transaction", "stripe#pi_1", "--json"]).await;
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["record"]["id"], one.id);
    assert_eq!(shown["refunds"][0]["amount"], 30);
    assert_eq!(
        (&shown["refund_references"], shown["events"].as_array().unwrap().len()),
        (&json!([]), 2)
    );
    let (code, text) = run(&stack, &["audit"]).await;
    assert!(
        code == 0 && text.contains("2 events, 0 checkouts, 1 refunds; 0 in quarantine, 1 due"),
        "{text}"
    );

    // Both say that the same money paid them.
    send(other, json!({"provider_txn": "pi_1"})).await;
    let (code, text) = run(&stack, &["history", "--transaction", "stripe#pi_1"]).await;
    let named = [one, other].map(|payment| text.contains(&payment.id.to_string()));
    assert!(code == 1 && named == [true, true], "{text}");
    let (code, text) = run(&stack, &["audit"]).await;
    let both = [one, other].map(|payment| text.contains(&payment.id.to_string()));
    assert!(code == 3 && both == [true, true], "{text}");
}

#[tokio::test]
async fn what_a_sender_wrote_is_shown_and_not_obeyed() {
    let stack = own().await;
    let payment = payment(&stack).await;
    // Reverses what follows; DEL; begins a control sequence; clears the screen.
    let written = ['\u{202e}', '\u{7f}', '\u{9b}', '\u{2066}'];
    let body = json!({"id": payment.id, "uid": payment.uid, "oid": payment.oid, "amount": 99,
                      "source": 3, "status": 1, "memo": String::from_iter(written)});
    api::post(&stack, "callback")
        .json(&body)
        .signed_as("msg_1", local::clock::now_secs())
        .send()
        .await
        .problem("amount-mismatch");
    let (name, id) = (format!("{}/native/msg_1", payment.id), payment.id.to_string());
    for arguments in [
        &["quarantine", "list", "--json"][..],
        &["quarantine", "show", &name],
        &["quarantine", "show", &name, "--json"],
        &["history", &id, "--json"],
        &["quarantine", "dismiss", &name, "--by", "ada", "--note", "\u{202e}\u{9b}"],
        &["quarantine", "show", &name],
        &["history", &id],
    ] {
        let text = ok(&stack, arguments).await;
        assert!(!text.contains(written), "{arguments:?}: {text:?}");
        assert!(arguments[1] == "dismiss" || text.contains("202e"), "{arguments:?}: {text}");
        if arguments.contains(&"--json") {
            assert!(serde_json::from_str::<Value>(text.trim()).is_ok(), "{text}");
        }
    }
}

#[tokio::test]
async fn a_target_is_named_by_url_too_and_one_that_is_not_there_is_an_error() {
    let stack = shared();
    let endpoint = ["audit", "--endpoint", &stack.dynamodb, "--table", &stack.table];
    let (code, text) = payctl(&endpoint).await;
    assert!(code != 1 && text.contains(" payments of "), "{text}");
    for (arguments, code, why) in [
        // Nothing listens there.
        (&["audit", "--endpoint", "http://127.0.0.1:9"][..], 1, "cannot read the table payments"),
        (&["audit", "--endpoint", &stack.dynamodb, "--table", "other"], 1, "ResourceNotFound"),
        // It responds, and is no DynamoDB.
        (&["audit", "--endpoint", &stack.api], 1, "cannot read the table payments"),
        (&["audit", "--endpoint", "127.0.0.1:8003"], 2, "it has no scheme: http://127.0.0.1:8003"),
        (&["audit", "--local=localhost:8003"], 2, "it has no scheme: http://localhost:8003"),
        (&["audit", "--table", "\u{202e}\u{9b}"], 2, "'\\u{202e}\\u{9b}' for '--table <NAME>'"),
        (&["sweep", "--local", "--limit", "0"], 2, "0 is not in 1..=100000"),
        (&["history", "0", "--local"], 2, "a payment's id is needed"),
        (&["history", "--local"], 2, "<PAYMENT>"),
        (&["history", "--transaction", "pi_1", "--local"], 2, "a provider's transaction is needed"),
        (&["audit", "--local=http://127.0.0.1:9"], 1, "no local stack runs at http://127.0.0.1:9"),
        (&["audit", &format!("--local={}", stack.dynamodb)], 1, "is no local stack"),
        (&["audit", "--table", "payments"], 1, "AWS needs a region and credentials"),
        (&["sweep", "--function", "callback"], 1, "AWS needs a region and credentials"),
        (&["audit"], 2, "--table <NAME>|--endpoint <URL>|--local[=<URL>]"),
    ] {
        let (found, text) = payctl(arguments).await;
        assert!(found == code && text.contains(why), "{arguments:?}: {found} {text}");
        // A person reads it: no request, no response, no library's own words for them.
        assert!(text.len() < 600 && !text.contains("Request {"), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn the_configuration_of_a_stack_is_checked_and_no_secret_is_printed() {
    let text = ok(&own().await, &["check-config"]).await;
    for shown in [
        "create    settings                          ok     complete and well-formed",
        "create    secret pay/auth AWSCURRENT        ok     signs tokens",
        "callback  secret pay/webhooks AWSCURRENT    ok     standard, stripe, wechat, alipay",
        "callback  secret pay/webhooks AWSPREVIOUS   ok     none",
        "create    secret pay/providers AWSCURRENT   ok     stripe, wechat, alipay",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }

    let stack = own_with(&[("CURRENCY", "yuan"), ("LOG_LEVEL", "loud")]).await;
    stack.secrets().put(local::defaults::WEBHOOK_SECRET_ID, r#"{"stripe":{"secrets":["canary"]}}"#);
    let (code, text) = run(&stack, &["check-config", "--json"]).await;
    assert_eq!(code, 3, "{text}");
    let findings: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let wrong = findings.iter().filter(|one| one["ok"] == false);
    let wrong: Vec<_> = wrong.map(|one| one["found"].as_str().unwrap()).collect();
    let says = [
        "CURRENCY is no code of ISO 4217: write three letters, as in `CNY`",
        "LOG_LEVEL is no level: write `error`, `warn`, `info`, `debug` or `trace`",
    ];
    assert_eq!(wrong, says.repeat(3));

    let stack = own().await;
    stack.secrets().put(local::defaults::WEBHOOK_SECRET_ID, r#"{"stripe":{"secrets":["canary"]}}"#);
    let (code, text) = run(&stack, &["check-config"]).await;
    assert!(
        code == 3 && text.contains("wrong  keys of no sender; unusable: stripe: `stripe` has no"),
        "{text}"
    );
    assert!(text.contains("AWSPREVIOUS   ok     standard, stripe, wechat, alipay"), "{text}");
    for secret in ["canary", local::defaults::ACCESS_SECRET, local::defaults::WEBHOOK_SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
}
