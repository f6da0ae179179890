//! Every file of `events/`, sent to the real function, gets the answer that its name says.
//!
//! A name is `[direct-]OUTCOME[-WHAT].json`: `direct-` marks a bare request instead of an event of
//! the API, OUTCOME is `ok`, `replayed` or a slug of the problem table, WHAT tells variants apart.
//! The state that an event needs is in its placeholders: `{{pending_id}}` is a pending payment,
//! `{{pending_oid}}` its order. An event without one of these is about the free order 1.

pub(crate) mod answers;
mod elsewhere;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use local::events::{self, Filling};
use local::template::Template;
use local::{Order, Stack, binaries, client};
use pay_service::http::Code;
use serde_json::{Value, json};

use self::answers::{API, API_ONLY, NO_EVENT};
use crate::echo;

/// The `Idempotency-Key` of every payment that is there before an event.
const KEY: &str = "event-key";

/// One file of `events/`.
struct File {
    path: PathBuf,
    function: String,
    direct: bool,
    outcome: String,
    text: String,
}

/// Every file, sorted.
fn files() -> Vec<File> {
    let mut files = Vec::new();
    for (function, _) in API {
        let directory = binaries::workspace().join("events").join(function);
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            assert!(path.extension().is_some_and(|kind| kind == "json"), "{path:?}");
            let name = path.file_stem().unwrap().to_str().unwrap();
            let (direct, name) = match name.strip_prefix("direct-") {
                Some(name) => (true, name),
                None => (false, name),
            };
            files.push(File {
                function: function.to_owned(),
                direct,
                outcome: outcome(name).unwrap_or_else(|| panic!("no outcome: {path:?}")),
                text: std::fs::read_to_string(&path).unwrap(),
                path,
            });
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The outcome at the start of a name.
fn outcome(name: &str) -> Option<String> {
    let slugs = Code::ALL.map(Code::as_str);
    let mut outcomes = slugs.into_iter().chain(["ok", "replayed"]);
    let found = outcomes.find(|outcome| {
        let rest = name.strip_prefix(outcome);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    found.map(str::to_owned)
}

#[test]
fn every_answer_has_an_event_and_every_event_is_of_an_answer() {
    let files = files();
    for (function, outcomes) in API {
        for direct in [false, true] {
            let own =
                files.iter().filter(|file| file.function == function && file.direct == direct);
            let found: BTreeSet<&str> = own.map(|file| file.outcome.as_str()).collect();
            let outcomes = outcomes.iter().copied();
            let wanted = outcomes.filter(|outcome| !direct || !API_ONLY.contains(outcome));
            assert_eq!(found, wanted.collect(), "{function}, direct: {direct}");
        }
    }
    let caused: BTreeSet<&str> = files.iter().map(|file| file.outcome.as_str()).collect();
    for code in Code::ALL {
        let has_event = caused.contains(code.as_str());
        assert_ne!(has_event, NO_EVENT.contains(&code), "{}", code.as_str());
    }
}

#[tokio::test]
async fn every_event_gets_the_answer_that_its_name_says() {
    let stack = Stack::start(elsewhere::options()).await.unwrap();
    for file in files() {
        let world = World::of(&stack, &file.text).await;
        let filling = Filling { values: world.values, ..Filling::default() };
        let event = events::fill(&file.text, &filling)
            .unwrap_or_else(|error| panic!("{:?}: {error:#}", file.path));
        let before = world.payment.as_ref().map_or(&Value::Null, |(_, record)| record);
        let answer = send(&stack, &file, &event).await;
        let told = format!("{:?} is answered {answer}", file.path);
        match file.outcome.as_str() {
            "ok" | "replayed" => check_answer(&stack, &file, &event, before, &answer).await,
            slug => {
                let code = Code::ALL.into_iter().find(|code| code.as_str() == slug);
                check_problem(&file, code.unwrap(), &answer, &told);
                if let Some((id, record)) = &world.payment {
                    assert_eq!(&payment(&stack, *id).await, record, "{told}, and moved");
                }
            }
        }
    }
    stack.stop().await.unwrap();
}

/// What an event finds.
struct World {
    /// By placeholder.
    values: BTreeMap<String, String>,
    /// The payment it is about, and its record as it was.
    payment: Option<(u64, Value)>,
}

impl World {
    /// Makes what the placeholders of an event name.
    async fn of(stack: &Stack, text: &str) -> Self {
        free_order_1(stack).await;
        let mut world = Self { values: BTreeMap::new(), payment: None };
        let mut put =
            |name: &str, value: u64| world.values.insert(name.to_owned(), value.to_string());
        let wants =
            |name: &str| ["{{", ":"].iter().any(|before| text.contains(&format!("{before}{name}")));
        if wants("other_oid") {
            put("other_oid", stack.shop().add_order(1, 100));
        }
        if wants("others_oid") {
            stack.shop().add_user(2);
            put("others_oid", stack.shop().add_order(2, 100));
        }
        if wants("settled_oid") {
            let oid = stack.shop().add_order(1, 100);
            let order = stack.shop().order(oid).unwrap();
            stack.shop().put_order(Order { status: 1, ..order });
            put("settled_oid", oid);
        }
        for state in ["pending", "paid", "closed", "replaced"] {
            if wants(&format!("{state}_")) {
                let oid = stack.shop().add_order(1, 100);
                let id = create(stack, oid, KEY).await;
                match state {
                    "paid" => report(stack, id, oid, 1).await,
                    "closed" => report(stack, id, oid, 3).await,
                    "replaced" => {
                        report(stack, id, oid, 3).await;
                        create(stack, oid, "another-key").await;
                    }
                    _ => {}
                }
                put(&format!("{state}_oid"), oid);
                put(&format!("{state}_id"), id);
                world.payment = Some((id, payment(stack, id).await));
            }
        }
        world
    }
}

/// Order 1 as the shop starts with it: unpaid, and no payment guards it.
async fn free_order_1(stack: &Stack) {
    let order = Order { id: 1, uid: 1, pid: 1, amount: 100, status: 0 };
    stack.shop().put_order(order);
    let key = json!({"pk": {"S": "order#1"}, "sk": {"S": "guard"}});
    let request = json!({"TableName": stack.table, "Key": key});
    let target = "DynamoDB_20120810.DeleteItem";
    let call = client::call(&echo::http(), &stack.dynamodb, "dynamodb", target, &request).await;
    assert_eq!(call.unwrap().0, 200);
}

async fn create(stack: &Stack, oid: u64, key: &str) -> u64 {
    let request = json!({"uid": 1, "oid": oid, "amount": 100, "idempotency_key": key});
    let answer = stack.invoke("create", &request).await.unwrap();
    answer["id"].as_u64().unwrap()
}

async fn report(stack: &Stack, id: u64, oid: u64, status: u64) {
    let source = u64::from(status == 1);
    let message =
        json!({"id": id, "uid": 1, "oid": oid, "amount": 100, "source": source, "status": status});
    assert_eq!(stack.invoke("callback", &message).await.unwrap(), json!({}));
}

async fn payment(stack: &Stack, id: u64) -> Value {
    stack.invoke("detail", &json!({"id": id})).await.unwrap()
}

/// A function's answer, with the door taken off: `status`, `headers` and `body` of the API's, the
/// `body` of a direct one, the `error` of a function that failed.
async fn send(stack: &Stack, file: &File, event: &Value) -> Value {
    match elsewhere::invoke(stack, &file.function, event).await {
        Ok(answer) if file.direct => json!({ "body": answer }),
        Ok(answer) => {
            let body = answer["body"].as_str().unwrap();
            let body: Value = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
            json!({"status": answer["statusCode"], "headers": answer["headers"], "body": body})
        }
        Err(error) => {
            let error: Value = serde_json::from_slice(&error.payload).unwrap();
            json!({ "error": error })
        }
    }
}

fn check_problem(file: &File, code: Code, answer: &Value, told: &str) {
    let problem = if file.direct {
        assert_eq!(answer["error"]["errorType"], code.as_str(), "{told}");
        let message = answer["error"]["errorMessage"].as_str().unwrap();
        serde_json::from_str(message).unwrap()
    } else {
        assert_eq!(answer["status"], code.status().as_u16(), "{told}");
        if file.text.contains("/callback/wechat") {
            assert_eq!(answer["headers"]["content-type"], "application/json", "{told}");
            return assert_eq!(answer["body"], answers::wechats_refusal(code), "{told}");
        }
        let kind = &answer["headers"]["content-type"];
        assert_eq!(kind, "application/problem+json", "{told}");
        answer["body"].clone()
    };
    let kind = format!("urn:problem:pay:{}", code.as_str());
    assert_eq!(problem["type"], kind, "{told}");
    assert_eq!(problem["code"], code.number(), "{told}");
    // To its owner, and every event is the owner's.
    let names_it = code == Code::PaymentExists;
    assert_eq!(problem["payment_id"].is_u64(), names_it, "{told}");
}

async fn check_answer(stack: &Stack, file: &File, event: &Value, before: &Value, answer: &Value) {
    let told = format!("{:?} is answered {answer}", file.path);
    if !file.direct {
        assert_eq!(answer["status"], 200, "{told}");
        let kind = if answer["body"] == "success" { "text/plain" } else { "application/json" };
        assert_eq!(answer["headers"]["content-type"], kind, "{told}");
        let replayed = answer["headers"]["idempotent-replayed"] == "true";
        assert_eq!(replayed, file.outcome == "replayed", "{told}");
    }
    let body = &answer["body"];
    let request = || request(file, event);
    match file.function.as_str() {
        "create" => {
            let made = payment(stack, body["id"].as_u64().unwrap()).await;
            assert_eq!(made["oid"], request()["oid"], "{told}");
            assert_eq!(made["status"], 0, "{told}");
            assert_eq!(made == *before, file.outcome == "replayed", "{told}");
        }
        "detail" if body["payments"].is_array() => {
            let size = request()["limit"].as_u64().unwrap_or(20);
            let shown = body["payments"].as_array().unwrap();
            assert!((1..=size).contains(&u64::try_from(shown.len()).unwrap()), "{told}");
            assert!(shown.iter().all(|payment| payment["uid"] == 1), "{told}");
        }
        "detail" => assert_eq!(body, before, "{told}"),
        _ if event["reconcile"].is_object() => {
            let names: Vec<_> = body.as_object().unwrap().keys().collect();
            let all = ["failed", "left", "oldest_untold_seconds", "put_off", "stale", "told"];
            assert_eq!(names, all, "{told}");
        }
        _ => {
            assert_eq!(body, &answers::thanks(event), "{told}");
            let id = before["id"].as_u64().unwrap();
            let after = payment(stack, id).await["status"].as_u64();
            // A status only rises: pending, failed, closed, paid, refunded.
            let rank =
                |status: &Option<u64>| [0, 2, 3, 1, 4].iter().position(|one| Some(*one) == *status);
            let said = [before["status"].as_u64(), said(file, event)];
            assert_eq!(after, said.into_iter().max_by_key(rank).unwrap(), "{told}");
            let oid = before["oid"].as_u64().unwrap();
            let order_paid = stack.shop().order(oid).unwrap().status == 1;
            let paid = said.contains(&Some(1));
            assert_eq!(order_paid, paid, "{told}");
        }
    }
}

/// The status that a message reports, in whosever words.
fn said(file: &File, event: &Value) -> Option<u64> {
    if let Some((_, made)) = file.text.split_once("{{message:") {
        return match made.split(':').nth(1).unwrap() {
            "paid" => Some(1),
            "closed" => Some(3),
            "refunded" => Some(4),
            "partly-refunded" => None,
            other => panic!("what does {other} say?"),
        };
    }
    let message = request(file, event);
    match message["type"].as_str() {
        None => message["status"].as_u64(),
        Some("payment_intent.succeeded") => Some(1),
        Some("payment_intent.payment_failed") => Some(2),
        Some("payment_intent.canceled") => Some(3),
        Some("charge.refunded") => (message["data"]["object"]["refunded"] == true).then_some(4),
        Some("charge.dispute.created") => None,
        Some(other) => panic!("what does {other} say?"),
    }
}

/// What an event asks for, out of its envelope.
fn request(file: &File, event: &Value) -> Value {
    if file.direct {
        return event.clone();
    }
    serde_json::from_slice(&events::body(event)).unwrap()
}

#[tokio::test]
async fn an_event_of_the_api_is_what_the_gateway_sends() {
    let template = Template::read(&binaries::workspace().join("template.yaml")).unwrap();
    let stack = echo::stack().await;
    let sent = [("content-type", "application/json"), ("accept", "*/*"), ("user-agent", "x")];
    let (_, given) = echo::post(&stack, "/echo", &sent, b"{}").await;
    for file in files() {
        let event: Value = serde_json::from_str(&file.text).unwrap();
        // One is of the older format, on purpose.
        if file.direct || event["version"] == "1.0" {
            continue;
        }
        let path = &file.path;
        for part in ["/requestContext", "/requestContext/http"] {
            assert_eq!(names(&event, part), names(&given, part), "{path:?}{part}");
        }
        let top = names(&event, "").into_iter();
        let top = top.filter(|name| *name != "pathParameters" && *name != "body");
        let given_top = names(&given, "").into_iter().filter(|name| *name != "body");
        assert_eq!(top.collect::<Vec<_>>(), given_top.collect::<Vec<_>>(), "{path:?}");
        let own = names(&event, "/headers");
        let missing = names(&given, "/headers")
            .into_iter()
            .find(|name| *name != "content-type" && !own.contains(name));
        assert_eq!(missing, None, "{path:?}");
        assert!(own.iter().all(|name| name.to_lowercase() == **name), "{path:?}");

        let key = event["routeKey"].as_str().unwrap();
        let mut routes = template.routes.iter();
        let route = routes.find(|route| format!("{} {}", route.method, route.path) == key);
        assert_eq!(route.unwrap().function, file.function, "{path:?}");
        assert_eq!(event["requestContext"]["routeKey"], key, "{path:?}");
        assert_eq!(event["requestContext"]["http"]["path"], event["rawPath"], "{path:?}");
        let raw_path = event["rawPath"].as_str().unwrap();
        let provider = event["pathParameters"]["provider"].as_str();
        let filled = route.unwrap().path.replace("{provider}", provider.unwrap_or("?"));
        assert_eq!(raw_path, filled, "{path:?}");
    }
}

/// The names of an object inside an event, sorted.
fn names<'a>(event: &'a Value, part: &str) -> Vec<&'a str> {
    let object = event.pointer(part).and_then(Value::as_object).unwrap();
    object.keys().map(String::as_str).collect()
}
