//! Holes of create: what may be paid, by whom, and how often.

use futures_util::future::join_all;
use local::{Fault, ShopRoute};
use serde_json::json;

use crate::stage::{own, payment, payment_in, shared, shown, user};
use crate::{api, table};

/// Pay one cent, pay for somebody else's order, pay a paid one.
#[tokio::test]
async fn hole_06_what_the_order_service_says_counts() {
    let stack = shared();
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 500);
    let others = stack.shop().add_order(user(stack), 500);
    let create = |oid: u64, amount: u64| {
        let body = json!({"uid": uid, "oid": oid, "amount": amount});
        api::post(stack, "create").payer(uid).json(&body).send()
    };
    create(oid, 1).await.problem("amount-mismatch");
    create(others, 500).await.problem("order-not-found");
    let mut order = stack.shop().order(oid).unwrap();
    order.status = 1;
    stack.shop().put_order(order);
    create(oid, 500).await.problem("order-paid");
}

/// Name another user in the body.
#[tokio::test]
async fn hole_07_the_payer_is_the_tokens() {
    let stack = shared();
    let (me, victim) = (user(stack), user(stack));
    let oid = stack.shop().add_order(victim, 100);
    let body = json!({"uid": victim, "oid": oid, "amount": 100});
    api::post(stack, "create").payer(me).json(&body).send().await.problem("forbidden");
    assert_eq!(table::guard(stack, oid).await, None);
}

/// Block a victim's order with a payment of 1.
#[tokio::test]
async fn hole_09_nobody_blocks_anothers_order() {
    let stack = shared();
    let (me, victim) = (user(stack), user(stack));
    let oid = stack.shop().add_order(victim, 100);
    let create = |uid: u64, amount: u64| {
        let body = json!({"uid": uid, "oid": oid, "amount": amount});
        api::post(stack, "create").payer(uid).json(&body).send()
    };
    create(me, 1).await.problem("order-not-found");
    create(me, 100).await.problem("order-not-found");
    create(victim, 100).await.ok();
}

/// The first create remembered "not found" for a minute: the next one inserted again.
#[tokio::test]
async fn hole_11_a_second_create_right_after_the_first_is_refused() {
    let stack = shared();
    let first = payment(stack).await;
    for _ in 0..3 {
        let again = api::post(stack, "create").payer(first.uid).json(&first.request());
        assert_eq!(again.send().await.problem("payment-exists")["payment_id"], first.id);
    }
}

/// Eight creates at once made eight payments.
#[tokio::test]
async fn hole_12_creates_at_once_make_one_payment() {
    let stack = shared();
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 100);
    let body = json!({"uid": uid, "oid": oid, "amount": 100});
    let create = api::post(stack, "create").payer(uid).json(&body);
    let answers = join_all((0..8).map(|_| create.clone().send())).await;
    assert_eq!(answers.iter().filter(|one| one.status == 200).count(), 1);
    assert_eq!(table::payments_of_order(stack, oid).await.len(), 1);
}

/// The answer said error, and the payment was there: nobody could tell.
#[tokio::test]
async fn hole_17_a_repeat_after_an_error_finds_out() {
    let stack = own().await;
    let uid = user(&stack);
    let oid = stack.shop().add_order(uid, 100);
    let body = json!({"uid": uid, "oid": oid, "amount": 100});
    let create = api::post(&stack, "create").payer(uid).json(&body);
    let create = create.header("idempotency-key", "k");
    stack.shop().set_fault(ShopRoute::OrderDetail, Fault::Status(500), Some(1));
    create.clone().send().await.problem("unavailable");
    let id = create.clone().send().await.ok()["id"].clone();
    let again = create.send().await;
    assert_eq!(again.replayed.as_deref(), Some("true"));
    assert_eq!(again.ok()["id"], id);
}

/// A failed or abandoned payment blocked its order for good.
#[tokio::test]
async fn hole_20_a_failed_payment_can_be_paid_and_a_closed_one_replaced() {
    let stack = shared();
    let failed = payment_in(stack, 2).await;
    crate::stage::report(stack, failed, 1, 1).await.ok();
    assert_eq!(shown(stack, failed).await["status"], 1);

    let closed = payment_in(stack, 3).await;
    let again = api::post(stack, "create").payer(closed.uid).json(&closed.request());
    assert_ne!(again.send().await.ok()["id"], closed.id);
}

/// A client that lost the answer could never learn the id.
#[tokio::test]
async fn hole_21_a_lost_id_is_found_in_three_ways() {
    let stack = shared();
    let uid = user(stack);
    let oid = stack.shop().add_order(uid, 100);
    let body = json!({"uid": uid, "oid": oid, "amount": 100});
    let create = || api::post(stack, "create").payer(uid).json(&body);
    let id = create().header("idempotency-key", "k").send().await.ok()["id"].clone();
    assert_eq!(create().header("idempotency-key", "k").send().await.ok()["id"], id);
    assert_eq!(create().send().await.problem("payment-exists")["payment_id"], id);
    let detail = api::post(stack, "detail").payer(uid).json(&json!({"oid": oid}));
    assert_eq!(detail.send().await.ok()["id"], id);
}

/// Zero and negative amounts passed, and large ones did not fit the column.
#[tokio::test]
async fn hole_23_an_amount_has_one_range() {
    let stack = shared();
    let uid = user(stack);
    for amount in ["0", "-1", "4294967296", "9223372036854775807"] {
        let body = format!(r#"{{"uid":{uid},"oid":1,"amount":{amount}}}"#);
        let create = api::post(stack, "create").payer(uid).text(body);
        create.send().await.problem("invalid-request");
    }
    let oid = stack.shop().add_order(uid, 4_294_967_295);
    let body = json!({"uid": uid, "oid": oid, "amount": 4_294_967_295_u64});
    api::post(stack, "create").payer(uid).json(&body).send().await.ok();
}

/// The order service is down: it read as "order does not exist".
#[tokio::test]
async fn hole_26_an_outage_is_not_an_absent_order() {
    let stack = own().await;
    let uid = user(&stack);
    let oid = stack.shop().add_order(uid, 100);
    let body = json!({"uid": uid, "oid": oid, "amount": 100});
    let create = || api::post(&stack, "create").payer(uid).json(&body).send();
    stack.shop().set_fault(ShopRoute::OrderDetail, Fault::Status(500), None);
    create().await.problem("unavailable");
    stack.shop().clear_faults();
    stack.shop().remove_order(oid);
    create().await.problem("order-not-found");
}
