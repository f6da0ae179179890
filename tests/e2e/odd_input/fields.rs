//! Odd values of members, at both entry points.

use pay_core::domain::Amount;
use serde_json::{Value, json};

use crate::api;
use crate::operations;
use crate::stage::{Payment, assert_unharmed, payment, payment_of, pids, shared};
use crate::table;

/// Texts that are no id, no amount and no limit.
const NO_NUMBER: &str = r#"0 -0 -1 9223372036854775808 18446744073709551616 1e400 1.0 1.5 3e2 1e-1 "1" null true [1] {} "\ud800""#;

/// Numbers that are too large for all but an id of the shop.
const NO_NUMBER_OF_OURS: [&str; 2] = ["9007199254740992", "9223372036854775807"];

/// Each operation with a valid body, and the names of its numbers.
fn bodies(payment: Payment) -> [(&'static str, Value, &'static [&'static str]); 4] {
    let with = |operation, names| (operation, payment.valid(operation), names);
    [
        with("create", &["uid", "oid", "amount"][..]),
        with("detail", &["id"]),
        with("list", &["limit", "cursor"]),
        with("callback", &["id", "uid", "oid", "amount"]),
    ]
}

/// The request through the API, by a caller who may make it.
fn request<'a>(operation: &str, payment: Payment) -> api::Request<'a> {
    api::authorized(shared(), operation, payment.uid)
}

/// The function error of a direct call with these bytes.
async fn invoke(operation: &str, body: String) -> Value {
    let function = api::function(operation);
    let url = format!("{}/2015-03-31/functions/{function}/invocations", shared().api);
    let response = crate::echo::http().post(url).body(body).send().await.unwrap();
    let body = response.bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// The body with this text as the value of a name.
fn with(body: &Value, name: &str, value: &str) -> String {
    let mut body = body.clone();
    body[name] = json!("PLACE");
    body.to_string().replace("\"PLACE\"", value)
}

#[tokio::test]
async fn no_odd_number_is_accepted_at_either_entry_point() {
    let stack = shared();
    let before = pids(stack);
    let payment = payment(stack).await;
    for (operation, good, names) in bodies(payment) {
        for name in names {
            let of_the_shop = ["uid", "oid"].contains(name);
            let too_large = NO_NUMBER_OF_OURS.into_iter().filter(|_| !of_the_shop);
            let may_be_absent = ["detail", "list"].contains(&operation);
            let values = NO_NUMBER.split_whitespace().chain(too_large);
            for value in values.filter(|value| *value != "null" || !may_be_absent) {
                let body = with(&good, name, value);
                let response = request(operation, payment).text(body.clone()).send().await;
                let detail = response.problem("invalid-request")["detail"].take().to_string();
                // The detail names the member, unless the body is no JSON as it is read here.
                let unread = ["1e400", "\"\\ud800\""].contains(&value);
                let named = detail.contains(&format!("`{name}`"));
                assert_eq!(named, !unread, "{operation} {name}={value}: {detail}");
                let rejected = invoke(operation, body).await;
                assert_eq!(rejected["errorType"], "invalid-request", "{operation} {name}={value}");
            }
        }
    }
    assert_eq!(table::record(stack, payment.id).await["version"], 1);
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn a_value_out_of_its_range_is_rejected_at_both_entry_points() {
    let stack = shared();
    let payment = payment(stack).await;
    let long = format!("\"{}\"", "x".repeat(129));
    let key = format!("\"{}\"", "x".repeat(256));
    let create = payment.request();
    let native = payment.native(1, 1);
    let list = json!({"uid": payment.uid});
    for (operation, body, name, value) in [
        ("create", &create, "amount", "4294967296"),
        ("callback", &native, "amount", "4294967296"),
        ("callback", &native, "source", "256"),
        ("callback", &native, "source", "-1"),
        ("callback", &native, "source", "null"),
        ("callback", &native, "status", "5"),
        ("callback", &native, "status", "-1"),
        ("callback", &native, "status", "true"),
        ("callback", &native, "status", "\"1\""),
        ("callback", &native, "provider_txn", "\"\""),
        ("callback", &native, "provider_txn", "\"a b\""),
        ("callback", &native, "provider_txn", "\"a\\nb\""),
        ("callback", &native, "provider_txn", &long),
        ("callback", &native, "currency", "\"CNY \""),
        ("callback", &native, "currency", "156"),
        ("callback", &native, "currency", "\"cny\""),
        ("callback", &native, "currency", "\"EUX\""),
        ("list", &list, "limit", "101"),
    ] {
        let body = with(body, name, value);
        let response = request(operation, payment).text(body.clone()).send().await;
        response.problem("invalid-request");
        let rejected = invoke(operation, body).await;
        assert_eq!(rejected["errorType"], "invalid-request", "{operation} {name}={value}");
    }
    for value in ["\"\"", "\"a b\"", "\"é\"", "\"a\\u0000\"", "1.5", "1", &key] {
        let rejected = invoke("create", with(&create, "idempotency_key", value)).await;
        assert_eq!(rejected["errorType"], "invalid-request", "{value}");
    }
    for value in ["", "a b", "é", "a\tb", &"x".repeat(256)] {
        let keyed = request("create", payment).json(&create).header("idempotency-key", value);
        keyed.send().await.problem("invalid-request");
    }
    // Two keys are ambiguous, and API Gateway joins them into another one.
    let keyed = request("create", payment).json(&create);
    let twice = keyed.header("idempotency-key", "a").header("idempotency-key", "a b");
    twice.send().await.problem("invalid-request");
    assert_eq!(table::record(stack, payment.id).await["version"], 1);
    payment_of(stack, payment.uid, Amount::MINOR_MAX).await;
}

/// Many clients write every member that they know, and `null` where they have no value.
#[tokio::test]
async fn a_member_that_is_null_counts_as_absent_at_both_entry_points() {
    let stack = shared();
    let payment = payment(stack).await;
    let (detail, list) = (json!({"id": payment.id}), json!({"uid": payment.uid}));
    for (operation, body, name) in [
        ("detail", &detail, "oid"),
        ("detail", &detail, "operation"),
        ("detail", &json!({"oid": payment.oid}), "id"),
        ("list", &list, "limit"),
        ("list", &list, "cursor"),
        // Told apart from detail by its shape alone.
        ("list", &list, "id"),
        ("callback", &payment.native(1, 1), "provider_txn"),
        ("callback", &payment.native(1, 1), "currency"),
        ("callback", &payment.native(1, 1), "operation"),
    ] {
        let without = invoke(operation, body.to_string()).await;
        let body = with(body, name, "null");
        assert_eq!(invoke(operation, body.clone()).await, without, "{operation} {name}");
        assert_eq!(without.get("errorType"), None, "{operation} {name}: {without}");
        // As an event: what is sent is no part of the description, and need not be.
        let event = request(operation, payment).text(body).event();
        api::send_event(stack, api::function(operation), &event).await.ok();
    }
    // Not at HTTP, where the key is a header.
    let (_, _, create) = crate::stage::order(stack);
    let created = invoke("create", with(&create, "idempotency_key", "null")).await;
    assert!(created["id"].is_u64(), "{created}");
    let again = invoke("create", create.to_string()).await;
    assert_eq!(again["errorType"], "payment-exists");
    for (name, value) in [("all", "null"), ("limit", "null")] {
        let sweep = with(&json!({"operation": "sweep", "all": false, "limit": 1}), name, value);
        let swept = invoke("callback", sweep).await;
        assert!(swept["notified"].is_u64(), "{name}: {swept}");
    }
    // What is required is missing.
    let response =
        request("create", payment).text(with(&payment.valid("create"), "amount", "null"));
    response.send().await.problem("invalid-request");
}

#[tokio::test]
async fn a_name_in_another_case_or_left_out_is_missing() {
    let payment = payment(shared()).await;
    for (operation, good, names) in bodies(payment) {
        // An optional member in another case is an unknown one, which is ignored.
        for name in names.iter().filter(|_| operation != "list") {
            let mut without = good.clone();
            let value = without.as_object_mut().unwrap().remove(*name).unwrap();
            for other in [name.to_uppercase(), format!("{name} "), format!("\u{feff}{name}")] {
                let mut renamed = without.clone();
                renamed[other] = value.clone();
                for body in [&without, &renamed] {
                    let response = request(operation, payment).json(body).send().await;
                    response.problem("invalid-request");
                    api::rejected(shared(), operation, body, "invalid-request").await;
                }
            }
        }
    }
}

#[tokio::test]
async fn unknown_names_are_ignored_everywhere() {
    let stack = shared();
    let odd = json!({"new": [[{"deep": null, "float": -0.5}]], "NEW": "\u{0}\r\n", "": {"": ""}});
    for operation in operations::on_both_entry_points() {
        let payment = payment(stack).await;
        let mut body = payment.valid(operation);
        if operation == "create" {
            body["oid"] = stack.shop().add_order(payment.uid, payment.amount).into();
        }
        body.as_object_mut().unwrap().extend(odd.as_object().unwrap().clone());
        request(operation, payment).json(&body).send().await.taken(operation);
        body["operation"] = operation.into();
        match stack.invoke(api::function(operation), &body).await {
            Ok(_) => assert!(!["create", "checkout", "refund"].contains(&operation)),
            Err(error) => {
                let problem = match operation {
                    // The request through the API has created it.
                    "create" => "payment-exists",
                    "checkout" | "refund" => "payment-not-payable",
                    other => panic!("{other}: {error:?}"),
                };
                assert!(String::from_utf8_lossy(&error.payload).contains(problem));
            }
        }
    }
}
