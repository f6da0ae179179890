//! The local stack itself, on a function that echoes: what the other tests rely on.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use local::{Fault, Stack, StackOptions, binaries, client};
use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt as _;

use crate::echo::{eventually, http, options, post, stack};

#[tokio::test]
async fn an_instance_that_overruns_its_time_is_killed_and_replaced() {
    let stack = stack().await;
    let before = stack.instances();
    let response = post(&stack, "/hasty", &[("x-do", "sleep")], b"").await;
    assert_eq!(response, (500, json!({"message": "Internal Server Error"})));
    let error = stack.invoke("hasty", &json!({"do": "sleep"})).await.unwrap_err();
    assert_eq!(error.kind().as_deref(), Some("Sandbox.Timedout"));
    assert_eq!(post(&stack, "/hasty", &[], b"").await.0, 200);
    eventually("two new instances", || {
        let after = stack.instances();
        after.len() == before.len() && after.iter().filter(|one| !before.contains(one)).count() == 2
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_is_killed_in_the_middle_fails_its_invocation_and_is_replaced() {
    let stack = stack().await;
    let event = json!({"do": "sleep"});
    let running = async { stack.invoke("echo", &event).await.unwrap_err() };
    let killing = async {
        let busy = || stack.instances().into_iter().find(|instance| instance.busy);
        eventually("a busy instance", || busy().is_some()).await;
        let pid = busy().unwrap().pid;
        stack.kill(pid).unwrap();
        pid
    };
    let (error, pid) = tokio::join!(running, killing);
    assert_eq!(error.kind().as_deref(), Some("Runtime.ExitError"));
    eventually("a new instance", || {
        let pids: Vec<i32> = stack.instances().iter().map(|one| one.pid).collect();
        pids.len() == 4 && !pids.contains(&pid)
    })
    .await;
    assert_eq!(stack.invoke("echo", &json!({"a": 1})).await.unwrap(), json!({"a": 1}));
    assert!(stack.kill(1).is_err(), "only instances can be killed");
}

#[tokio::test]
async fn instances_work_side_by_side_and_no_invocation_is_lost() {
    let stack = stack().await;
    let invoked = (0..50).map(|n| {
        let stack = &stack;
        async move { stack.invoke("echo", &json!({"n": n})).await.unwrap()["n"].as_u64() }
    });
    let responses = futures_util::future::join_all(invoked).await;
    assert_eq!(responses, (0..50).map(Some).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_function_gets_lambdas_environment_and_what_the_template_declares() {
    let stack = stack().await;
    let environment = stack.invoke("echo", &json!({"do": "env"})).await.unwrap();
    assert_eq!(environment["TABLE_NAME"], json!(stack.table));
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "echo");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
    assert_eq!(environment["AWS_ENDPOINT_URL_DYNAMODB"], json!(stack.dynamodb));
    assert_eq!(environment["UPSTREAM_CA_BUNDLE"], json!(stack.ca_file));
    for absent in ["PATH", "HOME", "WEBHOOK_SECRET_ID", "AWS_PROFILE"] {
        assert_eq!(environment.get(absent), None, "{absent}");
    }
    let context = stack.invoke("echo", &json!({"do": "context"})).await.unwrap();
    assert_eq!(context["request_id"].as_str().map(str::len), Some(36));
    let deadline_ms = context["deadline_ms"].as_u64().unwrap();
    assert!(deadline_ms > local::clock::now_ms(), "milliseconds since 1970, to come");
}

#[tokio::test]
async fn the_table_is_there_with_its_indexes_and_is_kept_with_data() {
    let directory = tempfile::tempdir().unwrap();
    let http = http();
    let call = async |stack: &Stack, operation: &str, request: Value| {
        let target = format!("DynamoDB_20120810.{operation}");
        client::call(&http, &stack.dynamodb, "dynamodb", &target, &request).await.unwrap().1
    };
    for expected in [json!({}), json!({"Item": {"pk": {"S": "kept"}}})] {
        let options = StackOptions { data: Some(directory.path().join("deep")), ..options().await };
        let stack = Stack::start(options).await.unwrap();
        let table = json!({"TableName": stack.table});
        let described = call(&stack, "DescribeTable", table).await;
        assert_eq!(described["Table"]["GlobalSecondaryIndexes"][0]["IndexName"], "due-index");
        let key = json!({"TableName": stack.table, "Key": {"pk": {"S": "kept"}}});
        assert_eq!(call(&stack, "GetItem", key).await, expected);
        let item = json!({"TableName": stack.table, "Item": {"pk": {"S": "kept"}}});
        assert_eq!(call(&stack, "PutItem", item).await, json!({}));
        stack.stop().await.unwrap();
    }
}

#[tokio::test]
async fn dynamodb_fails_in_its_own_words() {
    let stack = stack().await;
    let (control, http) = (stack.dynamodb_control(), http());
    let call = async |operation: &str, request: Value| {
        let target = format!("DynamoDB_20120810.{operation}");
        client::call(&http, &stack.dynamodb, "dynamodb", &target, &request).await
    };
    let put = json!({"Put": {"TableName": stack.table, "Item": {"pk": {"S": "a"}}}});
    let write = json!({"TransactItems": [put]});
    let read = json!({"TableName": stack.table, "Key": {"pk": {"S": "a"}}});
    for (fault, want) in [
        (Fault::Throttle, "ProvisionedThroughputExceededException"),
        (Fault::Conflict, "TransactionCanceledException"),
        (Fault::Status(500), "InternalServerError"),
    ] {
        control.set_fault("TransactWriteItems", fault, Some(1));
        let (_, response) = call("TransactWriteItems", write.clone()).await.unwrap();
        let error = response["__type"].as_str().unwrap();
        assert!(error.ends_with(want), "{response}");
        assert_eq!(call("GetItem", read.clone()).await.unwrap().1, json!({}), "{fault:?}");
    }
    assert_eq!(call("TransactWriteItems", write).await.unwrap().0, 200);
    let query = json!({
        "TableName": stack.table,
        "IndexName": "due-index",
        "KeyConditionExpression": "queue = :queue",
        "ExpressionAttributeValues": {":queue": {"S": "x"}},
    });
    control.set_fault("Query due-index", Fault::FindNothing, None);
    assert_eq!(call("Query", query).await.unwrap().1["Count"], 0);
}

#[tokio::test]
async fn a_start_that_fails_says_why_in_a_sentence() {
    let stack = stack().await;
    let port: u16 = stack.api.rsplit_once(':').unwrap().1.parse().unwrap();
    let taken = StackOptions { port, ..options().await };
    let error = Stack::start(taken).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "port {port} is taken: choose another with --port, or stop the program that has it"
        )
    );

    let everywhere = StackOptions { host: Ipv4Addr::UNSPECIFIED.into(), ..options().await };
    let error = Stack::start(everywhere).await.unwrap_err().to_string();
    assert_eq!(error, "0.0.0.0 cannot be called: take one address of this machine");

    let environment = BTreeMap::from([("ECHO_FAILS_AT_START".to_owned(), "1".to_owned())]);
    let failing = StackOptions { environment, ..options().await };
    let error = Stack::start(failing).await.unwrap_err().to_string();
    assert!(error.contains("told to fail at the start"), "{error}");

    let absent = StackOptions { template: Some(PathBuf::from("/nowhere")), ..options().await };
    let error = Stack::start(absent).await.unwrap_err().to_string();
    assert!(error.contains("cannot read the template /nowhere"), "{error}");
}

#[tokio::test]
async fn no_process_outlives_the_stack() {
    let alive = |pids: &[i32]| {
        pids.iter()
            .any(|&pid| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok())
    };
    let stack = stack().await;
    let pids: Vec<i32> = stack.instances().iter().map(|instance| instance.pid).collect();
    assert!(pids.len() == 4 && alive(&pids));
    stack.stop().await.unwrap();
    assert!(!alive(&pids), "after a stop");

    let stack = crate::echo::stack().await;
    let pids: Vec<i32> = stack.instances().iter().map(|instance| instance.pid).collect();
    drop(stack);
    eventually("the processes are gone after a drop", || !alive(&pids)).await;
}

#[tokio::test]
async fn no_process_outlives_a_stack_that_is_killed() {
    let hold = binaries::example("hold").await.unwrap();
    let StackOptions { template, binaries, .. } = options().await;
    // Nothing removes what a killed stack leaves in its temporary directory.
    let directory = tempfile::tempdir().unwrap();
    let mut holder = tokio::process::Command::new(hold)
        .env("TMPDIR", directory.path())
        .args([template.unwrap(), binaries.unwrap()["echo"].clone()])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = holder.stdout.take().unwrap();
    tokio::io::BufReader::new(stdout).read_line(&mut line).await.unwrap();
    let pids: Vec<i32> = line.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 4, "{line}");
    holder.kill().await.unwrap();
    eventually("the processes are gone, the busy one too", || !running(&pids)).await;
}

/// Whether any of these processes is still running; one that is dead but not yet reaped is not.
fn running(pids: &[i32]) -> bool {
    let state = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    };
    pids.iter().filter_map(state).any(|state| state != 'Z')
}
