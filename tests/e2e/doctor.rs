//! `payctl doctor` as a person or a script uses it.

use std::process::Stdio;

use local::simulator::stripe;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::payctl::program;

const NOW: u64 = 1_700_000_000;

async fn doctor(arguments: &[&str]) -> Child {
    Command::new(program().await)
        .arg("doctor")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// An authentic message of Stripe.
fn line(body: &str) -> Value {
    let [(name, value)] = stripe::sign(stripe::SECRET, NOW, body.as_bytes());
    json!({"provider": "stripe", "headers": {name: value}, "body": body, "now": NOW,
           "keys": {"secrets": [stripe::SECRET]}})
}

/// Runs the program to its end: its exit code, and the lines that it prints.
async fn verdicts(arguments: &[&str], input: &str) -> (Option<i32>, Vec<Value>) {
    let mut child = doctor(arguments).await;
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut output = String::new();
    let write = async {
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
    };
    let ((), read) = tokio::join!(write, stdout.read_to_string(&mut output));
    read.unwrap();
    let lines = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (child.wait().await.unwrap().code(), lines)
}

#[tokio::test]
async fn each_line_has_its_verdict() {
    let mut reformatted = line("{\n  \"a\": 1\n}");
    reformatted["body"] = r#"{"a":1}"#.into();
    let mut unusable = line("{}");
    unusable["keys"] = json!({});
    let lines = [line("{}"), reformatted, unusable];
    let input = lines.map(|line| line.to_string()).join("\n");
    let (code, lines) = verdicts(&[], &input).await;
    assert_eq!(code, Some(0), "a verdict is no failure");
    let found: Vec<&Value> = lines.iter().map(|line| &line["verdict"]).collect();
    assert_eq!(found, ["accept", "reject", "config_error"]);
    let hint = lines[1]["hint"].as_str().unwrap();
    assert!(hint.contains("indented by 2 spaces"), "{hint}");
    assert_eq!(
        lines[2],
        json!({"verdict": "config_error", "reason": "the secret is unusable: `stripe` has no list \
               `secrets` of one or more"})
    );
}

#[tokio::test]
async fn a_line_that_cannot_be_read_holds_up_no_other() {
    let good = line("{}").to_string();
    let (code, lines) = verdicts(&["-"], &format!("{{\n\n{good}")).await;
    assert_eq!(code, Some(1));
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["verdict"], "config_error");
    assert_eq!(lines[1]["verdict"], "accept");
}

#[tokio::test]
async fn the_lines_may_be_in_a_file_and_of_any_length() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let body = "a".repeat(4 * 1024 * 1024);
    std::fs::write(file.path(), format!("{}\n", line(&body))).unwrap();
    let (code, lines) = verdicts(&[file.path().to_str().unwrap()], "").await;
    assert_eq!((code, lines.len()), (Some(0), 1));
    assert_eq!(lines[0]["verdict"], "accept");
    let (code, lines) = verdicts(&["/nowhere"], "").await;
    assert_eq!((code, lines.len()), (Some(1), 0));
}

#[tokio::test]
async fn a_verdict_is_printed_before_the_next_line_is_read() {
    let mut child = doctor(&[]).await;
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        stdin.write_all(format!("{}\n", line("{}")).as_bytes()).await.unwrap();
        let mut response = String::new();
        stdout.read_line(&mut response).await.unwrap();
        assert!(response.starts_with(r#"{"verdict":"accept","reason":""#), "{response}");
    }
    drop(stdin);
    assert!(child.wait().await.unwrap().success());
}
