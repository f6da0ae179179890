//! The table, read without the functions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use local::{Stack, client};
use pay_core::limits::SWEEP_QUEUES;
use serde_json::{Map, Value, json};

use crate::echo::http;

/// An item as plain JSON.
pub(crate) type Item = Value;

async fn call(stack: &Stack, operation: &str, mut request: Value) -> Value {
    request["TableName"] = json!(stack.table);
    let target = format!("DynamoDB_20120810.{operation}");
    let response = client::call(&http(), &stack.dynamodb, "dynamodb", &target, &request).await;
    let (status, response) = response.unwrap();
    assert_eq!(status, 200, "{operation}: {response}");
    response
}

/// The item with this key, if there is one.
pub(crate) async fn item(stack: &Stack, pk: &str, sk: &str) -> Option<Item> {
    let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    let request = json!({"Key": key, "ConsistentRead": true});
    let response = call(stack, "GetItem", request).await;
    response.get("Item").map(plain)
}

/// The record of a payment.
pub(crate) async fn record(stack: &Stack, id: u64) -> Item {
    let found = item(stack, &format!("pay#{id}"), "record").await;
    found.unwrap_or_else(|| panic!("no record of payment {id}"))
}

/// The refund of a payment that a response is about.
pub(crate) async fn refund(stack: &Stack, id: u64, response: &Value) -> Item {
    let sk = format!("refund#{}", response["refund_id"].as_str().unwrap());
    item(stack, &format!("pay#{id}"), &sk).await.unwrap_or_else(|| panic!("no {sk}"))
}

/// The guard of an order.
pub(crate) async fn guard(stack: &Stack, oid: u64) -> Option<Item> {
    item(stack, &format!("order#{oid}"), "guard").await
}

/// Every item under a partition key.
async fn under(stack: &Stack, pk: &str) -> Vec<Item> {
    let values = json!({":pk": {"S": pk}});
    let request =
        json!({"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values});
    items(&call(stack, "Query", request).await)
}

/// The events of a payment.
pub(crate) async fn events(stack: &Stack, id: u64) -> Vec<Item> {
    let mut items = under(stack, &format!("pay#{id}")).await;
    items.retain(|item| item["sk"].as_str().is_some_and(|sk| sk.starts_with("event#")));
    items
}

/// The unmatched events of a sender: its notifications that name no payment of ours.
pub(crate) async fn unmatched(stack: &Stack, sender: &str) -> Vec<Item> {
    under(stack, &format!("unmatched#{sender}")).await
}

/// The entries of an index whose key attribute has this value.
async fn with(stack: &Stack, index: &str, name: &str, value: Value) -> Vec<Item> {
    let request = json!({
        "IndexName": index,
        "KeyConditionExpression": "#n = :v",
        "ExpressionAttributeNames": {"#n": name},
        "ExpressionAttributeValues": {":v": value},
    });
    items(&call(stack, "Query", request).await)
}

/// The payments of an order, by its index.
pub(crate) async fn payments_of_order(stack: &Stack, oid: u64) -> Vec<Item> {
    with(stack, "oid-index", "oid", json!({"N": oid.to_string()})).await
}

/// The payments of a user, by their index.
pub(crate) async fn payments_of_user(stack: &Stack, uid: u64) -> Vec<Item> {
    with(stack, "uid-index", "uid", json!({"N": uid.to_string()})).await
}

/// Whether a payment is in its queue of the due index.
pub(crate) async fn is_due(stack: &Stack, id: u64) -> bool {
    let queue = format!("sweep#{}", id.checked_rem(SWEEP_QUEUES).unwrap());
    let entries = with(stack, "due-index", "queue", json!({ "S": queue })).await;
    entries.iter().any(|item| item["pk"] == format!("pay#{id}"))
}

/// How many notifications about a payment wait for a person.
pub(crate) async fn quarantined(stack: &Stack, id: u64) -> usize {
    let entries = with(stack, "due-index", "queue", json!({"S": "review"})).await;
    entries.iter().filter(|item| item["pk"] == format!("pay#{id}")).count()
}

/// Every item, as text; of bytes what they are.
pub(crate) async fn dump(stack: &Stack) -> String {
    let mut items = items(&call(stack, "Scan", json!({})).await);
    for item in &mut items {
        if let Some(body) = item.get_mut("body") {
            let bytes = BASE64.decode(body.as_str().unwrap()).unwrap();
            *body = json!(String::from_utf8_lossy(&bytes));
        }
    }
    // Without the backslashes of JSON.
    items.iter().map(ToString::to_string).collect::<String>().replace('\\', "")
}

/// Writes an item, its attributes typed as DynamoDB's JSON types them.
pub(crate) async fn put(stack: &Stack, item: Value) {
    call(stack, "PutItem", json!({"Item": item})).await;
}

/// Writes many items, as few calls as it takes.
pub(crate) async fn put_all(stack: &Stack, items: &[Value]) {
    for items in items.chunks(25) {
        let puts: Vec<_> = items.iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
        let request = json!({"RequestItems": {stack.table.as_str(): puts}});
        let left = call(stack, "BatchWriteItem", request).await;
        let left = left["UnprocessedItems"].as_object().cloned().unwrap_or_default();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Sets an attribute of an item, typed as DynamoDB's JSON types it.
pub(crate) async fn set(stack: &Stack, pk: &str, sk: &str, name: &str, value: Value) {
    let request = json!({
        "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
        "UpdateExpression": "SET #name = :value",
        "ExpressionAttributeNames": {"#name": name},
        "ExpressionAttributeValues": {":value": value},
    });
    call(stack, "UpdateItem", request).await;
}

fn items(response: &Value) -> Vec<Item> {
    assert_eq!(response.get("LastEvaluatedKey"), None, "one page");
    response["Items"].as_array().unwrap().iter().map(plain).collect()
}

/// Numbers and texts as they are, bytes in base64.
fn plain(item: &Value) -> Item {
    let attribute = |(name, value): (&String, &Value)| {
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        let value = match kind.as_str() {
            "N" => serde_json::from_str(value.as_str().unwrap()).unwrap(),
            "BOOL" => value.clone(),
            _ => json!(value.as_str().unwrap()),
        };
        (name.clone(), value)
    };
    let attributes = item.as_object().unwrap().iter();
    Value::Object(attributes.map(attribute).collect::<Map<_, _>>())
}
