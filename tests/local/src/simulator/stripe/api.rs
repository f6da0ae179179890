//! Stripe's API as far as it makes, closes and reads payments, and makes and reads refunds.
//!
//! Sources: Stripe API reference, "Payment Intents", "Checkout Sessions", "Charges", "Refunds",
//! "Errors", "Pagination", "Search".

use anyhow::Result;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::super::api::{Api, Call, Reply};
use super::super::ledger::{Ledger, Trade, TradeState};
use super::super::shop_keys::ShopKey;
use super::checkouts::{self, of_session, whole_session};
use super::objects::{charge, has_intent, intent, refund};
use super::refunds::make_refund;
use crate::faults::server;

/// The key with which the shop calls Stripe.
pub const API_KEY: &str = "rk_test_local_development_stripe_key";

/// The key to which [`API_KEY`] is rotated.
const NEXT_API_KEY: &str = "rk_test_local_development_next_stripe_key";

/// Stripe's API.
pub(super) const API: Api = Api {
    url: ("STRIPE_URL", ""),
    entry: |key| Ok(json!({"api_key": api_key(key)})),
    point,
    closes_what_is_over: true,
    respond,
    open: |_, _, _| Ok(None),
    write,
    problem,
    throttled: || problem(StatusCode::TOO_MANY_REQUESTS),
    error_envelope: || problem(StatusCode::NOT_IMPLEMENTED),
    nothing_found: || found(json!({"object": "search_result", "data": [], "has_more": false})),
    references: &["payment_id", "payment_intent", "client_reference_id"],
};

fn point(call: &Call) -> &'static str {
    match call.path()[..] {
        ["v1", "payment_intents", "search"] if call.is_get() => "stripe:search",
        ["v1", "payment_intents", _] if call.is_get() => "stripe:payment-intent",
        ["v1", "payment_intents"] | ["v1", "checkout", "sessions"] if call.is_post() => {
            "stripe:make-checkout"
        }
        ["v1", "payment_intents", _, "cancel"] | ["v1", "checkout", "sessions", _, "expire"]
            if call.is_post() =>
        {
            "stripe:close"
        }
        ["v1", "checkout", "sessions", _] if call.is_get() => "stripe:session",
        ["v1", "charges", _] if call.is_get() => "stripe:charge",
        ["v1", "refunds"] if call.is_get() => "stripe:refunds",
        ["v1", "refunds"] if call.is_post() => "stripe:make-refund",
        ["v1", "refunds", _] if call.is_get() => "stripe:refund",
        _ => "",
    }
}

const fn api_key(key: ShopKey) -> &'static str {
    match key {
        ShopKey::First => API_KEY,
        ShopKey::Next => NEXT_API_KEY,
    }
}

fn respond(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Result<Reply> {
    let sent = call.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
    if !ledger.keys.accept(|key| Ok(sent == Some(api_key(key))))? {
        let text = "Invalid API Key provided";
        return Ok(error(StatusCode::UNAUTHORIZED, &json!({"message": text})));
    }
    // The real API takes the account's version instead: a call without one changes with the account.
    if call.header("stripe-version").is_none() {
        let text = "no Stripe-Version: this simulator wants one";
        return Ok(error(StatusCode::BAD_REQUEST, &json!({"message": text})));
    }
    let is_session = call.path().get(1) == Some(&"checkout");
    Ok(match (point(call), call.path().last()) {
        ("stripe:make-checkout", _) if is_session => {
            checkouts::make_session(ledger, call, now_secs)
        }
        ("stripe:make-checkout", _) => checkouts::make_intent(ledger, call, now_secs),
        ("stripe:close", _) if is_session => checkouts::expire(ledger, call, now_secs),
        ("stripe:close", _) => checkouts::cancel(ledger, call, now_secs),
        ("stripe:search", _) => search(ledger, call),
        ("stripe:refunds", _) => refunds(ledger, call),
        ("stripe:make-refund", _) => make_refund(ledger, call, now_secs),
        ("stripe:payment-intent", Some(id)) => {
            let trade = ledger.by_transaction(id).filter(|trade| has_intent(trade));
            let content = trade.map(|trade| whole_intent(trade, expands(call, "latest_charge")));
            or_missing(content, "payment_intent", id)
        }
        ("stripe:session", Some(id)) => {
            let content = of_session(ledger, id).map(|trade| whole_session(trade, call));
            or_missing(content, "checkout.session", id)
        }
        ("stripe:charge", Some(id)) => {
            let intent = id.strip_prefix("ch_").map(|suffix| format!("pi_{suffix}"));
            let trade = intent.and_then(|intent| ledger.by_transaction(&intent));
            let trade = trade.filter(|trade| trade.state == TradeState::Paid);
            or_missing(trade.map(charge), "charge", id)
        }
        ("stripe:refund", Some(id)) => {
            let found = ledger.refund_that(|refund| refund.id == *id).map(|(trade, one)| {
                let mut content = refund(trade, one);
                if expands(call, "payment_intent") {
                    expand(&mut content, "payment_intent", whole_intent(trade, false));
                }
                content
            });
            or_missing(found, "refund", id)
        }
        _ => {
            let text = format!("Unrecognized request URL ({} {})", call.head.method, call.head.uri);
            error(StatusCode::NOT_FOUND, &json!({"message": text}))
        }
    })
}

/// Whether a call wants this member as an object instead of its id.
fn expands(call: &Call, member: &str) -> bool {
    call.parameters("expand[]").any(|wanted| wanted == member)
}

fn expand(object: &mut Value, member: &str, content: Value) {
    if let Some(id) = object.get_mut(member).filter(|id| !id.is_null()) {
        *id = content;
    }
}

/// An intent as only a call has it.
pub(super) fn whole_intent(trade: &Trade, with_charge: bool) -> Value {
    let mut content = intent(trade);
    if with_charge {
        expand(&mut content, "latest_charge", charge(trade));
    }
    if let Some(content) = content.as_object_mut() {
        // Whoever has it may pay: it belongs into no log.
        let secret = format!("{}_secret_local", trade.transaction);
        content.insert("client_secret".to_owned(), json!(secret));
    }
    content
}

/// How many objects a list has at most; `None` if a call wants fewer than one or more than a hundred.
fn page(call: &Call) -> Option<usize> {
    let limit = call.parameter("limit").map_or(Some(10), |limit| limit.parse().ok());
    limit.filter(|limit| (1..=100).contains(limit))
}

fn wrong_limit() -> Reply {
    let text = "limit must be between 1 and 100";
    error(StatusCode::BAD_REQUEST, &json!({"message": text, "param": "limit"}))
}

/// Payments by what we have stored in them: `metadata['payment_id']:'42'`.
fn search(ledger: &Ledger, call: &Call) -> Reply {
    let query = call.parameter("query").unwrap_or_default().replace('"', "'");
    let wanted =
        query.strip_prefix("metadata['payment_id']:'").and_then(|id| id.strip_suffix('\''));
    let Some(wanted) = wanted else {
        let text = format!("We were unable to parse your search query: {query}");
        return error(StatusCode::BAD_REQUEST, &json!({"message": text, "param": "query"}));
    };
    if page(call).is_none() {
        return wrong_limit();
    }
    let with_charge = expands(call, "data.latest_charge");
    let trades = wanted.parse().ok().map(|payment| ledger.of(payment)).into_iter().flatten();
    let trades = trades.filter(|trade| has_intent(trade));
    let data: Vec<Value> = trades.map(|trade| whole_intent(trade, with_charge)).collect();
    let url = "/v1/payment_intents/search";
    found(json!({"object": "search_result", "data": data, "has_more": false, "url": url}))
}

/// The refunds of a payment, newest first.
fn refunds(ledger: &Ledger, call: &Call) -> Reply {
    let wanted = call.parameter("payment_intent").unwrap_or_default();
    let Some(trade) = ledger.by_transaction(&wanted) else {
        return or_missing(None, "payment_intent", &wanted);
    };
    let Some(limit) = page(call) else { return wrong_limit() };
    let after = call.parameter("starting_after");
    let mut rest = trade.refunds.iter().rev();
    if let Some(after) = &after
        && !rest.any(|refund| refund.id == *after)
    {
        return or_missing(None, "refund", after);
    }
    let data: Vec<Value> = rest.by_ref().take(limit).map(|one| refund(trade, one)).collect();
    let has_more = rest.next().is_some();
    found(json!({"object": "list", "data": data, "has_more": has_more, "url": "/v1/refunds"}))
}

pub(super) fn or_missing(content: Option<Value>, kind: &str, id: &str) -> Reply {
    content.map_or_else(
        || {
            let text = format!("No such {kind}: '{id}'");
            let more = json!({"code": "resource_missing", "message": text, "param": "id"});
            error(StatusCode::NOT_FOUND, &more)
        },
        found,
    )
}

pub(super) fn found(content: Value) -> Reply {
    Reply::unsigned(StatusCode::OK, content)
}

pub(super) fn error(status: StatusCode, more: &Value) -> Reply {
    let kind = match status {
        status if status.is_server_error() => "api_error",
        _ => "invalid_request_error",
    };
    let mut error = more.clone();
    if let Some(error) = error.as_object_mut() {
        error.entry("type").or_insert_with(|| json!(kind));
    }
    Reply::unsigned(status, json!({"error": error}))
}

fn problem(status: StatusCode) -> Reply {
    let text = "an injected fault";
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            error(status, &json!({"code": "rate_limit", "message": text}))
        }
        status => error(status, &json!({"message": text})),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "other providers sign")]
fn write(reply: &Reply) -> Result<Response<Bytes>> {
    let body = format!("{:#}", reply.content);
    Ok(server::response(reply.status, "application/json", body))
}
