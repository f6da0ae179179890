//! Every problem of the contract that can be caused from outside, on both doors.

mod order;

use std::collections::BTreeSet;

use local::tokens;
use serde_json::{Value, json};

use crate::api::{self, PROBLEMS, Request, refused};
use crate::stage::{Payment, fresh, payment, payment_in, shared, user};
use crate::table;

/// A create for a new order of a new user that costs 100.
fn create() -> (u64, u64, Value) {
    let stack = shared();
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 100);
    (uid, oid, json!({"uid": uid, "oid": oid, "amount": 100}))
}

/// Sends a body by both doors; each must refuse it so. Answers both problems.
async fn both_refuse(operation: &str, by: Request<'_>, body: &Value, slug: &str) -> [Value; 2] {
    let function = if operation == "list" { "detail" } else { operation };
    let direct = refused(shared(), function, body, slug).await;
    [by.json(body).send().await.problem(slug), direct]
}

#[tokio::test]
async fn create_is_refused_by_a_rule() {
    let stack = shared();
    let by = |uid: u64| api::post(stack, "create").payer(uid);
    let (uid, oid, body) = create();

    let nobody = fresh();
    let wanted = json!({"uid": nobody, "oid": oid, "amount": 100});
    both_refuse("create", by(nobody), &wanted, "user-not-found").await;

    for (owner, oid) in [("nobody", 9_000_000_000), ("another", create().1)] {
        let wanted = json!({"uid": uid, "oid": oid, "amount": 100});
        let [http, direct] = both_refuse("create", by(uid), &wanted, "order-not-found").await;
        // Nothing tells an order that is not there from another's.
        assert_eq!((http.get("detail"), direct.get("detail")), (None, None), "{owner}");
    }

    let wanted = json!({"uid": uid, "oid": oid, "amount": 99});
    both_refuse("create", by(uid), &wanted, "amount-mismatch").await;

    let id = by(uid).json(&body).send().await.ok()["id"].clone();
    for problem in both_refuse("create", by(uid), &body, "payment-exists").await {
        assert_eq!(problem["payment_id"], id);
    }

    let (uid, oid, body) = create();
    let mut order = stack.shop().order(oid).unwrap();
    order.status = 1;
    stack.shop().put_order(order);
    both_refuse("create", by(uid), &body, "order-paid").await;
}

#[tokio::test]
async fn an_existing_payment_is_named_to_its_owner_only() {
    let stack = shared();
    let first = payment(stack).await;
    // The shop gave the order to another user.
    let heir = user(stack);
    let mut order = stack.shop().order(first.oid).unwrap();
    order.uid = heir;
    stack.shop().put_order(order);
    let body = json!({"uid": heir, "oid": first.oid, "amount": 100});
    let by = api::post(stack, "create").payer(heir);
    for problem in both_refuse("create", by, &body, "payment-exists").await {
        assert_eq!(problem.get("payment_id"), None);
    }
}

#[tokio::test]
async fn a_key_is_reused_for_another_request() {
    let stack = shared();
    let (uid, oid, mut body) = create();
    let by = || api::post(stack, "create").payer(uid).header("idempotency-key", "k");
    by().json(&body).send().await.ok();
    body["amount"] = json!(99);
    by().json(&body).send().await.problem("key-reused");
    body["idempotency_key"] = json!("k");
    refused(stack, "create", &body, "key-reused").await;
    body["idempotency_key"] = json!("");
    refused(stack, "create", &body, "invalid-request").await;
    assert_eq!(table::payments_of_order(stack, oid).await.len(), 1);
}

#[tokio::test]
async fn a_payment_that_is_not_there_and_another_users_are_the_same_to_a_payer() {
    let stack = shared();
    let payment = payment(stack).await;
    let stranger = user(stack);
    let ask = async |body: Value| {
        let asked = api::post(stack, "detail").payer(stranger).json(&body).send();
        let mut problem = asked.await.problem("payment-not-found");
        problem["request_id"] = json!("");
        problem
    };
    let absent = ask(json!({"id": 1})).await;
    assert_eq!(ask(json!({"id": payment.id})).await, absent);
    assert_eq!(ask(json!({"oid": payment.oid})).await, absent);
    assert_eq!(ask(json!({"oid": 9_000_000_001_u64})).await, absent);
    refused(stack, "detail", &json!({"id": 1}), "payment-not-found").await;
    refused(stack, "detail", &json!({"oid": 9_000_000_001_u64}), "payment-not-found").await;
}

#[tokio::test]
async fn a_message_that_does_not_fit_is_refused_and_kept() {
    let stack = shared();
    let pending = payment(stack).await;
    let other = payment(stack).await;
    let paid = payment_in(stack, 1).await;
    let changed = |payment: Payment, name: &str, value: Value| {
        let mut message = payment.message(1, 1);
        message[name] = value;
        message
    };
    let by = || api::post(stack, "callback").service();
    let closed = payment_in(stack, 3).await;
    let mut replaced = closed.message(1, 1);
    let again = api::post(stack, "create").payer(closed.uid).json(&closed.request());
    again.send().await.ok();
    replaced["provider_txn"] = json!("late");
    for (payment, message, slug) in [
        (pending, changed(pending, "uid", json!(fresh())), "user-not-found"),
        (pending, changed(pending, "oid", json!(9_000_000_002_u64)), "order-not-found"),
        (pending, changed(pending, "amount", json!(99)), "amount-mismatch"),
        (pending, changed(pending, "currency", json!("EUR")), "record-mismatch"),
        (pending, changed(pending, "oid", json!(other.oid)), "record-mismatch"),
        (pending, changed(pending, "uid", json!(other.uid)), "record-mismatch"),
        (paid, paid.message(2, 1), "status-conflict"),
        (paid, paid.message(2, 4), "status-conflict"),
        (closed, replaced, "status-conflict"),
    ] {
        let before = table::quarantined(stack, payment.id).await;
        let record = table::record(stack, payment.id).await;
        both_refuse("callback", by(), &message, slug).await;
        // Twice the same bytes: one entry.
        let after = table::quarantined(stack, payment.id).await;
        assert_eq!(after, before.saturating_add(1), "{slug} {message}");
        assert_eq!(table::record(stack, payment.id).await, record, "{slug}");
    }
    assert_eq!(stack.shop().times_paid(pending.oid), 0);
    assert_eq!(stack.shop().times_paid(other.oid), 0);

    // Other tests have strays of their own in this table: an amount of its own tells this one.
    let amount = fresh();
    let stray = changed(Payment { amount, ..pending }, "id", json!(fresh()));
    both_refuse("callback", by(), &stray, "payment-not-found").await;
    let strays = table::strays(stack).await;
    assert_eq!(strays.iter().filter(|item| item["amount"] == amount).count(), 1);
}

#[tokio::test]
async fn who_may_not_come_in_is_told_so_in_one_way() {
    let stack = shared();
    let (uid, _, body) = create();
    let other = user(stack);
    for operation in ["create", "detail", "list", "callback"] {
        let call = || api::post(stack, operation).json(&body);
        call().send().await.problem("unauthenticated");
        call().bearer("x.y.z").send().await.problem("unauthenticated");
    }
    for operation in ["create", "detail", "list"] {
        let call = api::post(stack, operation).json(&body).service();
        call.send().await.problem("forbidden");
    }
    let create = api::post(stack, "create").json(&body);
    create.payer(other).send().await.problem("forbidden");
    let callback = || api::post(stack, "callback").json(&body);
    callback().payer(uid).send().await.problem("forbidden");
    let now = local::clock::now_secs();
    let scope = Some(tokens::SERVICE_SCOPE);
    let token = tokens::issue(&stack.access_secret, 1, scope, now);
    callback().bearer(&token).send().await.problem("forbidden");
    let unsigned = callback().header("webhook-id", "a").service();
    unsigned.send().await.problem("bad-signature");
}

#[tokio::test]
async fn a_provider_that_is_not_known_does_not_exist() {
    for name in ["nobody", "native", "STRIPE", "a%20b", "stripe%00"] {
        let call = api::post(shared(), &format!("callback/{name}")).service();
        let answer = call.json(&json!({})).send().await;
        answer.problem("provider-not-found");
    }
}

#[tokio::test]
async fn a_body_is_too_large_or_of_another_type_or_unreadable() {
    let stack = shared();
    for (operation, most) in [
        ("create", 64 * 1024),
        ("detail", 64 * 1024),
        ("list", 64 * 1024),
        ("callback", 1024 * 1024),
    ] {
        let heavy = json!({"x": "a".repeat(most)});
        let by = api::post(stack, operation);
        both_refuse(operation, by, &heavy, "body-too-large").await;
        let by = || match operation {
            "callback" => api::post(stack, operation).service(),
            _ => api::post(stack, operation).payer(user(stack)),
        };
        let plain = by().bytes("{}").header("content-type", "text/plain");
        plain.send().await.problem("unsupported-media-type");
        both_refuse(operation, by(), &json!([]), "invalid-request").await;
    }
}

#[tokio::test]
async fn a_record_that_is_broken_is_our_fault_and_a_guard_without_one_is_unavailable() {
    let stack = shared();
    // As if the commit were torn: this cannot happen, and is still not "does not exist".
    let (uid, oid, body) = create();
    let id = fresh();
    let text = |text: String| json!({"S": text});
    let number = |number: u64| json!({"N": number.to_string()});
    table::put(
        stack,
        json!({"pk": text(format!("order#{oid}")), "sk": {"S": "guard"}, "payment": number(id),
            "uid": number(uid), "amount": number(100)}),
    )
    .await;
    let by = api::post(stack, "create").payer(uid);
    both_refuse("create", by, &body, "unavailable").await;
    let by = api::post(stack, "detail").payer(uid);
    both_refuse("detail", by, &json!({"oid": oid}), "unavailable").await;

    let record = json!({"pk": text(format!("pay#{id}")), "sk": {"S": "record"}, "id": number(id),
        "uid": number(uid), "oid": number(oid)});
    table::put(stack, record).await;
    let by = api::post(stack, "detail").payer(uid);
    both_refuse("detail", by, &json!({"id": id}), "internal").await;
    let by = api::post(stack, "callback").service();
    let message =
        json!({"id": id, "uid": uid, "oid": oid, "amount": 100, "source": 1, "status": 1});
    both_refuse("callback", by, &message, "internal").await;
}

#[test]
fn no_problem_tells_a_sender_to_stop_for_good() {
    let slugs: BTreeSet<&str> = PROBLEMS.iter().map(|row| row.0).collect();
    assert_eq!(slugs.len(), PROBLEMS.len());
    assert!(PROBLEMS.iter().all(|row| row.1 != 410));
}
