//! Stripe.
//!
//! `{{stripe_signature}}` is `t=…,v1=…` over the present time and the body.
//!
//! Sources: Stripe documentation, "Verify webhook signatures manually"; API reference, "The Event
//! object", "Payment Intents", "Charges".

use anyhow::Result;
use pay_core::domain::Outcome;
use ring::hmac;
use serde_json::{Value, json};

use super::Simulator;
use crate::messages::{Message, Signed};

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

#[expect(clippy::unnecessary_wraps, reason = "other providers do not report every outcome")]
fn content(message: &Message) -> Result<Value> {
    let Message { payment, amount, .. } = message;
    let intent = format!("pi_{payment}");
    let metadata = json!({"payment_id": payment.to_string()});
    let of_intent = |status: &str, received: u64| {
        json!({
            "id": intent, "object": "payment_intent", "amount": amount,
            "amount_received": received, "currency": "cny", "metadata": metadata,
            "status": status,
        })
    };
    let of_charge = || {
        json!({
            "id": format!("ch_{payment}"), "object": "charge", "amount": amount,
            "amount_refunded": message.refunded(), "currency": "cny", "metadata": metadata,
            "payment_intent": intent, "refunded": message.refunded() == *amount,
        })
    };
    let (kind, object) = match message.outcome {
        Outcome::Paid => ("payment_intent.succeeded", of_intent("succeeded", *amount)),
        Outcome::Failed => {
            ("payment_intent.payment_failed", of_intent("requires_payment_method", 0))
        }
        Outcome::Closed => ("payment_intent.canceled", of_intent("canceled", 0)),
        Outcome::Refunded => ("charge.refunded", of_charge()),
    };
    Ok(json!({
        "id": event_id(message), "object": "event", "api_version": "2025-08-27.basil",
        "created": message.now_secs, "data": {"object": object}, "livemode": false,
        "pending_webhooks": 1, "type": kind,
    }))
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
