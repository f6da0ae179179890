//! The table as it is, read past the functions.

use local::{Stack, client};
use serde_json::{Map, Value, json};

use crate::echo::http;

/// An item as plain JSON.
pub(crate) type Item = Value;

async fn call(stack: &Stack, operation: &str, mut request: Value) -> Value {
    request["TableName"] = json!(stack.table);
    let target = format!("DynamoDB_20120810.{operation}");
    let answer = client::call(&http(), &stack.dynamodb, "dynamodb", &target, &request).await;
    let (status, answer) = answer.unwrap();
    assert_eq!(status, 200, "{operation}: {answer}");
    answer
}

/// The item with this key, if there is one.
pub(crate) async fn item(stack: &Stack, pk: &str, sk: &str) -> Option<Item> {
    let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    let request = json!({"Key": key, "ConsistentRead": true});
    let answer = call(stack, "GetItem", request).await;
    answer.get("Item").map(plain)
}

/// The record of a payment.
pub(crate) async fn record(stack: &Stack, id: u64) -> Item {
    let found = item(stack, &format!("pay#{id}"), "record").await;
    found.unwrap_or_else(|| panic!("no record of payment {id}"))
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

/// What was kept of the messages about a payment.
pub(crate) async fn events(stack: &Stack, id: u64) -> Vec<Item> {
    let mut items = under(stack, &format!("pay#{id}")).await;
    items.retain(|item| item["sk"] != "record");
    items
}

/// What was kept of the native messages that name no payment.
pub(crate) async fn strays(stack: &Stack) -> Vec<Item> {
    strays_of(stack, "native").await
}

/// What was kept of a provider's messages that name no payment.
pub(crate) async fn strays_of(stack: &Stack, provider: &str) -> Vec<Item> {
    under(stack, &format!("stray#{provider}")).await
}

/// Every item that has this number under this name.
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

/// Whether the work list has the telling of this payment.
pub(crate) async fn is_to_be_told(stack: &Stack, id: u64) -> bool {
    let shard = id.checked_rem(4).unwrap();
    let list = with(stack, "work-index", "work", json!({"S": format!("order#{shard}")})).await;
    list.iter().any(|item| item["pk"] == format!("pay#{id}"))
}

/// How many messages about a payment wait for a person.
pub(crate) async fn quarantined(stack: &Stack, id: u64) -> usize {
    let list = with(stack, "work-index", "work", json!({"S": "quarantine"})).await;
    let of = |item: &&Item| item["pk"] == format!("pay#{id}");
    list.iter().filter(of).count()
}

/// Writes an item, its attributes typed as DynamoDB's JSON types them.
pub(crate) async fn put(stack: &Stack, item: Value) {
    call(stack, "PutItem", json!({"Item": item})).await;
}

fn items(answer: &Value) -> Vec<Item> {
    assert_eq!(answer.get("LastEvaluatedKey"), None, "one page");
    answer["Items"].as_array().unwrap().iter().map(plain).collect()
}

/// Numbers and texts as they are; bytes in base64.
fn plain(item: &Value) -> Item {
    let attribute = |(name, value): (&String, &Value)| {
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        let text = value.as_str().unwrap();
        let value = match kind.as_str() {
            "N" => serde_json::from_str(text).unwrap(),
            _ => json!(text),
        };
        (name.clone(), value)
    };
    let attributes = item.as_object().unwrap().iter();
    Value::Object(attributes.map(attribute).collect::<Map<_, _>>())
}
