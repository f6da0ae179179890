//! Prints the requests of queries, and reads responses to them: what judges of other makers are given.
//!
//! ```text
//! cargo run --package pay-providers --example queries -- requests SECRET
//! cargo run --package pay-providers --example queries -- responses SECRET <RESPONSES
//! ```
//!
//! SECRET is a file with the JSON of the provider secret. Each line is a JSON object. A request has
//! `provider`, `query` (its name below), `url`, `method`, `target`, `headers`, `body` and `now_secs`, the
//! time at which it is signed. A response has `provider`, `query`, `status`, `headers` and `body`; what it is
//! read as is printed, or under `error` why it proves nothing.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead as _, Write as _, stdin, stdout},
};

use pay_core::{
    domain::{
        Notification, Outcome, PaymentId, Provider, ProviderRefund, ProviderTxn, RefundReport,
        RefundState, Timestamp,
    },
    ports::{Query, QueryError, QueryResponse, SecretKeys as _},
};
use pay_providers::{Headers, HttpResponse, ProviderKeys, Querier, adapter};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The payment of every query.
const PAYMENT: &str = "1234567890123";

/// When every request is signed and every response is read, in Unix seconds.
const NOW_SECS: u64 = 1_800_000_000;

/// The nonce of every request.
const NONCE: &str = "0123456789abcdef0123456789abcdef";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [what, secret] = words[..] else {
        return Err("usage: queries requests|responses SECRET".into());
    };
    let text = fs::read_to_string(secret).map_err(|error| format!("{secret}: {error}"))?;
    let keys = ProviderKeys::read(&text).map_err(|bad| bad.0)?;
    if let Some((entry, bad)) = keys.unusable().first() {
        return Err(format!("{secret}: the entry `{entry}` is unusable: {}", bad.0).into());
    }
    match what {
        "requests" => print_requests(&keys),
        "responses" => print_responses(&keys),
        other => Err(format!("it is `requests` or `responses`, not `{other}`").into()),
    }
}

/// Every query that a provider may be asked, by a name.
fn queries(provider: Provider) -> Result<Vec<(&'static str, Query)>> {
    let (txn, objects): (_, &[_]) = match provider {
        Provider::Stripe => (
            "pi_1234567890aBcDeF",
            &[
                ("object-intent", "pi_1234567890aBcDeF"),
                ("object-session", "cs_test_1234567890aBcDeF"),
                ("object-charge", "ch_1234567890aBcDeF"),
                ("object-refund", "re_1234567890aBcDeF"),
            ],
        ),
        Provider::WeChat => ("4200001234202611281234567890", &[]),
        Provider::Alipay => ("2026112822001412345678901234", &[]),
    };
    let id = PaymentId::parse(PAYMENT)?;
    let txn = ProviderTxn::new(txn)?;
    let mut all = vec![
        ("payment", Query::Payment { id, txn: None }),
        ("payment-known", Query::Payment { id, txn: Some(txn.clone()) }),
        ("refunds", Query::Refunds { payment: Some(id), txn }),
    ];
    for (name, object) in objects {
        all.push((*name, Query::Object(ProviderTxn::new(object)?)));
    }
    Ok(all)
}

fn now() -> Result<Timestamp> {
    Ok(Timestamp::from_millis(NOW_SECS.saturating_mul(1000))?)
}

fn print_requests(keys: &ProviderKeys) -> Result<()> {
    for provider in keys.configured() {
        for (name, query) in queries(provider)? {
            let querier = keys.querier(provider)?;
            let request = match querier.request(&query, NONCE, now()?) {
                Ok(request) => request,
                // Not every provider lists refunds.
                Err(QueryError::Unusable(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            let headers: serde_json::Map<String, Value> = request
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            let line = json!({
                "provider": provider.as_str(), "query": name, "url": adapter(provider).url,
                "method": request.method, "target": request.target, "headers": headers,
                "body": String::from_utf8(request.body)?, "now_secs": NOW_SECS,
            });
            writeln!(stdout(), "{line}")?;
        }
    }
    Ok(())
}

fn print_responses(keys: &ProviderKeys) -> Result<()> {
    for line in stdin().lock().lines() {
        let response: Value = serde_json::from_str(&line?)?;
        let text = |name| response.get(name).and_then(Value::as_str).unwrap_or_default();
        let provider = Provider::new(text("provider"))?;
        let querier = keys.querier(provider)?;
        let named = text("query");
        let (_, query) = queries(provider)?
            .into_iter()
            .find(|(name, _)| *name == named)
            .ok_or_else(|| format!("there is no query `{named}`"))?;
        let mut read = read(querier, &query, &response, text("body"))?;
        if let Some(read) = read.as_object_mut() {
            read.insert("provider".to_owned(), provider.as_str().into());
            read.insert("query".to_owned(), named.into());
        }
        writeln!(stdout(), "{read}")?;
    }
    Ok(())
}

/// What a response is read as.
fn read(querier: &dyn Querier, query: &Query, response: &Value, body: &str) -> Result<Value> {
    let status = response.get("status").and_then(Value::as_u64).ok_or("no `status`")?;
    let pairs: Vec<(&str, &str)> = response
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let headers = Headers::from_pairs(&pairs);
    let response =
        HttpResponse { status: status.try_into()?, headers: &headers, body: body.as_bytes() };
    Ok(match querier.response(query, &response, now()?) {
        Ok(QueryResponse { state, notifications, next }) => json!({
            "state": state.as_str(),
            "notifications": notifications.iter().map(reported).collect::<Vec<_>>(),
            "next": next.is_some(),
        }),
        Err(error) => {
            let word = match error {
                QueryError::Unavailable(_) => "unavailable",
                QueryError::Unusable(_) => "unusable",
                QueryError::Rejected(_) => "rejected",
                QueryError::NoKey => "no-key",
            };
            let cause = error.source().map(ToString::to_string);
            json!({"error": word, "cause": cause})
        }
    })
}

fn reported(notification: &Notification) -> Value {
    let report = &notification.report;
    let outcome = report.outcome.map(|outcome| match outcome {
        Outcome::Failed => "failed",
        Outcome::Closed => "closed",
        Outcome::Paid => "paid",
        Outcome::Refunded => "refunded",
    });
    let refund = report.refund.as_ref().map(|refund| match refund {
        RefundReport::One { id, reference, amount_minor, state } => json!({
            "id": id.as_str(), "reference": reference.as_ref().map(ProviderRefund::as_str),
            "amount": amount_minor, "state": RefundState::as_str(*state),
        }),
        RefundReport::Total(total) => json!({"total": total}),
    });
    json!({
        "event_id": notification.event_id.as_str(),
        "payment": notification.payment.map(|id| id.to_string()),
        "outcome": outcome, "amount": report.amount_minor, "currency": report.currency,
        "transaction": report.reference.txn.as_ref().map(ProviderTxn::as_str), "refund": refund,
        "review": notification.review.as_ref().and_then(|mismatch| mismatch.received.clone()),
    })
}
