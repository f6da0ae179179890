//! A stack whose functions echo: the stack itself is tested on it.

use std::path::PathBuf;
use std::time::Duration;

use local::binaries::workspace;
use local::{Stack, StackOptions, binaries, client};
use serde_json::Value;
use tokio::sync::OnceCell;

async fn echo_binary() -> PathBuf {
    static BINARY: OnceCell<PathBuf> = OnceCell::const_new();
    BINARY.get_or_init(|| async { binaries::example("echo").await.unwrap() }).await.clone()
}

/// The options of such a stack.
pub(crate) async fn options() -> StackOptions {
    let binary = echo_binary().await;
    let names = ["echo", "hasty"].map(str::to_owned);
    let template = workspace().unwrap().join("tests/e2e/echo-template.yaml");
    StackOptions {
        template: Some(template),
        binaries: Some(names.map(|name| (name, binary.clone())).into()),
        ..StackOptions::default()
    }
}

/// A stack whose functions echo.
pub(crate) async fn stack() -> Stack {
    Stack::start(options().await).await.unwrap()
}

/// A client for plain HTTP.
pub(crate) fn http() -> reqwest::Client {
    client::client("").unwrap()
}

/// Sends a request to the API. The status and the JSON body of the response.
pub(crate) async fn post(
    stack: &Stack,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, Value) {
    let mut request = http().post(format!("{}{path}", stack.api)).body(body.to_vec());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// Polls until `done`, a limited number of times.
pub(crate) async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}
