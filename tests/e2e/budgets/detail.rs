//! What detail and list cost.

use local::{Fault, Stack};
use serde_json::{Value, json};

use super::{Budget, Cost, warm};
use crate::api;
use crate::stage::{payment, payment_in, payment_of};

const BY_ID: Budget = Budget { hops: 1, writes: 0 };
const BY_ORDER: Budget = Budget { hops: 2, writes: 0 };
const BY_GUARD: Budget = Budget { hops: 3, writes: 0 };
const LIST: Budget = Budget { hops: 2, writes: 0 };

async fn get(stack: &Stack, operation: &str, uid: u64, body: Value) -> Value {
    api::post(stack, operation).payer(uid).json(&body).send().await.ok()
}

#[tokio::test]
async fn one_payment() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let cost = Cost::of("detail, by id", &[&["GetItem!"]], (0, 2));
    let by_id = async { drop(get(&stack, "detail", there.uid, json!({"id": there.id})).await) };
    cost.is_of(&stack, BY_ID, by_id).await;

    let by_order =
        async |oid: u64, uid: u64| drop(get(&stack, "detail", uid, json!({"oid": oid})).await);
    let cost = Cost::of("detail, by order", &[&["Query oid-index"], &["GetItem!"]], (0, 3));
    cost.is_of(&stack, BY_ORDER, by_order(there.oid, there.uid)).await;

    let closed = payment_in(&stack, 3).await;
    let cost = Cost::of(
        "detail, by order whose payment is closed",
        &[&["Query oid-index"], &["GetItem!"], &["GetItem!"]],
        (0, 5),
    );
    cost.is_of(&stack, BY_GUARD, by_order(closed.oid, closed.uid)).await;

    stack.dynamodb_control().set_fault("Query oid-index", Fault::FindNothing, None);
    let cost = Cost::of(
        "detail, by order whose payment is not in the index yet",
        &[&["Query oid-index"], &["GetItem!"], &["GetItem!"]],
        (0, 4),
    );
    cost.is_of(&stack, BY_GUARD, by_order(there.oid, there.uid)).await;
}

#[tokio::test]
async fn a_page() {
    let stack = warm().await;
    let first = payment(&stack).await;
    payment_of(&stack, first.uid, 100).await;
    // A half for the page of the index, however little it holds, and one unit a payment.
    let cost =
        Cost::of("list, of two payments", &[&["Query uid-index"], &["BatchGetItem!"]], (0, 5));
    let list = async {
        let page = get(&stack, "list", first.uid, json!({})).await;
        assert_eq!(page["payments"].as_array().unwrap().len(), 2);
    };
    cost.is_of(&stack, LIST, list).await;
}
