//! Refunds that the shop orders of Stripe.
//!
//! Sources: Stripe API reference, "Create a refund", "Idempotent requests", "Error codes".

use std::collections::BTreeMap;

use hyper::StatusCode;
use pay_core::domain::RefundState;
use serde_json::json;
use uuid::Uuid;

use super::super::api::{Call, Reply};
use super::super::ledger::{KeptReply, Ledger, NotBegun, Orders, TradeRefund};
use super::api::{error, found, or_missing};
use super::objects;

/// For how long a key is known, in seconds.
const KEY_SECS: u64 = 24 * 60 * 60;

/// The parameters of an order; the real API takes some more.
const PARAMETERS: [&str; 5] =
    ["amount", "metadata[payment_id]", "metadata[reason]", "metadata[refund_id]", "payment_intent"];

/// Makes a refund once for an idempotency key. Nothing else makes an order a repeat: with another key the
/// same reference is another refund.
pub(super) fn make_refund(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    // The real API takes an order without one, and makes a refund each time.
    let Some(key) = call.header("idempotency-key") else {
        return wrong(&json!({"message": "no Idempotency-Key: this simulator wants one"}));
    };
    let kept = ledger.replies.get(key);
    let kept = kept.filter(|kept| now_secs.saturating_sub(kept.time_secs) < KEY_SECS);
    if let Some(kept) = kept {
        if kept.request != call.body {
            let text = "Keys for idempotent requests can only be used with the same parameters";
            return wrong(&json!({"type": "idempotency_error", "message": text}));
        }
        return Reply { begun: None, ..kept.reply.clone() };
    }
    let (reply, began_execution) = make(ledger, call, now_secs);
    if began_execution {
        let kept =
            KeptReply { request: call.body.clone(), time_secs: now_secs, reply: reply.clone() };
        ledger.replies.insert(key.to_owned(), kept);
    }
    reply
}

/// The response to an order, and whether it is kept: not that of one whose parameters are wrong.
fn make(ledger: &mut Ledger, call: &Call, now_secs: u64) -> (Reply, bool) {
    let is_form = call.header("content-type").is_some_and(|kind| {
        kind.split(';').next().is_some_and(|kind| kind == "application/x-www-form-urlencoded")
    });
    if !is_form {
        return (wrong(&json!({"message": "the body is not a form"})), false);
    }
    let pairs = form_urlencoded::parse(&call.body);
    let form: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    if let Some(name) = form.keys().find(|name| !PARAMETERS.contains(&name.as_str())) {
        let more = json!({"code": "parameter_unknown", "message": name, "param": name});
        return (wrong(&more), false);
    }
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let Ok(amount) = field("amount").parse() else {
        let more = json!({"code": "parameter_invalid_integer", "param": "amount"});
        return (wrong(&more), false);
    };
    if let Orders::Refused(code) = &ledger.orders {
        return (wrong(&json!({"code": code, "message": "refused"})), true);
    }
    let waits = ledger.orders == Orders::Wait;
    let refund = TradeRefund {
        id: format!("re_{}", Uuid::new_v4().simple()),
        reference: form.get("metadata[refund_id]").cloned(),
        amount,
        state: if waits { RefundState::Pending } else { RefundState::Succeeded },
        time_secs: now_secs,
    };
    let intent = field("payment_intent");
    let reply = match ledger.begin(intent, refund.clone()) {
        Ok(trade) => found(objects::refund(trade, &refund)).beginning(&refund),
        Err(NotBegun::NoTrade) => or_missing(None, "payment_intent", intent),
        Err(NotBegun::NotPaid) => {
            let text = "This PaymentIntent does not have a successful charge to refund.";
            wrong(&json!({"message": text, "param": "payment_intent"}))
        }
        Err(NotBegun::NothingLeft) => {
            wrong(&json!({"code": "charge_already_refunded", "message": "already refunded"}))
        }
        Err(NotBegun::WrongAmount) => {
            let text =
                format!("Refund amount ({amount}) is greater than unrefunded amount on charge");
            wrong(&json!({"message": text, "param": "amount"}))
        }
    };
    (reply, true)
}

fn wrong(more: &serde_json::Value) -> Reply {
    error(StatusCode::BAD_REQUEST, more)
}
