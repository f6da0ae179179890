//! Stripe's objects, as calls and events have them.

use serde_json::{Value, json};

use super::super::ledger::{Trade, TradeRefund, TradeState};
use super::checkouts::SESSION;
use pay_core::domain::RefundState;

/// What ids of one payment have in common, after their prefix.
fn suffix(trade: &Trade) -> &str {
    trade.transaction.trim_start_matches("pi_")
}

fn charge_id(trade: &Trade) -> String {
    format!("ch_{}", suffix(trade))
}

fn metadata(trade: &Trade) -> Value {
    let mut metadata = json!({"payment_id": trade.payment.to_string()});
    if let (Some(checkout), Some(metadata)) = (&trade.checkout, metadata.as_object_mut()) {
        metadata.insert("checkout".to_owned(), json!(checkout.number.to_string()));
    }
    metadata
}

/// Whether its intent is there: that of a session is not before the payer begins.
pub(super) fn has_intent(trade: &Trade) -> bool {
    let begun = matches!(trade.state, TradeState::Processing | TradeState::Paid);
    trade.method() != Some(SESSION) || begun
}

/// A Checkout session.
pub(super) fn session(trade: &Trade) -> Value {
    let Trade { payment, amount, .. } = trade;
    let (status, payment_status) = match trade.state {
        TradeState::Open => ("open", "unpaid"),
        TradeState::Processing => ("complete", "unpaid"),
        TradeState::Paid => ("complete", "paid"),
        TradeState::Closed => ("expired", "unpaid"),
    };
    let begun = matches!(trade.state, TradeState::Processing | TradeState::Paid);
    let metadata = if trade.checkout.is_some() { metadata(trade) } else { json!({}) };
    json!({
        "id": format!("cs_test_{}", suffix(trade)), "object": "checkout.session",
        "amount_total": amount, "client_reference_id": payment.to_string(),
        "currency": currency(trade), "livemode": false, "metadata": metadata, "mode": "payment",
        "payment_intent": begun.then_some(&trade.transaction),
        "payment_status": payment_status, "status": status, "url": null,
    })
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
