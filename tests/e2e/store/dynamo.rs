//! The table on an embedded DynamoDB, or on the one at `STORE_ENDPOINT`, and its rows read without the
//! adapter.

use std::{collections::HashMap, env, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use dynoxide::{Database, server::serve_with_shutdown};
use local::{binaries, create_table, defaults::REGION, template::Template};
use pay_core::{
    domain::{PaymentId, Sender},
    testing::{Inspect, Listed, LoggedEvent, contract::fresh::Fresh},
};
use pay_service::adapters::{
    aws::{self, AwsSettings, Timeouts},
    dynamodb::DynamoDbPayments,
    https,
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use crate::echo::http;

pub(super) const TABLE: &str = "payments";

/// For responses that come, however busy the machine is.
pub(crate) const PATIENT: Timeouts =
    Timeouts { attempt: Duration::from_mins(1), operation: Duration::from_mins(1) };

pub(super) type Item = HashMap<String, AttributeValue>;

/// A DynamoDB client as the functions build theirs, but for the timeouts.
pub(crate) fn client(endpoint: &str, timeouts: Timeouts) -> Client {
    let settings = AwsSettings::load(|name| {
        let value = match name {
            "AWS_REGION" => REGION,
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "local",
            "AWS_ENDPOINT_URL_DYNAMODB" => endpoint,
            _ => return None,
        };
        Some(value.to_owned())
    });
    let http = https::client(https::tls(None).unwrap(), https::Pool::Kept).unwrap();
    aws::dynamodb(&settings.unwrap().with_timeouts(timeouts), &http)
}

/// The adapter on a table of its own.
pub(super) struct Dynamo {
    pub(super) payments: DynamoDbPayments,
    pub(super) raw: Client,
    pub(super) endpoint: String,
    pub(super) table: String,
}

impl Dynamo {
    /// A new table at this endpoint.
    async fn at(endpoint: &str) -> Self {
        let raw = client(endpoint, PATIENT);
        let table = format!("{TABLE}-{}", uuid::Uuid::new_v4());
        let template =
            Template::read(&binaries::workspace().unwrap().join("template.yaml")).unwrap();
        create_table(&http(), endpoint, &table, &template.table).await.unwrap();
        let payments = DynamoDbPayments::new(raw.clone(), &table);
        Self { payments, raw, endpoint: endpoint.to_owned(), table }
    }
}

/// The runtime of a function.
pub(super) fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// Runs a case on an empty table: on an embedded DynamoDB of its own, or on the one at `STORE_ENDPOINT`,
/// which must hold no data of value.
pub(super) fn on_dynamo<F: Future<Output = ()>>(case: impl FnOnce(Dynamo, Fresh) -> F) {
    runtime().block_on(async {
        if let Ok(endpoint) = env::var("STORE_ENDPOINT") {
            return case(Dynamo::at(&endpoint).await, Fresh::default()).await;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let database = Database::memory().unwrap();
        let run = async { case(Dynamo::at(&endpoint).await, Fresh::default()).await };
        tokio::select! {
            served = serve_with_shutdown(listener, database, std::future::pending()) => {
                panic!("DynamoDB ended: {served:?}")
            }
            () = run => {}
        }
    });
}

/// Runs a case of the contract.
pub(super) fn case<F: Future<Output = ()>>(
    case: impl FnOnce(DynamoDbPayments, Dynamo, Fresh) -> F,
) {
    on_dynamo(|table, fresh| case(table.payments.clone(), table, fresh));
}

impl Dynamo {
    /// Every row of the table, or of an index of it.
    pub(super) async fn scan(&self, index: Option<&str>) -> Vec<Item> {
        let scan = self.raw.scan().table_name(&self.table);
        let scan = scan.set_index_name(index.map(str::to_owned));
        scan.send().await.unwrap().items.unwrap()
    }

    /// The rows of a partition whose sort keys begin so.
    async fn beginning(&self, pk: String, sk: &str) -> Vec<Item> {
        let query = self.raw.query().table_name(&self.table).consistent_read(true);
        let found = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":sk", AttributeValue::S(sk.to_owned()))
            .send()
            .await;
        found.unwrap().items.unwrap()
    }

    /// Writes a row as it is.
    pub(super) async fn put(&self, item: Item) {
        let put = self.raw.put_item().table_name(&self.table);
        put.set_item(Some(item)).send().await.unwrap();
    }
}

pub(super) fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name).map(|value| value.as_s().unwrap().clone())
}

pub(super) fn number(item: &Item, name: &str) -> Option<u64> {
    let value = item.get(name)?;
    Some(value.as_n().unwrap().parse().unwrap())
}

fn read_event(item: &Item) -> LoggedEvent {
    LoggedEvent {
        pk: text(item, "pk").unwrap(),
        sk: text(item, "sk").unwrap(),
        at: number(item, "at").unwrap(),
        sender: text(item, "sender").unwrap(),
        outcome: text(item, "outcome"),
        status_before: number(item, "status_before"),
        status_after: number(item, "status_after"),
        version: number(item, "version"),
        verdict: text(item, "verdict").unwrap(),
        mismatch: text(item, "mismatch"),
        expected: text(item, "expected"),
        received: text(item, "received"),
        source: number(item, "source").unwrap(),
        provider_txn: text(item, "provider_txn"),
        amount: number(item, "amount"),
        refund: text(item, "refund"),
        refund_reference: text(item, "refund_reference"),
        refund_amount: number(item, "refund_amount"),
        refund_state: text(item, "refund_state"),
        refunded: number(item, "refunded"),
        checkout: number(item, "checkout"),
        currency: text(item, "currency"),
        sha256: text(item, "sha256").unwrap(),
        len: number(item, "len").unwrap(),
        body: item["body"].as_b().unwrap().clone().into_inner(),
        queue: text(item, "queue"),
        due: number(item, "due"),
        by: text(item, "by"),
        about: text(item, "about"),
        decision: text(item, "decision"),
        decided_by: text(item, "decided_by"),
        decided_time: number(item, "decided_time"),
        decision_event: text(item, "decision_event"),
    }
}

impl Inspect for Dynamo {
    async fn events(&self, of: Option<PaymentId>, sender: Sender) -> Vec<LoggedEvent> {
        let pk = match of {
            Some(id) => format!("pay#{id}"),
            None => format!("unmatched#{}", sender.as_str()),
        };
        self.beginning(pk, "event#").await.iter().map(read_event).collect()
    }

    async fn refund_references(&self, of: PaymentId) -> Vec<(String, String)> {
        let found = self.beginning(format!("pay#{of}"), "refund-ref#").await;
        let reference = |item| (text(item, "sk").unwrap(), text(item, "refund").unwrap());
        found.iter().map(reference).collect()
    }

    async fn listed(&self) -> Vec<Listed> {
        let entries = self.scan(Some("due-index")).await;
        let mut listed: Vec<_> = entries
            .iter()
            .map(|item| Listed {
                queue: text(item, "queue").unwrap(),
                due: number(item, "due").unwrap(),
                pk: text(item, "pk").unwrap(),
                sk: text(item, "sk").unwrap(),
            })
            .collect();
        listed.sort();
        listed
    }

    async fn spoil(&self, id: PaymentId) {
        let update = self.raw.update_item().table_name(&self.table);
        let update = update
            .key("pk", AttributeValue::S(format!("pay#{id}")))
            .key("sk", AttributeValue::S("record".to_owned()))
            .update_expression("SET #status = :none")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":none", AttributeValue::N("9".to_owned()));
        update.send().await.unwrap();
    }
}
