//! A user and an order with the largest ids that a shop can have: exact on every way in and out.

use local::{Fault, Order, ShopRoute, Stack};
use serde_json::{Value, json};

use crate::stage::{Payment, notify, own, shared, shown};
use crate::sweep::sweep_all;
use crate::{api, payctl, table};

/// The largest signed integer of 64 bits: as a double it is another number.
const LARGEST: u64 = 9_223_372_036_854_775_807;

/// Checks that this names the user and the order to the last digit.
#[track_caller]
fn assert_exact(value: &Value) {
    assert_eq!((&value["uid"], &value["oid"]), (&json!(LARGEST), &json!(LARGEST)), "{value}");
}

/// Creates the payment of the order, and gets it again where it exists.
async fn create(stack: &Stack) -> Payment {
    let body = json!({"uid": LARGEST, "oid": LARGEST, "amount": 100});
    let create = api::post(stack, "create").payer(LARGEST).json(&body);
    let id = create.clone().send().await.ok()["id"].as_u64().unwrap();
    assert!(id < 1 << 53, "{id}");
    let exists = create.send().await.problem("payment-exists");
    assert_eq!(exists["payment_id"], id);
    api::rejected(stack, "create", &body, "payment-exists").await;
    Payment { id, uid: LARGEST, oid: LARGEST, amount: 100 }
}

#[tokio::test]
async fn the_largest_ids_of_a_shop_are_exact_from_create_to_the_sweep() {
    let stack = own().await;
    stack.shop().add_user(LARGEST);
    for id in [LARGEST - 1, LARGEST] {
        stack.shop().put_order(Order { id, uid: LARGEST, pid: 1, amount: 100, status: 0 });
    }
    let payment = create(&stack).await;

    assert_exact(&shown(&stack, payment).await);
    let by_order = json!({"oid": LARGEST});
    let detail = api::post(&stack, "detail").payer(LARGEST).json(&by_order).send().await;
    assert!(detail.raw.contains(r#""uid":9223372036854775807,"oid":9223372036854775807"#));
    assert_exact(&detail.ok());
    assert_exact(&stack.invoke("detail", &by_order).await.unwrap());
    let list = api::post(&stack, "list").payer(LARGEST).json(&json!({})).send().await.ok();
    assert_exact(&list["payments"][0]);
    let list = stack.invoke("detail", &json!({"uid": LARGEST})).await.unwrap();
    assert_exact(&list["payments"][0]);

    // Paid while the order service is down: the sweep notifies it.
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    notify(&stack, payment, 1, 1).await.problem("unavailable");
    stack.shop().clear_faults();
    assert_eq!(sweep_all(&stack).await["notified"], 1);
    let calls = stack.shop().order_notifications();
    assert_eq!(calls.iter().map(|call| call.oid).collect::<Vec<_>>(), [LARGEST]);
    assert_eq!(stack.shop().order(LARGEST).unwrap().status, 1);

    let other = Payment { oid: LARGEST - 1, ..payment };
    notify(&stack, other, 1, 1).await.problem("record-mismatch");
    assert_stored_and_printed(&stack, payment).await;
}

async fn assert_stored_and_printed(stack: &Stack, payment: Payment) {
    let record = table::record(stack, payment.id).await;
    assert_exact(&record);
    let guard = table::guard(stack, LARGEST).await.unwrap();
    assert_eq!((&guard["payment"], &guard["uid"]), (&json!(payment.id), &json!(LARGEST)));
    for entries in [
        table::payments_of_order(stack, LARGEST).await,
        table::payments_of_user(stack, LARGEST).await,
    ] {
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0]["id"], payment.id);
    }
    assert!(table::payments_of_order(stack, LARGEST - 1).await.is_empty());

    let id = payment.id.to_string();
    let text = payctl::ok(stack, &["history", &id]).await;
    for name in ["uid", "oid"] {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        assert_eq!(line.split_whitespace().nth(1), Some("9223372036854775807"), "{text}");
    }
    let text = payctl::ok(stack, &["history", &id, "--json"]).await;
    let history: Value = serde_json::from_str(&text).unwrap();
    assert_exact(&history["record"]);
    let events = history["events"].as_array().unwrap();
    let mismatch = events.iter().find(|event| event["mismatch"] == "oid").unwrap();
    assert_eq!(mismatch["expected"], "9223372036854775807");
    assert_eq!(mismatch["received"], "9223372036854775806");
    payctl::ok(stack, &["audit"]).await;
}

#[tokio::test]
async fn ids_of_a_shop_above_the_largest_are_rejected() {
    let stack = shared();
    let above = LARGEST + 1;
    let create = json!({"uid": 1, "oid": 1, "amount": 100});
    let native = json!({"id": 1, "uid": 1, "oid": 1, "amount": 100, "source": 1, "status": 1});
    for (operation, valid, name) in [
        ("create", &create, "uid"),
        ("create", &create, "oid"),
        ("detail", &json!({}), "oid"),
        ("callback", &native, "uid"),
        ("callback", &native, "oid"),
    ] {
        let mut body = valid.clone();
        body[name] = json!(above);
        let response = api::authorized(stack, operation, 1).json(&body).send().await;
        let detail = response.problem("invalid-request")["detail"].to_string();
        assert!(detail.contains(&format!("`{name}`")), "{operation} {name}: {detail}");
        api::rejected(stack, api::function(operation), &body, "invalid-request").await;
    }
    api::rejected(stack, "detail", &json!({"uid": above}), "invalid-request").await;
    // A token whose user does not exist in any shop is nobody's.
    let body = json!({"id": 1});
    api::post(stack, "detail").payer(above).json(&body).send().await.problem("unauthenticated");
}
