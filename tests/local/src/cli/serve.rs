//! Serves the stack until it is stopped.

use std::future::Future;
use std::io::{self, Write as _, stderr, stdout};
use std::net::IpAddr;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use local::{Stack, StackOptions, defaults};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{StackArguments, quoted};

/// Arguments of serving.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The address of this machine to listen on; containers reach 172.17.0.1.
    #[arg(long, value_name = "ADDRESS", default_value_t = defaults::HOST)]
    host: IpAddr,
    /// The API's port; 0 for any free one.
    #[arg(long, default_value_t = defaults::PORT)]
    port: u16,
    /// An origin whose pages may call the API, as `http://localhost:5173`; may be given again.
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Vec<String>,
    /// Print one line of JSON with everything a program needs, and nothing else.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stack: StackArguments,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { host, port, cors_origin, json, stack } = arguments;
    let logs = stack.logs;
    let options = StackOptions { host, cors_origins: cors_origin, ..stack.options(port)? };
    // One for everything: between two of them a signal would be lost.
    let mut ends = Ends::listen()?;
    let Some(started) = ends.or(Stack::start(options)).await else {
        return Ok(ExitCode::SUCCESS);
    };
    let stack = started?;
    let text = if json { format!("{}\n", stack.describe()) } else { welcome(&stack, logs) };
    stdout().write_all(text.as_bytes())?;
    stdout().flush()?;
    ends.or(std::future::pending::<()>()).await;
    let fired = stack.faults().fired();
    stack.stop().await?;
    if !json {
        writeln!(stderr(), "\nStopped.")?;
    }
    // How often each fault was injected.
    for ((at, fault), times) in fired {
        writeln!(stderr(), "{at} {fault}: {times} times")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C and signals to end, from the moment that this is created.
pub(super) struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Ends {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The result of `work`; `None` if a signal comes first.
    pub(super) async fn or<F: Future>(&mut self, work: F) -> Option<F::Output> {
        tokio::select! {
            result = work => Some(result),
            _ = self.interrupt.recv() => None,
            _ = self.terminate.recv() => None,
            _ = self.hangup.recv() => None,
        }
    }
}

/// The result of `work`; `None` if Ctrl-C or a signal to end comes first.
pub(super) async fn until_stopped<F: Future>(work: F) -> io::Result<Option<F::Output>> {
    Ok(Ends::listen()?.or(work).await)
}

/// The command that opens the console on a stack.
pub(super) fn console_command(stack: &Stack) -> String {
    let own_api = own_api();
    let at = if stack.api == own_api { String::new() } else { format!("={}", stack.api) };
    format!("cargo --quiet payctl console --local{at}")
}

/// The URL of the API where no other one is chosen.
fn own_api() -> String {
    format!("http://{}:{}", defaults::HOST, defaults::PORT)
}

/// What a person needs to try it: addresses, and lines to copy.
fn welcome(stack: &Stack, logs: bool) -> String {
    let Stack { api, dynamodb, secretsmanager, users, table, .. } = stack;
    let ca_file = stack.ca_file.display();
    let token = stack.payer_token(1);
    let own = stack.standard_secret().unwrap_or(defaults::WEBHOOK_SECRET);
    let secret = if own == defaults::WEBHOOK_SECRET {
        String::new()
    } else {
        format!(" --secret {}", quoted(own))
    };
    let at = if *api == own_api() { String::new() } else { format!(" --api {api}") };
    let console = console_command(stack);
    let output = if logs { "" } else { "\nWhat the functions print is shown with --logs." };
    let create = r#"{"uid":1,"oid":1,"amount":100}"#;
    let paid = r#"{\"id\":$ID,\"uid\":1,\"oid\":1,\"amount\":100,\"source\":1,\"status\":1}"#;
    format!(
        r#"
The local stack is ready; Ctrl-C stops it.{output}

  API              {api}
  DynamoDB         {dynamodb}  table {table}
  Secrets Manager  {secretsmanager}
  users, orders    {users}  signed by {ca_file}

The shop has user 1, and order 1 of theirs: amount 100, unpaid. To pay it:

  TOKEN={token}

  ID=$(curl -sS {api}/api/pay/create -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' -d '{create}' |
    tee /dev/stderr | sed -n 's/.*"id":\([0-9]*\).*/\1/p')

  curl -sS {api}/api/pay/detail -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' -d '{{"oid":1}}'

Either in a checkout, where the payer pays at a provider:

  curl -sS {api}/api/pay/checkout -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/json' \
    -d "{{\"id\":$ID,\"provider\":\"wechat\",\"method\":\"native\"}}"

  cargo --quiet local pay $ID{at}

Or at a gateway of the shop's own, which reports it:

  BODY="{paid}"
  printf %s "$BODY" | cargo --quiet local sign --provider standard{secret} |
    curl -sS {api}/api/pay/callback -H @- -H 'Content-Type: application/json' -d "$BODY"

What became of it, in a browser:

  {console}

"#
    )
}
