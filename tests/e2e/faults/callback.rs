//! Callback: its transaction, and the one write of the quarantine.

use local::messages::{Message, Outcome};
use local::{Fault, Stack, clock};
use pay_core::domain::Provider;
use serde_json::{Value, json};

use super::{AFTER, BEFORE, LATE, REJECTED, assert_unavailable, each, recover};
use crate::stage::{Payment, own, payment};
use crate::{api, table};

const TRANSACTION: &str = "TransactWriteItems";

/// A notification that a payment is paid, the same at each delivery: from a gateway of the shop's own, or
/// from a provider.
pub(super) struct Paid {
    pub(super) payment: Payment,
    message: Message,
    pub(super) sender: Option<Provider>,
}

impl Paid {
    pub(super) async fn new(stack: &Stack, sender: Option<Provider>) -> Self {
        let payment = payment(stack).await;
        let message = Message::new(payment.id, payment.amount, Outcome::Paid);
        Self { payment, message, sender }
    }

    /// One delivery.
    pub(super) async fn deliver(&self, stack: &Stack) -> api::Reply {
        let Some(sender) = self.sender else {
            let native = api::post(stack, "callback").json(&self.payment.native(3, 1));
            return native.signed_as(&self.message.id, clock::now_secs()).send().await;
        };
        api::from_provider(stack, sender, &self.message.from(sender).unwrap()).send().await
    }

    /// Delivers it, and checks that it has paid its payment by now, and only once.
    pub(super) async fn is_done_by_a_delivery(&self, stack: &Stack, case: &str) {
        let reply = self.deliver(stack).await;
        assert_eq!(reply.status, 200, "{case}: {}", reply.body);
        assert_paid_once(stack, self.payment, case).await;
    }
}

/// A gateway of the shop's own, and a provider.
pub(super) const SENDERS: [Option<Provider>; 2] = [None, Some(Provider::Stripe)];

/// Runs a test with each fault and a notification of each sender.
pub(super) async fn each_paid(
    faults: impl IntoIterator<Item = Fault>,
    test: impl AsyncFn(&Stack, Fault, Paid, &str),
) {
    each(faults, async |stack, fault| {
        for sender in SENDERS {
            let paid = Paid::new(stack, sender).await;
            test(stack, fault, paid, &format!("{sender:?} {fault:?}")).await;
        }
    })
    .await;
}

/// Checks that a payment was paid by one notification, and its order service notified once.
pub(super) async fn assert_paid_once(stack: &Stack, payment: Payment, case: &str) {
    let record = table::record(stack, payment.id).await;
    assert_eq!((&record["status"], &record["version"]), (&json!(1), &json!(2)), "{case}");
    assert!(record["notified_time"].is_u64() && record.get("queue").is_none(), "{case}: {record}");
    assert_eq!(stack.shop().times_paid(payment.oid), 1, "{case}");
    assert_eq!(stack.shop().order(payment.oid).unwrap().status, 1, "{case}");
    let events = table::events(stack, payment.id).await;
    assert_eq!(events.len(), 1, "{case}: {events:?}");
}

/// Checks that a notification had no effect.
async fn assert_unchanged(stack: &Stack, payment: Payment, case: &str) {
    let record = table::record(stack, payment.id).await;
    assert_eq!((&record["status"], &record["version"]), (&json!(0), &json!(1)), "{case}");
    assert_eq!(table::events(stack, payment.id).await, [Value::Null; 0], "{case}");
    assert_eq!(stack.shop().times_paid(payment.oid), 0, "{case}");
}

#[tokio::test]
async fn a_transition_that_fails_once_is_retried() {
    let faults = BEFORE.into_iter().chain(AFTER).chain(REJECTED).chain([LATE]);
    each_paid(faults, async |stack, fault, paid, case| {
        stack.dynamodb_control().set_fault(TRANSACTION, fault, Some(1));
        let response = paid.deliver(stack).await;
        assert_eq!(response.status, 200, "{case}: {}", response.body);
        recover(stack).await;
        assert_paid_once(stack, paid.payment, case).await;
    })
    .await;
}

#[tokio::test]
async fn a_transition_that_never_happens_is_unavailable_and_leaves_nothing() {
    each_paid(BEFORE.into_iter().chain(REJECTED), async |stack, fault, paid, case| {
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        assert_unavailable(paid.deliver(stack).await, case);
        assert_unchanged(stack, paid.payment, case).await;
        recover(stack).await;
        paid.is_done_by_a_delivery(stack, case).await;
    })
    .await;
}

#[tokio::test]
async fn a_transition_whose_responses_are_all_lost_is_found_by_the_record() {
    each_paid(AFTER, async |stack, fault, paid, case| {
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        let response = paid.deliver(stack).await;
        assert_eq!(response.status, 200, "{case}: {}", response.body);
        recover(stack).await;
        assert_paid_once(stack, paid.payment, case).await;
        paid.is_done_by_a_delivery(stack, case).await;
    })
    .await;
}

#[tokio::test]
async fn a_transition_that_takes_effect_late_is_notified_by_the_next_delivery() {
    let stack = own().await;
    for sender in SENDERS {
        let paid = Paid::new(&stack, sender).await;
        stack.dynamodb_control().set_fault(TRANSACTION, LATE, None);
        paid.deliver(&stack).await.problem("unavailable");
        recover(&stack).await;
        assert_eq!(table::record(&stack, paid.payment.id).await["status"], 1, "it took effect");
        assert!(table::is_due(&stack, paid.payment.id).await);
        assert_eq!(stack.shop().times_paid(paid.payment.oid), 0);
        paid.is_done_by_a_delivery(&stack, "late").await;
    }
}

#[tokio::test]
async fn a_permanently_rejected_transition_is_internal_and_not_retried() {
    each_paid([Fault::Status(400), Fault::Status(403)], async |stack, fault, paid, case| {
        stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
        drop(stack.dynamodb_control().take_calls());
        paid.deliver(stack).await.problem("internal");
        let calls = stack.dynamodb_control().take_calls();
        assert_eq!(calls.iter().filter(|call| *call == TRANSACTION).count(), 1, "{case}");
        assert!(stack.logs().contains(r#""outcome":"internal""#));
        assert_unchanged(stack, paid.payment, case).await;
        recover(stack).await;
        paid.is_done_by_a_delivery(stack, case).await;
    })
    .await;
}

#[tokio::test]
async fn a_mismatch_is_quarantined_before_the_response() {
    let faults = BEFORE.into_iter().chain(AFTER).chain(REJECTED).chain([LATE]);
    each(faults, async |stack, fault| {
        let case = format!("{fault:?}");
        let payment = payment(stack).await;
        let mut native = payment.native(1, 1);
        native["amount"] = json!(101);
        let id = format!("mismatch-{}", payment.id);
        let deliver =
            || api::post(stack, "callback").json(&native).signed_as(&id, clock::now_secs()).send();
        stack.dynamodb_control().set_fault("PutItem", fault, None);
        let response = deliver().await;
        // The sender must deliver again unless the event is known to be written.
        assert_unavailable(response, &case);
        let found = table::quarantined(stack, payment.id).await;
        if fault != LATE {
            assert_eq!(found, usize::from(AFTER.contains(&fault)), "{case}");
        }
        recover(stack).await;
        deliver().await.problem("amount-mismatch");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{case}");
        assert_eq!(table::record(stack, payment.id).await["version"], 1, "{case}");
    })
    .await;
}
