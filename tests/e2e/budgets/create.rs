//! What create costs.

use local::{Fault, Order};

use super::{Budget, CREATE, Cost, UNIT, warm};
use crate::stage::{create, order, payment, payment_in, shown, user};

const NEW: Budget = Budget { hops: 2, writes: CREATE * UNIT };
const REJECTED: Budget = Budget { hops: 3, writes: 0 };
const REPLACEMENT: Budget = Budget { hops: 4, writes: 9 * UNIT };

/// The first hop of every create.
const FIRST: &[&str] = &["Query oid-index", "orders:detail", "users:userinfo"];

#[tokio::test]
async fn a_new_payment() {
    let stack = warm().await;
    let (uid, _, body) = order(&stack);
    // The payment and its guard, twice for the transaction, and three indexes: it is due.
    let calls: &[&[_]] = &[FIRST, &["TransactWriteItems"]];
    let cost = Cost::of("create, a new payment", calls, (CREATE * UNIT, 1));
    let operation = async { drop(create(&stack, uid, &body).await.ok()) };
    cost.is_of(&stack, NEW, operation).await;

    let cost =
        Cost::of("create, repeated with its key", &[FIRST, &["GetItem!"], &["GetItem!"]], (0, 5));
    let operation = async { assert!(create(&stack, uid, &body).await.replayed.is_some()) };
    cost.is_of(&stack, REJECTED, operation).await;
}

#[tokio::test]
async fn a_rejected_create() {
    let stack = warm().await;
    let (uid, oid, body) = order(&stack);
    let unknown = user(&stack);
    stack.shop().remove_user(unknown);
    let cost = Cost::of("create, for an unknown user", &[FIRST], (0, 1));
    let mut for_unknown = body.clone();
    for_unknown["uid"] = unknown.into();
    let operation =
        async { drop(create(&stack, unknown, &for_unknown).await.problem("user-not-found")) };
    cost.is_of(&stack, REJECTED, operation).await;

    let order = Order { id: oid, uid, pid: 1, amount: 100, status: 1 };
    stack.shop().put_order(order);
    let cost = Cost::of("create, for an order that is paid", &[FIRST, &["GetItem!"]], (0, 3));
    let operation = async { drop(create(&stack, uid, &body).await.problem("order-paid")) };
    cost.is_of(&stack, REJECTED, operation).await;
}

#[tokio::test]
async fn an_order_that_has_a_payment() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let body = there.request();
    let cost = Cost::of(
        "create, for an order that has a payment",
        &[FIRST, &["GetItem!"], &["GetItem!"]],
        (0, 5),
    );
    let rejected = async || drop(create(&stack, there.uid, &body).await.problem("payment-exists"));
    cost.is_of(&stack, REJECTED, rejected()).await;

    // The transaction is rejected and returns the guard. Its response does not say what it costs: as
    // much as one that is carried out, says the Developer Guide.
    stack.dynamodb_control().set_fault("Query oid-index", Fault::FindNothing, None);
    let cost = Cost::of(
        "create, for an order whose payment is not in the index yet",
        &[FIRST, &["TransactWriteItems"], &["GetItem!"]],
        (0, 2),
    );
    cost.is_of(&stack, REJECTED, rejected()).await;
}

#[tokio::test]
async fn a_replacement() {
    let stack = warm().await;
    let closed = payment_in(&stack, 3).await;
    // As a new one, and the check of the closed one, twice as well.
    let cost = Cost::of(
        "create, in place of a closed payment",
        &[FIRST, &["GetItem!"], &["GetItem!"], &["TransactWriteItems"]],
        (9 * UNIT, 5),
    );
    let operation = async { drop(create(&stack, closed.uid, &closed.request()).await.ok()) };
    cost.is_of(&stack, REPLACEMENT, operation).await;
    assert_eq!(shown(&stack, closed).await["status"], 3);
}
