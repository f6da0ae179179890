//! Changes a provider's entry of the webhook secret.

use pay_core::json::Json;
use serde_json::Value;

/// An entry as a value that can be changed. Values that the service reads alike become `null`.
pub(super) fn value(entry: &Json) -> Value {
    match entry {
        Json::Other => Value::Null,
        Json::Bool(value) => Value::from(*value),
        Json::Number(value) => Value::from(*value),
        Json::Text(value) => Value::from(value.as_str()),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(members) => {
            members.iter().map(|(name, member)| (name.to_owned(), value(member))).collect()
        }
    }
}

/// The entry again.
pub(super) fn entry(value: &Value) -> Option<Json> {
    Json::parse(value.to_string().as_bytes())
}

/// The entry with every text in it changed; `None` if none is.
pub(super) fn with_texts(old: &Json, change: fn(&str) -> String) -> Option<Json> {
    fn walk(value: &mut Value, change: fn(&str) -> String) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => *text = change(text),
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
            Value::Object(members) => {
                members.values_mut().for_each(|member| walk(member, change));
            }
        }
    }
    let mut changed = value(old);
    walk(&mut changed, change);
    entry(&changed).filter(|changed| changed != old)
}

/// Every text of an entry but the names.
pub(super) fn texts(entry: &Json) -> Vec<&str> {
    match entry {
        Json::Other | Json::Bool(_) | Json::Number(_) => Vec::new(),
        Json::Text(text) => vec![text],
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        Json::Object(members) => members.iter().flat_map(|(_, member)| texts(member)).collect(),
    }
}
