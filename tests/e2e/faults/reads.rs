//! Reads: the record, the pages of a list, user and order of a native notification.

use local::{Fault, ShopRoute, Stack};
use serde_json::json;

use super::callback::{Paid, assert_paid_once};
use super::{AFTER, BEFORE, DRIP, LATE, assert_unavailable, each, recover};
use crate::api;
use crate::stage::{own, shown};

/// The responses of every request that reads the record.
async fn all(stack: &Stack, paid: &[Paid; 2]) -> [api::Reply; 4] {
    let [native, provider] = paid;
    let payment = native.payment;
    let detail = api::post(stack, "detail").payer(payment.uid).json(&json!({"id": payment.id}));
    let create = api::post(stack, "create").payer(payment.uid).json(&payment.request());
    let callbacks = async { (native.deliver(stack).await, provider.deliver(stack).await) };
    let (detail, create, (native, provider)) =
        tokio::join!(detail.send(), create.send(), callbacks);
    [detail, create, native, provider]
}

async fn two(stack: &Stack) -> [Paid; 2] {
    let stripe = super::callback::SENDERS[1];
    [Paid::new(stack, None).await, Paid::new(stack, stripe).await]
}

/// Checks that nothing has changed, and that everything works again.
async fn assert_recovered(stack: &Stack, paid: &[Paid; 2], case: &str) {
    for paid in paid {
        assert_eq!(shown(stack, paid.payment).await["status"], 0, "{case}");
        paid.is_done_by_a_delivery(stack, case).await;
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_unavailable_and_stays_as_it_is() {
    let faults = BEFORE.into_iter().chain(AFTER).chain([Fault::Throttle, LATE]);
    each(faults, async |stack, fault| {
        let paid = two(stack).await;
        stack.dynamodb_control().set_fault("GetItem", fault, None);
        for response in all(stack, &paid).await {
            assert_unavailable(response, &format!("{fault:?}"));
        }
        recover(stack).await;
        assert_recovered(stack, &paid, &format!("{fault:?}")).await;
    })
    .await;
}

#[tokio::test]
async fn a_record_that_fails_once_is_read_again() {
    let once =
        [Fault::Reset, Fault::LoseResponse, Fault::Status(500), Fault::Throttle, Fault::Hang];
    each(once.into_iter().chain([DRIP]), async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.dynamodb_control().set_fault("GetItem", fault, Some(1));
        assert_eq!(shown(stack, paid.payment).await["status"], 0, "{fault:?}");
        stack.dynamodb_control().set_fault("GetItem", fault, Some(1));
        paid.is_done_by_a_delivery(stack, &format!("{fault:?}")).await;
    })
    .await;
}

#[tokio::test]
async fn a_record_of_another_payment_is_ours_to_repair() {
    each([Fault::WrongId, Fault::Status(400), Fault::Status(403)], async |stack, fault| {
        let paid = two(stack).await;
        stack.dynamodb_control().set_fault("GetItem", fault, None);
        for response in all(stack, &paid).await {
            assert_eq!(response.status, 500, "{fault:?}: {}", response.body);
            response.problem("internal");
        }
        let logs = stack.logs();
        let alarms = logs.lines().filter(|line| line.contains(r#""outcome":"internal""#)).count();
        assert!(alarms >= 4, "{logs}");
        recover(stack).await;
        assert_recovered(stack, &paid, &format!("{fault:?}")).await;
    })
    .await;
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_unavailable_and_is_there_again_afterwards() {
    let faults = BEFORE.into_iter().chain(AFTER).chain([Fault::Throttle, LATE]);
    each(faults, async |stack, fault| {
        let payment = crate::stage::payment(stack).await;
        let list = api::post(stack, "list").payer(payment.uid).json(&json!({}));
        for operation in ["Query uid-index", "BatchGetItem"] {
            stack.dynamodb_control().set_fault(operation, fault, None);
            assert_unavailable(list.clone().send().await, &format!("{operation} {fault:?}"));
            recover(stack).await;
            let found = list.clone().send().await.ok();
            assert_eq!(found["payments"][0]["id"], payment.id, "{operation} {fault:?}");
        }
    })
    .await;
}

/// By order as well: the index is a hint, and the guard decides.
#[tokio::test]
async fn an_index_that_cannot_be_read_hides_no_payment() {
    let faults = BEFORE.into_iter().chain(AFTER).chain([Fault::Throttle, Fault::FindNothing, LATE]);
    each(faults, async |stack, fault| {
        let payment = crate::stage::payment(stack).await;
        stack.dynamodb_control().set_fault("Query oid-index", fault, None);
        let detail =
            api::post(stack, "detail").payer(payment.uid).json(&json!({"oid": payment.oid}));
        assert_eq!(detail.send().await.ok()["id"], payment.id, "{fault:?}");
        recover(stack).await;
    })
    .await;
}

#[tokio::test]
async fn a_matching_notification_needs_neither_user_nor_order_service() {
    let statuses = [500, 503, 429, 401, 302].map(Fault::Status);
    let others = [Fault::Reset, Fault::Hang, Fault::WrongId, Fault::ErrorEnvelope, LATE];
    each(statuses.into_iter().chain(others).chain(AFTER), async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.shop().set_fault(ShopRoute::UserInfo, fault, None);
        stack.shop().set_fault(ShopRoute::OrderDetail, fault, None);
        let response = paid.deliver(stack).await;
        assert_eq!(response.status, 200, "{fault:?}: {}", response.body);
        assert_paid_once(stack, paid.payment, &format!("{fault:?}")).await;
        recover(stack).await;
    })
    .await;
}

#[tokio::test]
async fn connections_that_broke_while_frozen_are_opened_anew() {
    let stack = own().await;
    let paid = two(&stack).await;
    for pid in crate::stage::pids(&stack) {
        stack.freeze(pid).unwrap();
    }
    stack.faults().break_connections();
    for pid in crate::stage::pids(&stack) {
        stack.thaw(pid).unwrap();
    }
    assert_recovered(&stack, &paid, "thawed").await;
    let [first, _] = paid;
    let again = api::post(&stack, "create").payer(first.payment.uid).json(&first.payment.request());
    again.send().await.problem("payment-exists");
}
