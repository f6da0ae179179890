//! What IAM is asked for a call: a transaction is allowed by its parts, an index is a resource of
//! its own, and a policy may look at the partition key.

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
    /// How the partition key of the one item begins: `pay#`.
    pub key: Option<String>,
}

/// What a call of this name needs.
pub(super) fn needed(name: &str, request: &Value) -> Vec<Action> {
    let Some(parts) = request.get("TransactItems").and_then(Value::as_array) else {
        return vec![action(name, None, request)];
    };
    let parts = parts.iter().filter_map(Value::as_object).flatten();
    parts
        .map(|(kind, part)| match kind.as_str() {
            // The one whose name is another than its permission's.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::needed;

    #[test]
    fn a_transaction_needs_what_its_parts_need() {
        let key = |pk: &str| json!({"pk": {"S": pk}});
        let request = json!({"TransactItems": [
            {"Put": {"Item": key("pay#1")}},
            {"Update": {"Key": key("pay#1")}},
            {"ConditionCheck": {"Key": key("order#1")}},
        ]});
        let needed = needed("TransactWriteItems", &request);
        let of = |at: usize| (needed[at].name.as_str(), needed[at].key.as_deref());
        assert_eq!(of(0), ("PutItem", Some("pay#")));
        assert_eq!(of(1), ("UpdateItem", Some("pay#")));
        assert_eq!(of(2), ("ConditionCheckItem", Some("order#")));
        assert!(needed.iter().all(|part| part.within.as_deref() == Some("TransactWriteItems")));
    }

    #[test]
    fn a_query_of_an_index_needs_the_index() {
        let [query] = &needed("Query", &json!({"IndexName": "oid-index"}))[..] else { panic!() };
        assert_eq!(query.index.as_deref(), Some("oid-index"));
        assert_eq!((&query.within, &query.key), (&None, &None));
    }
}
