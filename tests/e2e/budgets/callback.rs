//! What a message costs, and an order that reconcile tells.

use local::messages::{Message, Outcome, Signed};
use local::{Fault, ShopRoute, Stack, defaults, signing};
use pay_providers::PaymentProvider;
use serde_json::{Value, json};

use super::{Budget, Cost, UNIT, warm};
use crate::api;
use crate::stage::{Payment, payment, payment_in, report};

/// A message of this length. Telling and clearing are the third hop and the fourth.
fn budget(message_bytes: usize) -> Budget {
    let kilobytes = u64::try_from(message_bytes.div_ceil(1024)).unwrap();
    let units = kilobytes.saturating_mul(2).saturating_add(10);
    Budget { hops: 4, writes: units.saturating_mul(UNIT) }
}

/// What a native message has callback ask at once.
const NATIVE: &[&str] = &["GetItem!", "orders:detail", "users:userinfo"];

/// Reconcile asks for every list of tellings at once.
const LISTS: &[&str] = &["Query work-index"; 4];

/// A short native message; its sender's headers are not kept.
const NATIVE_BYTES: usize = 100;

/// Delivers a provider's message and says how long it is.
async fn deliver(stack: &Stack, path: &str, message: &Signed) {
    let mut request = api::post(stack, path).bytes(message.body.clone());
    for (name, value) in &message.headers {
        request = request.header(name, value);
    }
    let reply = request.send().await;
    assert!((200..300).contains(&reply.status), "{}", reply.body);
}

#[tokio::test]
async fn a_native_message() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let paid = async || drop(report(&stack, there, 1, 1).await.ok());
    let cost = Cost {
        operation: "callback, paid",
        calls: &[NATIVE, &["TransactWriteItems"], &["orders:paid"], &["UpdateItem"]],
        // The record and the event, doubled for the transaction, and the work list; then the record
        // and the work list again.
        writes: 7 * UNIT,
        reads: 2,
    };
    cost.is_of(&stack, budget(NATIVE_BYTES), paid()).await;

    let cost = Cost {
        operation: "callback, paid, as another message",
        calls: &[NATIVE, &["PutItem"]],
        writes: UNIT,
        reads: 2,
    };
    cost.is_of(&stack, budget(NATIVE_BYTES), paid()).await;

    let refunded = async { drop(report(&stack, there, 1, 4).await.ok()) };
    let cost = Cost {
        operation: "callback, refunded",
        calls: &[NATIVE, &["TransactWriteItems"]],
        writes: 4 * UNIT,
        reads: 2,
    };
    cost.is_of(&stack, budget(NATIVE_BYTES), refunded).await;
}

#[tokio::test]
async fn a_closed_payment_that_is_paid_after_all() {
    let stack = warm().await;
    let closed = payment_in(&stack, 3).await;
    let cost = Cost {
        operation: "callback, paid though closed",
        calls: &[NATIVE, &["TransactWriteItems"], &["orders:paid"], &["UpdateItem"]],
        // As for a pending one, and the look at the guard, doubled too.
        writes: 9 * UNIT,
        reads: 2,
    };
    let paid = async { drop(report(&stack, closed, 1, 1).await.ok()) };
    cost.is_of(&stack, budget(NATIVE_BYTES), paid).await;
}

#[tokio::test]
async fn a_message_for_quarantine() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let dearer = Payment { amount: 101, ..there };
    let cost = Cost {
        operation: "callback, of another amount",
        calls: &[NATIVE, &["PutItem"]],
        // The event and the list of messages to look at.
        writes: 2 * UNIT,
        reads: 2,
    };
    let misfit = async { drop(report(&stack, dearer, 1, 1).await.problem("amount-mismatch")) };
    cost.is_of(&stack, budget(NATIVE_BYTES), misfit).await;

    let nobodys = Payment { id: 7, ..there };
    let cost = Cost {
        operation: "callback, of no payment of ours",
        calls: &[NATIVE, &["PutItem"]],
        writes: 2 * UNIT,
        // Nothing found costs as much as a small item, in half: see the Developer Guide.
        reads: 2,
    };
    let stray = async { drop(report(&stack, nobodys, 1, 1).await.problem("payment-not-found")) };
    cost.is_of(&stack, budget(NATIVE_BYTES), stray).await;
}

/// A message of Stripe's that is `padding` bytes longer than it need be.
fn padded(payment: Payment, padding: usize) -> Signed {
    let message = Message::new(payment.id, payment.amount, Outcome::Paid);
    let body = message.body(PaymentProvider::Stripe).unwrap();
    let mut event: Value = serde_json::from_slice(&body).unwrap();
    event["padding"] = json!("x".repeat(padding));
    let body = event.to_string().into_bytes();
    let [signature] = signing::stripe(defaults::STRIPE_SECRET, message.now_secs, &body);
    let json = ("content-type", "application/json".to_owned());
    Signed { headers: vec![json, signature], body }
}

#[tokio::test]
async fn a_providers_message() {
    let stack = warm().await;
    let paid = |there: Payment, provider| {
        Message::new(there.id, there.amount, Outcome::Paid).from(provider).unwrap()
    };
    // What the record, the event without its message, and the work list cost, and two units for
    // each kilobyte of the message that is kept: 16 of them at most.
    let mut messages = Vec::new();
    for (path, provider, writes) in [
        ("callback/stripe", PaymentProvider::Stripe, 7),
        ("callback/wechat", PaymentProvider::WeChat, 9),
        ("callback/alipay", PaymentProvider::Alipay, 9),
    ] {
        messages.push((path, paid(payment(&stack).await, provider), writes));
    }
    for (padding, writes) in [(15_000, 37), (100_000, 39)] {
        let message = padded(payment(&stack).await, padding);
        messages.push(("callback/stripe", message, writes));
    }
    for (path, message, writes) in messages {
        let kept_bytes = message.body.len().min(16 * 1024);
        let cost = Cost {
            operation: path,
            calls: &[&["GetItem!"], &["TransactWriteItems"], &["orders:paid"], &["UpdateItem"]],
            writes: writes * UNIT,
            reads: 2,
        };
        cost.is_of(&stack, budget(kept_bytes), deliver(&stack, path, &message)).await;
    }
}

#[tokio::test]
async fn an_order_that_is_told_later() {
    let stack = warm().await;
    let there = payment(&stack).await;
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    report(&stack, there, 1, 1).await.problem("unavailable");
    let event = json!({"reconcile": {"all": true}});
    let run = async || drop(stack.invoke("callback", &event).await.unwrap());
    let cost = Cost {
        operation: "reconcile, of an order that cannot be told",
        calls: &[LISTS, &["GetItem!"], &["orders:paid"], &["UpdateItem"]],
        // The record, and the work list twice: an entry's place in it changes.
        writes: 3 * UNIT,
        reads: 4 + 2,
    };
    let budget = Budget { hops: 4, writes: 3 * UNIT };
    cost.is_of(&stack, budget, run()).await;
    stack.shop().clear_faults();
    let cost = Cost {
        operation: "reconcile, of an order that is told",
        calls: &[LISTS, &["GetItem!"], &["orders:paid"], &["UpdateItem"]],
        writes: 2 * UNIT,
        reads: 4 + 2,
    };
    cost.is_of(&stack, budget, run()).await;
}
