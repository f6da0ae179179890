//! The main job once, step by step, each answer checked.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use local::{Order, Stack, client, clock, signing};
use serde_json::{Value, json};

use super::StackArguments;
use super::serve::until_told;

/// What the order of the demo costs.
const AMOUNT: u64 = 100;

pub(super) async fn run(arguments: StackArguments) -> Result<ExitCode> {
    // A table that was here before has payments of order 1: take an order of our own.
    let kept = arguments.data.is_some() || arguments.aws_endpoint.is_some();
    let oid = if kept { clock::now_ms() } else { 1 };
    let show = async {
        let stack = Stack::start(arguments.options(0)).await?;
        let order = Order {
            id: oid,
            uid: 1,
            pid: 1,
            amount: AMOUNT,
            status: 0,
        };
        stack.shop().put_order(order);
        let shown = Demo {
            stack: &stack,
            http: client::client("")?,
            step: 0,
        }
        .show(oid)
        .await;
        stack.stop().await?;
        shown
    };
    match until_told(show).await? {
        Some(Ok(true)) => Ok(ExitCode::SUCCESS),
        Some(Ok(false)) | None => Ok(ExitCode::FAILURE),
        Some(Err(error)) => Err(error),
    }
}

struct Demo<'a> {
    stack: &'a Stack,
    http: reqwest::Client,
    step: usize,
}

/// Status and body, sent or expected.
type Answer = (u16, Value);

impl Demo<'_> {
    /// Shows every step until one is wrong; says whether all were right.
    async fn show(mut self, oid: u64) -> Result<bool> {
        let token = self.stack.payer_token(1);
        let payer = [("authorization".to_owned(), format!("Bearer {token}"))];
        let by = "token of user 1";

        let body = json!({"uid": 1, "oid": oid, "amount": AMOUNT});
        self.announce(&format!("Create the payment of order {oid}"))?;
        let created = self.post("create", by, &payer, &body).await?;
        let Some(id) = created.1.get("id").and_then(Value::as_u64) else {
            return Self::check(&created, &(200, json!({"id": "a number"})));
        };
        if !Self::check(&created, &(200, json!({"id": id})))? {
            return Ok(false);
        }

        self.announce("Look at it: pending, without a source")?;
        let found = self.post("detail", by, &payer, &json!({"id": id})).await?;
        let record = |source: u64, status: u64| json!({"id": id, "uid": 1, "oid": oid, "amount": AMOUNT, "source": source, "status": status});
        if !Self::check(&found, &(200, record(0, 0)))? {
            return Ok(false);
        }

        self.announce("The gateway reports that it is paid, and signs the report")?;
        let paid = record(1, 1);
        let secret = self.stack.standard_secret()?;
        let text = paid.to_string();
        let message = format!("msg_demo_{id}");
        let signed = signing::standard(secret, &message, clock::now_secs(), text.as_bytes())?;
        let signed = signed.map(|(name, value)| (name.to_owned(), value));
        let acknowledged = self
            .post("callback", "Standard Webhooks", &signed, &paid)
            .await?;
        if !Self::check(&acknowledged, &(200, json!({})))? {
            return Ok(false);
        }

        self.announce("Look again: paid")?;
        let found = self.post("detail", by, &payer, &json!({"id": id})).await?;
        if !Self::check(&found, &(200, paid))? {
            return Ok(false);
        }

        self.announce("The shop was told, once")?;
        let order = self
            .stack
            .shop()
            .order(oid)
            .context("the shop lost its order")?;
        let times = self.stack.shop().times_paid(oid);
        let told = json!({"id": oid, "status": order.status, "times_paid": times});
        Self::check(
            &(200, told),
            &(200, json!({"id": oid, "status": 1, "times_paid": 1})),
        )
    }

    fn announce(&mut self, title: &str) -> Result<()> {
        self.step = self.step.saturating_add(1);
        writeln!(stdout(), "\n{}  {title}", self.step)?;
        Ok(())
    }

    async fn post(
        &self,
        operation: &str,
        by: &str,
        headers: &[(String, String)],
        body: &Value,
    ) -> Result<Answer> {
        let path = format!("/api/pay/{operation}");
        writeln!(stdout(), "   POST {path:<20} {by}\n   -> {body}")?;
        let mut request = self.http.post(format!("{}{path}", self.stack.api));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        Ok((status, body))
    }

    /// Shows an answer and says whether it has the status and, among others, the fields expected.
    fn check((status, body): &Answer, (want_status, want): &Answer) -> Result<bool> {
        let fields = want.as_object().into_iter().flatten();
        let differs = |(key, value): &(&String, &Value)| body.get(key.as_str()) != Some(value);
        let right = status == want_status
            && body.is_object()
            && !fields.into_iter().any(|field| differs(&field));
        let mark = if right { "✓" } else { "✗" };
        writeln!(stdout(), "   <- {status} {body}  {mark}")?;
        if !right {
            writeln!(stdout(), "\n   expected {want_status} {want}")?;
        }
        Ok(right)
    }
}
