//! `cargo local --faults FILE`.

use std::io::Write as _;

use local::messages::{Message, Outcome};
use pay_core::domain::Provider;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::echo::http;
use crate::tools::{Served, run};

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn the_rules_of_a_file_are_followed_and_what_fired_is_printed() {
    let rules = json!({"seed": 7, "rules": [
        {"at": "dynamodb:TransactWriteItems", "fault": "lose-response", "times": 1},
        {"at": "users:userinfo", "fault": {"status": 503}, "times": 1},
        {"at": "orders:paid", "fault": "hang", "percent": 0},
    ]});
    let file = file(&rules.to_string());
    let served = Served::start(&["--faults", file.path().to_str().unwrap()]).await;
    let printed = &served.printed;
    let post = |operation: &str| {
        http().post(format!("{}/api/pay/{operation}", printed["api"].as_str().unwrap()))
    };
    let create = || {
        let create = post("create").bearer_auth(printed["payer_token"].as_str().unwrap());
        let create = create.header("content-type", "application/json");
        create.body(r#"{"uid":1,"oid":1,"amount":100}"#).send()
    };
    assert_eq!(create().await.unwrap().status(), 503);
    let created = create().await.unwrap();
    assert_eq!(created.status(), 200);
    let id =
        serde_json::from_slice::<Value>(&created.bytes().await.unwrap()).unwrap()["id"].clone();
    let paid = Message::new(id.as_u64().unwrap(), 100, Outcome::Paid);
    let paid = paid.from(Provider::Stripe).unwrap();
    let paid_headers = paid.headers.iter();
    let request =
        paid_headers.fold(post("callback/stripe"), |all, (name, value)| all.header(*name, value));
    assert_eq!(request.body(paid.body).send().await.unwrap().status(), 200);

    let shown = served.end().await;
    let shown: Vec<_> = shown.lines().filter(|line| line.ends_with(" times")).collect();
    assert_eq!(
        shown,
        ["dynamodb:TransactWriteItems lose-response: 1 times", "users:userinfo status: 1 times"]
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_one_sentence_and_a_failure() {
    for (text, why) in [
        (r#"{"rules": [{"at": "orders:payed", "fault": "hang"}]}"#, "expected one of `alipay:"),
        (r#"{"rules": [{"at": "orders:paid", "fault": "slow"}]}"#, "expected one of `delay_ms`"),
        ("rules = []", "expected value at line 1"),
    ] {
        let file = file(text);
        let (good, output, error) = run(&["--faults", file.path().to_str().unwrap()], "").await;
        assert!(!good && output.is_empty());
        assert!(error.starts_with("error: the faults in /"), "{error}");
        assert!(error.contains(why) && error.lines().count() == 1, "{error}");
    }
}
