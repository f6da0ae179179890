//! The order of the checks: of a request with two faults the response reports the earlier one.

use local::{ShopRoute, clock};
use serde_json::{Value, json};

use crate::api::{self, Request};
use crate::operations;
use crate::stage::{fresh, own, payment, payment_in, shared, user};
use crate::table;

/// A body over the limit of `operation`, and no JSON.
fn heavy(operation: &str) -> String {
    "x".repeat(operations::named(operation).body_max.saturating_add(1))
}

/// Checks the response of each step before the rules to a request with its fault and all later ones.
///
/// JSON and ranges have one slug; the detail distinguishes them.
async fn check_before_the_rules(operation: &str, valid: impl Fn() -> Request<'static>, name: &str) {
    let stack = shared();
    let bare = || api::post(stack, operation);
    let text = |request: Request<'static>| request.header("content-type", "text/plain");
    let late = clock::now_secs().saturating_sub(3600);

    let size = text(bare()).bytes(heavy(operation)).send().await;
    size.problem("body-too-large");
    if operation == "callback" {
        let stale = text(bare()).bytes("{").signed_as("m", late);
        stale.service().send().await.problem("bad-signature");
    }
    let token = text(bare()).bytes("{").send().await;
    token.problem("unauthenticated");
    let media = text(valid()).bytes("{").send().await;
    media.problem("unsupported-media-type");
    // The member is out of range, and the object does not end.
    let json = valid().text(format!(r#"{{"{name}":0"#)).send().await;
    let json = json.problem("invalid-request");
    let detail = json["detail"].as_str().unwrap();
    assert!(detail.contains("JSON") && !detail.contains(name), "{detail}");
}

#[tokio::test]
async fn of_two_faults_of_a_create_the_earlier_is_reported() {
    let stack = shared();
    let owner = user(stack);
    let valid = move || api::post(shared(), "create").payer(owner);
    check_before_the_rules("create", valid, "uid").await;

    let send = async |uid: u64, body: Value, slug: &str| {
        let request = api::post(stack, "create").payer(uid).json(&body);
        request.send().await.problem(slug)
    };
    let unknown = fresh();
    // Range before forbidden.
    let body = json!({"uid": unknown, "oid": 0, "amount": 100});
    send(owner, body, "invalid-request").await;
    // Forbidden before the user.
    let body = json!({"uid": unknown, "oid": 1, "amount": 100});
    send(owner, body, "forbidden").await;
    // The user before the order.
    let body = json!({"uid": unknown, "oid": 9_000_000_010_u64, "amount": 100});
    send(unknown, body, "user-not-found").await;
    // The order's owner before its payment, its state and its amount.
    let theirs = payment_in(stack, 1).await;
    let body = json!({"uid": owner, "oid": theirs.oid, "amount": 99});
    send(owner, body, "order-not-found").await;
    // Its payment before its state and its amount.
    let body = json!({"uid": theirs.uid, "oid": theirs.oid, "amount": 99});
    send(theirs.uid, body, "payment-exists").await;
    // Its state before its amount.
    let oid = stack.shop().add_order(owner, 100);
    let mut order = stack.shop().order(oid).unwrap();
    order.status = 1;
    stack.shop().put_order(order);
    let body = json!({"uid": owner, "oid": oid, "amount": 99});
    send(owner, body, "order-paid").await;
}

/// What can be rejected without another service is rejected before any is called.
#[tokio::test]
async fn cheap_checks_come_first() {
    let stack = own().await;
    // Each function reads once at its start, to open a connection.
    let made = ["CreateTable", "DescribeTable", "GetItem", "GetItem", "GetItem"];
    assert_eq!(stack.dynamodb_control().take_calls(), made);
    let create =
        |uid: u64| api::post(&stack, "create").json(&json!({"uid": uid, "oid": 1, "amount": 100}));
    create(1).send().await.problem("unauthenticated");
    create(1).payer(1).bytes("{").send().await.problem("invalid-request");
    create(2).payer(1).send().await.problem("forbidden");
    for route in [ShopRoute::UserInfo, ShopRoute::OrderDetail] {
        assert_eq!(stack.shop().calls(route), 0);
    }
    assert_eq!(stack.dynamodb_control().take_calls(), Vec::<String>::new());
}

#[tokio::test]
async fn of_two_faults_of_a_detail_the_earlier_is_reported() {
    let stack = shared();
    let owner = user(stack);
    let valid = |operation: &'static str| move || api::post(shared(), operation).payer(owner);
    check_before_the_rules("detail", valid("detail"), "id").await;
    check_before_the_rules("list", valid("list"), "limit").await;
    // Ranges before what is requested, and that before whether it exists.
    for body in [json!({"id": 1, "oid": 0}), json!({"id": 1, "oid": 1}), json!({})] {
        let request = api::post(stack, "detail").payer(owner).json(&body);
        request.send().await.problem("invalid-request");
    }
}

#[tokio::test]
async fn of_two_faults_of_a_callback_the_earlier_is_reported() {
    let stack = shared();
    check_before_the_rules("callback", || api::post(shared(), "callback").service(), "id").await;

    let paid = payment_in(stack, 1).await;
    let other = payment(stack).await;
    let unknown = fresh();
    let absent = 9_000_000_011_u64;
    let mut native = paid.native(2, 1);
    for (name, value) in [
        ("id", json!(fresh())),
        ("uid", json!(unknown)),
        ("oid", json!(absent)),
        ("amount", json!(99)),
    ] {
        native[name] = value;
    }
    let mut fix = async |slug: &str, name: &str, value: u64| {
        for signed in [false, true] {
            let request = api::post(stack, "callback").json(&native);
            let request = if signed { request.signed() } else { request.service() };
            request.send().await.problem(slug);
        }
        native[name] = json!(value);
    };
    // All faults at first; each line checks for one and then fixes it.
    fix("user-not-found", "uid", paid.uid).await;
    fix("order-not-found", "oid", other.oid).await;
    fix("payment-not-found", "id", paid.id).await;
    fix("amount-mismatch", "amount", paid.amount).await;
    fix("record-mismatch", "oid", paid.oid).await;
    fix("status-conflict", "source", 1).await;
    let fixed = api::post(stack, "callback").json(&native).signed();
    assert_eq!(fixed.send().await.ok(), json!({}));
    assert_eq!(table::record(stack, paid.id).await["source"], 1);
    assert_eq!(stack.shop().times_paid(paid.oid), 1);
}
