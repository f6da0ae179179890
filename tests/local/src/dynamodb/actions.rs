//! The permissions that a call needs: a transaction needs those of its parts, an index is a
//! resource of its own, and a policy may depend on the partition key.

use serde_json::Value;

/// One permission that a call needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// `PutItem`, alone or in a transaction.
    pub name: String,
    /// The call that it is a part of: `TransactWriteItems`.
    pub within: Option<String>,
    /// The index that is queried.
    pub index: Option<String>,
    /// The beginning of the partition key of the one item: `pay#`.
    pub key: Option<String>,
}

/// The permissions that a call with this name needs.
pub(super) fn needed(name: &str, request: &Value) -> Vec<Action> {
    let Some(parts) = request.get("TransactItems").and_then(Value::as_array) else {
        return vec![action(name, None, request)];
    };
    let parts = parts.iter().filter_map(Value::as_object).flatten();
    parts
        .map(|(kind, part)| match kind.as_str() {
            // The only part whose permission has another name.
            "ConditionCheck" => action("ConditionCheckItem", Some(name), part),
            kind => action(&format!("{kind}Item"), Some(name), part),
        })
        .collect()
}

fn action(name: &str, within: Option<&str>, request: &Value) -> Action {
    let item = request.get("Item").or_else(|| request.get("Key"));
    let key = item.and_then(|item| item.pointer("/pk/S")).and_then(Value::as_str);
    Action {
        name: name.to_owned(),
        within: within.map(str::to_owned),
        index: request.get("IndexName").and_then(Value::as_str).map(str::to_owned),
        key: key.and_then(|key| Some(format!("{}#", key.split_once('#')?.0))),
    }
}
