use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Config, Credentials, Region, SharedCredentialsProvider,
        http::{HttpRequest, HttpResponse},
    },
};
use aws_smithy_runtime_api::{
    client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use pay_core::domain::{PaymentId, RefundId};
use serde_json::{Value, json};

use super::*;

/// A due index: entries as (due, pk, sk), in each queue longest overdue first.
#[derive(Clone, Debug, Default)]
struct DueIndex {
    entries: Vec<(Value, String, &'static str)>,
    /// The queue and limit of each query.
    queries: Arc<Mutex<Vec<(String, usize)>>>,
}

impl DueIndex {
    fn with(ids: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let entries = ids
            .into_iter()
            .map(|(due, id)| (json!({"N": due.to_string()}), format!("pay#{id}"), "record"));
        Self { entries: entries.collect(), ..Self::default() }
    }

    fn query(&self, input: &Value) -> Value {
        let queue = input["ExpressionAttributeValues"][":queue"]["S"].as_str().unwrap();
        let limit = usize::try_from(input["Limit"].as_u64().unwrap()).unwrap();
        self.queries.lock().unwrap().push((queue.to_owned(), limit));
        let number: u64 = queue.strip_prefix("sweep#").unwrap().parse().unwrap();
        let of_queue = self.entries.iter().filter(|(_, pk, _)| {
            let id = pk.strip_prefix("pay#").and_then(|id| id.parse::<u64>().ok());
            id.unwrap_or(0) % SWEEP_QUEUES == number
        });
        let keys: Vec<_> = of_queue
            .map(|(due, pk, sk)| json!({"due": due, "pk": {"S": pk}, "sk": {"S": sk}}))
            .collect();
        let last = keys.iter().position(|key| *key == input["ExclusiveStartKey"]);
        let rest = last.map_or(&keys[..], |last| keys[last..].split_first().unwrap().1);
        let page = &rest[..limit.min(rest.len())];
        let mut response = json!({"Items": page});
        if page.len() == limit {
            response["LastEvaluatedKey"] = page.last().unwrap().clone();
        }
        response
    }
}

impl HttpConnector for DueIndex {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let input = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let body = SdkBody::from(self.query(&input).to_string());
        let ok = StatusCode::try_from(200).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, body)))
    }
}

/// The ids of the payments that are due; no refund is.
async fn due(index: &DueIndex, limit: usize) -> Vec<u64> {
    let id = |item| match item {
        DueItem::Payment(id) => id.get(),
        DueItem::Refund(..) => panic!("{item:?}"),
    };
    due_items(index, limit).await.into_iter().map(id).collect()
}

async fn due_items(index: &DueIndex, limit: usize) -> Vec<DueItem> {
    let stub = index.clone();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKID", "SECRET", None, None, "tests",
        )))
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(stub.clone())))
        .build();
    let payments = DynamoDbPayments::new(Client::from_conf(config), "payments");
    payments.due_items(None, limit).await.unwrap()
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_stop_the_others() {
    let mut index = DueIndex::with((1..=40).map(|id| (id, id)));
    let due_at = |due: &str| json!({"N": due});
    index.entries.splice(
        0..0,
        [
            (due_at("0"), "order#7".to_owned(), "record"),
            (due_at("0"), "pay#x".to_owned(), "record"),
            (due_at("0"), "pay#32".to_owned(), "event#native#1"),
            (due_at("-1"), "pay#64".to_owned(), "record"),
            (due_at("1.5"), "pay#96".to_owned(), "record"),
        ],
    );
    // All five are in the first queue, and it is read beyond them.
    assert_eq!(due(&index, 40).await, (1..=40).collect::<Vec<_>>());
    assert_eq!(due(&index, 33).await, (1..=33).collect::<Vec<_>>());
}

/// A refund is in the queue of its payment.
#[tokio::test]
async fn refunds_are_listed_among_the_payments() {
    let mut index = DueIndex::with([(1, 64), (3, 32)]);
    let at = |due: &str| json!({"N": due});
    index.entries.splice(
        1..1,
        [
            (at("2"), "pay#32".to_owned(), "refund#32_0123456789abcdef"),
            (at("2"), "pay#32".to_owned(), "refund#"),
            (at("2"), "pay#32".to_owned(), "refund#a b"),
            (at("2"), "pay#x".to_owned(), "refund#total-9"),
            (at("2"), "pay#32".to_owned(), "refund-ref#stripe#re_1"),
            (at("2"), "order#32".to_owned(), "refund#total-9"),
        ],
    );
    let payment = |id| PaymentId::new(id).unwrap();
    let refund = RefundId::new("32_0123456789abcdef").unwrap();
    let all = [
        DueItem::Payment(payment(64)),
        DueItem::Refund(payment(32), refund),
        DueItem::Payment(payment(32)),
    ];
    assert_eq!(due_items(&index, 9).await, all);
    assert_eq!(due_items(&index, 2).await, all[..2]);
}

#[tokio::test]
async fn the_longest_overdue_come_first_however_the_queues_are_filled() {
    // Everything is in one queue.
    let one = DueIndex::with((1..=200).map(|n| (n, n * SWEEP_QUEUES)));
    let want: Vec<_> = (1..=100).map(|n| n * SWEEP_QUEUES).collect();
    assert_eq!(due(&one, 100).await, want);
    // Every other queue is read once: it has ended.
    let queries = std::mem::take(&mut *one.queries.lock().unwrap());
    let again = queries.iter().filter(|(queue, _)| queue != "sweep#0").count();
    assert_eq!(again, usize::try_from(SWEEP_QUEUES).unwrap() - 1);

    let even = DueIndex::with((1..=6400).map(|id| (10_000 - id, id)).rev());
    let want: Vec<_> = (5401..=6400).rev().collect();
    assert_eq!(due(&even, 1000).await, want);
    // A queue holds 200 entries, and its share of the longest overdue was in its first page.
    let queries = even.queries.lock().unwrap();
    assert_eq!(queries.len(), usize::try_from(SWEEP_QUEUES).unwrap());
    assert!(queries.iter().all(|(_, limit)| *limit == 64), "{queries:?}");
}

#[tokio::test]
async fn no_payment_is_listed_for_a_limit_of_none() {
    let index = DueIndex::with([(1, 1)]);
    assert!(due(&index, 0).await.is_empty());
    assert!(index.queries.lock().unwrap().is_empty());
    assert!(due(&DueIndex::default(), 9).await.is_empty());
}
