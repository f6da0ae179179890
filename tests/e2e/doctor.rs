//! `cargo local doctor` as a person or a script uses it.

use std::process::Stdio;

use local::{defaults, signing};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

const NOW: u64 = 1_700_000_000;

fn doctor(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_local"))
        .arg("doctor")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// A genuine message of Stripe.
fn line(body: &str) -> Value {
    let [(name, value)] = signing::stripe(defaults::STRIPE_SECRET, NOW, body.as_bytes());
    json!({"provider": "stripe", "headers": {name: value}, "body": body, "now": NOW,
           "keys": {"secrets": [defaults::STRIPE_SECRET]}})
}

/// Runs the program to its end; answers its exit code, and its lines.
async fn answers(arguments: &[&str], input: &str) -> (Option<i32>, Vec<Value>) {
    let mut child = doctor(arguments);
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
    let lines = lines.map(|line| line.to_string()).join("\n");
    let (code, told) = answers(&[], &lines).await;
    assert_eq!(code, Some(0), "a verdict is no failure");
    let verdicts: Vec<&Value> = told.iter().map(|answer| &answer["verdict"]).collect();
    assert_eq!(verdicts, ["accept", "reject", "config_error"]);
    let hint = told[1]["hint"].as_str().unwrap();
    assert!(hint.contains("indented by 2 spaces"), "{hint}");
    assert_eq!(
        told[2],
        json!({"verdict": "config_error", "reason": "the secret is unusable: `stripe` has no list \
               `secrets` of one or more"})
    );
}

#[tokio::test]
async fn a_line_that_cannot_be_read_holds_up_no_other() {
    let good = line("{}").to_string();
    let (code, told) = answers(&["-"], &format!("{{\n\n{good}")).await;
    assert_eq!(code, Some(2));
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["verdict"], "config_error");
    assert_eq!(told[1]["verdict"], "accept");
}

#[tokio::test]
async fn the_lines_may_be_in_a_file_and_of_any_length() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let body = "a".repeat(4 * 1024 * 1024);
    std::fs::write(file.path(), format!("{}\n", line(&body))).unwrap();
    let (code, told) = answers(&[file.path().to_str().unwrap()], "").await;
    assert_eq!((code, told.len()), (Some(0), 1));
    assert_eq!(told[0]["verdict"], "accept");
    let (code, told) = answers(&["/nowhere"], "").await;
    assert_eq!((code, told.len()), (Some(1), 0));
}

#[tokio::test]
async fn an_answer_comes_before_the_next_question() {
    let mut child = doctor(&[]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        stdin.write_all(format!("{}\n", line("{}")).as_bytes()).await.unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).await.unwrap();
        assert!(answer.starts_with(r#"{"verdict":"accept","reason":""#), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().await.unwrap().success());
}
