//! Every file of `events/`, sent to the real function, gets the response that its name says.
//!
//! A name is `[direct-]OUTCOME[-WHAT].json`: `direct-` marks a bare request instead of an event of
//! the API, OUTCOME is `ok`, `replayed` or a slug of the problem table, WHAT tells variants apart.
//! The state that an event needs is in its placeholders: `{{pending_id}}` is a pending payment,
//! `{{pending_oid}}` its order; `{{collected_id}}` is one of Stripe, and it refuses refunds of `{{disputed_id}}` and checkouts of `{{unwanted_id}}`. An event without one of these is about the free order 1.

mod elsewhere;
mod given;
pub(crate) mod responses;

use std::collections::BTreeSet;
use std::path::PathBuf;

use local::events::{self, Filling};
use local::{Stack, binaries};
use pay_service::http::Code;
use serde_json::{Value, json};

use self::given::Given;
use self::responses::{API_ONLY, NO_EVENT, OUTCOMES};
use crate::{echo, operations};

/// The `Idempotency-Key` of every payment that exists before an event.
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
    for (function, _) in OUTCOMES {
        let directory = binaries::workspace().unwrap().join("events").join(function);
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
fn every_response_has_an_event_and_every_event_has_a_response() {
    let files = files();
    for (function, outcomes) in OUTCOMES {
        for direct in [false, true] {
            let own =
                files.iter().filter(|file| file.function == function && file.direct == direct);
            let found: BTreeSet<&str> = own.map(|file| file.outcome.as_str()).collect();
            let wanted =
                outcomes.split(' ').filter(|outcome| !direct || !API_ONLY.contains(outcome));
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
async fn every_event_gets_the_response_that_its_name_says() {
    let stack = Stack::start(elsewhere::options()).await.unwrap();
    for file in files() {
        let given = Given::by(&stack, &file.text).await;
        let filling = Filling { values: given.values, ..Filling::default() };
        let event = events::fill(&file.text, &filling)
            .unwrap_or_else(|error| panic!("{:?}: {error:#}", file.path));
        let before = given.payment.as_ref().map_or(&Value::Null, |(_, record)| record);
        let response = send(&stack, &file, &event).await;
        let case = format!("{:?} gets {response}", file.path);
        match file.outcome.as_str() {
            "ok" | "replayed" => check_success(&stack, &file, &event, before, &response).await,
            slug => {
                let code = Code::ALL.into_iter().find(|code| code.as_str() == slug);
                check_problem(&file, &event, code.unwrap(), &response);
                if let Some((id, record)) = &given.payment {
                    let mut now = payment(&stack, *id).await;
                    if slug == "provider-refused" {
                        // It was written before the provider was called.
                        now["update_time"] = record["update_time"].clone();
                    }
                    assert_eq!(&now, record, "{case}, and changed it");
                }
            }
        }
    }
    stack.stop().await.unwrap();
}

async fn create(stack: &Stack, oid: u64, key: &str) -> u64 {
    let request = json!({"uid": 1, "oid": oid, "amount": 100, "idempotency_key": key});
    let response = stack.invoke("create", &request).await.unwrap();
    response["id"].as_u64().unwrap()
}

async fn notify(stack: &Stack, id: u64, oid: u64, status: u64) {
    let source = u64::from(status == 1);
    let body =
        json!({"id": id, "uid": 1, "oid": oid, "amount": 100, "source": source, "status": status});
    assert_eq!(stack.invoke("callback", &body).await.unwrap(), json!({}));
}

async fn payment(stack: &Stack, id: u64) -> Value {
    stack.invoke("detail", &json!({"id": id})).await.unwrap()
}

/// A function's response, whatever the entry point: `status`, `headers` and `body` through the API, the
/// `body` of a direct invoke, the `error` of a function error.
async fn send(stack: &Stack, file: &File, event: &Value) -> Value {
    match elsewhere::invoke(stack, &file.function, event).await {
        Ok(response) if file.direct => json!({ "body": response }),
        Ok(response) => {
            let body = response["body"].as_str().unwrap();
            let body: Value = serde_json::from_str(body).unwrap_or_else(|_| json!(body));
            json!({"status": response["statusCode"], "headers": response["headers"], "body": body})
        }
        Err(error) => {
            let error: Value = serde_json::from_slice(&error.payload).unwrap();
            json!({ "error": error })
        }
    }
}

fn check_problem(file: &File, event: &Value, code: Code, response: &Value) {
    let case = format!("{:?} gets {response}", file.path);
    let problem = if file.direct {
        assert_eq!(response["error"]["errorType"], code.as_str(), "{case}");
        let message = response["error"]["errorMessage"].as_str().unwrap();
        serde_json::from_str(message).unwrap()
    } else {
        assert_eq!(response["status"], code.status().as_u16(), "{case}");
        if let Some(rejection) = responses::rejection(event, code) {
            assert_eq!(response["headers"]["content-type"], "application/json", "{case}");
            return assert_eq!(response["body"], rejection, "{case}");
        }
        let kind = &response["headers"]["content-type"];
        assert_eq!(kind, "application/problem+json", "{case}");
        response["body"].clone()
    };
    let kind = format!("urn:problem:pay:{}", code.as_str());
    assert_eq!(problem["type"], kind, "{case}");
    assert_eq!(problem["code"], code.number(), "{case}");
    // The id is for the owner only, and every event is the owner's.
    let has_id = code == Code::PaymentExists;
    assert_eq!(problem["payment_id"].is_u64(), has_id, "{case}");
}

async fn check_success(
    stack: &Stack,
    file: &File,
    event: &Value,
    before: &Value,
    response: &Value,
) {
    let case = format!("{:?} gets {response}", file.path);
    if !file.direct {
        assert_eq!(response["status"], 200, "{case}");
        let kind = if response["body"] == "success" { "text/plain" } else { "application/json" };
        assert_eq!(response["headers"]["content-type"], kind, "{case}");
        let replayed = response["headers"]["idempotent-replayed"] == "true";
        assert_eq!(replayed, file.outcome == "replayed", "{case}");
    }
    let body = &response["body"];
    let request = || request(file, event);
    match file.function.as_str() {
        "create" if body["action"].is_object() => {
            let asked = request();
            assert_eq!(
                (&body["provider"], &body["method"]),
                (&asked["provider"], &asked["method"]),
                "{case}"
            );
            assert!(body["expires_time"].is_string(), "{case}");
            let after = payment(stack, asked["id"].as_u64().unwrap()).await;
            assert_eq!(after["status"], 0, "{case}");
        }
        "create" if body["status"].is_u64() => {
            let after = payment(stack, request()["id"].as_u64().unwrap()).await;
            assert_eq!(body, &after, "{case}");
            // What is paid stays paid.
            let status = if before["status"] == 1 { 1 } else { 3 };
            assert_eq!(after["status"], status, "{case}");
        }
        "create" => {
            let made = payment(stack, body["id"].as_u64().unwrap()).await;
            assert_eq!(made["oid"], request()["oid"], "{case}");
            assert_eq!(made["status"], 0, "{case}");
            assert_eq!(made == *before, file.outcome == "replayed", "{case}");
        }
        "detail" if body["payments"].is_array() => {
            let size = request()["limit"].as_u64().unwrap_or(20);
            let shown = body["payments"].as_array().unwrap();
            assert!((1..=size).contains(&u64::try_from(shown.len()).unwrap()), "{case}");
            assert!(shown.iter().all(|payment| payment["uid"] == 1), "{case}");
        }
        "detail" => assert_eq!(body, before, "{case}"),
        _ if event["operation"] == "sweep" => {
            let names: Vec<_> = body.as_object().unwrap().keys().collect();
            let all = [
                "abandoned",
                "failed",
                "left",
                "moved",
                "notified",
                "oldest_due_seconds",
                "oldest_refund_seconds",
                "queried",
                "rescheduled",
                "stale",
            ];
            assert_eq!(names, all, "{case}");
        }
        _ if body["refund_id"].is_string() => {
            let (id, amount) = (&request()["id"], &request()["amount"]);
            assert_eq!(
                (&body["id"], &body["amount"], &body["status"]),
                (id, amount, &json!("succeeded")),
                "{case}"
            );
            let after = payment(stack, body["id"].as_u64().unwrap()).await;
            let back = before["refunded"].as_u64().unwrap().checked_add(amount.as_u64().unwrap());
            assert_eq!(after["refunded"].as_u64(), back, "{case}");
        }
        _ => {
            assert_eq!(body, &responses::acknowledgement(event), "{case}");
            let id = before["id"].as_u64().unwrap();
            let after = payment(stack, id).await["status"].as_u64();
            // A status only rises: pending, failed, closed, paid, refunded.
            let rank =
                |status: &Option<u64>| [0, 2, 3, 1, 4].iter().position(|one| Some(*one) == *status);
            let statuses = [before["status"].as_u64(), reported(file, event)];
            assert_eq!(after, statuses.into_iter().max_by_key(rank).unwrap(), "{case}");
            let oid = before["oid"].as_u64().unwrap();
            let order_paid = stack.shop().order(oid).unwrap().status == 1;
            let paid = statuses.contains(&Some(1));
            assert_eq!(order_paid, paid, "{case}");
        }
    }
}

/// The status that a notification reports, whoever sent it.
fn reported(file: &File, event: &Value) -> Option<u64> {
    if let Some((_, made)) = file.text.split_once("{{message:") {
        return match made.split(':').nth(1).unwrap() {
            // A refund of a part proves that it was paid.
            "paid" | "refunded-in-part" => Some(1),
            "closed" => Some(3),
            "refunded" => Some(4),
            other => panic!("what does {other} report?"),
        };
    }
    let body = request(file, event);
    match body["type"].as_str() {
        None => body["status"].as_u64(),
        Some("payment_intent.succeeded" | "checkout.session.async_payment_succeeded") => Some(1),
        Some("checkout.session.completed") => {
            (body["data"]["object"]["payment_status"] == "paid").then_some(1)
        }
        Some("payment_intent.payment_failed" | "checkout.session.async_payment_failed") => Some(2),
        Some("payment_intent.canceled" | "checkout.session.expired") => Some(3),
        Some("charge.refunded") => {
            Some(if body["data"]["object"]["refunded"] == true { 4 } else { 1 })
        }
        Some("charge.dispute.created") => None,
        Some(other) => panic!("what does {other} report?"),
    }
}

/// The request in an event.
fn request(file: &File, event: &Value) -> Value {
    if file.direct {
        return event.clone();
    }
    serde_json::from_slice(&events::body(event)).unwrap()
}

#[tokio::test]
async fn an_event_of_the_api_is_what_the_gateway_sends() {
    let stack = echo::stack().await;
    let sent = [("content-type", "application/json"), ("accept", "*/*"), ("user-agent", "x")];
    let (_, given) = echo::post(&stack, "/echo", &sent, b"{}").await;
    for file in files() {
        let event: Value = serde_json::from_str(&file.text).unwrap();
        // One is of payload format 1.0 on purpose.
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
        let mut operations = operations::all().into_iter();
        let operation = operations.find(|operation| operation.route == Some(key)).unwrap();
        assert_eq!(operation.function, file.function, "{path:?}");
        assert_eq!(event["requestContext"]["routeKey"], key, "{path:?}");
        assert_eq!(event["requestContext"]["http"]["path"], event["rawPath"], "{path:?}");
        let raw_path = event["rawPath"].as_str().unwrap();
        let provider = event["pathParameters"]["provider"].as_str();
        let declared = operation.path().unwrap();
        let filled = declared.replace("{provider}", provider.unwrap_or("?"));
        assert_eq!(raw_path, filled, "{path:?}");
    }
}

/// The names of an object inside an event, sorted.
fn names<'a>(event: &'a Value, part: &str) -> Vec<&'a str> {
    let object = event.pointer(part).and_then(Value::as_object).unwrap();
    object.keys().map(String::as_str).collect()
}
