//! What the adapter makes of every way in which a call can fail.
//!
//! The one thing that must never be wrong: `Unavailable` means that nothing happened.

use std::collections::BTreeSet;

use pay_core::{
    domain::{Guard, PaymentId, Status},
    ports::{Applied, Created, PaymentStore, StoreError},
    testing::contract::fresh::{Fresh, at, stripe},
};
use pay_service::adapters::dynamodb::DynamoDbPayments;
use serde_json::json;

use super::stub::{Answer, Request, Stub, on_nobody, on_slow_stub, on_stub};

/// As often as a write is tried at most.
const TRIES: usize = 5;

async fn create(store: &DynamoDbPayments) -> Result<Created, StoreError> {
    let payment = Fresh::default().payment();
    store.create(&payment, &Guard::of(&payment, None), None).await
}

async fn apply(store: &DynamoDbPayments) -> Result<Applied, StoreError> {
    let fresh = Fresh::default();
    let payment = fresh.payment();
    let change = payment.change_to(Status::Paid, &stripe("pi_1"), true, at(1));
    store.apply(&change, &fresh.event(&payment)).await
}

/// The outcome of a write, by name.
fn name<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
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
fn a_conflict_is_tried_again_as_another_transaction() {
    on_stub(|store, stub| async move {
        let conflict = Answer::cancelled(CONFLICT);
        stub.answers([conflict.clone(), conflict, Answer::ok()]);
        assert_eq!(apply(&store).await.unwrap(), Applied::Done);
        let requests = stub.requests();
        assert_eq!(requests.len(), 3);
        assert_eq!(tokens(&requests).len(), 3);
    });
}

#[test]
fn a_lost_answer_is_asked_for_again_as_the_same_transaction() {
    on_slow_stub(|store, stub| async move {
        let broken = Answer::error(500, "InternalServerError");
        stub.answers([broken, Answer::Cut, Answer::Hang, Answer::ok()]);
        assert_eq!(apply(&store).await.unwrap(), Applied::Done);
        let requests = stub.requests();
        assert_eq!(requests.len(), 4);
        assert_eq!(tokens(&requests).len(), 1);
    });
}

async fn ends_as(want: &str, calls: usize, store: &DynamoDbPayments, stub: &Stub) {
    let outcome = apply(store).await;
    assert_eq!(name(&outcome), want, "{outcome:?}");
    let requests = stub.requests();
    assert_eq!(requests.len(), calls, "{outcome:?}");
}

#[test]
fn what_only_says_later_ends_as_unavailable_after_the_last_try() {
    on_stub(|store, stub| async move {
        for answer in [
            Answer::cancelled(CONFLICT),
            Answer::cancelled(&["None", "ThrottlingError", "None"]),
            Answer::error(400, "ThrottlingException"),
            Answer::error(400, "ProvisionedThroughputExceededException"),
            Answer::error(400, "RequestLimitExceeded"),
        ] {
            stub.answers([answer]);
            ends_as("Unavailable", TRIES, &store, &stub).await;
        }
    });
}

#[test]
fn what_may_have_been_carried_out_ends_as_unknown_after_the_last_try() {
    on_stub(|store, stub| async move {
        for answer in [
            Answer::error(400, "TransactionInProgressException"),
            Answer::error(400, "IdempotentParameterMismatchException"),
            Answer::error(500, "InternalServerError"),
            Answer::Text(503, "upstream went away"),
            Answer::Text(200, "not JSON"),
            Answer::Cut,
        ] {
            stub.answers([answer]);
            ends_as("Unknown", TRIES, &store, &stub).await;
        }
    });
}

#[test]
fn one_attempt_in_doubt_makes_all_unknown() {
    on_stub(|store, stub| async move {
        for (calls, then) in [
            (TRIES, Answer::error(400, "ThrottlingException")),
            (TRIES, Answer::cancelled(CONFLICT)),
            (2, Answer::error(400, "ValidationException")),
        ] {
            stub.answers([Answer::Cut, then]);
            ends_as("Unknown", calls, &store, &stub).await;
        }
    });
}

#[test]
fn what_is_refused_for_good_is_a_fault_at_once() {
    on_stub(|store, stub| async move {
        for answer in [
            Answer::error(400, "ValidationException"),
            Answer::error(400, "AccessDeniedException"),
            Answer::error(400, "ResourceNotFoundException"),
            Answer::Text(403, "who are you"),
            Answer::cancelled(&["None", "None", "ValidationError"]),
        ] {
            stub.answers([answer]);
            ends_as("Fault", 1, &store, &stub).await;
        }
    });
}

#[test]
fn a_condition_that_failed_is_told_whatever_came_before() {
    on_stub(|store, stub| async move {
        for first in
            [Answer::Cut, Answer::cancelled(CONFLICT), Answer::error(400, "ThrottlingException")]
        {
            stub.answers([first.clone(), Answer::cancelled(FAILED)]);
            assert_eq!(apply(&store).await.unwrap(), Applied::RecordChanged, "{first:?}");
            stub.answers([first, Answer::cancelled(&FAILED[..2])]);
            assert_eq!(create(&store).await.unwrap(), Created::Guarded(None));
        }
    });
}

#[test]
fn a_condition_that_failed_outweighs_a_conflict_behind_it() {
    on_stub(|store, stub| async move {
        stub.answers([Answer::cancelled(&[
            "None",
            "ConditionalCheckFailed",
            "TransactionConflict",
        ])]);
        assert_eq!(apply(&store).await.unwrap(), Applied::NotLive);
        assert_eq!(stub.requests().len(), 1);
        // Whether the record is as expected is not known: it must be before the guard counts.
        stub.answers([
            Answer::cancelled(&["TransactionConflict", "ConditionalCheckFailed", "None"]),
            Answer::cancelled(&["ConditionalCheckFailed", "ConditionalCheckFailed", "None"]),
        ]);
        assert_eq!(apply(&store).await.unwrap(), Applied::RecordChanged);
    });
}

#[test]
fn a_write_without_an_answer_ends_and_is_unknown() {
    on_slow_stub(|store, stub| async move {
        stub.answers([Answer::Hang]);
        assert_eq!(name(&create(&store).await), "Unknown");
        assert!((1..=TRIES).contains(&stub.requests().len()));
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
fn writes_of_one_item_are_judged_alike() {
    let table = [
        ("Unavailable", TRIES, Answer::error(400, "TransactionConflictException")),
        ("Unavailable", TRIES, Answer::error(400, "ThrottlingException")),
        ("Unknown", TRIES, Answer::error(500, "InternalServerError")),
        ("Fault", 1, Answer::error(400, "ItemCollectionSizeLimitExceededException")),
    ];
    on_stub(|store, stub| async move {
        let fresh = Fresh::default();
        let payment = fresh.payment();
        let event = fresh.event(&payment);
        let paid = payment.change_to(Status::Paid, &stripe(""), false, at(1));
        let work = paid.applied_to(payment.clone()).work.unwrap();
        for (want, calls, answer) in table {
            stub.answers([answer.clone()]);
            assert_eq!(name(&store.log(&event).await), want, "{answer:?}");
            assert_eq!(stub.requests().len(), calls, "{answer:?}");
            stub.answers([answer.clone()]);
            let told = store.told(payment.id, work, at(2)).await;
            assert_eq!(name(&told), want, "{answer:?}");
            assert_eq!(stub.requests().len(), calls, "{answer:?}");
        }
    });
}

#[test]
fn reads_are_never_unknown() {
    let table = [
        ("Unavailable", Answer::error(400, "ThrottlingException")),
        ("Unavailable", Answer::error(500, "InternalServerError")),
        ("Unavailable", Answer::Text(200, "not JSON")),
        ("Unavailable", Answer::Cut),
        ("Unavailable", Answer::Hang),
        ("Fault", Answer::error(400, "ValidationException")),
        ("Fault", Answer::error(400, "AccessDeniedException")),
    ];
    on_slow_stub(|store, stub| async move {
        let payment = Fresh::default().payment();
        for (want, answer) in table {
            stub.answers([answer.clone()]);
            assert_eq!(name(&store.payment(payment.id).await), want, "{answer:?}");
            let calls = stub.requests().len();
            assert!((1..=3).contains(&calls), "{answer:?}: {calls} calls");
            assert_eq!(name(&store.guard(payment.oid).await), want, "{answer:?}");
            let hint = store.newest_of_order(payment.oid).await;
            assert_eq!(name(&hint), want, "{answer:?}");
            let page = store.of_user(payment.uid, None, 2).await;
            assert_eq!(name(&page), want, "{answer:?}");
        }
    });
}

#[test]
fn reads_of_records_and_guards_are_consistent() {
    on_stub(|store, stub| async move {
        let payment = Fresh::default().payment();
        stub.answers([Answer::ok()]);
        assert_eq!(store.payment(payment.id).await.unwrap(), None);
        assert_eq!(store.guard(payment.oid).await.unwrap(), None);
        for (operation, input) in stub.requests() {
            assert_eq!((operation.as_str(), &input["ConsistentRead"]), ("GetItem", &json!(true)));
        }

        stub.answers([Answer::Json(200, json!({"Items": [{"id": {"N": "7"}}]})), Answer::ok()]);
        assert_eq!(store.of_user(payment.uid, None, 2).await.unwrap(), []);
        let requests = stub.requests();
        let (operation, input) = &requests[1];
        assert_eq!(operation, "BatchGetItem");
        assert_eq!(input["RequestItems"]["payments"]["ConsistentRead"], json!(true));
    });
}

#[test]
fn keys_left_unprocessed_are_asked_for_again_and_no_others() {
    let index = json!({"Items": [{"id": {"N": "9"}}, {"id": {"N": "8"}}]});
    let keys = json!([{"pk": {"S": "pay#8"}, "sk": {"S": "record"}}]);
    let rest = json!({"UnprocessedKeys": {"payments": {"Keys": keys}}});
    on_stub(|store, stub| async move {
        let uid = Fresh::default().user();
        let some = Answer::Json(200, rest);
        stub.answers([Answer::Json(200, index.clone()), some.clone(), some.clone(), Answer::ok()]);
        assert_eq!(store.of_user(uid, None, 2).await.unwrap(), []);
        let requests = stub.requests();
        assert_eq!(requests.len(), 4);
        assert_eq!(requests[3].1["RequestItems"]["payments"]["Keys"], keys);

        stub.answers([Answer::Json(200, index), some]);
        assert_eq!(name(&store.of_user(uid, None, 2).await), "Unavailable");
        assert_eq!(stub.requests().len(), 1 + TRIES);
    });
}

#[test]
fn an_answer_longer_than_any_of_dynamodbs_is_none() {
    on_stub(|store, stub| async move {
        let long = "x".repeat(16 * 1024 * 1024);
        stub.answers([Answer::Json(200, json!({"Item": {}, "x": long}))]);
        let id = PaymentId::new(1).unwrap();
        assert_eq!(name(&store.payment(id).await), "Unavailable");
        assert_eq!(stub.requests().len(), 1);
    });
}

#[test]
fn a_failure_tells_its_cause_and_no_content() {
    on_stub(|store, stub| async move {
        let mut refused = json!({"__type": "ValidationException", "message": "why"});
        refused["Item"] = json!({"body": {"S": "canary"}});
        stub.answers([Answer::Json(400, refused)]);
        let Err(StoreError::Fault(cause)) = create(&store).await else {
            panic!("a validation error is a fault");
        };
        let text = format!("{cause:?} {cause}");
        assert!(text.contains("TransactWriteItems: ValidationException (HTTP 400"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    });
}
