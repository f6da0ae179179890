//! Stripe.
//!
//! `{{stripe_signature}}` is `t=…,v1=…` over the present time and the body.
//!
//! Sources: Stripe documentation, "Verify webhook signatures manually"; API reference, "The Event
//! object", "Payment Intents", "Charges".

mod api;
mod checkouts;
mod keys;
mod objects;
mod refunds;

use anyhow::Result;
use pay_core::domain::Outcome;
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::api::API_KEY;
use self::objects::{charge, intent};
use super::ledger::{Occasion, Trade, TradeState};
use super::{RefundReports, Simulator, Webhook};
use crate::messages::{Message, Signed};
use pay_core::domain::RefundState;

/// The secret with which Stripe signs its events here; the key is the whole text.
pub const SECRET: &str = "whsec_local_development_stripe_secret";

/// Stripe.
pub static SIMULATOR: Simulator = Simulator {
    name: "Stripe",
    content_type: "application/json",
    key: None,
    sign: |secret, _id, now_secs, body| {
        let headers = sign(secret.unwrap_or(SECRET), now_secs, body).to_vec();
        Ok(Signed { headers, body: body.to_vec() })
    },
    entry: || Ok(json!({"secrets": [SECRET], "livemode": false})),
    event_id,
    content,
    // Stripe sends, and signs, with an indent of two.
    encode: |content| Ok(format!("{content:#}").into_bytes()),
    placeholders: &[("stripe_signature", |event| {
        let [(_, signature)] = sign(SECRET, event.now_secs, &event.body);
        Ok(signature)
    })],
    transaction,
    webhooks,
    refund_reports: RefundReports::Listed,
    webhook_point: "stripe:webhook",
    api: &api::API,
};

/// The header that signs `body` with `secret`.
///
/// The key is the whole text of the secret, `whsec_` included.
#[must_use]
pub fn sign(secret: &str, timestamp_secs: u64, body: &[u8]) -> [(&'static str, String); 1] {
    let mut context =
        hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    context.update(format!("{timestamp_secs}.").as_bytes());
    context.update(body);
    let tag = hex::encode(context.sign());
    [("stripe-signature", format!("t={timestamp_secs},v1={tag}"))]
}

fn event_id(message: &Message) -> String {
    format!("evt_{}", message.id)
}

fn transaction(payment: u64, checkout: u32) -> String {
    match checkout {
        0 => format!("pi_{payment}"),
        number => format!("pi_{payment}_{number}"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "other providers do not report every outcome")]
fn content(message: &Message) -> Result<Value> {
    let Message { payment, amount, now_secs, .. } = message;
    let trade = Trade::new(*payment, transaction(*payment, 0), *amount, *now_secs);
    let paid = Trade { state: TradeState::Paid, ..trade.clone() };
    let (kind, object) = match message.outcome {
        Outcome::Paid => ("payment_intent.succeeded", intent(&paid)),
        Outcome::Failed => ("payment_intent.payment_failed", intent(&trade)),
        Outcome::Closed => {
            ("payment_intent.canceled", intent(&Trade { state: TradeState::Closed, ..trade }))
        }
        Outcome::Refunded => {
            ("charge.refunded", charge(&Trade { refunds: vec![message.as_refund()], ..paid }))
        }
    };
    Ok(event(&event_id(message), kind, &object, message.now_secs))
}

fn event(id: &str, kind: &str, object: &Value, now_secs: u64) -> Value {
    json!({
        "id": id, "object": "event", "api_version": "2025-08-27.basil", "created": now_secs,
        "data": {"object": object}, "livemode": false, "pending_webhooks": 1, "type": kind,
    })
}

/// Since version 2024-10-28.acacia each refund has events of its own beside that of its charge.
#[expect(clippy::unnecessary_wraps, reason = "other providers write times that may have no text")]
fn webhooks(trade: &Trade, occasion: Occasion<'_>, now_secs: u64) -> Result<Vec<Webhook>> {
    let is_session = trade.method() == Some(checkouts::SESSION);
    let objects = match occasion {
        Occasion::Paid => {
            let intent = ("payment_intent.succeeded", intent(trade));
            let session = || ("checkout.session.completed", objects::session(trade));
            [intent].into_iter().chain(is_session.then(session)).collect()
        }
        Occasion::Failed => vec![("payment_intent.payment_failed", intent(trade))],
        Occasion::Closed if is_session => {
            vec![("checkout.session.expired", objects::session(trade))]
        }
        Occasion::Closed => vec![("payment_intent.canceled", intent(trade))],
        Occasion::Refund { refund, is_new: true } => {
            vec![
                ("refund.created", objects::refund(trade, refund)),
                ("charge.refunded", charge(trade)),
            ]
        }
        Occasion::Refund { refund, is_new: false } => {
            let kind = match refund.state {
                RefundState::Failed => "refund.failed",
                RefundState::Requested | RefundState::Pending | RefundState::Succeeded => {
                    "refund.updated"
                }
            };
            vec![(kind, objects::refund(trade, refund))]
        }
    };
    let webhook = |(kind, object): (&str, Value)| {
        let id = format!("evt_{}", Uuid::new_v4().simple());
        Webhook { content: event(&id, kind, &object, now_secs), id }
    };
    Ok(objects.into_iter().map(webhook).collect())
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn stripe_signs_with_the_whole_text() {
        // Made with another HMAC: Python's `hmac` module.
        let [(_, signature)] = sign("whsec_test", 1_614_265_330, b"{}");
        assert_eq!(
            signature,
            "t=1614265330,v1=5790023bd77209313f2e32e36caf5921bdd2fac398095f83dc2d2ecd5f696f50"
        );
    }
}
