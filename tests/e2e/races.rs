//! Many requests at once: one payment, one effect, the same response for all.

use futures_util::future::join_all;
use local::clock;
use serde_json::{Value, json};

use crate::stage::{fresh, order, payment, shared};
use crate::{api, table};

const MANY: usize = 16;

#[tokio::test]
async fn of_many_creates_at_once_one_makes_the_payment_and_the_others_name_it() {
    let stack = shared();
    let (uid, oid, body) = order(stack);
    let create = api::post(stack, "create").payer(uid).json(&body);
    let responses = join_all((0..MANY).map(|_| create.clone().send())).await;

    let (won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|one| one.status == 200);
    assert_eq!(won.len(), 1);
    let id = won.into_iter().next().unwrap().ok()["id"].clone();
    for rejected in lost {
        assert_eq!(rejected.problem("payment-exists")["payment_id"], id);
    }
    let payments = table::payments_of_order(stack, oid).await;
    let ids: Vec<&Value> = payments.iter().map(|payment| &payment["id"]).collect();
    assert_eq!(ids, [&id]);
    assert_eq!(table::guard(stack, oid).await.unwrap()["payment"], id);
    assert_eq!(table::payments_of_user(stack, uid).await.len(), 1, "no guard in its index");
}

#[tokio::test]
async fn many_creates_at_once_with_one_key_get_one_id() {
    let stack = shared();
    let (uid, oid, body) = order(stack);
    let create = api::post(stack, "create").payer(uid).json(&body);
    let create = create.header("idempotency-key", "one-and-the-same");
    let responses = join_all((0..MANY).map(|_| create.clone().send())).await;

    let replayed = responses.iter().filter(|one| one.replayed.is_some()).count();
    assert_eq!(replayed, MANY.saturating_sub(1));
    let mut ids: Vec<Value> = responses.into_iter().map(|one| one.ok()["id"].clone()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let payments = table::payments_of_order(stack, oid).await;
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0]["id"], ids[0]);
}

#[tokio::test]
async fn many_replacements_at_once_of_a_closed_payment_make_one() {
    let stack = shared();
    let closed = crate::stage::payment_in(stack, 3).await;
    let create = api::post(stack, "create").payer(closed.uid).json(&closed.request());
    let responses = join_all((0..MANY).map(|_| create.clone().send())).await;
    let (won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|one| one.status == 200);
    assert_eq!(won.len(), 1);
    let id = won.into_iter().next().unwrap().ok()["id"].clone();
    for rejected in lost {
        assert_eq!(rejected.problem("payment-exists")["payment_id"], id);
    }
    assert_eq!(table::payments_of_order(stack, closed.oid).await.len(), 2);
}

#[tokio::test]
async fn one_notification_delivered_many_times_at_once_has_one_effect() {
    let stack = shared();
    let payment = payment(stack).await;
    let native = payment.native(1, 1);
    let name = format!("msg_race_{}", fresh());
    let callback = api::post(stack, "callback").json(&native);
    let callback = callback.signed_as(&name, clock::now_secs());
    for response in join_all((0..MANY).map(|_| callback.clone().send())).await {
        assert_eq!(response.ok(), json!({}));
    }
    let record = table::record(stack, payment.id).await;
    assert_eq!(record["status"], 1);
    assert_eq!(record["version"], 2, "moved once: {record}");
    assert_eq!(stack.shop().times_paid(payment.oid), 1);
    let events = table::events(stack, payment.id).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["sk"], format!("event#native#{name}"));
    assert!(!table::is_due(stack, payment.id).await);
}

#[tokio::test]
async fn of_two_transactions_for_one_payment_one_pays_it_and_the_other_is_quarantined() {
    let stack = shared();
    for round in 0..4 {
        let payment = payment(stack).await;
        let transactions = [(1, "A"), (2, "B")].map(|(source, txn)| {
            let mut native = payment.native(source, 1);
            native["provider_txn"] = json!(txn);
            // In one round both are of one provider and differ in the transaction alone.
            native["source"] = json!(if round == 0 { 1 } else { source });
            native
        });
        let sent = transactions.iter().map(|native| {
            let callback = api::post(stack, "callback").json(native).signed();
            callback.send()
        });
        let responses = join_all(sent).await;
        let record = table::record(stack, payment.id).await;
        assert_eq!((&record["status"], &record["version"]), (&json!(1), &json!(2)));
        let mut won = 0;
        for (native, response) in transactions.iter().zip(responses) {
            if record["provider_txn"] == native["provider_txn"] {
                assert_eq!(response.ok(), json!({}));
                assert_eq!(record["source"], native["source"]);
                won = u32::saturating_add(won, 1);
            } else {
                response.problem("status-conflict");
            }
        }
        assert_eq!(won, 1);
        assert_eq!(table::quarantined(stack, payment.id).await, 1);
        assert_eq!(stack.shop().times_paid(payment.oid), 1);
    }
}

#[tokio::test]
async fn reports_in_any_order_at_once_end_in_the_same_state() {
    let stack = shared();
    let payment = payment(stack).await;
    let notifications = [1, 2, 3, 4, 2, 1].map(async |status| {
        let callback = api::post(stack, "callback").json(&payment.native(1, status)).signed();
        // A notification that meets too many version conflicts must be delivered again.
        let mut response = callback.clone().send().await;
        while response.status == 503 {
            response.problem("unavailable");
            response = callback.clone().send().await;
        }
        assert_eq!(response.ok(), json!({}));
    });
    join_all(notifications).await;
    let record = table::record(stack, payment.id).await;
    assert_eq!((&record["status"], &record["source"]), (&json!(4), &json!(1)));
    // One version for each change: none was overwritten.
    let events = table::events(stack, payment.id).await;
    let applied = events.iter().filter(|event| event["verdict"] == "applied").count();
    assert_eq!(record["version"], json!(1 + applied));
}
