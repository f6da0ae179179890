//! What the services answer a measured request: always that it may go on.

use bench::plan::Canned;
use serde_json::{Value, json};

use crate::shop::ShopRoute;
use crate::{clock, defaults};

/// The payment that everything is about. Its order is 1, its user 1.
pub(super) const PAYMENT: u64 = 115_527_352_882_704;

/// The payment's record, pending, as `DynamoDB` writes it.
fn record() -> Value {
    let (n, s) = (|n: u64| json!({"N": n.to_string()}), |s: &str| json!({"S": s}));
    let made = clock::now_ms();
    json!({
        "pk": s(&format!("pay#{PAYMENT}")), "sk": s("record"), "id": n(PAYMENT), "uid": n(1),
        "oid": n(1), "amount": n(100), "currency": s("CNY"), "source": n(0), "status": n(0),
        "create_time": n(made), "update_time": n(made), "version": n(1),
    })
}

/// What an index holds of it.
fn entry() -> Value {
    let n = |n: u64| json!({"N": n.to_string()});
    let key = json!({"S": format!("pay#{PAYMENT}")});
    json!({"pk": key, "sk": {"S": "record"}, "id": n(PAYMENT), "uid": n(1), "oid": n(1)})
}

fn shop() -> Vec<Canned> {
    vec![
        Canned::ok(ShopRoute::UserInfo.path(), json!({"id": 1, "name": "user 1"}).to_string()),
        Canned::ok(
            ShopRoute::OrderDetail.path(),
            json!({"id": 1, "uid": 1, "pid": 1, "amount": 100, "status": 0}).to_string(),
        ),
        Canned::ok(ShopRoute::OrderPaid.path(), "{}"),
    ]
}

/// A user and an unpaid order, no payment yet.
pub(super) fn create() -> Vec<Canned> {
    let mut answers = shop();
    answers
        .push(Canned::ok("Query", json!({"Count": 0, "ScannedCount": 0, "Items": []}).to_string()));
    answers.push(Canned::ok("TransactWriteItems", "{}"));
    answers
}

/// The record, and the order for those who ask.
pub(super) fn detail() -> Vec<Canned> {
    let mut answers = shop();
    answers.push(Canned::ok("GetItem", json!({"Item": record()}).to_string()));
    answers
}

/// The order's newest payment, then its record.
pub(super) fn detail_by_order() -> Vec<Canned> {
    let mut answers = detail();
    let found = json!({"Count": 1, "ScannedCount": 1, "Items": [entry()]});
    answers.push(Canned::ok("Query", found.to_string()));
    answers
}

/// A user's one payment, then its record.
pub(super) fn list() -> Vec<Canned> {
    let mut answers = detail_by_order();
    let found = json!({"Responses": {defaults::TABLE: [record()]}, "UnprocessedKeys": {}});
    answers.push(Canned::ok("BatchGetItem", found.to_string()));
    answers
}

/// The record, still pending, and every write goes through.
pub(super) fn callback() -> Vec<Canned> {
    let mut answers = detail();
    answers.push(Canned::ok("TransactWriteItems", "{}"));
    answers.push(Canned::ok("UpdateItem", "{}"));
    answers
}

/// Both secrets in their current generation; there is no previous one.
pub(super) fn secrets(secrets: &[(&'static str, String)]) -> Vec<Canned> {
    let read = |stage: &str, about: &str, status: u16, body: Value| Canned {
        about: if stage.is_empty() { about.to_owned() } else { stage.to_owned() },
        status,
        ..Canned::ok("GetSecretValue", body.to_string())
    };
    let missing = json!({"__type": "ResourceNotFoundException", "Message": "no such version"});
    let mut answers = vec![read("AWSPREVIOUS", "", 400, missing)];
    for (id, text) in secrets {
        let found = json!({
            "ARN": format!("arn:aws:secretsmanager:{}:{}:secret:{id}-000000", defaults::REGION, defaults::ACCOUNT),
            "Name": id, "VersionId": clock::uuid(), "SecretString": text,
            "VersionStages": ["AWSCURRENT"], "CreatedDate": clock::now_secs(),
        });
        answers.push(read("", id, 200, found));
    }
    answers
}
