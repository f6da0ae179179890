//! What the service is for: a payment is created, shown and paid, and its order service is notified.

use std::net::IpAddr;

use local::{Stack, StackOptions};
use serde_json::{Value, json};

use crate::stage::{
    Payment, notify, options, order, payment, payment_in, payment_of, shared, shown, user,
};
use crate::{api, table};

/// Checks how a payment is shown; of its times only the form.
#[track_caller]
fn assert_shown(shown: &Value, payment: Payment, source: u64, status: u64) {
    let mut want = payment.native(source, status);
    want["currency"] = json!("CNY");
    want["refunded"] = json!(0);
    for name in ["create_time", "update_time"] {
        let time = shown[name].as_str().unwrap();
        let date_and_time = time.len() >= 20 && time.contains('T') && time.ends_with('Z');
        assert!(time.starts_with("20") && date_and_time, "{time}");
        want[name] = json!(time);
    }
    assert_eq!(*shown, want);
}

#[tokio::test]
async fn a_payment_is_created_and_paid_and_its_order_service_notified() {
    assert_main_flow(shared()).await;
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "of the loopback addresses only 127.0.0.1 is there")]
async fn the_main_flow_works_on_another_address() {
    let host = IpAddr::from([127, 0, 0, 2]);
    let stack = Stack::start(StackOptions { host, ..options().await }).await.unwrap();
    let Stack { api, dynamodb, secretsmanager, users, orders, .. } = &stack;
    for url in [api, dynamodb, secretsmanager, users, orders] {
        assert!(url.contains("://127.0.0.2:"), "{url}");
    }
    assert_main_flow(&stack).await;
    stack.stop().await.unwrap();
}

/// The payer pays the old price of an order that was changed: the payment is paid, the order is not.
#[tokio::test]
async fn an_order_changed_after_create_is_not_paid_by_the_old_amount() {
    let stack = shared();
    let payment = payment(stack).await;
    let mut order = stack.shop().order(payment.oid).unwrap();
    order.amount = payment.amount.saturating_add(20);
    stack.shop().put_order(order.clone());
    notify(stack, payment, 1, 1).await.problem("unavailable");
    assert_shown(&shown(stack, payment).await, payment, 1, 1);
    assert_eq!(stack.shop().order(payment.oid).unwrap().status, 0);
    assert_eq!(stack.shop().times_paid(payment.oid), 0);
    assert!(table::is_due(stack, payment.id).await);
    // With the old price again, the repeated notification pays the order.
    order.amount = payment.amount;
    stack.shop().put_order(order);
    notify(stack, payment, 1, 1).await.ok();
    assert_eq!(stack.shop().order(payment.oid).unwrap().status, 1);
    assert!(!table::is_due(stack, payment.id).await);
}

async fn assert_main_flow(stack: &Stack) {
    let payment = payment(stack).await;
    assert_shown(&shown(stack, payment).await, payment, 0, 0);
    assert_eq!(notify(stack, payment, 1, 1).await.ok(), json!({}));
    assert_shown(&shown(stack, payment).await, payment, 1, 1);

    assert_eq!(stack.shop().order(payment.oid).unwrap().status, 1);
    let calls = stack.shop().order_notifications();
    let [call] = &calls.iter().filter(|call| call.oid == payment.oid).collect::<Vec<_>>()[..]
    else {
        panic!("{calls:?}")
    };
    assert_eq!((call.pay_id, call.amount), (Some(payment.id), Some(payment.amount)));
    assert_eq!(call.key, Some(payment.id.to_string()));

    let record = table::record(stack, payment.id).await;
    assert!(record["notified_time"].is_u64() && record["paid_time"].is_u64());
    assert_eq!(record.get("queue"), None);
    assert!(!table::is_due(stack, payment.id).await);
}

#[tokio::test]
async fn the_main_flow_works_by_direct_invoke() {
    let stack = shared();
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 250);
    let request = json!({"uid": uid, "oid": oid, "amount": 250, "idempotency_key": "k"});
    let created = stack.invoke("create", &request).await.unwrap();
    let id = created["id"].as_u64().unwrap();
    assert_eq!(created, json!({"id": id}));
    assert_eq!(stack.invoke("create", &request).await.unwrap(), created);

    let payment = Payment { id, uid, oid, amount: 250 };
    for by in [json!({"id": id}), json!({"oid": oid})] {
        let shown = stack.invoke("detail", &by).await.unwrap();
        assert_shown(&shown, payment, 0, 0);
    }
    let applied = stack.invoke("callback", &payment.native(2, 1)).await;
    assert_eq!(applied.unwrap(), json!({}));
    for event in [json!({"uid": uid}), json!({"operation": "list", "uid": uid})] {
        let listed = stack.invoke("detail", &event).await.unwrap();
        assert_shown(&listed["payments"][0], payment, 2, 1);
        assert_eq!(listed["payments"].as_array().unwrap().len(), 1);
    }
    assert_eq!(stack.shop().times_paid(oid), 1);
}

#[tokio::test]
async fn only_a_paid_notification_pays_an_order_and_a_paid_payment_stays_paid() {
    let stack = shared();
    for status in [0, 2, 3, 4] {
        let payment = payment_in(stack, status).await;
        assert_eq!(stack.shop().times_paid(payment.oid), 0, "{status}");
    }
    let paid = payment_in(stack, 1).await;
    for status in [0, 2, 3] {
        notify(stack, paid, 1, status).await.ok();
        assert_eq!(shown(stack, paid).await["status"], 1, "{status}");
    }
    notify(stack, paid, 1, 99).await.problem("invalid-request");
}

#[tokio::test]
async fn every_notification_is_kept() {
    let stack = shared();
    let payment = payment(stack).await;
    notify(stack, payment, 1, 2).await.ok();
    notify(stack, payment, 1, 1).await.ok();
    let less = Payment { amount: 1, ..payment };
    notify(stack, less, 1, 1).await.problem("amount-mismatch");
    let events = table::events(stack, payment.id).await;
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!(event["sha256"].as_str().map(str::len), Some(64), "{event}");
        assert!(event["len"].is_u64() && event["body"].is_string(), "{event}");
    }
}

#[tokio::test]
async fn a_client_of_the_replaced_service_keeps_working() {
    let stack = shared();
    let (uid, oid, _) = order(stack);
    // What its clients sent: the scheme in lower case, no space after a colon, nothing optional.
    let bearer = format!("bearer {}", stack.payer_token(uid));
    let send = async |operation: &str, bearer: &str, body: String| {
        let request = api::post(stack, operation).header("Authorization", bearer);
        request.text(body).send().await.ok()
    };
    let body = format!(r#"{{"uid":{uid},"oid":{oid},"amount":100}}"#);
    let created = send("create", &bearer, body).await;
    let id = created["id"].as_u64().unwrap();
    assert_eq!(created, json!({"id": id}));

    let applied = format!("bearer {}", stack.service_token());
    let body =
        format!(r#"{{"id":{id},"uid":{uid},"oid":{oid},"amount":100,"source":1,"status":1}}"#);
    assert_eq!(send("callback", &applied, body).await, json!({}));

    let shown = send("detail", &bearer, format!(r#"{{"id":{id}}}"#)).await;
    for (name, want) in
        [("id", id), ("uid", uid), ("oid", oid), ("amount", 100), ("source", 1), ("status", 1)]
    {
        assert_eq!(shown[name], want, "{name}");
    }
}

#[tokio::test]
async fn a_list_is_the_payers_own_newest_first_a_page_at_a_time() {
    let stack = shared();
    let uid = user(stack);
    let mut ids = Vec::new();
    for amount in 1..=5 {
        ids.push(payment_of(stack, uid, amount).await.id);
    }
    payment(stack).await;
    ids.reverse();
    assert!(ids.is_sorted_by(|one, next| one > next), "{ids:?}");

    let page = async |request: Value| {
        let page = api::post(stack, "list").payer(uid).json(&request).send();
        let page = page.await.ok();
        let payments = page["payments"].as_array().unwrap();
        let ids: Vec<u64> = payments.iter().map(|one| one["id"].as_u64().unwrap()).collect();
        (ids, page.get("cursor").and_then(Value::as_u64))
    };
    assert_eq!(page(json!({})).await, (ids.clone(), None));
    assert_eq!(page(json!({"limit": 100})).await, (ids.clone(), None));
    assert_eq!(page(json!({"limit": 5})).await, (ids.clone(), None));
    let first = page(json!({"limit": 2})).await;
    assert_eq!(first, (ids[..2].to_vec(), Some(ids[1])));
    // A payment created in between is newer, and therefore on no later page.
    payment_of(stack, uid, 6).await;
    let second = page(json!({"limit": 2, "cursor": first.1})).await;
    assert_eq!(second, (ids[2..4].to_vec(), Some(ids[3])));
    let last = page(json!({"limit": 2, "cursor": second.1})).await;
    assert_eq!(last, (ids[4..].to_vec(), None));
    let none = page(json!({"cursor": ids[4]})).await;
    assert_eq!(none, (Vec::new(), None));
    for request in
        [json!({"limit": 0}), json!({"limit": 101}), json!({"cursor": 0}), json!({"cursor": "1"})]
    {
        let rejected = api::post(stack, "list").payer(uid).json(&request).send();
        rejected.await.problem("invalid-request");
    }
}

#[tokio::test]
async fn a_payment_is_found_by_its_order() {
    let stack = shared();
    let payment = payment(stack).await;
    let find = async |uid: u64, body: Value| {
        api::post(stack, "detail").payer(uid).json(&body).send().await
    };
    let by_order = json!({"oid": payment.oid});
    assert_shown(&find(payment.uid, by_order.clone()).await.ok(), payment, 0, 0);
    let other = user(stack);
    find(other, by_order).await.problem("payment-not-found");
    let unpaid = stack.shop().add_order(other, 1);
    let by_order = json!({"oid": unpaid});
    find(other, by_order.clone()).await.problem("payment-not-found");
    // Having asked too early hides nothing.
    let body = json!({"uid": other, "oid": unpaid, "amount": 1});
    let id = api::post(stack, "create").payer(other).json(&body).send().await.ok()["id"].clone();
    assert_eq!(find(other, by_order).await.ok()["id"], id);
}

#[tokio::test]
async fn a_closed_payment_is_replaced_by_the_next_create() {
    let stack = shared();
    let closed = payment_in(stack, 3).await;
    let again = || api::post(stack, "create").payer(closed.uid).json(&closed.request());
    let id = again().send().await.ok()["id"].as_u64().unwrap();
    assert_ne!(id, closed.id);
    assert_eq!(table::guard(stack, closed.oid).await.unwrap()["payment"], id);

    let by_order = api::post(stack, "detail").payer(closed.uid);
    let by_order = by_order.json(&json!({"oid": closed.oid})).send().await.ok();
    assert_shown(&by_order, Payment { id, ..closed }, 0, 0);
    // The closed payment stays as it was.
    assert_shown(&shown(stack, closed).await, closed, 0, 3);
    let exists = again().send().await.problem("payment-exists");
    assert_eq!(exists["payment_id"], id);
}

#[tokio::test]
async fn an_idempotency_key_replays_the_first_response() {
    let stack = shared();
    let (uid, oid, body) = order(stack);
    let create = async |key: &str, body: &Value| {
        let request = api::post(stack, "create").payer(uid).json(body);
        request.header("Idempotency-Key", key).send().await
    };
    let first = create("key-1", &body).await;
    assert_eq!(first.replayed, None);
    let first = first.ok();
    let payment = Payment { id: first["id"].as_u64().unwrap(), uid, oid, amount: 100 };
    let replay = async || {
        let again = create("key-1", &body).await;
        assert_eq!(again.replayed.as_deref(), Some("true"));
        assert_eq!(again.ok(), first);
    };
    replay().await;
    let another_amount = json!({"uid": uid, "oid": oid, "amount": 99});
    create("key-1", &another_amount).await.problem("key-reused");
    create("key-2", &body).await.problem("payment-exists");
    // Also when the order takes no payment by now.
    notify(stack, payment, 1, 1).await.ok();
    replay().await;

    // A key belongs to its order.
    let second = stack.shop().add_order(uid, 100);
    let body = json!({"uid": uid, "oid": second, "amount": 100});
    let other = create("key-1", &body).await;
    assert_eq!(other.replayed, None);
    assert_ne!(other.ok(), first);
}
