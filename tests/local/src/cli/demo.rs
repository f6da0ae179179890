//! One payment step by step, with each response checked.

mod complaint;
mod refund;

use std::future::pending;
use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use local::simulator::simulator;
use local::{Delivery, Order, Scheme, Stack, client, clock, defaults, signing};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::serve::Ends;
use super::{StackArguments, scheme_parser};

/// The amount of the order, in minor units.
const AMOUNT: u64 = 100;

/// How many characters of a body are shown: all of most, the beginning of a long one.
const SHOWN: usize = 240;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where it is paid: at a gateway of the shop's own, or in a checkout at a provider.
    #[arg(long, value_parser = scheme_parser(), default_value = "standard")]
    provider: Scheme,
    /// Lose the report: the sweep asks the provider what became of the payment.
    #[arg(long)]
    lose_webhook: bool,
    /// Then leave a payer with a complaint, for the console, and serve on until Ctrl-C.
    #[arg(long)]
    serve: bool,
    /// The API's port, with --serve; 0 for any free one.
    #[arg(long, default_value_t = defaults::PORT, requires = "serve")]
    port: u16,
    #[command(flatten)]
    stack: StackArguments,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { provider, lose_webhook, serve, port, stack: arguments } = arguments;
    if lose_webhook && provider == Scheme::Standard {
        bail!("a gateway of the shop's own cannot be asked: name a provider with --provider");
    }
    // An existing table may have payments of order 1: use an order of our own.
    let kept = arguments.data.is_some() || arguments.aws_endpoint.is_some();
    let oid = if kept { clock::now_ms() } else { 1 };
    let mut ends = Ends::listen()?;
    let show = async {
        let stack = Stack::start(arguments.options(if serve { port } else { 0 })?).await?;
        let order = Order { id: oid, uid: 1, pid: 1, amount: AMOUNT, status: 0 };
        stack.shop().put_order(order);
        let http = client::client("")?;
        let mut demo = Demo { stack: &stack, http, provider, lose_webhook, step: 0 };
        let mut shown = demo.show(oid).await;
        if serve && matches!(shown, Ok(true)) {
            shown = demo.complain().await;
        }
        anyhow::Ok((stack, shown))
    };
    let Some(ended) = ends.or(show).await else { return Ok(ExitCode::FAILURE) };
    let (stack, shown) = ended?;
    if serve && matches!(shown, Ok(true)) {
        ends.or(pending::<()>()).await;
    }
    stack.stop().await?;
    Ok(if shown? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Demo<'a> {
    stack: &'a Stack,
    http: reqwest::Client,
    provider: Scheme,
    lose_webhook: bool,
    step: usize,
}

/// Status and body.
type Response = (u16, String);

impl Demo<'_> {
    /// Shows each step until one is wrong. Returns whether all were right.
    async fn show(&mut self, oid: u64) -> Result<bool> {
        let payer = self.payer();
        let by = "Authorization: Bearer (token of user 1)";

        self.announce(&format!("Create the payment of order {oid}"))?;
        let body = format!(r#"{{"uid":1,"oid":{oid},"amount":{AMOUNT}}}"#);
        let created = self.post("create", by, &payer, &body).await?;
        let id = field(&created.1, "id").and_then(|id| id.as_u64());
        let Some(id) = id else {
            return self.check(&created, &json!({"id": "a number"}));
        };
        if !self.check(&created, &json!({"id": id}))? {
            return Ok(false);
        }

        self.announce("Look at it: pending, from no source yet")?;
        let asked = format!(r#"{{"id":{id}}}"#);
        let found = self.post("detail", by, &payer, &asked).await?;
        let record = |source: u8, status: u8| json!({"id": id, "uid": 1, "oid": oid, "amount": AMOUNT, "source": source, "status": status});
        if !self.check(&found, &record(0, 0))? {
            return Ok(false);
        }

        let paid = match self.provider {
            Scheme::Standard => self.report_natively(id, oid).await?.then_some(1),
            Scheme::Provider(provider) => {
                let paid = self.check_out(provider, id, &payer).await?;
                paid.then(|| provider.source().get())
            }
        };
        let Some(source) = paid else {
            return Ok(false);
        };

        self.announce("Look again: paid")?;
        let by = "Authorization: Bearer (token of user 1)";
        let found = self.post("detail", by, &payer, &asked).await?;
        if !self.check(&found, &record(source, 1))? {
            return Ok(false);
        }

        self.announce("The shop has been notified, once")?;
        let order = self.stack.shop().order(oid).context("the shop lost its order")?;
        let times = self.stack.shop().times_paid(oid);
        let shown = format!(r#"{{"id":{oid},"status":{},"times_paid":{times}}}"#, order.status);
        if !self.check(&(200, shown), &json!({"id": oid, "status": 1, "times_paid": 1}))? {
            return Ok(false);
        }
        match self.provider {
            Scheme::Standard => Ok(true),
            Scheme::Provider(provider) => {
                if !self.refund(provider, id).await? {
                    return Ok(false);
                }
                self.announce("Look once more: refunded")?;
                let by = "Authorization: Bearer (token of user 1)";
                let found = self.post("detail", by, &payer, &asked).await?;
                let mut refunded = record(source, 4);
                if let Some(fields) = refunded.as_object_mut() {
                    fields.insert("refunded".to_owned(), json!(AMOUNT));
                }
                if !self.check(&found, &refunded)? {
                    return Ok(false);
                }
                self.compare(provider, id)
            }
        }
    }

    /// The payer gets a checkout and pays it; the provider sends its webhook, or the sweep asks. Returns whether
    /// all responses were right.
    async fn check_out(
        &mut self,
        provider: Provider,
        id: u64,
        payer: &[(&str, String)],
    ) -> Result<bool> {
        let (name, method) = (simulator(provider).name, method(provider));
        self.announce(&format!("Start a checkout at {name}"))?;
        let by = "Authorization: Bearer (token of user 1)";
        let wanted = json!({
            "id": id, "provider": provider.as_str(), "method": method,
            "return_url": "https://shop.example/paid",
        });
        let started = self.post("checkout", by, payer, &wanted.to_string()).await?;
        let right = json!({"provider": provider.as_str(), "method": method});
        if !self.check(&started, &right)? {
            return Ok(false);
        }
        // Of a page the provider knows only once it is opened.
        let url = field(&started.1, "action").and_then(|action| action.get("url").cloned());
        if let Some(url) = url.as_ref().and_then(Value::as_str) {
            let browser = client::client(&std::fs::read_to_string(&self.stack.ca_file)?)?;
            browser.get(url).send().await?.error_for_status()?;
        }
        if self.lose_webhook {
            return self.ask(provider, id).await;
        }
        self.announce(&format!("The payer pays there, and {name} sends its webhook"))?;
        let webhooks = self.stack.account(provider)?.pay_checkout(&id.to_string()).await?;
        let taken = webhooks.iter().all(|webhook| *webhook == Delivery::Status(200));
        let webhooks: Vec<_> = webhooks.iter().map(Delivery::to_string).collect();
        let shown = json!({"at": name, "payment": id, "webhooks": webhooks, "taken": taken});
        self.check(&(200, shown.to_string()), &json!({"taken": true}))
    }

    /// The payer pays at a provider, whose webhook is lost, and the sweep asks what became of the payment.
    /// Returns whether all responses were right.
    async fn ask(&mut self, provider: Provider, id: u64) -> Result<bool> {
        let name = simulator(provider).name;
        self.announce(&format!("The payer pays there, and the webhook of {name} is lost"))?;
        let account = self.stack.account(provider)?;
        account.lose_webhooks(true);
        let webhooks = account.pay_checkout(&id.to_string()).await?;
        let lost = webhooks.iter().all(|webhook| *webhook == Delivery::Lost);
        account.lose_webhooks(false);
        let state = account.trade(id).map(|trade| format!("{:?}", trade.state));
        let shown = json!({"at": name, "payment": id, "state": state, "webhook_lost": lost});
        let paid = json!({"state": "Paid", "webhook_lost": true});
        if !self.check(&(200, shown.to_string()), &paid)? {
            return Ok(false);
        }

        self.announce("The sweep asks the providers, as it does five minutes after create")?;
        let request = json!({"operation": "sweep", "limit": 100, "all": true});
        writeln!(stdout(), "   invoke callback\n     -> {request}")?;
        let swept = match self.stack.invoke("callback", &request).await {
            Ok(swept) => (200, swept.to_string()),
            Err(error) => (500, error.message().clone()),
        };
        self.check(&swept, &json!({"moved": 1}))
    }

    /// The headers of a request of the payer's.
    fn payer(&self) -> [(&'static str, String); 2] {
        [("authorization", format!("Bearer {}", self.stack.payer_token(1))), json_type()]
    }

    /// A gateway of the shop's own reports that it is paid. Returns whether the response was right.
    async fn report_natively(&mut self, id: u64, oid: u64) -> Result<bool> {
        self.announce("Our gateway reports that it is paid, and signs the report")?;
        let body =
            format!(r#"{{"id":{id},"uid":1,"oid":{oid},"amount":{AMOUNT},"source":1,"status":1}}"#);
        let (secret, message) = (self.stack.standard_secret()?, format!("msg_demo_{id}"));
        let signed = signing::standard(secret, &message, clock::now_secs(), body.as_bytes())?;
        let [.., (name, signature)] = &signed;
        let by = format!("{name}: {signature}");
        let headers = [&signed[..], &[json_type()]].concat();
        let acknowledged = self.post("callback", &by, &headers, &body).await?;
        self.check(&acknowledged, &json!({}))
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
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Response> {
        Self::show_request(operation, by, body)?;
        self.send(operation, headers, body).await
    }

    fn show_request(operation: &str, by: &str, body: &str) -> Result<()> {
        let (by, shown) = (shortened(by, 100), shortened(body, SHOWN));
        writeln!(stdout(), "   POST /api/pay/{operation}\n        {by}\n     -> {shown}")?;
        Ok(())
    }

    async fn send(
        &self,
        operation: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Response> {
        let mut request = self.http.post(format!("{}/api/pay/{operation}", self.stack.api));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.body(body.to_owned()).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Shows a response, and returns whether it is a 200 with the expected fields among others, or
    /// with exactly the expected text.
    fn check(&self, (status, text): &Response, want: &Value) -> Result<bool> {
        let fits = if let Some(want) = want.as_str() {
            text == want
        } else {
            let mut fields = want.as_object().into_iter().flatten();
            text.starts_with('{')
                && fields.all(|(key, value)| field(text, key).as_ref() == Some(value))
        };
        let right = *status == 200 && fits;
        let mark = if right { "✓" } else { "✗" };
        writeln!(stdout(), "   {mark} <- {status} {}", shortened(text, SHOWN))?;
        if !right {
            writeln!(stdout(), "\n   Expected 200 {want}")?;
            self.show_logs()?;
        }
        Ok(right)
    }

    /// The last lines that the functions printed: they have the cause, which no response has.
    fn show_logs(&self) -> Result<()> {
        let logs = self.stack.logs();
        let lines: Vec<&str> = logs.lines().collect();
        let last = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default();
        if !last.is_empty() {
            writeln!(stdout(), "\n   The functions' last lines:\n   {}", last.join("\n   "))?;
        }
        Ok(())
    }
}

/// How the payer of the demo pays at a provider: on its page, or by its code.
const fn method(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "checkout",
        Provider::WeChat => "native",
        Provider::Alipay => "page",
    }
}

/// The content type of native bodies.
fn json_type() -> (&'static str, String) {
    ("content-type", "application/json".to_owned())
}

/// A text in one line, cut where it is longer than `most` characters.
fn shortened(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most).and_then(|(end, _)| line.get(..end)) {
        Some(start) => format!("{start}… ({} bytes)", text.len()),
        None => line,
    }
}

fn field(text: &str, key: &str) -> Option<Value> {
    serde_json::from_str::<Value>(text).ok()?.get(key).cloned()
}
