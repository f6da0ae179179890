//! Refunds that the shop orders of Stripe.
//!
//! Sources: Stripe API reference, "Create a refund", "Error codes".

use pay_core::domain::RefundState;
use serde_json::json;
use uuid::Uuid;

use super::super::api::{Call, Reply};
use super::super::ledger::{Ledger, NotBegun, Orders, TradeRefund};
use super::api::{found, or_missing};
use super::keys::wrong;
use super::{keys, objects};

/// The parameters of an order; the real API takes some more.
const PARAMETERS: [&str; 5] =
    ["amount", "metadata[payment_id]", "metadata[reason]", "metadata[refund_id]", "payment_intent"];

/// Makes a refund, once for an idempotency key. Nothing else makes an order a repeat: with another key the
/// same reference is another refund.
pub(super) fn make_refund(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    keys::once(ledger, call, now_secs, make)
}

/// The response to an order, and whether it is kept: not that of one whose parameters are wrong.
fn make(ledger: &mut Ledger, call: &Call, now_secs: u64) -> (Reply, bool) {
    let form = match keys::form(call, &PARAMETERS) {
        Ok(form) => form,
        Err(more) => return (wrong(&more), false),
    };
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
        is_stranded: false,
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
