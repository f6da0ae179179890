//! A console beside functions that are deployed: they are named, and found by Lambda's API.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use local::Stack;
use serde_json::{Value, json};

use super::allowed::policy;
use super::{Console, started};
use crate::echo::http;
use crate::stage::{own, payment};
use crate::table;

/// The API of Lambda, in front of a local stack: what was asked of which function.
#[derive(Clone)]
struct Deployed {
    api: String,
    variables: Value,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Deployed {
    fn note(&self, action: &str, function: &str) {
        self.asked.lock().unwrap().insert(format!("{action} {function}"));
    }
}

async fn configuration(State(all): State<Deployed>, Path(function): Path<String>) -> String {
    all.note("lambda:GetFunctionConfiguration", &function);
    json!({"FunctionName": function, "Environment": {"Variables": all.variables[&function]}})
        .to_string()
}

async fn invoke(State(all): State<Deployed>, Path(function): Path<String>, body: Bytes) -> Bytes {
    all.note("lambda:InvokeFunction", &function);
    let url = format!("{}/2015-03-31/functions/{function}/invocations", all.api);
    http().post(url).body(body).send().await.unwrap().bytes().await.unwrap()
}

/// Serves it, and starts a console there.
async fn deployed(stack: &Stack) -> (Deployed, Console) {
    let (api, variables) = (stack.api.clone(), stack.describe()["environment"].clone());
    let all = Deployed { api, variables, asked: Arc::default() };
    let routes = Router::new()
        .route("/2015-03-31/functions/{function}/configuration", get(configuration))
        .route("/2015-03-31/functions/{function}/invocations", post(invoke))
        .with_state(all.clone());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let lambda = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let functions = ["--create", "create", "--callback", "callback", "--by", "ada"];
    let table = ["--endpoint", &stack.dynamodb, "--table", &stack.table];
    let variables = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_LAMBDA", &lambda),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &stack.secretsmanager),
    ];
    (all, started(&[&table[..], &functions].concat(), &variables).await)
}

#[tokio::test]
async fn named_functions_act_and_the_documents_policy_has_what_that_calls_and_no_more() {
    let stack = own().await;
    let payment = payment(&stack).await;
    let (all, console) = deployed(&stack).await;
    for (what, done) in [
        ("query", "The providers were asked by ada"),
        ("sweep", "What was due was done by ada"),
        ("close", ">closed</span>"),
    ] {
        let page = console.page(&format!("/act/{what}?id={}", payment.id)).await;
        let text = console.sent(&page, &format!("/act/{what}"), &[("note", "why")]).await;
        assert!(text.contains(done), "{what}: {text}");
    }
    assert_eq!(table::record(&stack, payment.id).await["status"], 3);

    let page = console.page("/doctor").await;
    let journal = stack.faults().journal();
    journal.start([]);
    let filled = [
        ("provider", "stripe"),
        ("headers", ""),
        ("body", "{}"),
        ("keys", ""),
        ("now", ""),
        ("use_secret", "yes"),
    ];
    let got = console.send(&page, "/doctor", &filled).await;
    assert!(got.text.contains("stripe-signature is missing"), "{}", got.text);
    let points: BTreeSet<_> = journal.stop().into_iter().map(|noted| noted.point).collect();
    assert_eq!(points, BTreeSet::from(["secretsmanager:GetSecretValue".to_owned()]));

    let asked = all.asked.lock().unwrap().clone();
    let want = [
        "lambda:GetFunctionConfiguration callback",
        "lambda:InvokeFunction callback",
        "lambda:InvokeFunction create",
    ];
    assert_eq!(asked, want.map(str::to_owned).into());
    let actions = asked.iter().filter_map(|one| one.split(' ').next().map(str::to_owned));
    assert_eq!(actions.chain(points).collect::<BTreeSet<_>>(), policy(2));
}
