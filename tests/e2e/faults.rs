//! Every fault at every step: what the caller hears, what the store holds, and that one repeat
//! heals it.

mod callback;
mod create;
mod file;
mod kills;
mod reads;
mod secrets;
mod telling;

use std::time::Duration;

use futures_util::future::join_all;
use local::{Fault, Stack};
use serde_json::{Value, json};

use crate::echo::eventually;
use crate::stage::{own, user};
use crate::{api, table};

/// One byte a second.
const DRIP: Fault = Fault::Drip(Duration::from_secs(1));

/// Longer than any caller repeats its call.
const LATE: Fault = Fault::LateEffect(Duration::from_millis(2500));

/// Nothing is done, and nobody says so.
const BEFORE: [Fault; 4] = [Fault::Reset, Fault::Status(500), Fault::Status(503), Fault::Hang];

/// It is done, and nobody says so.
const AFTER: [Fault; 5] =
    [Fault::LoseAnswer, Fault::Garbage, Fault::WrongShape, Fault::HangAfter, DRIP];

/// Nothing is done, and it is said.
const REFUSED: [Fault; 2] = [Fault::Throttle, Fault::Conflict];

/// Whether it keeps the caller waiting.
fn waits(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Hang | Fault::HangAfter | Fault::Drip(_) | Fault::Delay(_) | Fault::LateEffect(_)
    )
}

/// Tries each fault: those that keep callers waiting at the same time, each on a stack of its own,
/// the others one after another.
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

/// Nothing fails any more, and whatever was to come late has come.
async fn heal(stack: &Stack) {
    stack.faults().clear();
    eventually("the late effects", || stack.faults().late() == 0).await;
}

/// A new order of a new user that costs 100, and the request for its payment.
fn order(stack: &Stack) -> (u64, u64, Value) {
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 100);
    (uid, oid, json!({"uid": uid, "oid": oid, "amount": 100}))
}

/// Asks for its payment under a key.
async fn create(stack: &Stack, uid: u64, body: &Value) -> api::Reply {
    let request = api::post(stack, "create").payer(uid).json(body);
    request.header("idempotency-key", "the-same").send().await
}

/// That an order has this payment and no other.
async fn assert_one_payment(stack: &Stack, oid: u64, id: &Value, case: &str) {
    let guard = table::guard(stack, oid).await.unwrap_or_else(|| panic!("{case}: no guard"));
    assert_eq!(&guard["payment"], id, "{case}");
    let payments = table::payments_of_order(stack, oid).await;
    assert_eq!(payments.len(), 1, "{case}: {payments:?}");
    assert_eq!(&payments[0]["id"], id, "{case}");
}

/// That an order has no payment.
async fn assert_no_payment(stack: &Stack, oid: u64, case: &str) {
    assert_eq!(table::guard(stack, oid).await, None, "{case}");
    assert_eq!(table::payments_of_order(stack, oid).await, [Value::Null; 0], "{case}");
}
