//! A function that does what its event says, for the tests of the stack itself.
//!
//! It responds with its event, unless the event has `do`, at its top or as a header `x-do`: `error`
//! fails, `panic` panics, `exit` ends the process, `sleep` outlasts any time limit, `env` responds
//! with the environment, `context` with Lambda's context of the invocation, `big` with more than
//! Lambda allows, `bare` without a status.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var_os("ECHO_FAILS_AT_START").is_some() {
        return Err("told to fail at the start".into());
    }
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let (event, context) = event.into_parts();
    let action = event.pointer("/do").or_else(|| event.pointer("/headers/x-do"));
    match action.and_then(Value::as_str) {
        Some("error") => {
            return Err(Diagnostic {
                error_type: "told-to".to_owned(),
                error_message: "told to fail".to_owned(),
            });
        }
        Some("panic") => return Err(made_to_panic()),
        Some("exit") => end(),
        Some("sleep") => tokio::time::sleep(Duration::from_hours(1)).await,
        Some("env") => {
            let variables: BTreeMap<String, String> = std::env::vars().collect();
            return Ok(json!(variables));
        }
        Some("context") => {
            return Ok(json!({
                "request_id": context.request_id,
                "deadline_ms": context.deadline,
                "function_arn": context.invoked_function_arn,
            }));
        }
        Some("big") => return Ok(json!("a".repeat(7 << 20))),
        Some("bare") => return Ok(json!({"bare": true})),
        Some(_) | None => {}
    }
    if event.get("version").is_none() {
        return Ok(event);
    }
    Ok(json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": event.to_string(),
    }))
}

#[expect(clippy::panic, reason = "what the stack makes of a panic is to be seen")]
fn made_to_panic() -> Diagnostic {
    panic!("told to panic")
}

#[expect(clippy::exit, reason = "what the stack makes of an exit is to be seen")]
fn end() {
    std::process::exit(3)
}
