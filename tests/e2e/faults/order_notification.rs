//! The order notification, and clearing `due`.

use std::time::Duration;

use local::{Fault, ShopRoute};

use super::callback::{Paid, assert_paid_once, each_paid};
use super::{AFTER, BEFORE, DRIP, LATE, REJECTED, assert_unavailable, each, recover};
use crate::table;

#[tokio::test]
async fn a_failed_order_notification_stays_due_until_a_delivery_repeats_it() {
    let statuses = [500, 503, 429, 404, 400, 401, 302].map(Fault::Status);
    let others = [Fault::Reset, Fault::LoseResponse, Fault::Hang, Fault::HangAfter, LATE];
    // A 2xx that is an error, and one whose body does not come in time: it may be an error.
    let others = others.into_iter().chain([Fault::ErrorEnvelope, DRIP]);
    each_paid(statuses.into_iter().chain(others), async |stack, fault, paid, case| {
        stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
        let response = paid.deliver(stack).await;
        if paid.sender.is_some() {
            // The notification is durable; the sweep repeats the order notification.
            assert_eq!(response.status, 200, "{case}: {}", response.body);
        } else {
            assert_unavailable(response, case);
        }
        let record = table::record(stack, paid.payment.id).await;
        assert_eq!((&record["status"], &record["attempts"]), (&1.into(), &0.into()), "{case}");
        assert!(table::is_due(stack, paid.payment.id).await, "{case}");
        let id = paid.payment.id.to_string();
        let logged =
            |line: &str| line.contains("order service not notified yet") && line.contains(&id);
        assert!(stack.logs().lines().any(logged), "{case}");
        recover(stack).await;
        paid.is_done_by_a_delivery(stack, case).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_notification_whose_connection_breaks_once_is_sent_on_another() {
    each([Fault::Reset, Fault::LoseResponse], async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.shop().set_fault(ShopRoute::OrderPaid, fault, Some(1));
        paid.is_done_by_a_delivery(stack, &format!("{fault:?}")).await;
    })
    .await;
}

#[tokio::test]
async fn any_2xx_that_is_no_error_counts_as_notified() {
    let slowly = Fault::Delay(Duration::from_millis(300));
    each_paid([Fault::Garbage, Fault::WrongShape, slowly], async |stack, fault, paid, case| {
        stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
        paid.is_done_by_a_delivery(stack, case).await;
        recover(stack).await;
    })
    .await;
}

#[tokio::test]
async fn a_due_payment_that_could_not_be_cleared_is_cleared_by_the_next_delivery() {
    let faults = BEFORE.into_iter().chain(REJECTED).chain([Fault::Status(400), LATE]);
    each_paid(faults, async |stack, fault, paid, case| {
        stack.dynamodb_control().set_fault("UpdateItem", fault, None);
        let response = paid.deliver(stack).await;
        assert_eq!(response.status, 200, "{case}: {}", response.body);
        assert_eq!(stack.shop().times_paid(paid.payment.oid), 1, "{case}");
        if fault != LATE {
            assert!(table::is_due(stack, paid.payment.id).await, "{case}");
        }
        recover(stack).await;
        paid.is_done_by_a_delivery(stack, case).await;
        let calls = stack.shop().order_notifications();
        let calls = calls.iter().filter(|call| call.oid == paid.payment.oid).count();
        assert_eq!(calls, if fault == LATE { 1 } else { 2 }, "{case}");
    })
    .await;
}

#[tokio::test]
async fn a_due_payment_cleared_without_a_response_is_cleared() {
    each(AFTER, async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.dynamodb_control().set_fault("UpdateItem", fault, None);
        assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        recover(stack).await;
        assert_paid_once(stack, paid.payment, &format!("{fault:?}")).await;
    })
    .await;
}
