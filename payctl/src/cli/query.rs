//! Has the callback function ask the providers what became of a payment.

use anyhow::Result;
use clap::Args;
use pay_core::domain::PaymentId;
use serde_json::{Value, json};

use super::End;
use crate::arguments::payment_id;
use crate::event::status;
use crate::print::{escaped, print, print_json};
use crate::target::FunctionTarget;

/// Arguments of `query`.
#[derive(Debug, Args)]
pub(super) struct QueryArguments {
    /// The payment.
    #[arg(value_parser = payment_id)]
    id: PaymentId,
    #[command(flatten)]
    target: FunctionTarget,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Ends with [`End::Found`] where a provider gave no usable response, or what it reports waits for a
/// person.
pub(super) async fn run(arguments: QueryArguments) -> Result<End> {
    let QueryArguments { id, target, json } = arguments;
    let request = json!({"operation": "query", "id": id.get()});
    let response = target.invoke("callback", &request).await?;
    if json {
        print_json(&response)?;
    } else {
        print(&text(&response))?;
    }
    Ok(End::of(list(&response, "queries").iter().all(is_well)))
}

fn is_well(query: &Value) -> bool {
    let waits = |report: &Value| matches!(word(report, "verdict"), None | Some("quarantined"));
    word(query, "state").is_some() && !list(query, "reports").iter().any(waits)
}

fn text(response: &Value) -> String {
    let mut text = String::new();
    let mut line = |indent: &str, parts: [Option<&str>; 3]| {
        let parts: Vec<_> = parts.into_iter().flatten().map(escaped).collect();
        text.extend([indent, &parts.join(": "), "\n"]);
    };
    let queries = list(response, "queries");
    if queries.is_empty() {
        line("", [Some("no provider can be queried about it"), None, None]);
    }
    for query in queries {
        let state = word(query, "state").or_else(|| word(query, "reason"));
        line("", [word(query, "provider"), word(query, "query"), state]);
        for report in list(query, "reports") {
            let names = [word(report, "event_id"), word(report, "verdict"), word(report, "reason")];
            line("  ", names);
        }
    }
    let number = |name| response.get(name).and_then(Value::as_u64).unwrap_or_default();
    let payment = format!("payment {}", number("id"));
    let now = format!("{}, {} refunded", status(number("status")), number("refunded"));
    line("", [Some(&payment), Some(&now), None]);
    text
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}
