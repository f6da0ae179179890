//! Every fault at every step: the response, what the store holds, and that one repeat recovers from it.

mod callback;
mod create;
mod file;
mod kills;
mod order_notification;
mod reads;
mod secrets;

use std::time::Duration;

use futures_util::future::join_all;
use local::{Fault, Stack};
use serde_json::Value;

use crate::api::Reply;
use crate::echo::eventually;
use crate::stage::own;
use crate::table;

/// One byte a second.
const DRIP: Fault = Fault::Drip(Duration::from_secs(1));

/// Takes effect later than any caller repeats its call.
const LATE: Fault = Fault::LateEffect(Duration::from_millis(2500));

/// The call is not carried out, and its caller does not know.
const BEFORE: [Fault; 4] = [Fault::Reset, Fault::Status(500), Fault::Status(503), Fault::Hang];

/// The call is carried out, and its caller does not know.
const AFTER: [Fault; 5] =
    [Fault::LoseResponse, Fault::Garbage, Fault::WrongShape, Fault::HangAfter, DRIP];

/// The call is not carried out, and its caller knows.
const REJECTED: [Fault; 2] = [Fault::Throttle, Fault::Conflict];

/// Whether it keeps the caller waiting.
fn waits(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Hang | Fault::HangAfter | Fault::Drip(_) | Fault::Delay(_) | Fault::LateEffect(_)
    )
}

/// Runs a test with each fault: concurrently on stacks of their own those that keep callers waiting, one
/// after another the others.
async fn each(faults: impl IntoIterator<Item = Fault>, test: impl AsyncFn(&Stack, Fault)) {
    let (slow, quick): (Vec<Fault>, Vec<Fault>) = faults.into_iter().partition(|one| waits(*one));
    let slow = slow.into_iter().map(async |fault| {
        let stack = own().await;
        test(&stack, fault).await;
    });
    let quick = async {
        let stack = own().await;
        for fault in quick {
            test(&stack, fault).await;
        }
    };
    tokio::join!(join_all(slow), quick);
}

/// Clears the faults, and waits for late effects.
async fn recover(stack: &Stack) {
    stack.faults().clear();
    eventually("the late effects", || stack.faults().late() == 0).await;
}

/// Checks that a request has to be repeated.
#[track_caller]
fn assert_unavailable(reply: Reply, case: &str) {
    assert_eq!(reply.status, 503, "{case}: {}", reply.body);
    reply.problem("unavailable");
}

/// Checks that an order has this payment and no other.
async fn assert_one_payment(stack: &Stack, oid: u64, id: &Value, case: &str) {
    let guard = table::guard(stack, oid).await.unwrap_or_else(|| panic!("{case}: no guard"));
    assert_eq!(&guard["payment"], id, "{case}");
    let payments = table::payments_of_order(stack, oid).await;
    assert_eq!(payments.len(), 1, "{case}: {payments:?}");
    assert_eq!(&payments[0]["id"], id, "{case}");
}

/// Checks that an order has no payment.
async fn assert_no_payment(stack: &Stack, oid: u64, case: &str) {
    assert_eq!(table::guard(stack, oid).await, None, "{case}");
    assert_eq!(table::payments_of_order(stack, oid).await, [Value::Null; 0], "{case}");
}
