//! Sends an event to a function that runs under another tool.
//!
//! With the variable `INVOKE_WITH` the event goes to that program: its argument is the function, its
//! standard input the event, `FUNCTION_SETTINGS` the function's variables as a JSON object, and its
//! standard output the response of the function. `tests/conformance` has such programs. `STACK_HOST` is
//! where the function reaches the stack, if that is not at 127.0.0.1.

use std::io::{Seek as _, Write as _};
use std::process::Stdio;

use local::{FunctionError, Stack, StackOptions, defaults};
use serde_json::{Value, json};
use tokio::process::Command;

/// The options of a stack that the functions reach, wherever they run.
pub(super) fn options() -> StackOptions {
    let given = std::env::var_os("STACK_HOST");
    let host = given.map_or(defaults::HOST, |host| host.to_str().unwrap().parse().unwrap());
    StackOptions { host, ..StackOptions::default() }
}

/// Runs a function once, by the program that `INVOKE_WITH` names, and without one in the stack.
pub(super) async fn invoke(
    stack: &Stack,
    function: &str,
    event: &Value,
) -> Result<Value, FunctionError> {
    let Some(program) = std::env::var_os("INVOKE_WITH") else {
        return stack.invoke(function, event).await;
    };
    // A file, so that a program that does not read it blocks nothing.
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(event.to_string().as_bytes()).unwrap();
    input.rewind().unwrap();
    let run = Command::new(&program)
        .arg(function)
        .env("FUNCTION_SETTINGS", json!(stack.environment(function)).to_string())
        .stdin(Stdio::from(input))
        .kill_on_drop(true)
        .output();
    let run = run.await.unwrap_or_else(|error| panic!("{program:?} does not run: {error}"));
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{program:?} {function}: {}\n{stderr}", run.status);
    let response: Value = serde_json::from_slice(&run.stdout)
        .unwrap_or_else(|error| panic!("{program:?} {function} prints no JSON: {error}\n{stderr}"));
    match response.get("errorType") {
        Some(_) => Err(FunctionError { payload: run.stdout.into() }),
        None => Ok(response),
    }
}
