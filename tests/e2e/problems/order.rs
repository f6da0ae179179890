//! The order of the checks: of a request with two faults the earlier one is answered.

use local::clock;
use serde_json::{Value, json};

use crate::api::{self, Request};
use crate::stage::{fresh, payment, payment_in, shared, user};
use crate::table;

/// A body over the limit of `operation`, and no JSON.
fn heavy(operation: &str) -> String {
    let most = if operation == "callback" { 1 << 20 } else { 1 << 16 };
    "x".repeat(most) + "x"
}

/// What each step before the rules answers to a request that has its fault and all later ones.
///
/// JSON and ranges have one slug; what the detail names tells them apart.
async fn check_the_edge(operation: &str, honest: impl Fn() -> Request<'static>, name: &str) {
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
    let media = text(honest()).bytes("{").send().await;
    media.problem("unsupported-media-type");
    // The name is out of range as far as it can be read; and the object does not end.
    let json = honest().text(format!(r#"{{"{name}":0"#)).send().await;
    let json = json.problem("invalid-request");
    let detail = json["detail"].as_str().unwrap();
    assert!(detail.contains("JSON") && !detail.contains(name), "{detail}");
}

#[tokio::test]
async fn of_two_faults_of_a_create_the_earlier_is_answered() {
    let stack = shared();
    let owner = user(stack);
    let honest = move || api::post(shared(), "create").payer(owner);
    check_the_edge("create", honest, "uid").await;

    let send = async |uid: u64, body: Value, slug: &str| {
        let request = api::post(stack, "create").payer(uid).json(&body);
        request.send().await.problem(slug)
    };
    let nobody = fresh();
    // Range before forbidden.
    let body = json!({"uid": nobody, "oid": 0, "amount": 100});
    send(owner, body, "invalid-request").await;
    // Forbidden before the user.
    let body = json!({"uid": nobody, "oid": 1, "amount": 100});
    send(owner, body, "forbidden").await;
    // The user before the order.
    let body = json!({"uid": nobody, "oid": 9_000_000_010_u64, "amount": 100});
    send(nobody, body, "user-not-found").await;
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

#[tokio::test]
async fn of_two_faults_of_a_detail_the_earlier_is_answered() {
    let stack = shared();
    let owner = user(stack);
    let honest = |operation: &'static str| move || api::post(shared(), operation).payer(owner);
    check_the_edge("detail", honest("detail"), "id").await;
    check_the_edge("list", honest("list"), "limit").await;
    // Range before what is asked for, and that before whether it is there.
    for body in [json!({"id": 1, "oid": 0}), json!({"id": 1, "oid": 1}), json!({})] {
        let request = api::post(stack, "detail").payer(owner).json(&body);
        request.send().await.problem("invalid-request");
    }
}

#[tokio::test]
async fn of_two_faults_of_a_callback_the_earlier_is_answered() {
    let stack = shared();
    check_the_edge("callback", || api::post(shared(), "callback").service(), "id").await;

    let paid = payment_in(stack, 1).await;
    let other = payment(stack).await;
    let nobody = fresh();
    let absent = 9_000_000_011_u64;
    let mut message = paid.message(2, 1);
    for (name, value) in [
        ("id", json!(fresh())),
        ("uid", json!(nobody)),
        ("oid", json!(absent)),
        ("amount", json!(99)),
    ] {
        message[name] = value;
    }
    let mut mend = async |slug: &str, name: &str, value: u64| {
        for signed in [false, true] {
            let request = api::post(stack, "callback").json(&message);
            let request = if signed { request.signed() } else { request.service() };
            request.send().await.problem(slug);
        }
        message[name] = json!(value);
    };
    // All faults at first, and one less in each line: the message as it is after the last mending.
    mend("user-not-found", "uid", paid.uid).await;
    mend("order-not-found", "oid", other.oid).await;
    mend("payment-not-found", "id", paid.id).await;
    mend("amount-mismatch", "amount", paid.amount).await;
    mend("record-mismatch", "oid", paid.oid).await;
    mend("status-conflict", "source", 1).await;
    let fits = api::post(stack, "callback").json(&message).signed();
    assert_eq!(fits.send().await.ok(), json!({}));
    assert_eq!(table::record(stack, paid.id).await["source"], 1);
    assert_eq!(stack.shop().times_paid(paid.oid), 1);
}
