//! Stripe's objects, as calls and events have them.

use serde_json::{Value, json};

use super::super::ledger::{Trade, TradeRefund, TradeState};
use pay_core::domain::RefundState;

fn charge_id(trade: &Trade) -> String {
    format!("ch_{}", trade.payment)
}

fn metadata(trade: &Trade) -> Value {
    json!({"payment_id": trade.payment.to_string()})
}

fn currency(trade: &Trade) -> String {
    trade.currency.to_lowercase()
}

/// A `PaymentIntent`.
pub(super) fn intent(trade: &Trade) -> Value {
    let Trade { transaction, amount, .. } = trade;
    let (status, received) = match trade.state {
        TradeState::Open => ("requires_payment_method", 0),
        TradeState::Processing => ("processing", 0),
        TradeState::Paid => ("succeeded", *amount),
        TradeState::Closed => ("canceled", 0),
    };
    let is_paid = trade.state == TradeState::Paid;
    json!({
        "id": transaction, "object": "payment_intent", "amount": amount,
        "amount_received": received,
        "created": trade.time_secs, "currency": currency(trade), "livemode": false,
        "latest_charge": is_paid.then(|| charge_id(trade)), "metadata": metadata(trade),
        "status": status,
    })
}

/// A charge.
pub(super) fn charge(trade: &Trade) -> Value {
    let refunded = trade.refunded_or_pending();
    json!({
        "id": charge_id(trade), "object": "charge", "amount": trade.amount,
        "amount_captured": trade.amount, "amount_refunded": refunded, "captured": true,
        "created": trade.time_secs, "currency": currency(trade), "livemode": false,
        "metadata": metadata(trade), "paid": true, "payment_intent": trade.transaction,
        "refunded": refunded == trade.amount, "status": "succeeded",
    })
}

/// A refund.
pub(super) fn refund(trade: &Trade, refund: &TradeRefund) -> Value {
    let status = match refund.state {
        RefundState::Requested | RefundState::Pending => "pending",
        RefundState::Succeeded => "succeeded",
        RefundState::Failed => "failed",
    };
    let metadata = refund.reference.as_ref().map_or_else(
        || json!({}),
        |reference| json!({"payment_id": trade.payment.to_string(), "refund_id": reference}),
    );
    let mut object = json!({
        "id": refund.id, "object": "refund", "amount": refund.amount, "charge": charge_id(trade),
        "created": refund.time_secs, "currency": currency(trade), "metadata": metadata,
        "payment_intent": trade.transaction, "status": status,
    });
    if let (RefundState::Failed, Some(object)) = (refund.state, object.as_object_mut()) {
        object.insert("failure_reason".to_owned(), json!("expired_or_canceled_card"));
    }
    object
}
