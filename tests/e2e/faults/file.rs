//! `cargo local --faults FILE`.

use std::io::Write as _;
use std::process::{Output, Stdio};

use local::messages::{Message, Outcome};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pay_providers::PaymentProvider;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::echo::http;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn serve(file: &NamedTempFile) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.args(["--port", "0", "--json", "--faults"]).arg(file.path());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn the_rules_of_a_file_are_followed_and_what_fired_is_shown() {
    let rules = json!({"seed": 7, "rules": [
        {"at": "dynamodb:TransactWriteItems", "fault": "lose-answer", "times": 1},
        {"at": "users:userinfo", "fault": {"status": 503}, "times": 1},
        {"at": "orders:paid", "fault": "hang", "percent": 0},
    ]});
    let file = file(&rules.to_string());
    let mut child = serve(&file).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).await.unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let post = |operation: &str| {
        http().post(format!("{}/api/pay/{operation}", told["api"].as_str().unwrap()))
    };
    let create = || {
        let create = post("create").bearer_auth(told["payer_token"].as_str().unwrap());
        let create = create.header("content-type", "application/json");
        create.body(r#"{"uid":1,"oid":1,"amount":100}"#).send()
    };
    assert_eq!(create().await.unwrap().status(), 503);
    let created = create().await.unwrap();
    assert_eq!(created.status(), 200);
    let id =
        serde_json::from_slice::<Value>(&created.bytes().await.unwrap()).unwrap()["id"].clone();
    let paid = Message::new(id.as_u64().unwrap(), 100, Outcome::Paid);
    let paid = paid.from(PaymentProvider::Stripe).unwrap();
    let paid_headers = paid.headers.iter();
    let request =
        paid_headers.fold(post("callback/stripe"), |all, (name, value)| all.header(*name, value));
    assert_eq!(request.body(paid.body).send().await.unwrap().status(), 200);

    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().await.unwrap();
    assert!(status.success() && stdout.is_empty());
    let shown = String::from_utf8(stderr).unwrap();
    let shown: Vec<_> = shown.lines().filter(|line| line.ends_with(" times")).collect();
    assert_eq!(
        shown,
        ["dynamodb:TransactWriteItems lose-answer: 1 times", "users:userinfo status: 1 times"]
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_one_sentence_and_a_failure() {
    for (text, why) in [
        (r#"{"rules": [{"at": "orders:payed", "fault": "hang"}]}"#, "expected one of `dynamodb:"),
        (r#"{"rules": [{"at": "orders:paid", "fault": "slow"}]}"#, "expected one of `delay_ms`"),
        ("rules = []", "expected value at line 1"),
    ] {
        let Output { status, stdout, stderr } = serve(&file(text)).output().await.unwrap();
        let error = String::from_utf8(stderr).unwrap();
        assert!(!status.success() && stdout.is_empty());
        assert!(error.starts_with("error: the faults in /"), "{error}");
        assert!(error.contains(why) && error.lines().count() == 1, "{error}");
    }
}
