//! The adapter's result for every way in which a call can fail.
//!
//! One thing must never be wrong: `Unavailable` means that nothing happened.

use std::collections::BTreeSet;

use pay_core::{
    domain::{Guard, PaymentId, Status},
    ports::{Created, Outbox as _, PaymentLists as _, Payments as _, StoreError, Updated},
    testing::contract::fresh::{Fresh, at, stripe},
};
use pay_service::adapters::dynamodb::DynamoDbPayments;
use pay_service::limits::{AWS_READ_ATTEMPTS_MAX, AWS_RESPONSE_MAX_BYTES, STORE_ATTEMPTS_MAX};
use serde_json::{Value, json};

use super::stub::{Request, Scripted, Stub, on_nobody, on_slow_stub, on_stub};

/// How often a write is attempted at most.
fn attempts() -> usize {
    usize::try_from(STORE_ATTEMPTS_MAX).unwrap()
}

async fn create(store: &DynamoDbPayments) -> Result<Created, StoreError> {
    let payment = Fresh::default().payment();
    store.create(&payment, &Guard::of(&payment, None), None).await
}

async fn update(store: &DynamoDbPayments) -> Result<Updated, StoreError> {
    let fresh = Fresh::default();
    let payment = fresh.payment();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), true, at(1));
    store.update(&change, &fresh.event(&payment)).await
}

/// The outcome of a write, by name.
fn name<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) -> String {
    match outcome {
        Ok(response) => format!("{response:?}"),
        Err(StoreError::Unavailable(_)) => "Unavailable".to_owned(),
        Err(StoreError::Unknown(_)) => "Unknown".to_owned(),
        Err(StoreError::Fault(_)) => "Fault".to_owned(),
    }
}

fn tokens(requests: &[Request]) -> BTreeSet<String> {
    let token = |(_, input): &Request| input["ClientRequestToken"].as_str().unwrap().to_owned();
    requests.iter().map(token).collect()
}

const CONFLICT: &[&str] = &["TransactionConflict", "None", "None"];
const FAILED: &[&str] = &["ConditionalCheckFailed", "None", "None"];

#[test]
fn a_conflict_is_retried_as_another_transaction() {
    on_stub(|store, stub| async move {
        let conflict = Scripted::cancelled(CONFLICT);
        stub.script([conflict.clone(), conflict, Scripted::ok()]);
        assert_eq!(update(&store).await.unwrap(), Updated::Done);
        let requests = stub.requests();
        assert_eq!(requests.len(), 3);
        assert_eq!(tokens(&requests).len(), 3);
    });
}

#[test]
fn a_lost_response_is_retried_as_the_same_transaction() {
    on_slow_stub(|store, stub| async move {
        let broken = Scripted::error(500, "InternalServerError");
        stub.script([broken, Scripted::Cut, Scripted::Hang, Scripted::ok()]);
        assert_eq!(update(&store).await.unwrap(), Updated::Done);
        let requests = stub.requests();
        assert_eq!(requests.len(), 4);
        assert_eq!(tokens(&requests).len(), 1);
    });
}

async fn ends_as(want: &str, calls: usize, store: &DynamoDbPayments, stub: &Stub) {
    let outcome = update(store).await;
    assert_eq!(name(&outcome), want, "{outcome:?}");
    let requests = stub.requests();
    assert_eq!(requests.len(), calls, "{outcome:?}");
}

#[test]
fn throttling_and_conflicts_end_as_unavailable_after_the_last_attempt() {
    on_stub(|store, stub| async move {
        for response in [
            Scripted::cancelled(CONFLICT),
            Scripted::cancelled(&["None", "ThrottlingError", "None"]),
            Scripted::error(400, "ThrottlingException"),
            Scripted::error(400, "ProvisionedThroughputExceededException"),
            Scripted::error(400, "RequestLimitExceeded"),
        ] {
            stub.script([response]);
            ends_as("Unavailable", attempts(), &store, &stub).await;
        }
    });
}

#[test]
fn what_may_have_been_carried_out_ends_as_unknown_after_the_last_attempt() {
    on_stub(|store, stub| async move {
        for response in [
            Scripted::error(400, "TransactionInProgressException"),
            Scripted::error(400, "IdempotentParameterMismatchException"),
            Scripted::error(500, "InternalServerError"),
            Scripted::Text(503, "upstream went away"),
            Scripted::Text(200, "not JSON"),
            Scripted::Cut,
        ] {
            stub.script([response]);
            ends_as("Unknown", attempts(), &store, &stub).await;
        }
    });
}

#[test]
fn one_unknown_attempt_makes_the_outcome_unknown() {
    on_stub(|store, stub| async move {
        for (calls, then) in [
            (attempts(), Scripted::error(400, "ThrottlingException")),
            (attempts(), Scripted::cancelled(CONFLICT)),
            (2, Scripted::error(400, "ValidationException")),
        ] {
            stub.script([Scripted::Cut, then]);
            ends_as("Unknown", calls, &store, &stub).await;
        }
    });
}

#[test]
fn a_permanent_rejection_is_a_fault_at_once() {
    on_stub(|store, stub| async move {
        for response in [
            Scripted::error(400, "ValidationException"),
            Scripted::error(400, "AccessDeniedException"),
            Scripted::error(400, "ResourceNotFoundException"),
            Scripted::Text(403, "who are you"),
            Scripted::cancelled(&["None", "None", "ValidationError"]),
        ] {
            stub.script([response]);
            ends_as("Fault", 1, &store, &stub).await;
        }
    });
}

#[test]
fn a_failed_condition_is_reported_whatever_came_before() {
    on_stub(|store, stub| async move {
        for first in [
            Scripted::Cut,
            Scripted::cancelled(CONFLICT),
            Scripted::error(400, "ThrottlingException"),
        ] {
            stub.script([first.clone(), Scripted::cancelled(FAILED)]);
            assert_eq!(update(&store).await.unwrap(), Updated::RecordChanged, "{first:?}");
            stub.script([first, Scripted::cancelled(&FAILED[..2])]);
            assert_eq!(create(&store).await.unwrap(), Created::Guarded(None));
        }
    });
}

#[test]
fn a_condition_that_failed_outweighs_a_conflict_behind_it() {
    on_stub(|store, stub| async move {
        stub.script([Scripted::cancelled(&[
            "None",
            "ConditionalCheckFailed",
            "TransactionConflict",
        ])]);
        assert_eq!(update(&store).await.unwrap(), Updated::NotLive(None));
        assert_eq!(stub.requests().len(), 1);
        // Whether the record is as expected is not known: it must be before the guard counts.
        stub.script([
            Scripted::cancelled(&["TransactionConflict", "ConditionalCheckFailed", "None"]),
            Scripted::cancelled(&["ConditionalCheckFailed", "ConditionalCheckFailed", "None"]),
        ]);
        assert_eq!(update(&store).await.unwrap(), Updated::RecordChanged);
    });
}

#[test]
fn a_write_without_a_response_ends_and_is_unknown() {
    on_slow_stub(|store, stub| async move {
        stub.script([Scripted::Hang]);
        assert_eq!(name(&create(&store).await), "Unknown");
        assert!((1..=attempts()).contains(&stub.requests().len()));
    });
}

#[test]
fn where_nobody_listens_nothing_happened() {
    on_nobody(|store| async move {
        assert_eq!(name(&create(&store).await), "Unavailable");
        let id = PaymentId::new(1).unwrap();
        assert_eq!(name(&store.payment(id).await), "Unavailable");
    });
}

#[test]
fn writes_of_one_item_fail_alike() {
    let table = [
        ("Unavailable", attempts(), Scripted::error(400, "TransactionConflictException")),
        ("Unavailable", attempts(), Scripted::error(400, "ThrottlingException")),
        ("Unknown", attempts(), Scripted::error(500, "InternalServerError")),
        ("Fault", 1, Scripted::error(400, "ItemCollectionSizeLimitExceededException")),
    ];
    on_stub(|store, stub| async move {
        let fresh = Fresh::default();
        let payment = fresh.payment();
        let event = fresh.event(&payment);
        let paid = payment.change_to(Status::Paid, &stripe(""), false, at(1));
        let paid = paid.applied_to(payment.clone());
        for (want, calls, response) in table {
            stub.script([response.clone()]);
            assert_eq!(name(&store.append(&event).await), want, "{response:?}");
            assert_eq!(stub.requests().len(), calls, "{response:?}");
            stub.script([response.clone()]);
            let marked = store.mark_notified(&paid, at(2), None).await;
            assert_eq!(name(&marked), want, "{response:?}");
            assert_eq!(stub.requests().len(), calls, "{response:?}");
            stub.script([response.clone()]);
            assert_eq!(name(&store.clear(&paid).await), want, "{response:?}");
            assert_eq!(stub.requests().len(), calls, "{response:?}");
        }
    });
}

#[test]
fn reads_are_never_unknown() {
    let table = [
        ("Unavailable", Scripted::error(400, "ThrottlingException")),
        ("Unavailable", Scripted::error(500, "InternalServerError")),
        ("Unavailable", Scripted::Text(200, "not JSON")),
        ("Unavailable", Scripted::Cut),
        ("Unavailable", Scripted::Hang),
        ("Fault", Scripted::error(400, "ValidationException")),
        ("Fault", Scripted::error(400, "AccessDeniedException")),
    ];
    on_slow_stub(|store, stub| async move {
        let payment = Fresh::default().payment();
        for (want, response) in table {
            stub.script([response.clone()]);
            assert_eq!(name(&store.payment(payment.id).await), want, "{response:?}");
            let calls = stub.requests().len();
            let most = usize::try_from(AWS_READ_ATTEMPTS_MAX).unwrap();
            assert!((1..=most).contains(&calls), "{response:?}: {calls} calls");
            assert_eq!(name(&store.guard(payment.oid).await), want, "{response:?}");
            let hint = store.newest_of_order(payment.oid).await;
            assert_eq!(name(&hint), want, "{response:?}");
            let page = store.list_by_user(payment.uid, None, 2).await;
            assert_eq!(name(&page), want, "{response:?}");
        }
    });
}

#[test]
fn reads_of_records_and_guards_are_consistent() {
    on_stub(|store, stub| async move {
        let payment = Fresh::default().payment();
        stub.script([Scripted::ok()]);
        assert_eq!(store.payment(payment.id).await.unwrap(), None);
        assert_eq!(store.guard(payment.oid).await.unwrap(), None);
        for (operation, input) in stub.requests() {
            assert_eq!((operation.as_str(), &input["ConsistentRead"]), ("GetItem", &json!(true)));
        }

        stub.script([Scripted::Json(200, json!({"Items": [entry("7")]})), Scripted::ok()]);
        assert_eq!(store.list_by_user(payment.uid, None, 2).await.unwrap().payments, []);
        let requests = stub.requests();
        let (operation, input) = &requests[1];
        assert_eq!(operation, "BatchGetItem");
        assert_eq!(input["RequestItems"]["payments"]["ConsistentRead"], json!(true));
    });
}

/// An entry of the index of users.
fn entry(id: &str) -> Value {
    json!({"pk": {"S": format!("pay#{id}")}, "sk": {"S": "record"}, "id": {"N": id}})
}

#[test]
fn unprocessed_keys_are_read_again_and_no_others() {
    let index = json!({"Items": [entry("9"), entry("8")]});
    let keys = json!([{"pk": {"S": "pay#8"}, "sk": {"S": "record"}}]);
    let rest = json!({"UnprocessedKeys": {"payments": {"Keys": keys}}});
    on_stub(|store, stub| async move {
        let uid = Fresh::default().user();
        let some = Scripted::Json(200, rest);
        stub.script([
            Scripted::Json(200, index.clone()),
            some.clone(),
            some.clone(),
            Scripted::ok(),
        ]);
        assert_eq!(store.list_by_user(uid, None, 2).await.unwrap().payments, []);
        let requests = stub.requests();
        assert_eq!(requests.len(), 4);
        assert_eq!(requests[3].1["RequestItems"]["payments"]["Keys"], keys);

        stub.script([Scripted::Json(200, index), some]);
        assert_eq!(name(&store.list_by_user(uid, None, 2).await), "Unavailable");
        assert_eq!(stub.requests().len(), 1 + attempts());
    });
}

#[test]
fn a_response_longer_than_any_of_dynamodbs_is_unusable() {
    on_stub(|store, stub| async move {
        let long = "x".repeat(AWS_RESPONSE_MAX_BYTES);
        stub.script([Scripted::Json(200, json!({"Item": {}, "x": long}))]);
        let id = PaymentId::new(1).unwrap();
        assert_eq!(name(&store.payment(id).await), "Unavailable");
        assert_eq!(stub.requests().len(), 1);
    });
}

#[test]
fn a_failure_has_its_cause_and_no_content() {
    on_stub(|store, stub| async move {
        let mut rejected = json!({"__type": "ValidationException", "message": "why"});
        rejected["Item"] = json!({"body": {"S": "canary"}});
        stub.script([Scripted::Json(400, rejected)]);
        let Err(StoreError::Fault(cause)) = create(&store).await else {
            panic!("a validation error is a fault");
        };
        let text = format!("{cause:?} {cause}");
        assert!(text.contains("TransactWriteItems: ValidationException (HTTP 400"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    });
}
