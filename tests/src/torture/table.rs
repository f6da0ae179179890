//! The whole table as it is.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{Stack, client};

/// Every item as plain JSON: numbers and texts as they are, bytes in base64.
///
/// # Errors
///
/// The table cannot be read.
pub async fn items(stack: &Stack) -> Result<Vec<Value>> {
    let http = client::client("")?;
    let mut request = json!({"TableName": stack.table, "ConsistentRead": true});
    let mut items = Vec::new();
    loop {
        let scan = "DynamoDB_20120810.Scan";
        let (status, answer) =
            client::call(&http, &stack.dynamodb, "dynamodb", scan, &request).await?;
        ensure!(status == 200, "cannot read the table: {status} {answer}");
        let page = answer.get("Items").and_then(Value::as_array).context("a page of no items")?;
        for item in page {
            items.push(plain(item).context("an item of no attributes")?);
        }
        match (answer.get("LastEvaluatedKey"), request.as_object_mut()) {
            (Some(last), Some(request)) => {
                request.insert("ExclusiveStartKey".to_owned(), last.clone())
            }
            _ => return Ok(items),
        };
    }
}

fn plain(item: &Value) -> Option<Value> {
    let mut attributes = Map::new();
    for (name, typed) in item.as_object()? {
        let (kind, value) = typed.as_object()?.iter().next()?;
        let value = match kind.as_str() {
            "N" => serde_json::from_str(value.as_str()?).ok()?,
            _ => value.clone(),
        };
        attributes.insert(name.clone(), value);
    }
    Some(Value::Object(attributes))
}
