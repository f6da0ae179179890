//! What a notification costs, and what a sweep costs.

use local::messages::{Message, Outcome, Signed};
use local::{Fault, ShopRoute, Stack};
use pay_core::domain::Provider;
use pay_core::limits::{SWEEP_LANES, SWEEP_QUEUES};
use serde_json::json;

use super::{Budget, Cost, PAID, UNIT, warm};
use crate::api;
use crate::stage::{Payment, notify, payment, payment_in};
use crate::sweep::{sweep_all, sweep_one};

/// A notification of this length. The order notification is the third hop, clearing `due` the fourth.
fn budget(body_bytes: usize) -> Budget {
    let kilobytes = u64::try_from(body_bytes.div_ceil(1024)).unwrap();
    let units = kilobytes.saturating_mul(2).saturating_add(8);
    Budget { hops: 4, writes: units.saturating_mul(UNIT) }
}

/// The first hop of a native notification.
const NATIVE: &[&str] = &["GetItem!", "orders:detail", "users:userinfo"];

/// The length of a short native notification. Headers are not kept.
const NATIVE_BYTES: usize = 100;

/// Delivers a provider's notification.
async fn deliver(stack: &Stack, path: &str, message: &Signed) {
    let request = api::post(stack, path).headers(&message.headers).bytes(message.body.clone());
    let reply = request.send().await;
    assert!((200..300).contains(&reply.status), "{}", reply.body);
}

#[tokio::test]
async fn a_native_notification() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let paid = async || drop(notify(&stack, there, 1, 1).await.ok());
    // The record and the event, twice for the transaction; it is due already. Then the record and the due
    // index. It names no transaction, else the index of transactions would be written, too.
    let cost = Cost::of(
        "callback, paid",
        &[NATIVE, &["TransactWriteItems"], &["orders:paid"], &["UpdateItem"]],
        ((PAID - 1) * UNIT, 2),
    );
    cost.is_of(&stack, budget(NATIVE_BYTES), paid()).await;

    let cost =
        Cost::of("callback, paid, as another notification", &[NATIVE, &["PutItem"]], (UNIT, 2));
    cost.is_of(&stack, budget(NATIVE_BYTES), paid()).await;

    // The record, the event and the refund, twice for the transaction, and the due index. Then the refund
    // and the due index.
    let refunded = async { drop(notify(&stack, there, 1, 4).await.ok()) };
    let calls: &[&[_]] = &[NATIVE, &["TransactWriteItems"], &["orders:refunded"], &["UpdateItem"]];
    let cost = Cost::of("callback, refunded", calls, (9 * UNIT, 2));
    cost.is_of(&stack, budget(NATIVE_BYTES), refunded).await;
}

#[tokio::test]
async fn a_closed_payment_that_is_paid_after_all() {
    let stack = warm().await;
    let closed = payment_in(&stack, 3).await;
    // As for a pending one, and the check of the guard, twice as well; it was due no more.
    let cost = Cost::of(
        "callback, paid though closed",
        &[NATIVE, &["TransactWriteItems"], &["orders:paid"], &["UpdateItem"]],
        (9 * UNIT, 2),
    );
    let paid = async { drop(notify(&stack, closed, 1, 1).await.ok()) };
    cost.is_of(&stack, budget(NATIVE_BYTES), paid).await;
}

#[tokio::test]
async fn a_quarantined_notification() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let higher = Payment { amount: 101, ..there };
    // The event, and its entry in the due index.
    let cost = Cost::of("callback, of another amount", &[NATIVE, &["PutItem"]], (2 * UNIT, 2));
    let mismatch = async { drop(notify(&stack, higher, 1, 1).await.problem("amount-mismatch")) };
    cost.is_of(&stack, budget(NATIVE_BYTES), mismatch).await;

    let absent = Payment { id: 7, ..there };
    // A read that finds nothing costs as much as one of a small item: see the Developer Guide.
    let cost = Cost::of("callback, of no payment of ours", &[NATIVE, &["PutItem"]], (2 * UNIT, 2));
    let unmatched = async { drop(notify(&stack, absent, 1, 1).await.problem("payment-not-found")) };
    cost.is_of(&stack, budget(NATIVE_BYTES), unmatched).await;
}

/// A notification of Stripe's with `padding` further bytes.
fn padded(payment: Payment, padding: usize) -> Signed {
    let message = Message::new(payment.id, payment.amount, Outcome::Paid);
    let padding = json!("x".repeat(padding));
    message.edited(Provider::Stripe, |event| event["padding"] = padding).unwrap()
}

#[tokio::test]
async fn a_providers_notification() {
    let stack = warm().await;
    let paid = |there: Payment, provider| {
        Message::new(there.id, there.amount, Outcome::Paid).from(provider).unwrap()
    };
    // What the record, the event without its body, and the indexes cost, and two units for each kilobyte
    // of the body that is kept: 16 of them at most.
    let mut messages = Vec::new();
    for (path, provider, writes) in [
        ("callback/stripe", Provider::Stripe, PAID),
        ("callback/wechat", Provider::WeChat, 9),
        ("callback/alipay", Provider::Alipay, 9),
    ] {
        messages.push((path, paid(payment(&stack).await, provider), writes));
    }
    for (padding, writes) in [(15_000, 37), (100_000, 39)] {
        let message = padded(payment(&stack).await, padding);
        messages.push(("callback/stripe", message, writes));
    }
    for (path, message, writes) in messages {
        let kept_bytes = message.body.len().min(16 * 1024);
        let cost = Cost::of(
            path,
            &[&["GetItem!"], &["TransactWriteItems"], &["orders:paid"], &["UpdateItem"]],
            (writes * UNIT, 2),
        );
        cost.is_of(&stack, budget(kept_bytes), deliver(&stack, path, &message)).await;
    }
}

/// A refund is looked for before it is counted, and kept with its reference.
#[tokio::test]
async fn a_refund_of_a_part() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let paid = Message::new(there.id, there.amount, Outcome::Paid).from(Provider::WeChat).unwrap();
    deliver(&stack, "callback/wechat", &paid).await;
    let part = Message::refund(there.id, there.amount, 25).from(Provider::WeChat).unwrap();
    let budget = Budget { hops: 5, writes: 13 * UNIT };
    // The record, the event of two kilobytes, the refund and its reference, twice for the transaction, and
    // the due index. Then the refund and the due index.
    let [get, write, clear] = [["GetItem!"], ["TransactWriteItems"], ["UpdateItem"]];
    let calls: &[&[_]] = &[&get, &get, &write, &["orders:refunded"], &clear];
    let cost = Cost::of("callback, a refund of a part", calls, (13 * UNIT, 4));
    cost.is_of(&stack, budget, deliver(&stack, "callback/wechat", &part)).await;
    // Again: the record, the refund by its reference, and the event, whose key is taken.
    let calls: &[&[_]] = &[&get, &get, &get, &["PutItem"]];
    let cost = Cost::of("callback, the same refund again", calls, (0, 6));
    cost.is_of(&stack, budget, deliver(&stack, "callback/wechat", &part)).await;
}

/// The calls of a sweep that finds one due payment: the queries of all queues, so many at a time as the
/// sweep has lanes, and then those of the entry.
fn calls_of_a_sweep() -> Vec<Vec<&'static str>> {
    let queues = vec!["Query due-index"; usize::try_from(SWEEP_QUEUES).unwrap()];
    let queries = queues.chunks(SWEEP_LANES).map(<[_]>::to_vec);
    let entry = ["GetItem!", "orders:paid", "UpdateItem"].map(|call| vec![call]);
    queries.chain(entry).collect()
}

#[tokio::test]
async fn an_order_notification_by_the_sweep() {
    let stack = warm().await;
    let there = payment(&stack).await;
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    notify(&stack, there, 1, 1).await.problem("unavailable");
    let run = async || drop(sweep_all(&stack).await);
    // A half for each queue, however little it holds, and a unit for the record.
    let reads = SWEEP_QUEUES + UNIT;
    let calls = calls_of_a_sweep();
    let budget = Budget { hops: calls.len(), writes: 3 * UNIT };
    // The record, and the due index twice: the place of the entry changes.
    let operation = "sweep, of an order notification that fails";
    let cost = Cost { operation, calls: calls.clone(), writes: 3 * UNIT, reads };
    cost.is_of(&stack, budget, run()).await;
    stack.shop().clear_faults();
    let operation = "sweep, of an order notification";
    let cost = Cost { operation, calls, writes: 2 * UNIT, reads };
    cost.is_of(&stack, budget, run()).await;
    // Of this payment alone, after another failure: whether it exists, its refunds, and the record.
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    let there = payment(&stack).await;
    notify(&stack, there, 1, 1).await.problem("unavailable");
    stack.shop().clear_faults();
    let calls: &[&[_]] =
        &[&["GetItem!"], &["Query!"], &["GetItem!"], &["orders:paid"], &["UpdateItem"]];
    let cost = Cost::of("sweep, of one payment", calls, (2 * UNIT, 3 * UNIT));
    cost.is_of(&stack, Budget { hops: 5, writes: 3 * UNIT }, async {
        drop(sweep_one(&stack, there).await);
    })
    .await;
}
