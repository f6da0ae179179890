//! The permissions that a call needs: a transaction needs those of its parts, an index is a
//! resource of its own, and a policy may depend on the partition key and on the attributes that the
//! request names.

use std::collections::BTreeSet;

use serde_json::Value;

/// Words of expressions that name no attribute.
const WORDS: [&str; 10] = [
    "SET",
    "REMOVE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "attribute_exists",
    "attribute_not_exists",
    "begins_with",
    "size",
];

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
    /// The attributes that the request names, in the item, its key and every expression.
    pub attributes: BTreeSet<String>,
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
    // Of a query of the table itself it is in the condition.
    let index = request.get("IndexName").and_then(Value::as_str);
    let queried = request.pointer("/ExpressionAttributeValues/:pk/S").filter(|_| index.is_none());
    let key = item.and_then(|item| item.pointer("/pk/S")).or(queried).and_then(Value::as_str);
    Action {
        name: name.to_owned(),
        within: within.map(str::to_owned),
        index: index.map(str::to_owned),
        key: key.and_then(|key| Some(format!("{}#", key.split_once('#')?.0))),
        attributes: attributes(request),
    }
}

/// As DynamoDB gives them to a policy's `dynamodb:Attributes`: the top-level names.
fn attributes(request: &Value) -> BTreeSet<String> {
    let members = |name: &str| request.get(name).and_then(Value::as_object).into_iter().flatten();
    let mut named: BTreeSet<String> = ["Item", "Key"]
        .into_iter()
        .flat_map(members)
        .map(|(attribute, _)| attribute.clone())
        .chain(
            members("ExpressionAttributeNames")
                .filter_map(|(_, name)| Some(name.as_str()?.to_owned())),
        )
        .collect();
    let expressions = ["ConditionExpression", "UpdateExpression", "KeyConditionExpression"];
    for expression in expressions.iter().filter_map(|name| request.get(name)?.as_str()) {
        let is_part = |letter: char| letter.is_alphanumeric() || "_#:".contains(letter);
        let words = expression.split(|letter| !is_part(letter));
        let literal = words.filter(|word| word.starts_with(|first: char| first.is_alphabetic()));
        named.extend(literal.filter(|word| !WORDS.contains(word)).map(str::to_owned));
    }
    named
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Action, needed};

    #[test]
    fn a_transaction_needs_the_permissions_of_its_parts() {
        let request = json!({"TransactItems": [
            {"Put": {"Item": {"pk": {"S": "order#7"}, "sk": {"S": "guard"}},
                "ConditionExpression": "attribute_not_exists(pk) OR #p = :old",
                "ExpressionAttributeNames": {"#p": "payment"}}},
            {"ConditionCheck": {"Key": {"pk": {"S": "pay#1"}, "sk": {"S": "record"}},
                "ConditionExpression": "#s = :c AND attribute_not_exists(paid_time)",
                "ExpressionAttributeNames": {"#s": "status"}}},
            {"Update": {"Key": {"pk": {"S": "pay#1"}, "sk": {"S": "record"}},
                "UpdateExpression": "SET #a = :a, b = :b REMOVE c",
                "ExpressionAttributeNames": {"#a": "a"}}},
        ]});
        let action = |name: &str, key: &str, attributes: &[&str]| Action {
            name: name.to_owned(),
            within: Some("TransactWriteItems".to_owned()),
            index: None,
            key: Some(key.to_owned()),
            attributes: attributes.iter().map(|&name| name.to_owned()).collect(),
        };
        assert_eq!(
            needed("TransactWriteItems", &request),
            [
                action("PutItem", "order#", &["payment", "pk", "sk"]),
                action("ConditionCheckItem", "pay#", &["paid_time", "pk", "sk", "status"]),
                action("UpdateItem", "pay#", &["a", "b", "c", "pk", "sk"]),
            ]
        );
    }

    #[test]
    fn a_query_needs_the_permission_of_its_index() {
        let request = json!({"IndexName": "i", "KeyConditionExpression": "#k = :k AND due <= :d",
            "ExpressionAttributeNames": {"#k": "queue"}});
        let [action] = &needed("Query", &request)[..] else { panic!() };
        assert_eq!((action.index.as_deref(), action.within.as_deref()), (Some("i"), None));
        assert!(action.attributes.iter().eq(["due", "queue"]));
        assert_eq!(action.key, None);
        let request = json!({"KeyConditionExpression": "#pk = :pk AND begins_with(#sk, :sk)",
            "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
            "ExpressionAttributeValues": {":pk": {"S": "pay#1"}, ":sk": {"S": "checkout#"}}});
        let [action] = &needed("Query", &request)[..] else { panic!() };
        assert_eq!((action.index.as_deref(), action.key.as_deref()), (None, Some("pay#")));
    }
}
