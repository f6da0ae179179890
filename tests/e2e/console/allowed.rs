//! The policies of the document, held to what the console calls.

use std::collections::BTreeSet;

use local::Stack;
use serde_json::Value;

use super::decide::short;
use super::{console, encoded};
use crate::readme::workspace_file;
use crate::stage::own;

/// The actions of one of the document's policies, by service and name.
pub(super) fn policy(number: usize) -> BTreeSet<String> {
    let page = workspace_file("docs/console.md");
    let block = page.split("```json\n").skip(1).nth(number);
    let block = block.and_then(|rest| rest.split("```").next());
    let policy: Value = serde_json::from_str(block.unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|one| one["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// The actions since this was asked last.
fn called(stack: &Stack) -> BTreeSet<String> {
    let actions = stack.dynamodb_control().take_actions().into_iter();
    let named = actions.map(|action| match action.name.as_str() {
        // Source: Service Authorization Reference, "Actions defined by Amazon DynamoDB".
        "ExecuteStatement" => "dynamodb:PartiQLSelect".to_owned(),
        name => format!("dynamodb:{name}"),
    });
    named.collect()
}

#[tokio::test]
async fn the_documents_policies_have_what_the_console_calls_and_no_more() {
    let stack = own().await;
    let (payment, first) = short(&stack).await;
    let (_, second) = short(&stack).await;
    let _by_the_functions = called(&stack);
    let console = console(&stack, &[]).await;
    for path in [
        "/".to_owned(),
        format!("/find?q={}", payment.id),
        "/find?q=pi_1".to_owned(),
        format!("/payment/{}", payment.id),
        format!("/message?name={}", encoded(&first)),
        "/quarantine".to_owned(),
        format!("/decide?name={}", encoded(&first)),
        format!("/act/query?id={}", payment.id),
        "/payments?uid=1".to_owned(),
        "/payments.csv?uid=1".to_owned(),
        "/due".to_owned(),
        "/due.csv".to_owned(),
    ] {
        let got = console.get(&path).await;
        assert!([200, 303, 404].contains(&got.status), "{path}: {}", got.text);
    }
    let page = console.audit().await;
    assert!(page.contains("no violation"), "{page}");
    let reading = policy(0);
    assert_eq!(called(&stack), reading);
    for (name, path) in [(first, "/decide/accept"), (second, "/decide/dismiss")] {
        let page = console.page(&format!("/decide?name={}", encoded(&name))).await;
        console.sent(&page, path, &[("note", "checked")]).await;
    }
    let writing: BTreeSet<_> = called(&stack).difference(&reading).cloned().collect();
    assert_eq!(writing, policy(1));
}
