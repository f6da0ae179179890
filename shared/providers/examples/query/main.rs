//! Builds the request of a query, a refund or a checkout, and reads a response to it, for the judges of
//! `tests/conformance`.
//!
//! Reads one JSON object from the standard input: `{"secret": {…}, "provider", "id", "txn": … or null,
//! "nonce", "secs", "response": {"status", "headers": {…}, "body"} or null}`. Prints the request, or what
//! the response proves, as one JSON object. With `"refunds": true` the refunds of `txn` are asked for, with
//! `"refund"` the one of them that has this reference of ours, and with `"object"` the object with this id.
//! With `"order": {"amount", "paid", "currency", "reason": … or null}` that refund is ordered. With `"checkout"`
//! that checkout is made, or as `"do"` says closed or asked about.

mod checkouts;

use std::io::{Read as _, Write as _, stdin, stdout};

use pay_core::{
    domain::{
        Amount, Currency, Digest, Notification, PaymentId, Provider, ProviderRef, ProviderRefund,
        ProviderTxn, Refund, RefundId, RefundReason, RefundReference, RefundReport, RefundRequest,
        RefundState, Timestamp,
    },
    ports::{Query, QueryError, QueryResponse, RefundCallError, RefundOrder, SecretKeys as _},
};
use pay_providers::{Headers, ProviderKeys, RawRequest, RawResponse};
use serde_json::{Value, json};

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    let input: Value = serde_json::from_str(&text)?;
    writeln!(stdout(), "{}", output(&input)?)?;
    Ok(())
}

fn output(input: &Value) -> Result<Value, Failed> {
    let text = |name: &str| input[name].as_str().ok_or(format!("no text `{name}`"));
    let number = |name: &str| input[name].as_u64().ok_or(format!("no number `{name}`"));
    let keys = ProviderKeys::read(&input["secret"].to_string())?;
    if let Some((_, bad)) = keys.unusable().first() {
        return Err((*bad).into());
    }
    let provider = Provider::new(text("provider")?)?;
    let querier = keys.querier(provider)?;
    let now = Timestamp::from_millis(number("secs")?.saturating_mul(1000))?;
    let response = &input["response"];
    if !input["checkout"].is_null() {
        return checkouts::output((provider, querier), input, (text("nonce")?, now));
    }
    if !input["order"].is_null() {
        let ordered = Ordered::read(provider, input)?;
        let order = ordered.order();
        if response.is_null() {
            return Ok(requested(&querier.refund_request(&order, text("nonce")?, now)?));
        }
        let read = |response: &RawResponse<'_>| querier.refund_response(&order, response, now);
        return Ok(match with_response(response, read)? {
            Err(RefundCallError::Refused { code, report }) => {
                json!({"refused": code, "notifications": [reported(&report)]})
            }
            Err(RefundCallError::Unknown(error)) => proved(Err(error)),
            Ok(made) => proved(Ok(made)),
        });
    }
    let txn = input["txn"].as_str().map(ProviderTxn::new).transpose()?;
    let id = PaymentId::new(number("id")?)?;
    let [object, refund] = ["object", "refund"].map(|name| input[name].as_str());
    let query = match (object, refund, input["refunds"].as_bool()) {
        (Some(object), ..) => Query::Object(ProviderTxn::new(object)?),
        (None, Some(refund), _) => {
            let refund = RefundReference::parse(refund)?;
            Query::Refund { refund, txn: txn.ok_or("no `txn`")? }
        }
        (None, None, Some(true)) => {
            Query::Refunds { payment: Some(id), txn: txn.ok_or("no `txn`")? }
        }
        (None, None, Some(false) | None) => Query::Payment { id, txn },
    };
    if response.is_null() {
        return Ok(requested(&querier.request(&query, text("nonce")?, now)?));
    }
    let read = |response: &RawResponse<'_>| querier.response(&query, response, now);
    Ok(proved(with_response(response, read)?))
}

/// What is read of a response.
fn with_response<T>(
    response: &Value,
    read: impl FnOnce(&RawResponse<'_>) -> T,
) -> Result<T, Failed> {
    let headers = response["headers"].as_object().ok_or("no object `headers`")?.iter();
    let headers = headers.filter_map(|(name, value)| Some((&**name, value.as_str()?.into())));
    let body = response["body"].as_str().ok_or("no text `body`")?.as_bytes();
    let status = response["status"].as_u64().ok_or("no number `status`")?.try_into()?;
    Ok(read(&RawResponse { status, headers: &Headers::new(headers), body }))
}

/// An order, with what it borrows.
struct Ordered {
    reference: RefundReference,
    refund: Refund,
    txn: ProviderTxn,
    paid: Amount,
}

impl Ordered {
    fn read(provider: Provider, input: &Value) -> Result<Self, Failed> {
        let text = |name: &str| input[name].as_str().ok_or(format!("no text `{name}`"));
        let order = &input["order"];
        let number = |name: &str| order[name].as_u64().ok_or(format!("no number `{name}`"));
        let reference = RefundReference::parse(text("refund")?)?;
        let txn = ProviderTxn::new(text("txn")?)?;
        let currency = Currency::new(order["currency"].as_str().ok_or("no text `currency`")?)?;
        let reason = order["reason"].as_str().map(RefundReason::new).transpose()?;
        let time = Timestamp::from_millis(1)?;
        let refund = Refund {
            payment: reference.payment(),
            id: RefundId::requested(reference),
            taken_from: ProviderRef { source: provider.source(), txn: Some(txn.clone()) },
            provider_refund: None,
            reference: None,
            amount_minor: number("amount")?,
            state: RefundState::Requested,
            request: Some(RefundRequest { key: Digest::new([0; 32]), reason, quarantined: None }),
            due: None,
            create_time: time,
            update_time: time,
        };
        Ok(Self { reference, refund, txn, paid: Amount::new(number("paid")?, currency)? })
    }

    const fn order(&self) -> RefundOrder<'_> {
        let Self { reference, refund, txn, paid } = self;
        RefundOrder { reference: *reference, refund, txn, paid: *paid, notify_url: None }
    }
}

fn requested(request: &RawRequest) -> Value {
    let RawRequest { method, target, headers, body } = request;
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let headers: serde_json::Map<_, _> = headers.collect();
    let body = String::from_utf8_lossy(body);
    json!({"method": method, "target": target, "headers": headers, "body": body})
}

/// Why nothing is proved.
fn error(error: &QueryError) -> Value {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    json!({"error": error.to_string(), "cause": cause})
}

fn proved(response: Result<QueryResponse, QueryError>) -> Value {
    let QueryResponse { state, notifications, next } = match response {
        Ok(response) => response,
        Err(unknown) => return error(&unknown),
    };
    let next = next.map(|next| match next {
        Query::Payment { .. } => "payment",
        Query::Refunds { .. } => "refunds",
        Query::Refund { .. } => "refund",
        Query::Checkout { .. } => "checkout",
        Query::Object(_) => "object",
    });
    let notifications: Vec<_> = notifications.iter().map(reported).collect();
    let proved = json!({"state": state.as_str(), "notifications": notifications});
    with(proved, "next", next.map(Value::from))
}

fn reported(notification: &Notification) -> Value {
    let report = &notification.report;
    let reported = json!({
        "event": notification.event_id.as_str(),
        "payment": notification.payment.map(PaymentId::get),
        "txn": report.reference.txn.as_ref().map(ProviderTxn::as_str),
        "amount": report.amount_minor,
        "currency": report.currency,
    });
    let refund = match &report.refund {
        Some(RefundReport::One { id, reference, amount_minor, state }) => {
            let one = json!({"id": id.as_str(), "amount": amount_minor, "state": state.as_str()});
            let reference = reference.as_ref().map(ProviderRefund::as_str);
            Some(with(one, "reference", reference.map(Value::from)))
        }
        Some(RefundReport::Total(total)) => Some(json!({"total": total})),
        None => None,
    };
    let review = notification.review.as_ref().map(|mismatch| json!(mismatch.received));
    let checkout = notification.checkout.map(|checkout| Value::from(checkout.get()));
    let reported = with(reported, "checkout", checkout);
    with(with(reported, "refund", refund), "review", review)
}

/// The object with this member, where there is one.
fn with(mut object: Value, name: &str, member: Option<Value>) -> Value {
    if let (Some(members), Some(member)) = (object.as_object_mut(), member) {
        members.insert(name.to_owned(), member);
    }
    object
}
