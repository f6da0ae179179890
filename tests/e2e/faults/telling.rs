//! Telling the order, and taking it off the work list.

use std::time::Duration;

use local::{Fault, ShopRoute};

use super::callback::{Paid, SENDERS, assert_paid_once};
use super::{AFTER, BEFORE, DRIP, LATE, REFUSED, each, heal};
use crate::table;

#[tokio::test]
async fn an_order_that_was_not_told_stays_listed_until_one_delivery_tells_it() {
    let statuses = [500, 503, 429, 404, 400, 401, 302].map(Fault::Status);
    let others = [Fault::Reset, Fault::LoseAnswer, Fault::Hang, Fault::HangAfter, LATE];
    each(statuses.into_iter().chain(others), async |stack, fault| {
        for sender in SENDERS {
            let case = format!("{sender:?} {fault:?}");
            let paid = Paid::new(stack, sender).await;
            stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
            let answer = paid.deliver(stack).await;
            if sender.is_some() {
                // The message is kept; the order is our own concern.
                assert_eq!(answer.status, 200, "{case}: {}", answer.body);
            } else {
                assert_eq!(answer.status, 503, "{case}: {}", answer.body);
                answer.problem("unavailable");
            }
            let record = table::record(stack, paid.payment.id).await;
            assert_eq!((&record["status"], &record["tries"]), (&1.into(), &0.into()), "{case}");
            assert!(table::is_to_be_told(stack, paid.payment.id).await, "{case}");
            // The alarm is on this line.
            let alarm = |line: &str| {
                line.contains("order not told yet") && line.contains(&paid.payment.id.to_string())
            };
            assert!(stack.logs().lines().any(alarm), "{case}");
            heal(stack).await;
            assert_eq!(paid.deliver(stack).await.status, 200, "{case}");
            assert_paid_once(stack, paid.payment, &case).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_connection_breaks_once_is_told_on_another() {
    each([Fault::Reset, Fault::LoseAnswer], async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.shop().set_fault(ShopRoute::OrderPaid, fault, Some(1));
        assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        assert_paid_once(stack, paid.payment, &format!("{fault:?}")).await;
    })
    .await;
}

/// Any 2xx is being heard, whatever is said back and however slowly.
#[tokio::test]
async fn an_order_that_has_heard_need_not_speak() {
    let slowly = Fault::Delay(Duration::from_millis(300));
    each([Fault::Garbage, Fault::WrongShape, DRIP, slowly], async |stack, fault| {
        for sender in SENDERS {
            let paid = Paid::new(stack, sender).await;
            stack.shop().set_fault(ShopRoute::OrderPaid, fault, None);
            assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
            assert_paid_once(stack, paid.payment, &format!("{fault:?}")).await;
            heal(stack).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_could_not_be_cleared_is_cleared_by_the_next_delivery() {
    let faults = BEFORE.into_iter().chain(REFUSED).chain([Fault::Status(400), LATE]);
    each(faults, async |stack, fault| {
        for sender in SENDERS {
            let case = format!("{sender:?} {fault:?}");
            let paid = Paid::new(stack, sender).await;
            stack.dynamodb_control().set_fault("UpdateItem", fault, None);
            let answer = paid.deliver(stack).await;
            assert_eq!(answer.status, 200, "{case}: {}", answer.body);
            assert_eq!(stack.shop().times_paid(paid.payment.oid), 1, "{case}");
            if fault != LATE {
                assert!(table::is_to_be_told(stack, paid.payment.id).await, "{case}");
            }
            heal(stack).await;
            assert_eq!(paid.deliver(stack).await.status, 200, "{case}");
            assert_paid_once(stack, paid.payment, &case).await;
            let tellings = stack.shop().tellings();
            let told = tellings.iter().filter(|one| one.oid == paid.payment.oid).count();
            assert_eq!(told, if fault == LATE { 1 } else { 2 }, "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_was_cleared_without_an_answer_is_cleared() {
    each(AFTER, async |stack, fault| {
        let paid = Paid::new(stack, None).await;
        stack.dynamodb_control().set_fault("UpdateItem", fault, None);
        assert_eq!(paid.deliver(stack).await.status, 200, "{fault:?}");
        heal(stack).await;
        assert_paid_once(stack, paid.payment, &format!("{fault:?}")).await;
    })
    .await;
}
