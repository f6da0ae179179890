//! Each function's role against what the function does: nothing is missing, nothing is superfluous.

mod actions;

use std::collections::BTreeSet;

use local::Action;
use serde_json::{Value, json};

use self::actions::{callback, create, detail, whole};
use super::{dimension, list, metrics, resources, template, text};
use crate::operations;
use crate::stage::own;

/// The operator and the key of each condition on a request to DynamoDB. A key with several values has
/// these operators only; one of them without the right one would allow anything.
const KEYS: (&str, &str) = ("ForAllValues:StringLike", "dynamodb:LeadingKeys");
const WITHIN: (&str, &str) = ("ForAnyValue:StringEquals", "dynamodb:EnclosingOperation");
const ATTRIBUTES: (&str, &str) = ("ForAllValues:StringEquals", "dynamodb:Attributes");

/// One statement of a role's policy.
struct Statement {
    id: String,
    actions: Vec<String>,
    resource: Value,
    condition: Value,
}

impl Statement {
    /// The statements of a function's role.
    fn of(function: &str) -> Vec<Self> {
        let (id, role) = resources("AWS::IAM::Role")
            .into_iter()
            .find(|(id, _)| id.to_lowercase() == format!("{function}role"))
            .unwrap();
        let functions = resources("AWS::Serverless::Function");
        let mut having = functions.iter().filter(|(_, it)| it["Role"] == format!("{id}.Arn"));
        assert_eq!(having.next().unwrap().0.to_lowercase(), format!("{function}function"));
        assert!(having.next().is_none() && role["ManagedPolicyArns"].is_null());
        let [policy] = list(&role["Policies"]) else { panic!("{id}") };
        let statements = list(&policy["PolicyDocument"]["Statement"]).iter();
        // With a condition, it is the second argument of `!If`.
        let statements = statements.map(|one| if one.is_array() { &one[1] } else { one });
        statements
            .map(|one| {
                assert_eq!(one["Effect"], "Allow");
                Self {
                    id: text(&one["Sid"]).to_owned(),
                    actions: list(&one["Action"]).iter().map(|it| text(it).to_owned()).collect(),
                    resource: one["Resource"].clone(),
                    condition: one["Condition"].clone(),
                }
            })
            .collect()
    }

    /// Everything that it allows in DynamoDB, one by one: action, resource, enclosing call, key.
    fn grants(&self) -> Vec<Grant> {
        let mut grants = Vec::new();
        let names = self.actions.iter().filter_map(|action| action.strip_prefix("dynamodb:"));
        for name in names {
            for resource in arns(&self.resource) {
                let (table, index) = resource.split_once("/index/").unwrap_or((resource, ""));
                assert!(table.ends_with(":table/${Table}"), "{resource}");
                for key in self.values(KEYS) {
                    for within in self.values(WITHIN) {
                        grants.push(Grant {
                            name: name.to_owned(),
                            index: (!index.is_empty()).then(|| index.to_owned()),
                            within,
                            key: key
                                .as_deref()
                                .map(|key| key.strip_suffix('*').unwrap().to_owned()),
                            attributes: self.values(ATTRIBUTES).into_iter().collect(),
                        });
                    }
                }
            }
        }
        grants
    }

    /// What a condition names, or one `None` if there is no such condition.
    fn values(&self, (operator, key): (&str, &str)) -> Vec<Option<String>> {
        let named = &self.condition[operator][key];
        if named.is_null() {
            return vec![None];
        }
        list(named).iter().map(|one| Some(text(one).to_owned())).collect()
    }
}

/// One thing that a role allows. `None` allows any value, except for the index.
#[derive(Debug)]
struct Grant {
    name: String,
    index: Option<String>,
    within: Option<String>,
    key: Option<String>,
    /// The attributes that a request may name; one `None` for any.
    attributes: BTreeSet<Option<String>>,
}

impl Grant {
    fn allows(&self, action: &Action) -> bool {
        let fits =
            |limit: &Option<String>, given: &Option<String>| limit.is_none() || limit == given;
        let mut named = action.attributes.iter();
        self.name == action.name
            && self.index == action.index
            && fits(&self.within, &action.within)
            && fits(&self.key, &action.key)
            && (self.attributes.contains(&None)
                || named.all(|one| self.attributes.contains(&Some(one.clone()))))
    }
}

/// The ARNs in a resource, however `!Sub` is written.
fn arns(resource: &Value) -> Vec<&str> {
    if let Some(all) = resource.as_array() {
        return all.iter().flat_map(arns).collect();
    }
    resource.as_str().filter(|arn| arn.starts_with("arn:")).into_iter().collect()
}

/// What no function may ever write again: what a payment is, and when it was made.
const FOR_GOOD: [&str; 6] = ["id", "uid", "oid", "amount", "currency", "create_time"];

/// Checks that no statement names an attribute that no request names.
#[track_caller]
fn assert_needs_each_attribute(function: &str, actions: &BTreeSet<Action>) {
    for statement in Statement::of(function) {
        let grants = statement.grants();
        let used = actions.iter().filter(|action| grants.iter().any(|grant| grant.allows(action)));
        let used: BTreeSet<_> = used.flat_map(|action| &action.attributes).collect();
        for attribute in statement.values(ATTRIBUTES).iter().flatten() {
            assert!(used.contains(attribute), "{function}: {}: {attribute}", statement.id);
        }
    }
}

/// Checks what the roles hold by themselves: nothing is deleted, every write names its kind of item and
/// its attributes, and what a payment is cannot be changed.
#[track_caller]
fn assert_writes_are_narrow(function: &str, grants: &[Grant]) {
    let reads = ["GetItem", "BatchGetItem", "Query"];
    for grant in grants.iter().filter(|grant| !reads.contains(&grant.name.as_str())) {
        let Grant { name, within, key, attributes, .. } = grant;
        assert!(["PutItem", "UpdateItem", "ConditionCheckItem"].contains(&name.as_str()), "{name}");
        assert!(key.is_some() && !attributes.contains(&None), "{function}: {grant:?}");
        let may = |attribute: &str| attributes.contains(&Some(attribute.to_owned()));
        if name == "UpdateItem" {
            assert!(!FOR_GOOD.into_iter().any(may), "{function}: {grant:?}");
            // A move of the status is a part of a transaction, or is denied. The version is compared
            // outside of one, too.
            let moves = ["status", "source", "transaction", "refunded", "paid_time"];
            assert!(within.is_some() || !moves.into_iter().any(may), "{grant:?}");
        }
        if name == "PutItem" {
            // Only create may put a record or a guard, and only in a transaction: never one that was paid.
            let is_record = ["id", "uid", "oid", "status", "payment"].into_iter().any(may);
            let of_paid = ["paid_time", "notified_time", "provider_txn", "transaction", "verdict"];
            assert!(!is_record || function == "create" && within.is_some(), "{grant:?}");
            assert!(!is_record || !of_paid.into_iter().any(may), "{grant:?}");
        }
        // What a checkout is made with is put with it, and stays.
        let made_with = ["method", "account", "description", "return_url", "expires_time"];
        let is_put = name == "PutItem" && function == "create" && within.is_some();
        assert!(is_put || !made_with.into_iter().any(may), "{function}: {grant:?}");
    }
}

#[tokio::test]
async fn each_function_may_do_what_it_does_and_nothing_else() {
    let stack = own().await;
    drop(stack.dynamodb_control().take_calls());
    drop(stack.dynamodb_control().take_actions());
    let done = [
        ("create", create(&stack).await),
        ("detail", detail(&stack).await),
        ("callback", callback(&stack).await),
    ];
    for (function, actions) in done {
        let grants: Vec<Grant> =
            Statement::of(function).iter().flat_map(Statement::grants).collect();
        for action in &actions {
            let allowed = grants.iter().any(|grant| grant.allows(action));
            assert!(allowed, "{function} does {action:?}, which its role does not allow");
        }
        for grant in &grants {
            let used: Vec<_> = actions.iter().filter(|action| grant.allows(action)).collect();
            assert!(!used.is_empty(), "{function} never needs {grant:?}");
        }
        // What create applies of a provider's response may have any attribute.
        let rare =
            if function == "create" { whole(&stack).await[0].clone() } else { BTreeSet::new() };
        assert_needs_each_attribute(function, &actions.union(&rare).cloned().collect());
        assert_writes_are_narrow(function, &grants);
    }

    // CloudWatch counts what DynamoDB does by call, and has no sum of all.
    let calls = stack.dynamodb_control().take_calls();
    let calls = calls.iter().map(|call| call.split(' ').next().unwrap());
    let calls: BTreeSet<&str> = calls.collect();
    let alarms = resources("AWS::CloudWatch::Alarm");
    for id in ["TableErrorsAlarm", "TableThrottledAlarm"] {
        let (_, alarm) = alarms.iter().find(|(name, _)| name == id).unwrap();
        let watched = metrics(alarm).into_iter();
        let watched = watched.map(|metric| text(dimension(metric, "Operation").unwrap()));
        assert_eq!(watched.collect::<BTreeSet<_>>(), calls, "{id}");
    }
}

/// A request with a rare attribute must not be denied on the day that it comes.
#[tokio::test]
async fn an_item_with_every_attribute_is_allowed() {
    let stack = own().await;
    let [creates, callbacks] = whole(&stack).await;
    for (function, actions) in [("create", creates), ("callback", callbacks)] {
        assert!(actions.len() >= 2, "{function}: {actions:?}");
        let grants: Vec<_> = Statement::of(function).iter().flat_map(Statement::grants).collect();
        for action in &actions {
            let allowed = grants.iter().any(|grant| grant.allows(action));
            assert!(allowed, "{function} may not {action:?}");
        }
    }
}

#[test]
fn a_role_reads_the_secrets_of_its_functions_settings() {
    let template = template();
    let common = &template["Globals"]["Function"]["Environment"]["Variables"];
    let callbacks =
        &template["Resources"]["CallbackFunction"]["Properties"]["Environment"]["Variables"];
    let (auth, webhook) = (&common["AUTH_SECRET_ID"], &callbacks["WEBHOOK_SECRET_ID"]);
    assert!(auth.is_array() && webhook.is_array());
    // That of the providers is there only if it is given.
    let provider = &callbacks["PROVIDER_SECRET_ID"];
    assert_eq!(template["Parameters"][provider.as_str().unwrap()]["Default"], "");
    let provider = json!(["HasProviderSecret", provider, "AWS::NoValue"]);
    for (function, secrets) in [
        ("create", json!([auth, provider])),
        ("detail", auth.clone()),
        ("callback", json!([auth, webhook, provider])),
    ] {
        let statements = Statement::of(function);
        let read = statements.iter().find(|one| one.id == "ReadSecrets").unwrap();
        assert_eq!(read.resource, secrets, "{function}");
    }
}

#[test]
fn beside_the_table_a_role_allows_reading_secrets_and_writing_logs_and_traces() {
    let wanted = [
        ("ReadSecrets", "secretsmanager:GetSecretValue"),
        ("Decrypt", "kms:Decrypt"),
        ("DecryptGivenSecrets", "kms:Decrypt"),
        ("Logs", "logs:CreateLogStream"),
        ("Logs", "logs:PutLogEvents"),
        ("Traces", "xray:PutTraceSegments"),
        ("Traces", "xray:PutTelemetryRecords"),
    ];
    for function in operations::functions() {
        let statements = Statement::of(function);
        let pairs = statements
            .iter()
            .flat_map(|one| one.actions.iter().map(|action| (one.id.as_str(), action.as_str())))
            .filter(|(_, action)| !action.starts_with("dynamodb:"));
        assert_eq!(pairs.collect::<Vec<_>>(), wanted, "{function}");
        for one in &statements {
            let anywhere = list(&one.resource).contains(&json!("*"));
            assert_eq!(anywhere, one.id == "Traces", "{function}: {}", one.id);
            // A key decrypts only what these services store.
            let through = one.condition["StringEquals"]["kms:ViaService"].is_null();
            assert_eq!(through, !one.id.starts_with("Decrypt"), "{function}: {}", one.id);
        }
    }
}
