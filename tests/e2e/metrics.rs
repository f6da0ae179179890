//! What the functions count: each metric of the catalogue is observed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use local::messages::Outcome;
use local::{Fault, ShopRoute, Stack, binaries, defaults};
use pay_core::domain::{CheckoutMethod, Provider};
use pay_service::metrics::{ALL, NAMESPACE};
use serde_json::{Value, json};

use crate::checkouts::{close, reference, started};
use crate::echo::eventually;
use crate::logs::logged;
use crate::providers::{deliver_edited, message};
use crate::stage::{
    age, create, notify, order, own, payment, payment_in, payment_of, recycle, user,
};
use crate::sweep::sweep_all;
use crate::{api, checkouts, table};

/// What was counted so far: every value that was written, by metric and dimensions.
fn counted(stack: &Stack) -> BTreeMap<(String, String), Vec<u64>> {
    let mut counted: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    for line in stack.logs().lines().filter(|line| line.contains("_aws")) {
        let line: Value = serde_json::from_str(line).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], NAMESPACE);
        assert!(line["_aws"]["Timestamp"].is_u64());
        let dimensions = directive["Dimensions"][0].as_array().unwrap();
        let dimensions: Vec<&str> =
            dimensions.iter().map(|name| line[name.as_str().unwrap()].as_str().unwrap()).collect();
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(metric["Unit"].is_string(), "{metric}");
            let name = metric["Name"].as_str().unwrap();
            let values = match line[name].as_array() {
                Some(values) => values.iter().map(whole).collect(),
                None => vec![whole(&line[name])],
            };
            let key = (name.to_owned(), dimensions.join(" "));
            counted.entry(key).or_default().extend(values);
        }
    }
    counted
}

/// The library writes `3.0` for 3.
fn whole(number: &Value) -> u64 {
    number.to_string().trim_end_matches(".0").parse().unwrap()
}

/// Waits until a metric has this sum under these dimensions.
pub(crate) async fn expect(stack: &Stack, name: &str, dimensions: &str, sum: u64) {
    let of = |counted: BTreeMap<(String, String), Vec<u64>>| {
        let key = (name.to_owned(), dimensions.to_owned());
        counted.get(&key).map_or(0, |values| values.iter().sum::<u64>())
    };
    eventually(&format!("{name} {dimensions} is {sum}"), || of(counted(stack)) == sum).await;
}

#[tokio::test]
async fn payments_and_their_amounts_are_counted() {
    let stack = own().await;
    let one = payment(&stack).await;
    let again = || api::post(&stack, "create").payer(one.uid).json(&one.request());
    again().send().await.problem("payment-exists");
    again().header("idempotency-key", "other").send().await.problem("payment-exists");
    expect(&stack, "PaymentsCreated", "create", 1).await;
    expect(&stack, "DuplicatesRejected", "create", 2).await;
    for (status, name) in [(2, "PaymentsFailed"), (3, "PaymentsClosed"), (1, "PaymentsPaid")] {
        notify(&stack, one, 1, status).await.ok();
        notify(&stack, one, 1, status).await.ok();
        expect(&stack, name, "callback", 1).await;
    }
    notify(&stack, one, 1, 4).await.ok();
    expect(&stack, "PaymentsRefunded", "callback", 1).await;
    expect(&stack, "RefundsRecorded", "callback", 1).await;
    expect(&stack, "AmountPaid", "callback CNY", 100).await;
    expect(&stack, "AmountRefunded", "callback CNY", 100).await;
    expect(&stack, "ColdStarts", "create", 1).await;
    let counted = counted(&stack);
    let took = |service: &str| {
        let key = ("UpstreamMilliseconds".to_owned(), format!("create {service}"));
        counted[&key].len()
    };
    assert_eq!((took("users"), took("orders")), (3, 3));
    assert_eq!(counted.get(&("Faults".to_owned(), "create".to_owned())), None);
}

#[tokio::test]
async fn queries_and_what_is_abandoned_are_counted() {
    let stack = own().await;
    let mut secret = defaults::provider_secrets().unwrap();
    secret["stripe"]["api_key"] = json!("rk_test_of_another_account");
    stack.secrets().put(defaults::PROVIDER_SECRET_ID, secret.to_string());
    payment(&stack).await;
    assert_eq!(sweep_all(&stack).await["queried"], 1);
    expect(&stack, "QueriesFailed", "callback stripe rejected", 1).await;
    expect(&stack, "QueriesFailed", "callback", 1).await;
    expect(&stack, "QueriesRejected", "callback", 1).await;

    let stack = own().await;
    let left = payment(&stack).await;
    age(&stack, left, 71).await;
    assert_eq!(sweep_all(&stack).await["queried"], 1);
    age(&stack, left, 2).await;
    assert_eq!(sweep_all(&stack).await["abandoned"], 1);
    assert!(!table::is_due(&stack, left.id).await);
    expect(&stack, "PaymentsAbandoned", "callback", 1).await;
}

/// Checkouts, what a provider refuses, and a refund of which nothing is known.
#[tokio::test]
async fn calls_that_act_at_providers_are_counted() {
    let stack = own().await;
    let stripe = stack.account(Provider::Stripe).unwrap();
    let (one, other) = (payment(&stack).await, payment(&stack).await);
    started(&stack, one, CheckoutMethod::StripeIntent).await;
    expect(&stack, "CheckoutsStarted", "create", 1).await;
    expect(&stack, "CheckoutsStarted", "create stripe", 1).await;
    stripe.refuse_checkouts(Some("amount_too_small"));
    let asked = checkouts::request(other, CheckoutMethod::StripeIntent);
    checkouts::checkout(&stack, other, &asked).await.problem("provider-refused");
    expect(&stack, "ProviderRefused", "create", 1).await;
    expect(&stack, "ProviderRefused", "create stripe", 1).await;
    stripe.refuse_checkouts(None);
    // Closed by create itself, and paid by what a query of create reports.
    assert_eq!(close(&stack, one).await, 3);
    expect(&stack, "PaymentsClosed", "create", 1).await;
    let paid = payment(&stack).await;
    started(&stack, paid, CheckoutMethod::StripeIntent).await;
    stripe.lose_webhooks(true);
    stripe.pay_checkout(&reference(paid, 1)).await.unwrap();
    assert_eq!(close(&stack, paid).await, 1);
    expect(&stack, "PaymentsPaid", "create", 1).await;

    stripe.set_fault("stripe:make-refund", Fault::Status(500), None).unwrap();
    stripe.set_fault("stripe:refunds", Fault::Status(500), None).unwrap();
    let refund = json!({"id": paid.id, "amount": 5});
    let refund = api::authorized(&stack, "refund", 1).json(&refund).send().await.ok();
    assert_eq!(refund["status"], "requested");
    let sk = format!("refund#{}", refund["refund_id"].as_str().unwrap());
    let item = table::refund(&stack, paid.id, &refund).await;
    let before = item["create_time"].as_u64().unwrap().saturating_sub(7_200_000).to_string();
    table::set(&stack, &format!("pay#{}", paid.id), &sk, "create_time", json!({"N": before})).await;
    let swept = sweep_all(&stack).await;
    assert!(swept["oldest_refund_seconds"].as_u64().is_some_and(|secs| secs >= 7200), "{swept}");
    let key = ("OldestRefundSeconds".to_owned(), "callback".to_owned());
    eventually("the age of the refund", || counted(&stack).contains_key(&key)).await;
    assert!(counted(&stack)[&key].iter().all(|secs| *secs >= 7200));
}

/// What is closed already is not counted again.
#[tokio::test]
async fn what_the_sweep_closes_is_counted_once() {
    let stack = own().await;
    let late = payment(&stack).await;
    started(&stack, late, CheckoutMethod::WeChatNative).await;
    let wechat = stack.account(Provider::WeChat).unwrap();
    wechat.set_fault("wechat:close", Fault::Status(500), None).unwrap();
    assert_eq!(close(&stack, late).await, 0);
    wechat.clear_faults();
    assert_eq!(sweep_all(&stack).await["moved"], 1);
    assert_eq!(close(&stack, late).await, 3);
    sweep_all(&stack).await;
    expect(&stack, "PaymentsClosed", "callback", 1).await;
    let by_create = ("PaymentsClosed".to_owned(), "create".to_owned());
    assert_eq!(counted(&stack).get(&by_create), None);
}

#[tokio::test]
async fn a_replay_is_counted_as_one() {
    let stack = own().await;
    let (uid, _, body) = order(&stack);
    for _ in 0..2 {
        create(&stack, uid, &body).await.ok();
    }
    expect(&stack, "CreatesReplayed", "create", 1).await;
    expect(&stack, "PaymentsCreated", "create", 1).await;
}

#[tokio::test]
async fn mismatches_and_failures_are_counted() {
    let stack = own().await;
    let paid = payment_in(&stack, 1).await;
    let mut less = paid.native(1, 1);
    less["amount"] = json!(1);
    let signed = api::post(&stack, "callback").json(&less).signed();
    signed.send().await.problem("amount-mismatch");
    expect(&stack, "NotificationsQuarantined", "callback", 1).await;
    expect(&stack, "NotificationsQuarantined", "callback amount", 1).await;

    for kind in ["charge.dispute.created", "customer.created"] {
        let other = message(paid, Outcome::Paid);
        deliver_edited(&stack, Provider::Stripe, &other, |event| event["type"] = json!(kind)).await;
    }
    let unpaid = message(paid, Outcome::Paid);
    let waits = |form: &mut Value| form["trade_status"] = json!("WAIT_BUYER_PAY");
    deliver_edited(&stack, Provider::Alipay, &unpaid, waits).await;
    expect(&stack, "MessagesIgnored", "callback", 3).await;
    expect(&stack, "MessagesIgnored", "callback stripe dispute", 1).await;
    expect(&stack, "MessagesIgnored", "callback stripe other-kind", 1).await;
    expect(&stack, "MessagesIgnored", "callback alipay unpaid", 1).await;

    let unsigned = api::post(&stack, "callback/stripe").json(&json!({}));
    unsigned.send().await.problem("bad-signature");
    expect(&stack, "SignaturesRejected", "callback", 1).await;
    expect(&stack, "SignaturesRejected", "callback stripe malformed", 1).await;
    let nobody = api::post(&stack, "detail").json(&json!({"id": 1}));
    nobody.send().await.problem("unauthenticated");
    expect(&stack, "TokensRejected", "detail", 1).await;
    expect(&stack, "TokensRejected", "detail no-header", 1).await;

    let due = payment(&stack).await;
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    notify(&stack, due, 1, 1).await.problem("unavailable");
    expect(&stack, "OrderNotificationsFailed", "callback", 1).await;
    expect(&stack, "PaymentsPaid", "callback", 2).await;
    expect(&stack, "UpstreamFailures", "callback orders", 1).await;
    expect(&stack, "Unavailable", "callback", 1).await;
    assert!(table::is_due(&stack, due.id).await);
    sweep_all(&stack).await;
    expect(&stack, "OrderNotificationsDue", "callback", 1).await;
    expect(&stack, "OrderNotificationsFailed", "callback", 2).await;
    let key = ("OldestDueSeconds".to_owned(), "callback".to_owned());
    assert_eq!(counted(&stack)[&key].len(), 1);

    stack.dynamodb_control().set_fault("GetItem", Fault::Status(400), None);
    let detail = || api::post(&stack, "detail").payer(paid.uid).json(&json!({"id": paid.id}));
    detail().send().await.problem("internal");
    expect(&stack, "Faults", "detail", 1).await;
    stack.secrets().set_raw(defaults::AUTH_SECRET_ID, "{}");
    recycle(&stack, "detail").await;
    detail().send().await.problem("unavailable");
    // One at start, one for the request.
    expect(&stack, "SecretFailures", "detail", 2).await;
    let mut spoilt = stack.webhook_secrets.clone();
    spoilt["stripe"] = json!({});
    stack.secrets().set_raw(defaults::WEBHOOK_SECRET_ID, spoilt.to_string());
    recycle(&stack, "callback").await;
    let unjudged = api::post(&stack, "callback/stripe").json(&json!({}));
    unjudged.send().await.problem("unavailable");
    expect(&stack, "SignaturesRejected", "callback stripe key", 1).await;
    // Both secrets at start, and one again because a new key may have signed.
    expect(&stack, "SecretFailures", "callback", 3).await;
}

#[tokio::test]
async fn an_unreadable_entry_of_the_due_index_is_skipped_and_counted() {
    let stack = own().await;
    let due = payment(&stack).await;
    stack.shop().set_fault(ShopRoute::OrderPaid, Fault::Status(500), None);
    notify(&stack, due, 1, 1).await.problem("unavailable");
    stack.shop().clear_faults();
    let queue = table::record(&stack, due.id).await["queue"].clone();
    let unreadable = json!({"pk": {"S": "pay#x"}, "sk": {"S": "record"}, "queue": {"S": queue},
        "due": {"N": "1"}});
    table::put(&stack, unreadable).await;
    assert_eq!(sweep_all(&stack).await["notified"], 1);
    logged(&stack, "an unreadable item is skipped").await;
    expect(&stack, "UnreadableItems", "callback", 1).await;
}

#[tokio::test]
async fn an_unreadable_record_takes_no_other_from_a_payers_list() {
    let stack = own().await;
    let (uid, mut own) = (user(&stack), Vec::new());
    for _ in 0..3 {
        own.insert(0, payment_of(&stack, uid, 100).await.id);
    }
    let page = async |request: Value| {
        api::post(&stack, "list").payer(uid).json(&request).send().await.ok()
    };
    let [newest, spoilt, oldest] = &own[..] else { panic!("{own:?}") };
    table::set(&stack, &format!("pay#{spoilt}"), "record", "currency", json!({"S": "cny"})).await;
    let whole = page(json!({})).await;
    let shown: Vec<_> =
        whole["payments"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!((shown, whole.get("cursor")), (vec![&json!(newest), &json!(oldest)], None));
    let first = page(json!({"limit": 2})).await;
    assert_eq!(first["payments"].as_array().unwrap().len(), 1);
    assert_eq!(first["cursor"], *spoilt, "the page is short and goes past what it leaves out");
    let last = page(json!({"limit": 2, "cursor": first["cursor"]})).await;
    assert_eq!((&last["payments"][0]["id"], last.get("cursor")), (&json!(oldest), None));
    logged(&stack, "an unreadable item is skipped").await;
    logged(&stack, &format!("\"pk\":\"pay#{spoilt}\"")).await;
    expect(&stack, "UnreadableItems", "detail", 2).await;
}

#[test]
fn every_metric_is_in_its_table_and_in_a_test() {
    let file = |name: &str| fs::read_to_string(binaries::workspace().unwrap().join(name)).unwrap();
    let operations = file("docs/operations.md");
    let rows: BTreeSet<&str> = operations
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter(|(_, rest)| {
            ["Count", "Seconds", "Milliseconds"].iter().any(|u| rest.starts_with(u))
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(rows, ALL.iter().map(|metric| metric.name).collect(), "docs/operations.md");
    let tested = file("tests/e2e/metrics.rs");
    for metric in ALL {
        assert!(tested.contains(&format!("\"{}\"", metric.name)), "{} is not tested", metric.name);
    }
}
