//! Each function's role against what the function does: nothing is missing, nothing is superfluous.

use std::collections::BTreeSet;

use local::{Action, Stack};
use serde_json::{Value, json};

use super::{dimension, list, metrics, resources, schedule_input, template, text};
use crate::stage::{Payment, notify, own, payment};
use crate::{api, operations};

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
                for key in self.values("ForAllValues:StringLike", "dynamodb:LeadingKeys") {
                    for within in
                        self.values("ForAnyValue:StringEquals", "dynamodb:EnclosingOperation")
                    {
                        grants.push(Grant {
                            name: name.to_owned(),
                            index: (!index.is_empty()).then(|| index.to_owned()),
                            within,
                            key: key
                                .as_deref()
                                .map(|key| key.strip_suffix('*').unwrap().to_owned()),
                        });
                    }
                }
            }
        }
        grants
    }

    /// What a condition names, or one `None` if there is no such condition.
    fn values(&self, operator: &str, key: &str) -> Vec<Option<String>> {
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
}

impl Grant {
    fn allows(&self, action: &Action) -> bool {
        let fits =
            |limit: &Option<String>, given: &Option<String>| limit.is_none() || limit == given;
        self.name == action.name
            && self.index == action.index
            && fits(&self.within, &action.within)
            && fits(&self.key, &action.key)
    }
}

/// The ARNs in a resource, however `!Sub` is written.
fn arns(resource: &Value) -> Vec<&str> {
    if let Some(all) = resource.as_array() {
        return all.iter().flat_map(arns).collect();
    }
    resource.as_str().filter(|arn| arn.starts_with("arn:")).into_iter().collect()
}

/// Everything that create can do to the table.
async fn create(stack: &Stack) -> BTreeSet<Action> {
    let first = payment(stack).await;
    let again = || api::post(stack, "create").payer(first.uid).json(&first.request());
    again().send().await.problem("payment-exists");
    let made = stack.dynamodb_control().take_actions();
    notify(stack, first, 1, 3).await.ok();
    drop(stack.dynamodb_control().take_actions());
    again().send().await.ok();
    made.into_iter().chain(stack.dynamodb_control().take_actions()).collect()
}

/// Everything that detail can do.
async fn detail(stack: &Stack) -> BTreeSet<Action> {
    let Payment { id, uid, oid, .. } = payment(stack).await;
    drop(stack.dynamodb_control().take_actions());
    for request in [json!({"id": id}), json!({"oid": oid})] {
        api::post(stack, "detail").payer(uid).json(&request).send().await.ok();
    }
    api::post(stack, "list").payer(uid).json(&json!({})).send().await.ok();
    stack.dynamodb_control().take_actions()
}

/// Everything that callback can do: notifications that change the record, that only append an event,
/// and that name no payment of ours; and the sweep as the schedule invokes it.
async fn callback(stack: &Stack) -> BTreeSet<Action> {
    let one = payment(stack).await;
    drop(stack.dynamodb_control().take_actions());
    for status in [3, 1, 2] {
        notify(stack, one, 1, status).await.ok();
    }
    let nobodys = Payment { id: 1, ..one };
    notify(stack, nobodys, 1, 1).await.problem("payment-not-found");
    let swept = stack.invoke("callback", &schedule_input()).await.unwrap();
    assert!(swept["notified"].is_u64(), "{swept}");
    stack.dynamodb_control().take_actions()
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
            let used = actions.iter().any(|action| grant.allows(action));
            assert!(used, "{function} never needs {grant:?}");
        }
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

#[test]
fn a_role_reads_the_secrets_of_its_functions_settings() {
    let template = template();
    let common = &template["Globals"]["Function"]["Environment"]["Variables"];
    let callbacks =
        &template["Resources"]["CallbackFunction"]["Properties"]["Environment"]["Variables"];
    let (auth, webhook) = (&common["AUTH_SECRET_ID"], &callbacks["WEBHOOK_SECRET_ID"]);
    assert!(auth.is_array() && webhook.is_array());
    for (function, secrets) in
        [("create", auth.clone()), ("detail", auth.clone()), ("callback", json!([auth, webhook]))]
    {
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
