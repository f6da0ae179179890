//! Create: reading user and order, the hint, the transaction.

use local::{Fault, ShopRoute, Stack};

use super::{
    AFTER, BEFORE, DRIP, LATE, REJECTED, assert_no_payment, assert_one_payment, assert_unavailable,
    each, recover,
};
use crate::api::rejected;
use crate::logs::logged;
use crate::stage::{create, order};
use crate::{api, stage, table};

const TRANSACTION: &str = "TransactWriteItems";

#[tokio::test]
async fn user_or_order_unread_makes_nothing() {
    let statuses = [500, 503, 429, 401, 302].map(Fault::Status);
    let others = [Fault::Reset, Fault::Hang, Fault::WrongId, Fault::ErrorEnvelope, LATE];
    let faults = statuses.into_iter().chain(others).chain(AFTER);
    each(faults, async |stack, fault| {
        for route in [ShopRoute::UserInfo, ShopRoute::OrderDetail] {
            let case = format!("{route:?} {fault:?}");
            let (uid, oid, body) = order(stack);
            stack.shop().set_fault(route, fault, None);
            let (response, _) = tokio::join!(
                create(stack, uid, &body),
                rejected(stack, "create", &body, "unavailable")
            );
            assert_unavailable(response, &case);
            assert_no_payment(stack, oid, &case).await;
            recover(stack).await;
            let id = create(stack, uid, &body).await.ok()["id"].clone();
            assert_one_payment(stack, oid, &id, &case).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_hint_that_cannot_be_read_changes_no_response() {
    let faults = BEFORE.into_iter().chain(AFTER).chain([Fault::Throttle, Fault::Status(400), LATE]);
    each(faults, async |stack, fault| {
        let case = format!("{fault:?}");
        let (uid, oid, body) = order(stack);
        stack.dynamodb_control().set_fault("Query oid-index", fault, None);
        let id = create(stack, uid, &body).await.ok()["id"].clone();
        let again = api::post(stack, "create").payer(uid).json(&body).send().await;
        assert_eq!(again.problem("payment-exists")["payment_id"], id, "{case}");
        logged(stack, "the index of orders could not be read").await;
        // A guard without its record makes no second payment either.
        stack.dynamodb_control().set_fault("GetItem", Fault::Status(500), None);
        let unread = api::post(stack, "create").payer(uid).json(&body).send().await;
        unread.problem("unavailable");
        recover(stack).await;
        assert_one_payment(stack, oid, &id, &case).await;
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_fails_once_is_retried() {
    let faults = BEFORE.into_iter().chain(AFTER).chain(REJECTED).chain([LATE]);
    each(faults, async |stack, fault| {
        let case = format!("{fault:?}");
        let (uid, oid, body) = order(stack);
        stack.dynamodb_control().set_fault(TRANSACTION, fault, Some(1));
        let first = create(stack, uid, &body).await;
        assert_eq!(first.replayed, None, "{case}");
        let id = first.ok()["id"].clone();
        recover(stack).await;
        assert_one_payment(stack, oid, &id, &case).await;
        let again = create(stack, uid, &body).await;
        assert!(again.replayed.is_some(), "{case}");
        assert_eq!(again.ok()["id"], id, "{case}");
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_never_happens_is_unavailable_and_leaves_nothing() {
    each(BEFORE.into_iter().chain(REJECTED), async |stack, fault| {
        let case = format!("{fault:?}");
        let (uid, oid, body) = order(stack);
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        assert_unavailable(create(stack, uid, &body).await, &case);
        assert_no_payment(stack, oid, &case).await;
        recover(stack).await;
        let repeated = create(stack, uid, &body).await;
        assert_eq!(repeated.replayed, None, "{case}");
        assert_one_payment(stack, oid, &repeated.ok()["id"], &case).await;
    })
    .await;
}

#[tokio::test]
async fn a_transaction_whose_responses_are_all_lost_is_found_by_its_guard() {
    each(AFTER, async |stack, fault| {
        let case = format!("{fault:?}");
        let (uid, oid, body) = order(stack);
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        let response = create(stack, uid, &body).await;
        assert_eq!(response.status, 200, "{case}: {}", response.body);
        let id = response.ok()["id"].clone();
        assert_one_payment(stack, oid, &id, &case).await;
        recover(stack).await;
        assert_eq!(create(stack, uid, &body).await.ok()["id"], id, "{case}");
        assert_one_payment(stack, oid, &id, &case).await;
    })
    .await;
}

#[tokio::test]
async fn an_unknown_transaction_whose_guard_cannot_be_read_is_found_by_the_repeat() {
    each([Fault::LoseResponse, Fault::HangAfter], async |stack, fault| {
        let (uid, oid, body) = order(stack);
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        stack.dynamodb_control().set_fault("GetItem", Fault::Status(500), None);
        create(stack, uid, &body).await.problem("unavailable");
        recover(stack).await;
        let repeated = create(stack, uid, &body).await;
        assert!(repeated.replayed.is_some(), "{fault:?}");
        assert_one_payment(stack, oid, &repeated.ok()["id"], "no guard").await;
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_takes_effect_late_is_found_by_the_repeat() {
    let stack = stage::own().await;
    let (uid, oid, body) = order(&stack);
    stack.dynamodb_control().set_fault(TRANSACTION, LATE, None);
    create(&stack, uid, &body).await.problem("unavailable");
    recover(&stack).await;
    let repeated = create(&stack, uid, &body).await;
    assert!(repeated.replayed.is_some(), "it took effect");
    assert_one_payment(&stack, oid, &repeated.ok()["id"], "late").await;
    // And without the key it is found as well.
    let again = api::post(&stack, "create").payer(uid).json(&body).send().await;
    again.problem("payment-exists");
}

#[tokio::test]
async fn a_permanently_rejected_transaction_is_internal_and_not_retried() {
    each([Fault::Status(400), Fault::Status(403)], async |stack, fault| {
        let (uid, oid, body) = order(stack);
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        drop(stack.dynamodb_control().take_calls());
        create(stack, uid, &body).await.problem("internal");
        let calls = stack.dynamodb_control().take_calls();
        assert_eq!(calls.iter().filter(|call| *call == TRANSACTION).count(), 1, "{fault:?}");
        assert!(stack.logs().contains(r#""outcome":"internal""#), "{}", stack.logs());
        assert_no_payment(stack, oid, "rejected").await;
        recover(stack).await;
        create(stack, uid, &body).await.ok();
    })
    .await;
}

/// A closed payment and a request that is to replace it.
async fn closed(stack: &Stack) -> (stage::Payment, serde_json::Value) {
    let closed = stage::payment_in(stack, 3).await;
    (closed, closed.request())
}

#[tokio::test]
async fn a_replacement_whose_responses_are_lost_is_one_replacement() {
    let faults = AFTER.into_iter().filter(|fault| *fault != DRIP);
    each(faults, async |stack, fault| {
        let (closed, body) = closed(stack).await;
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        let response = create(stack, closed.uid, &body).await;
        assert_eq!(response.status, 200, "{fault:?}: {}", response.body);
        let id = response.ok()["id"].clone();
        recover(stack).await;
        assert_ne!(id, closed.id);
        assert_eq!(table::guard(stack, closed.oid).await.unwrap()["payment"], id, "{fault:?}");
        assert_eq!(table::payments_of_order(stack, closed.oid).await.len(), 2, "{fault:?}");
        assert_eq!(create(stack, closed.uid, &body).await.ok()["id"], id, "{fault:?}");
    })
    .await;
}

#[tokio::test]
async fn a_replacement_that_does_not_happen_leaves_the_closed_payment() {
    each(BEFORE.into_iter().chain(REJECTED).chain([LATE]), async |stack, fault| {
        let (closed, body) = closed(stack).await;
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        assert_unavailable(create(stack, closed.uid, &body).await, &format!("{fault:?}"));
        if fault != LATE {
            let guard = table::guard(stack, closed.oid).await.unwrap();
            assert_eq!(guard["payment"], closed.id, "{fault:?}");
        }
        recover(stack).await;
        let repeated = create(stack, closed.uid, &body).await;
        assert_eq!(repeated.replayed.is_some(), fault == LATE, "{fault:?}");
        let id = repeated.ok()["id"].clone();
        assert_ne!(id, closed.id);
        assert_eq!(table::guard(stack, closed.oid).await.unwrap()["payment"], id, "{fault:?}");
        assert_eq!(table::payments_of_order(stack, closed.oid).await.len(), 2, "{fault:?}");
    })
    .await;
}
