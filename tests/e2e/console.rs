//! The console as a browser has it, over HTTP.

mod access;
mod act;
mod allowed;
mod audit;
mod decide;
mod deployed;
mod doctor;
mod form;
mod hostile;
mod lists;
mod many;
mod message;
mod payment;
mod stranger;

use std::process::Stdio;

use local::Stack;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::echo::http;
use crate::payctl::program;

/// A console that serves the table of a stack, and the session of one browser.
pub(crate) struct Console {
    program: Child,
    pub(crate) origin: String,
    pub(crate) cookie: String,
    http: reqwest::Client,
}

/// A page, or a file.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

/// Starts one, and opens its link.
pub(crate) async fn console(stack: &Stack, arguments: &[&str]) -> Console {
    console_at(&stack.api, arguments).await
}

/// The same, of the stack with this API.
async fn console_at(api: &str, arguments: &[&str]) -> Console {
    let local = format!("--local={api}");
    started(&[&[local.as_str(), "--by", "ada"], arguments].concat(), &[]).await
}

/// The same, with this target among its arguments, and only these variables.
async fn started(arguments: &[&str], variables: &[(&str, &str)]) -> Console {
    let mut program = Command::new(program().await)
        .args(["console", "--port", "0"])
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let link = loop {
        let line = lines.next_line().await.unwrap().expect("a link is printed");
        if line.starts_with("http://") {
            break line;
        }
    };
    let http = http();
    let entered = http.get(&link).send().await.unwrap();
    assert_eq!(entered.status(), 303, "{link}");
    let cookie = entered.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let origin = link.split("/enter").next().unwrap().to_owned();
    Console { program, origin, cookie, http }
}

impl Console {
    /// Reads whatever is there.
    pub(crate) async fn get(&self, path: &str) -> Got {
        let request =
            self.http.get(format!("{}{path}", self.origin)).header("cookie", &self.cookie);
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, text: response.text().await.unwrap() }
    }

    /// Reads a page: it is small, and took few calls.
    pub(crate) async fn page(&self, path: &str) -> String {
        let got = self.get(path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text);
        got.assert_small(path);
        got.text
    }

    /// Reads a file.
    pub(crate) async fn file(&self, path: &str) -> String {
        let got = self.get(path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text);
        let disposition = got.headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
        got.text
    }

    /// The lines of a file of JSON Lines.
    async fn lines(&self, path: &str) -> Vec<Value> {
        let text = self.file(path).await;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Got {
    /// Under 60 KB, and made with at most three calls of the table, as the page itself says.
    fn assert_small(&self, path: &str) {
        assert!(self.text.len() < 60_000, "{path}: {} bytes", self.text.len());
        let (_, after) = self.text.split_once("Store calls: ").expect("the footer has the calls");
        let calls = after.split(',').next().unwrap();
        assert!(calls.parse::<u32>().unwrap() <= 3, "{path}: {calls} calls");
    }
}

/// A value in a URL.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Plain values as the attributes of an item.
fn item(members: &Value) -> Value {
    let attribute = |value: &Value| match value {
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::Bool(is) => json!({ "BOOL": is }),
        // What has its type beside it.
        Value::Object(_) => value.clone(),
        Value::Null | Value::String(_) | Value::Array(_) => json!({"S": value.as_str().unwrap()}),
    };
    let members = members.as_object().unwrap().iter();
    members
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A record of a pending payment, as the service writes it.
fn pending(id: u64, uid: u64, created: u64) -> Value {
    json!({"pk": format!("pay#{id}"), "sk": "record", "id": id, "uid": uid, "oid": id, "amount": id.saturating_add(100),
        "currency": "CNY", "source": 0, "status": 0, "version": 1, "create_time": created,
        "update_time": created, "queue": format!("sweep#{}", id % 32), "due": created.saturating_add(300_000), "attempts": 0})
}

/// A notification that reports too little, as the service quarantines it.
fn quarantined(payment: u64, id: &str, at: u64, body: &[u8]) -> Value {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(body);
    let kept = json!({ "B": base64 });
    json!({"pk": format!("pay#{payment}"), "sk": format!("event#stripe#{id}"), "at": at, "sender": "stripe",
        "verdict": "quarantined", "source": 3, "provider_txn": format!("pi_{id}"), "outcome": "paid",
        "amount": 99, "currency": "CNY", "status_before": 0, "status_after": 0, "version": 1,
        "mismatch": "amount", "expected": "100", "received": "99", "len": body.len(),
        "sha256": pay_service::http::sha256(&[body]).to_string(), "body": kept, "queue": "review", "due": at})
}
