//! Callback: its transaction, and the quarantine's one write.

use local::messages::{Message, Outcome};
use local::{Fault, Stack, clock};
use pay_providers::PaymentProvider;
use serde_json::{Value, json};

use super::{AFTER, BEFORE, LATE, REFUSED, each, heal};
use crate::stage::{Payment, own, payment};
use crate::{api, table};

const TRANSACTION: &str = "TransactWriteItems";

/// A message that the payment is paid, the same at each delivery: signed by a gateway of ours, or
/// by a provider.
pub(super) struct Paid {
    pub(super) payment: Payment,
    message: Message,
    sender: Option<PaymentProvider>,
}

impl Paid {
    pub(super) async fn new(stack: &Stack, sender: Option<PaymentProvider>) -> Self {
        let payment = payment(stack).await;
        let message = Message::new(payment.id, payment.amount, Outcome::Paid);
        Self { payment, message, sender }
    }

    /// One delivery.
    pub(super) async fn deliver(&self, stack: &Stack) -> api::Reply {
        let Some(sender) = self.sender else {
            let native = api::post(stack, "callback").json(&self.payment.message(3, 1));
            return native.signed_as(&self.message.id, clock::now_secs()).send().await;
        };
        let signed = self.message.from(sender).unwrap();
        let mut request =
            api::post(stack, &format!("callback/{}", sender.as_str())).bytes(signed.body);
        for (name, value) in &signed.headers {
            request = request.header(name, value);
        }
        request.send().await
    }
}

/// Both ways in.
pub(super) const SENDERS: [Option<PaymentProvider>; 2] = [None, Some(PaymentProvider::Stripe)];

/// That a payment is paid by one message, and its order knows, once.
pub(super) async fn assert_paid_once(stack: &Stack, payment: Payment, case: &str) {
    let record = table::record(stack, payment.id).await;
    assert_eq!((&record["status"], &record["version"]), (&json!(1), &json!(2)), "{case}");
    assert!(record["told_at"].is_u64() && record.get("work").is_none(), "{case}: {record}");
    assert_eq!(stack.shop().times_paid(payment.oid), 1, "{case}");
    assert_eq!(stack.shop().order(payment.oid).unwrap().status, 1, "{case}");
    let events = table::events(stack, payment.id).await;
    assert_eq!(events.len(), 1, "{case}: {events:?}");
}

/// That nothing has come of a message.
async fn assert_unmoved(stack: &Stack, payment: Payment, case: &str) {
    let record = table::record(stack, payment.id).await;
    assert_eq!((&record["status"], &record["version"]), (&json!(0), &json!(1)), "{case}");
    assert_eq!(table::events(stack, payment.id).await, [Value::Null; 0], "{case}");
    assert_eq!(stack.shop().times_paid(payment.oid), 0, "{case}");
}

#[tokio::test]
async fn a_move_that_fails_once_is_made_up_for() {
    let faults = BEFORE.into_iter().chain(AFTER).chain(REFUSED).chain([LATE]);
    each(faults, async |stack, fault| {
        for sender in SENDERS {
            let case = format!("{sender:?} {fault:?}");
            let paid = Paid::new(stack, sender).await;
            stack.dynamodb_control().set_fault(TRANSACTION, fault, Some(1));
            let answer = paid.deliver(stack).await;
            assert_eq!(answer.status, 200, "{case}: {}", answer.body);
            heal(stack).await;
            assert_paid_once(stack, paid.payment, &case).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_move_that_never_happens_is_asked_for_again_and_leaves_nothing() {
    each(BEFORE.into_iter().chain(REFUSED), async |stack, fault| {
        for sender in SENDERS {
            let case = format!("{sender:?} {fault:?}");
            let paid = Paid::new(stack, sender).await;
            stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
            let answer = paid.deliver(stack).await;
            assert_eq!(answer.status, 503, "{case}: {}", answer.body);
            answer.problem("unavailable");
            assert_unmoved(stack, paid.payment, &case).await;
            heal(stack).await;
            assert_eq!(paid.deliver(stack).await.status, 200, "{case}");
            assert_paid_once(stack, paid.payment, &case).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_move_that_never_answers_but_happens_is_found_by_the_record() {
    each(AFTER, async |stack, fault| {
        for sender in SENDERS {
            let case = format!("{sender:?} {fault:?}");
            let paid = Paid::new(stack, sender).await;
            stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
            let answer = paid.deliver(stack).await;
            assert_eq!(answer.status, 200, "{case}: {}", answer.body);
            heal(stack).await;
            assert_paid_once(stack, paid.payment, &case).await;
            assert_eq!(paid.deliver(stack).await.status, 200, "{case}");
            assert_paid_once(stack, paid.payment, &case).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_move_that_comes_late_is_told_by_the_next_delivery() {
    let stack = own().await;
    for sender in SENDERS {
        let paid = Paid::new(&stack, sender).await;
        stack.dynamodb_control().set_fault(TRANSACTION, LATE, None);
        paid.deliver(&stack).await.problem("unavailable");
        heal(&stack).await;
        assert_eq!(table::record(&stack, paid.payment.id).await["status"], 1, "it came");
        assert!(table::is_to_be_told(&stack, paid.payment.id).await);
        assert_eq!(stack.shop().times_paid(paid.payment.oid), 0);
        assert_eq!(paid.deliver(&stack).await.status, 200);
        assert_paid_once(&stack, paid.payment, "late").await;
    }
}

#[tokio::test]
async fn a_move_refused_for_good_is_ours_to_repair_and_not_tried_again() {
    each([Fault::Status(400), Fault::Status(403)], async |stack, fault| {
        for sender in SENDERS {
            let paid = Paid::new(stack, sender).await;
            stack.dynamodb_control().set_fault(TRANSACTION, fault, None);
            drop(stack.dynamodb_control().take_calls());
            paid.deliver(stack).await.problem("internal");
            let calls = stack.dynamodb_control().take_calls();
            assert_eq!(calls.iter().filter(|call| *call == TRANSACTION).count(), 1, "{fault:?}");
            assert!(stack.logs().contains(r#""outcome":"internal""#));
            assert_unmoved(stack, paid.payment, "refused").await;
            heal(stack).await;
            assert_eq!(paid.deliver(stack).await.status, 200);
            assert_paid_once(stack, paid.payment, "refused").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_that_does_not_fit_is_kept_before_it_is_answered() {
    let faults = BEFORE.into_iter().chain(AFTER).chain(REFUSED).chain([LATE]);
    each(faults, async |stack, fault| {
        let case = format!("{fault:?}");
        let payment = payment(stack).await;
        let mut message = payment.message(1, 1);
        message["amount"] = json!(101);
        let id = format!("misfit-{}", payment.id);
        let deliver =
            || api::post(stack, "callback").json(&message).signed_as(&id, clock::now_secs()).send();
        stack.dynamodb_control().set_fault("PutItem", fault, None);
        let answer = deliver().await;
        // Only an entry that is known to be there lets the sender stop; of one that may be, it is
        // not said.
        assert_eq!(answer.status, 503, "{case}: {}", answer.body);
        answer.problem("unavailable");
        let found = table::quarantined(stack, payment.id).await;
        if fault != LATE {
            assert_eq!(found, usize::from(AFTER.contains(&fault)), "{case}");
        }
        heal(stack).await;
        deliver().await.problem("amount-mismatch");
        assert_eq!(table::quarantined(stack, payment.id).await, 1, "{case}");
        assert_eq!(table::record(stack, payment.id).await["version"], 1, "{case}");
    })
    .await;
}
