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

async fn ask(stack: &Stack, operation: &str, uid: u64, body: Value) -> Value {
    api::post(stack, operation).payer(uid).json(&body).send().await.ok()
}

#[tokio::test]
async fn one_payment() {
    let stack = warm().await;
    let there = payment(&stack).await;
    let cost = Cost { operation: "detail, by id", calls: &[&["GetItem!"]], writes: 0, reads: 2 };
    let by_id = async { drop(ask(&stack, "detail", there.uid, json!({"id": there.id})).await) };
    cost.is_of(&stack, BY_ID, by_id).await;

    let by_order =
        async |oid: u64, uid: u64| drop(ask(&stack, "detail", uid, json!({"oid": oid})).await);
    let cost = Cost {
        operation: "detail, by order",
        calls: &[&["Query oid-index"], &["GetItem!"]],
        writes: 0,
        reads: 3,
    };
    cost.is_of(&stack, BY_ORDER, by_order(there.oid, there.uid)).await;

    let closed = payment_in(&stack, 3).await;
    let cost = Cost {
        operation: "detail, by order whose payment is closed",
        calls: &[&["Query oid-index"], &["GetItem!"], &["GetItem!"]],
        writes: 0,
        reads: 5,
    };
    cost.is_of(&stack, BY_GUARD, by_order(closed.oid, closed.uid)).await;

    stack.dynamodb_control().set_fault("Query oid-index", Fault::FindNothing, None);
    let cost = Cost {
        operation: "detail, by order of which the index has not heard",
        calls: &[&["Query oid-index"], &["GetItem!"], &["GetItem!"]],
        writes: 0,
        reads: 4,
    };
    cost.is_of(&stack, BY_GUARD, by_order(there.oid, there.uid)).await;
}

#[tokio::test]
async fn a_page() {
    let stack = warm().await;
    let first = payment(&stack).await;
    payment_of(&stack, first.uid, 100).await;
    let cost = Cost {
        operation: "list, of two payments",
        calls: &[&["Query uid-index"], &["BatchGetItem!"]],
        writes: 0,
        // A half for the page of the index, however little it holds, and one unit a payment.
        reads: 5,
    };
    let list = async {
        let page = ask(&stack, "list", first.uid, json!({})).await;
        assert_eq!(page["payments"].as_array().unwrap().len(), 2);
    };
    cost.is_of(&stack, LIST, list).await;
}
