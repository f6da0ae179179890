//! Every problem of the contract that a caller can cause, at both entry points.

mod order;

use std::collections::BTreeSet;

use local::tokens;
use pay_service::http::Code;
use serde_json::{Value, json};

use crate::api::{self, Request, rejected};
use crate::operations;
use crate::stage::{Payment, fresh, order, payment, payment_in, payment_of, shared, user};
use crate::table;

/// Sends a body through both entry points; each must reject it with this problem. Both problems.
async fn both_reject(operation: &str, by: Request<'_>, body: &Value, slug: &str) -> [Value; 2] {
    let direct = rejected(shared(), api::function(operation), body, slug).await;
    [by.json(body).send().await.problem(slug), direct]
}

#[tokio::test]
async fn create_is_rejected_by_a_rule() {
    let stack = shared();
    let by = |uid: u64| api::post(stack, "create").payer(uid);
    let (uid, oid, body) = order(stack);

    let unknown = fresh();
    let wanted = json!({"uid": unknown, "oid": oid, "amount": 100});
    both_reject("create", by(unknown), &wanted, "user-not-found").await;

    let (owner, theirs, owners) = order(stack);
    let others =
        [("nobody's", 9_000_000_000, 100), ("another's", theirs, 100), ("another's", theirs, 1)];
    for (whose, oid, amount) in others {
        let wanted = json!({"uid": uid, "oid": oid, "amount": amount});
        let [http, direct] = both_reject("create", by(uid), &wanted, "order-not-found").await;
        // An order that does not exist and another user's cannot be distinguished.
        assert_eq!((http.get("detail"), direct.get("detail")), (None, None), "{whose}");
    }
    // The order's own user still can pay it.
    by(owner).json(&owners).send().await.ok();

    let wanted = json!({"uid": uid, "oid": oid, "amount": 99});
    both_reject("create", by(uid), &wanted, "amount-mismatch").await;

    let id = by(uid).json(&body).send().await.ok()["id"].clone();
    for problem in both_reject("create", by(uid), &body, "payment-exists").await {
        assert_eq!(problem["payment_id"], id);
    }

    let (uid, oid, body) = order(stack);
    let mut order = stack.shop().order(oid).unwrap();
    order.status = 1;
    stack.shop().put_order(order);
    both_reject("create", by(uid), &body, "order-paid").await;
}

#[tokio::test]
async fn an_existing_payment_is_named_to_its_owner_only() {
    let stack = shared();
    let first = payment(stack).await;
    // The shop has given the order to another user.
    let heir = user(stack);
    let mut order = stack.shop().order(first.oid).unwrap();
    order.uid = heir;
    stack.shop().put_order(order);
    let body = json!({"uid": heir, "oid": first.oid, "amount": 100});
    let by = api::post(stack, "create").payer(heir);
    for problem in both_reject("create", by, &body, "payment-exists").await {
        assert_eq!(problem.get("payment_id"), None);
    }
}

#[tokio::test]
async fn a_key_is_reused_for_another_request() {
    let stack = shared();
    let (uid, oid, mut body) = order(stack);
    let by = || api::post(stack, "create").payer(uid).header("idempotency-key", "k");
    by().json(&body).send().await.ok();
    body["amount"] = json!(99);
    by().json(&body).send().await.problem("key-reused");
    body["idempotency_key"] = json!("k");
    rejected(stack, "create", &body, "key-reused").await;
    body["idempotency_key"] = json!("");
    rejected(stack, "create", &body, "invalid-request").await;
    assert_eq!(table::payments_of_order(stack, oid).await.len(), 1);
}

#[tokio::test]
async fn a_payment_that_is_not_there_and_another_users_are_the_same_to_a_payer() {
    let stack = shared();
    let payment = payment(stack).await;
    let stranger = user(stack);
    // Nor does the id of one's own payment reveal another's.
    assert_ne!(payment_of(stack, stranger, 100).await.id.abs_diff(payment.id), 1);
    let get = async |body: Value| {
        let sent = api::post(stack, "detail").payer(stranger).json(&body).send();
        let mut problem = sent.await.problem("payment-not-found");
        problem["request_id"] = json!("");
        problem
    };
    let absent = get(json!({"id": 1})).await;
    assert_eq!(get(json!({"id": payment.id})).await, absent);
    assert_eq!(get(json!({"oid": payment.oid})).await, absent);
    assert_eq!(get(json!({"oid": 9_000_000_001_u64})).await, absent);
    rejected(stack, "detail", &json!({"id": 1}), "payment-not-found").await;
    rejected(stack, "detail", &json!({"oid": 9_000_000_001_u64}), "payment-not-found").await;
}

#[tokio::test]
async fn a_mismatch_is_rejected_and_quarantined() {
    let stack = shared();
    let pending = payment(stack).await;
    let other = payment(stack).await;
    let higher = stack.shop().add_order(pending.uid, 1_000_000);
    let paid = payment_in(stack, 1).await;
    let changed = |payment: Payment, name: &str, value: Value| {
        let mut native = payment.native(1, 1);
        native[name] = value;
        native
    };
    let by = || api::post(stack, "callback").service();
    let closed = payment_in(stack, 3).await;
    let mut replaced = closed.native(1, 1);
    let again = api::post(stack, "create").payer(closed.uid).json(&closed.request());
    again.send().await.ok();
    replaced["provider_txn"] = json!("late");
    for (payment, native, slug, field) in [
        (pending, changed(pending, "uid", json!(fresh())), "user-not-found", "user"),
        (pending, changed(pending, "oid", json!(9_000_000_002_u64)), "order-not-found", "order"),
        (pending, changed(pending, "amount", json!(99)), "amount-mismatch", "amount"),
        (pending, changed(pending, "currency", json!("EUR")), "record-mismatch", "currency"),
        (pending, changed(pending, "oid", json!(other.oid)), "record-mismatch", "oid"),
        (pending, changed(pending, "uid", json!(other.uid)), "record-mismatch", "uid"),
        // The payer's own order, of a higher amount.
        (pending, changed(pending, "oid", json!(higher)), "record-mismatch", "oid"),
        (paid, paid.native(2, 1), "status-conflict", "reference"),
        (paid, paid.native(2, 4), "status-conflict", "reference"),
        (closed, replaced, "status-conflict", "live_payment"),
    ] {
        let in_review = async || {
            let mut events = table::events(stack, payment.id).await;
            events.retain(|event| event["queue"] == "review" && event["mismatch"] == field);
            events.len()
        };
        let before = (table::quarantined(stack, payment.id).await, in_review().await);
        let record = table::record(stack, payment.id).await;
        both_reject("callback", by(), &native, slug).await;
        // The same bytes twice: one entry.
        let after = (table::quarantined(stack, payment.id).await, in_review().await);
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{slug} {field} {native}");
        assert_eq!(table::record(stack, payment.id).await, record, "{slug}");
    }
    assert_eq!(stack.shop().times_paid(pending.oid), 0);
    assert_eq!(stack.shop().times_paid(other.oid), 0);
    assert_eq!(stack.shop().times_paid(higher), 0);

    // Other tests have unmatched events in this table: this one has an amount of its own.
    let amount = fresh();
    let unmatched = changed(Payment { amount, ..pending }, "id", json!(fresh()));
    both_reject("callback", by(), &unmatched, "payment-not-found").await;
    let unmatched = table::unmatched(stack, "native").await;
    assert_eq!(unmatched.iter().filter(|item| item["amount"] == amount).count(), 1);
}

#[tokio::test]
async fn a_caller_without_the_right_is_rejected_on_every_route() {
    let stack = shared();
    let (uid, oid, body) = order(stack);
    let other = user(stack);
    for operation in operations::on_both_entry_points() {
        let call = || api::post(stack, operation).json(&body);
        call().send().await.problem("unauthenticated");
        call().bearer("x.y.z").send().await.problem("unauthenticated");
    }
    for operation in operations::of_payers() {
        let call = api::post(stack, operation).json(&body).service();
        call.send().await.problem("forbidden");
    }
    let create = api::post(stack, "create").json(&body);
    create.payer(other).send().await.problem("forbidden");
    assert_eq!(table::guard(stack, oid).await, None);
    let pending = payment_of(stack, uid, 100).await;
    let callback = || api::post(stack, "callback").json(&pending.native(1, 1));
    callback().send().await.problem("unauthenticated");
    callback().payer(uid).send().await.problem("forbidden");
    let now = local::clock::now_secs();
    let scope = Some(tokens::SERVICE_SCOPE);
    let token = tokens::issue(&stack.access_secret, 1, scope, now);
    callback().bearer(&token).send().await.problem("forbidden");
    let unsigned = callback().header("webhook-id", "a").service();
    unsigned.send().await.problem("bad-signature");
    assert_eq!(table::record(stack, pending.id).await["version"], 1);
}

#[tokio::test]
async fn an_unknown_provider_is_not_found() {
    for name in ["no-such-provider", "native", "STRIPE", "a%20b", "stripe%00"] {
        let call = api::post(shared(), &format!("callback/{name}")).service();
        let response = call.json(&json!({})).send().await;
        response.problem("provider-not-found");
    }
}

#[tokio::test]
async fn a_body_is_too_large_or_of_another_type_or_unreadable() {
    let stack = shared();
    let mut sizes = BTreeSet::new();
    for operation in operations::on_both_entry_points() {
        let max = operations::named(operation).body_max;
        sizes.insert(max);
        let heavy = json!({"x": "a".repeat(max)});
        let by = api::post(stack, operation);
        both_reject(operation, by, &heavy, "body-too-large").await;
        let by = || api::authorized(stack, operation, user(stack));
        let plain = by().bytes("{}").header("content-type", "text/plain");
        plain.send().await.problem("unsupported-media-type");
        both_reject(operation, by(), &json!([]), "invalid-request").await;
    }
    assert_eq!(sizes, [64 * 1024, 1024 * 1024].into(), "as docs/api.md says");
}

#[tokio::test]
async fn a_broken_record_is_internal_and_a_guard_without_one_is_unavailable() {
    let stack = shared();
    // A half-written transaction: this cannot happen, and still never means "does not exist".
    let (uid, oid, body) = order(stack);
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
    both_reject("create", by, &body, "unavailable").await;
    let by = api::post(stack, "detail").payer(uid);
    both_reject("detail", by, &json!({"oid": oid}), "unavailable").await;

    let record = json!({"pk": text(format!("pay#{id}")), "sk": {"S": "record"}, "id": number(id),
        "uid": number(uid), "oid": number(oid)});
    table::put(stack, record).await;
    let by = api::post(stack, "detail").payer(uid);
    both_reject("detail", by, &json!({"id": id}), "internal").await;
    let by = api::post(stack, "callback").service();
    let native = Payment { id, uid, oid, amount: 100 }.native(1, 1);
    both_reject("callback", by, &native, "internal").await;
}

#[test]
fn no_problem_has_a_status_that_disables_a_senders_endpoint() {
    let slugs: BTreeSet<&str> = Code::ALL.into_iter().map(Code::as_str).collect();
    assert_eq!(slugs.len(), Code::ALL.len());
    assert!(Code::ALL.into_iter().all(|code| code.status() != 410));
}
