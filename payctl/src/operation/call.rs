//! What a person has the deployed functions do: the request, and what its response says.

use anyhow::{Context as _, Result};
use pay_core::domain::{PaymentId, Status};
use pay_core::limits::SWEEP_LIMIT_MAX;
use serde_json::{Value, json};

use crate::event::status;
use crate::print::escaped;

/// [`pay_core::limits::SWEEP_LIMIT_MAX`], as the command line counts.
pub(crate) const SWEEP_LIMIT_MOST: u64 = 100_000;

/// The entries of a sweep, unless it is said how many.
pub(crate) const SWEEP_LIMIT_DEFAULT: u64 = 200;

const _: () = assert!(SWEEP_LIMIT_MAX == 100_000, "the command line takes what a sweep takes");

/// A function that people invoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionRole {
    /// The one that creates and closes payments.
    Create,
    /// The one that applies notifications, queries providers and makes refunds.
    Callback,
}

impl FunctionRole {
    /// Its name on the local stack, which is also that of the option that names it in AWS.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Callback => "callback",
        }
    }
}

/// A request to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FunctionCall {
    /// Asks the providers what became of a payment.
    Query(PaymentId),
    /// Gives money of a payment back, once for each key.
    Refund {
        /// The payment.
        id: PaymentId,
        /// How much, in minor units; `None` for what is left.
        amount_minor: Option<u64>,
        /// Why, for the payer.
        reason: Option<String>,
        /// The idempotency key.
        key: String,
    },
    /// Closes a payment and its checkouts.
    Close(PaymentId),
    /// Does what is due.
    Sweep {
        /// The most entries.
        limit: u64,
        /// Whether also those that are not due yet.
        all: bool,
    },
    /// Does what is still to be done about one payment.
    SweepOne(PaymentId),
}

impl FunctionCall {
    /// Which function.
    pub(crate) const fn role(&self) -> FunctionRole {
        match self {
            Self::Close(_) => FunctionRole::Create,
            Self::Query(_) | Self::Refund { .. } | Self::Sweep { .. } | Self::SweepOne(_) => {
                FunctionRole::Callback
            }
        }
    }

    /// The request.
    pub(crate) fn request(&self) -> Value {
        match self {
            Self::Query(id) => json!({"operation": "query", "id": id.get()}),
            Self::Refund { id, amount_minor, reason, key } => json!({
                "operation": "refund", "id": id.get(), "amount": amount_minor, "reason": reason,
                "idempotency_key": key,
            }),
            Self::Close(id) => json!({"operation": "close", "id": id.get()}),
            Self::Sweep { limit, all } => {
                json!({"operation": "sweep", "limit": limit, "all": all})
            }
            Self::SweepOne(id) => json!({"operation": "sweep", "id": id.get()}),
        }
    }

    /// Whether all is well by a response: if it is not, a provider gave no usable response, something waits
    /// for a person, or what was asked for is not done yet.
    ///
    /// # Errors
    ///
    /// It is no response to this.
    pub(crate) fn is_well(&self, response: &Value) -> Result<bool> {
        Ok(match self {
            Self::Query(_) => list(response, "queries").iter().all(is_well),
            Self::Refund { .. } => {
                matches!(word(response, "status"), Some("succeeded" | "pending"))
            }
            Self::Close(_) => code(response)? == u64::from(Status::Closed.code()),
            Self::Sweep { .. } | Self::SweepOne(_) => {
                response.get("failed").and_then(Value::as_u64) == Some(0)
            }
        })
    }

    /// What a response says, in lines.
    ///
    /// # Errors
    ///
    /// It is no response to this.
    pub(crate) fn text(&self, response: &Value) -> Result<String> {
        Ok(match self {
            Self::Query(_) => of_queries(response),
            Self::Refund { .. } => {
                let word = |name| escaped(word(response, name).unwrap_or_default());
                let amount = number(response, "amount").unwrap_or_default();
                format!("refund {} of {amount}: {}\n", word("refund_id"), word("status"))
            }
            Self::Close(id) => format!("payment {id}: {}\n", status(code(response)?)),
            Self::Sweep { .. } | Self::SweepOne(_) => of_sweep(response),
        })
    }
}

fn code(response: &Value) -> Result<u64> {
    number(response, "status").context("the response has no status")
}

fn is_well(query: &Value) -> bool {
    let waits = |report: &Value| matches!(word(report, "verdict"), None | Some("quarantined"));
    word(query, "state").is_some() && !list(query, "reports").iter().any(waits)
}

fn of_queries(response: &Value) -> String {
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
    let number = |name| number(response, name).unwrap_or_default();
    let payment = format!("payment {}", number("id"));
    let now = format!("{}, {} refunded", status(number("status")), number("refunded"));
    line("", [Some(&payment), Some(&now), None]);
    text
}

fn of_sweep(swept: &Value) -> String {
    let names =
        ["notified", "queried", "moved", "rescheduled", "abandoned", "failed", "stale", "left"];
    let counted = names.map(|name| format!("{} {name}", number(swept, name).unwrap_or_default()));
    let oldest = match number(swept, "oldest_due_seconds") {
        Some(secs) => format!("; the oldest has been due for {secs} s"),
        None => String::new(),
    };
    format!("{}{oldest}\n", counted.join(", "))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}
