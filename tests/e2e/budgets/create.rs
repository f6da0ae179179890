//! What create costs.

use local::{Fault, Order, Stack};
use serde_json::Value;

use super::{Budget, Cost, UNIT, warm};
use crate::stage::{payment, payment_in, user};
use crate::{api, stage};

const NEW: Budget = Budget { hops: 2, writes: 8 * UNIT };
const REFUSAL: Budget = Budget { hops: 3, writes: 0 };
const REPLACEMENT: Budget = Budget { hops: 4, writes: 8 * UNIT };

/// What create asks at once.
const FIRST: &[&str] = &["Query oid-index", "orders:detail", "users:userinfo"];

async fn create(stack: &Stack, uid: u64, body: &Value) -> api::Reply {
    let request = api::post(stack, "create").payer(uid).json(body);
    request.header("idempotency-key", "the-same").send().await
}

/// An order that costs 100, of a user of its own, and the request for its payment.
fn order(stack: &Stack) -> (u64, u64, Value) {
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 100);
    (uid, oid, serde_json::json!({"uid": uid, "oid": oid, "amount": 100}))
}

#[tokio::test]
async fn a_new_payment() {
    let stack = warm().await;
    let (uid, _, body) = order(&stack);
    let cost = Cost {
        operation: "create, a new payment",
        calls: &[FIRST, &["TransactWriteItems"]],
        // The payment and its guard, doubled for the transaction, and two indexes.
        writes: 6 * UNIT,
        reads: 1,
    };
    let operation = async { drop(create(&stack, uid, &body).await.ok()) };
    cost.is_of(&stack, NEW, operation).await;

    let cost = Cost {
        operation: "create, repeated with its key",
        calls: &[FIRST, &["GetItem!"], &["GetItem!"]],
        writes: 0,
        reads: 5,
    };
    let operation = async { assert!(create(&stack, uid, &body).await.replayed.is_some()) };
    cost.is_of(&stack, REFUSAL, operation).await;
}

#[tokio::test]
async fn a_refusal() {
    let stack = warm().await;
    let (uid, oid, body) = order(&stack);
    let unknown = user(&stack);
    stack.shop().remove_user(unknown);
    let cost = Cost { operation: "create, for nobody", calls: &[FIRST], writes: 0, reads: 1 };
    let mut for_nobody = body.clone();
    for_nobody["uid"] = unknown.into();
    let operation =
        async { drop(create(&stack, unknown, &for_nobody).await.problem("user-not-found")) };
    cost.is_of(&stack, REFUSAL, operation).await;

    let order = Order { id: oid, uid, pid: 1, amount: 100, status: 1 };
    stack.shop().put_order(order);
    let cost = Cost {
        operation: "create, for an order that is paid",
        calls: &[FIRST, &["GetItem!"]],
        writes: 0,
        reads: 3,
    };
    let operation = async { drop(create(&stack, uid, &body).await.problem("order-paid")) };
    cost.is_of(&stack, REFUSAL, operation).await;
}

#[tokio::test]
async fn an_order_that_has_a_payment() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let body = there.request();
    let cost = Cost {
        operation: "create, for an order that has a payment",
        calls: &[FIRST, &["GetItem!"], &["GetItem!"]],
        writes: 0,
        reads: 5,
    };
    let refused = async || drop(create(&stack, there.uid, &body).await.problem("payment-exists"));
    cost.is_of(&stack, REFUSAL, refused()).await;

    // The transaction is refused and hands back the guard. What a refused transaction costs is in
    // none of its answers: as much as one that is carried out, says the Developer Guide.
    stack.dynamodb_control().set_fault("Query oid-index", Fault::FindNothing, None);
    let cost = Cost {
        operation: "create, for an order whose payment the index has not heard of",
        calls: &[FIRST, &["TransactWriteItems"], &["GetItem!"]],
        writes: 0,
        reads: 2,
    };
    cost.is_of(&stack, REFUSAL, refused()).await;
}

#[tokio::test]
async fn a_replacement() {
    let stack = warm().await;
    let closed = payment_in(&stack, 3).await;
    let cost = Cost {
        operation: "create, in place of a closed payment",
        calls: &[FIRST, &["GetItem!"], &["GetItem!"], &["TransactWriteItems"]],
        // As a new one, and the look at the closed one, doubled too.
        writes: 8 * UNIT,
        reads: 5,
    };
    let operation = async { drop(create(&stack, closed.uid, &closed.request()).await.ok()) };
    cost.is_of(&stack, REPLACEMENT, operation).await;
    assert_eq!(stage::shown(&stack, closed).await["status"], 3);
}
