//! Fields of every odd kind, by the door of direct calls as well.

use serde_json::{Value, json};

use crate::api;
use crate::stage::{Payment, assert_unharmed, payment, pids, shared};
use crate::table;

/// What no id, no amount and no limit is.
const NO_NUMBER: [&str; 18] = [
    "0",
    "-0",
    "-1",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "1.0",
    "1.5",
    "3e2",
    "1e-1",
    "\"1\"",
    "null",
    "true",
    "[1]",
    "{}",
    "\"\\ud800\"",
];

/// Each operation: a body that would do, and the names in it that are numbers.
fn operations(payment: Payment) -> [(&'static str, Value, &'static [&'static str]); 4] {
    [
        ("create", payment.request(), &["uid", "oid", "amount"]),
        ("detail", json!({"id": payment.id}), &["id"]),
        ("list", json!({"uid": payment.uid}), &["limit", "cursor"]),
        ("callback", payment.message(1, 1), &["id", "uid", "oid", "amount"]),
    ]
}

/// The request by the HTTP door, from who may make it.
fn request<'a>(operation: &str, payment: Payment) -> api::Request<'a> {
    let request = api::post(shared(), operation);
    if operation == "callback" { request.service() } else { request.payer(payment.uid) }
}

/// A direct call with these bytes; the problem that it is refused with.
async fn invoke(operation: &str, body: String) -> Value {
    let function = if operation == "list" { "detail" } else { operation };
    let url = format!("{}/2015-03-31/functions/{function}/invocations", shared().api);
    let response = crate::echo::http().post(url).body(body).send().await.unwrap();
    let body = response.bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// The body with the text of a value in the place of a name's.
fn with(body: &Value, name: &str, value: &str) -> String {
    let mut body = body.clone();
    body[name] = json!("PLACE");
    body.to_string().replace("\"PLACE\"", value)
}

#[tokio::test]
async fn no_odd_number_comes_in_by_any_door() {
    let stack = shared();
    let before = pids(stack);
    let payment = payment(stack).await;
    for (operation, good, names) in operations(payment) {
        for name in names {
            for value in NO_NUMBER {
                let body = with(&good, name, value);
                let answer = request(operation, payment).text(body.clone()).send().await;
                let said = answer.problem("invalid-request")["detail"].take().to_string();
                // The name is said, unless the whole is no JSON as it is read here.
                let unread = ["1e400", "\"\\ud800\""].contains(&value);
                let named = said.contains(&format!("`{name}`"));
                assert_eq!(named, !unread, "{operation} {name}={value}: {said}");
                let refused = invoke(operation, body).await;
                assert_eq!(refused["errorType"], "invalid-request", "{operation} {name}={value}");
            }
        }
    }
    assert_eq!(table::record(stack, payment.id).await["version"], 1);
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn what_is_out_of_its_own_range_is_refused_by_any_door() {
    let stack = shared();
    let payment = payment(stack).await;
    let long = format!("\"{}\"", "x".repeat(129));
    let key = format!("\"{}\"", "x".repeat(256));
    let create = payment.request();
    let message = payment.message(1, 1);
    let list = json!({"uid": payment.uid});
    for (operation, body, name, value) in [
        ("create", &create, "amount", "4294967296"),
        ("callback", &message, "amount", "4294967296"),
        ("callback", &message, "source", "256"),
        ("callback", &message, "source", "-1"),
        ("callback", &message, "source", "null"),
        ("callback", &message, "status", "5"),
        ("callback", &message, "status", "-1"),
        ("callback", &message, "status", "true"),
        ("callback", &message, "status", "\"1\""),
        ("callback", &message, "provider_txn", "\"\""),
        ("callback", &message, "provider_txn", "\"a b\""),
        ("callback", &message, "provider_txn", "\"a\\nb\""),
        ("callback", &message, "provider_txn", "null"),
        ("callback", &message, "provider_txn", &long),
        ("callback", &message, "currency", "\"CNY \""),
        ("callback", &message, "currency", "null"),
        ("callback", &message, "currency", "156"),
        ("callback", &message, "currency", "\"cny\""),
        ("callback", &message, "currency", "\"EUX\""),
        ("list", &list, "limit", "101"),
    ] {
        let body = with(body, name, value);
        let answer = request(operation, payment).text(body.clone()).send().await;
        answer.problem("invalid-request");
        let refused = invoke(operation, body).await;
        assert_eq!(refused["errorType"], "invalid-request", "{operation} {name}={value}");
    }
    for value in ["\"\"", "\"a b\"", "\"é\"", "\"a\\u0000\"", "null", "1", &key] {
        let refused = invoke("create", with(&create, "idempotency_key", value)).await;
        assert_eq!(refused["errorType"], "invalid-request", "{value}");
    }
    for value in ["", "a b", "é", "a\tb", &"x".repeat(256)] {
        let keyed = request("create", payment).json(&create).header("idempotency-key", value);
        keyed.send().await.problem("invalid-request");
    }
    // Of two keys it cannot be told which one is meant: the gateway joins them into another.
    let keyed = request("create", payment).json(&create);
    let twice = keyed.header("idempotency-key", "a").header("idempotency-key", "a b");
    twice.send().await.problem("invalid-request");
    assert_eq!(table::record(stack, payment.id).await["version"], 1);
}

#[tokio::test]
async fn a_name_in_another_case_or_left_out_is_missing() {
    let payment = payment(shared()).await;
    for (operation, good, names) in operations(payment) {
        // What may be left out is ignored in another case.
        for name in names.iter().filter(|_| operation != "list") {
            let mut without = good.clone();
            let value = without.as_object_mut().unwrap().remove(*name).unwrap();
            for other in [name.to_uppercase(), format!("{name} "), format!("\u{feff}{name}")] {
                let mut renamed = without.clone();
                renamed[other] = value.clone();
                for body in [&without, &renamed] {
                    let answer = request(operation, payment).json(body).send().await;
                    answer.problem("invalid-request");
                    api::refused(shared(), operation, body, "invalid-request").await;
                }
            }
        }
    }
}

#[tokio::test]
async fn names_that_nobody_knows_are_ignored_everywhere() {
    let stack = shared();
    let odd = json!({"new": [[{"deep": null, "float": -0.5}]], "NEW": "\u{0}\r\n", "": {"": ""}});
    for operation in ["create", "detail", "list", "callback"] {
        let payment = payment(stack).await;
        let [create, detail, list, callback] = operations(payment);
        let mut body = match operation {
            "create" => {
                let oid = stack.shop().add_order(payment.uid, 100);
                json!({"uid": create.1["uid"], "oid": oid, "amount": 100})
            }
            "detail" => detail.1,
            "list" => list.1,
            _ => callback.1,
        };
        body.as_object_mut().unwrap().extend(odd.as_object().unwrap().clone());
        request(operation, payment).json(&body).send().await.ok();
        let function = if operation == "list" { "detail" } else { operation };
        match stack.invoke(function, &body).await {
            Ok(_) => assert_ne!(operation, "create"),
            // Made by the request before.
            Err(error) => {
                assert_eq!(operation, "create");
                assert!(String::from_utf8_lossy(&error.payload).contains("payment-exists"));
            }
        }
    }
}
