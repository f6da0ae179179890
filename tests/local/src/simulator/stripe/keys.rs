//! Idempotency keys, and the forms of what is ordered with them.
//!
//! Sources: Stripe API reference, "Idempotent requests", "Errors".

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::super::api::{Call, Reply};
use super::super::ledger::{KeptReply, Ledger};
use super::api::error;

/// For how long a key is known, in seconds.
const KEY_SECS: u64 = 24 * 60 * 60;

/// Carries out a call once for its idempotency key: a repeat gets the first response. `make` returns the response,
/// and whether it is kept.
pub(super) fn once(
    ledger: &mut Ledger,
    call: &Call,
    now_secs: u64,
    make: impl FnOnce(&mut Ledger, &Call, u64) -> (Reply, bool),
) -> Reply {
    // The real API takes a call without one, and makes another object each time.
    let Some(key) = call.header("idempotency-key") else {
        return wrong(&json!({"message": "no Idempotency-Key: this simulator wants one"}));
    };
    let request = Bytes::from([call.path_and_query().as_bytes(), b"\n", &call.body].concat());
    let kept = ledger.replies.get(key);
    let kept = kept.filter(|kept| now_secs.saturating_sub(kept.time_secs) < KEY_SECS);
    if let Some(kept) = kept {
        if kept.request != request {
            let text = "Keys for idempotent requests can only be used with the same parameters";
            return wrong(&json!({"type": "idempotency_error", "message": text}));
        }
        return Reply { effect: None, ..kept.reply.clone() };
    }
    let (reply, began_execution) = make(ledger, call, now_secs);
    if began_execution {
        let kept = KeptReply { request, time_secs: now_secs, reply: reply.clone() };
        ledger.replies.insert(key.to_owned(), kept);
    }
    reply
}

/// The form of a call that has these parameters alone; the real API takes some more.
pub(super) fn form(call: &Call, known: &[&str]) -> Result<BTreeMap<String, String>, Value> {
    let is_form = call.header("content-type").is_some_and(|kind| {
        kind.split(';').next().is_some_and(|kind| kind == "application/x-www-form-urlencoded")
    });
    if !is_form {
        return Err(json!({"message": "the body is not a form"}));
    }
    let pairs = form_urlencoded::parse(&call.body);
    let form: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    match form.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(json!({"code": "parameter_unknown", "message": name, "param": name})),
        None => Ok(form),
    }
}

pub(super) fn wrong(more: &Value) -> Reply {
    error(StatusCode::BAD_REQUEST, more)
}
