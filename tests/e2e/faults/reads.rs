//! Reads: the record for everybody, the pages of a list, user and order for a native message.

use local::{Fault, ShopRoute, Stack};
use serde_json::json;

use super::callback::{Paid, assert_paid_once};
use super::{AFTER, BEFORE, DRIP, LATE, each, heal};
use crate::api;
use crate::stage::{own, shown};

/// Every request that reads the record, and what each answers.
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

/// That all is as it was, and that everything works again.
async fn assert_healed(stack: &Stack, paid: &[Paid; 2], case: &str) {
    for paid in paid {
        assert_eq!(shown(stack, paid.payment).await["status"], 0, "{case}");
        assert_eq!(paid.deliver(stack).await.status, 200, "{case}");
        assert_paid_once(stack, paid.payment, case).await;
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_unavailable_and_stays_as_it_is() {
    let faults = BEFORE.into_iter().chain(AFTER).chain([Fault::Throttle, LATE]);
    each(faults, async |stack, fault| {
        let paid = two(stack).await;
        stack.dynamodb_control().set_fault("GetItem", fault, None);
        for answer in all(stack, &paid).await {
            assert_eq!(answer.status, 503, "{fault:?}: {}", answer.body);
            answer.problem("unavailable");
        }
        heal(stack).await;
        assert_healed(stack, &paid, &format!("{fault:?}")).await;
    })
    .await;
}

#[tokio::test]
async fn a_record_that_fails_once_is_read_again() {
    let once = [Fault::Reset, Fault::LoseAnswer, Fault::Status(500), Fault::Throttle, Fault::Hang];
    each(once.into_iter().chain([DRIP]), async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.dynamodb_control().set_fault("GetItem", fault, Some(1));
        assert_eq!(shown(stack, paid.payment).await["status"], 0, "{fault:?}");
        stack.dynamodb_control().set_fault("GetItem", fault, Some(1));
        assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        assert_paid_once(stack, paid.payment, &format!("{fault:?}")).await;
    })
    .await;
}

#[tokio::test]
async fn a_record_of_another_payment_is_ours_to_repair() {
    each([Fault::WrongId, Fault::Status(400), Fault::Status(403)], async |stack, fault| {
        let paid = two(stack).await;
        stack.dynamodb_control().set_fault("GetItem", fault, None);
        for answer in all(stack, &paid).await {
            assert_eq!(answer.status, 500, "{fault:?}: {}", answer.body);
            answer.problem("internal");
        }
        let logs = stack.logs();
        let alarms = logs.lines().filter(|line| line.contains(r#""outcome":"internal""#)).count();
        assert!(alarms >= 4, "{logs}");
        heal(stack).await;
        assert_healed(stack, &paid, &format!("{fault:?}")).await;
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
            let answer = list.clone().send().await;
            assert_eq!(answer.status, 503, "{operation} {fault:?}: {}", answer.body);
            answer.problem("unavailable");
            heal(stack).await;
            let found = list.clone().send().await.ok();
            assert_eq!(found["payments"][0]["id"], payment.id, "{operation} {fault:?}");
        }
    })
    .await;
}

/// Also by order: the index is a hint, and the guard decides.
#[tokio::test]
async fn an_index_that_cannot_be_read_hides_no_payment() {
    let faults = BEFORE.into_iter().chain(AFTER).chain([Fault::Throttle, Fault::FindNothing, LATE]);
    each(faults, async |stack, fault| {
        let payment = crate::stage::payment(stack).await;
        stack.dynamodb_control().set_fault("Query oid-index", fault, None);
        let detail =
            api::post(stack, "detail").payer(payment.uid).json(&json!({"oid": payment.oid}));
        assert_eq!(detail.send().await.ok()["id"], payment.id, "{fault:?}");
        heal(stack).await;
    })
    .await;
}

#[tokio::test]
async fn a_message_that_fits_needs_neither_user_nor_order() {
    let statuses = [500, 503, 429, 401, 302].map(Fault::Status);
    let others = [Fault::Reset, Fault::Hang, Fault::WrongId, LATE];
    each(statuses.into_iter().chain(others).chain(AFTER), async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.shop().set_fault(ShopRoute::UserInfo, fault, None);
        stack.shop().set_fault(ShopRoute::OrderDetail, fault, None);
        let answer = paid.deliver(stack).await;
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.body);
        assert_paid_once(stack, paid.payment, &format!("{fault:?}")).await;
        heal(stack).await;
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
    assert_healed(&stack, &paid, "thawed").await;
    let [first, _] = paid;
    let again = api::post(&stack, "create").payer(first.payment.uid).json(&first.payment.request());
    again.send().await.problem("payment-exists");
}
