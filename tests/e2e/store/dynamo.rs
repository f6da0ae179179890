//! An embedded DynamoDB with the table, or that of `STORE_ENDPOINT`, and a look at the rows without
//! the adapter.

use std::{collections::HashMap, env, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, Projection, ProjectionType, ScalarAttributeType,
    },
};
use dynoxide::{Database, server::serve_with_shutdown};
use local::clock;
use pay_core::{
    domain::{
        Change, Event, EventKey, Guard, OrderId, Payment, PaymentId, Provider, Quarantined,
        Timestamp, UserId, Work,
    },
    ports::{Applied, Created, Logged, PaymentStore, Quarantine, StoreError},
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

pub(super) const TABLE: &str = "payments";

/// For answers that come, however busy the machine is.
pub(super) const PATIENT: Timeouts =
    Timeouts { attempt: Duration::from_mins(1), operation: Duration::from_mins(1) };

pub(super) type Item = HashMap<String, AttributeValue>;

/// A DynamoDB client as the functions build theirs, but for the timeouts.
pub(super) fn client(endpoint: &str, timeouts: Timeouts) -> Client {
    let settings = AwsSettings::load(|name| {
        let value = match name {
            "AWS_REGION" => "eu-west-1",
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
        let table = format!("{TABLE}-{}", clock::uuid());
        create_table(&raw, &table).await;
        let payments = DynamoDbPayments::new(raw.clone(), &table);
        Self { payments, raw, endpoint: endpoint.to_owned(), table }
    }
}

/// What a function runs on.
pub(super) fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// Runs a case on an empty table: of an embedded DynamoDB of its own, or of that at `STORE_ENDPOINT`,
/// which must be one to be thrown away.
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
                panic!("DynamoDB went away: {served:?}")
            }
            () = run => {}
        }
    });
}

async fn create_table(client: &Client, table: &str) {
    use ScalarAttributeType::{N, S};
    let attributes =
        [("pk", S), ("sk", S), ("id", N), ("oid", N), ("uid", N), ("work", S), ("due", N)];
    let attributes = attributes.map(|(name, of)| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(of).build().unwrap()
    });
    let keys = |hash: &str, range: &str| {
        [(hash, KeyType::Hash), (range, KeyType::Range)].map(|(name, of)| {
            let key = KeySchemaElement::builder().attribute_name(name);
            key.key_type(of).build().unwrap()
        })
    };
    let indexes = [("oid", "id"), ("uid", "id"), ("work", "due")].map(|(hash, range)| {
        let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly);
        GlobalSecondaryIndex::builder()
            .index_name(format!("{hash}-index"))
            .set_key_schema(Some(keys(hash, range).into()))
            .projection(keys_only.build())
            .build()
            .unwrap()
    });
    client
        .create_table()
        .table_name(table)
        .set_attribute_definitions(Some(attributes.into()))
        .set_key_schema(Some(keys("pk", "sk").into()))
        .set_global_secondary_indexes(Some(indexes.into()))
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

impl Dynamo {
    /// Every row of the table, or of an index of it.
    pub(super) async fn scan(&self, index: Option<&str>) -> Vec<Item> {
        let scan = self.raw.scan().table_name(&self.table);
        let scan = scan.set_index_name(index.map(str::to_owned));
        scan.send().await.unwrap().items.unwrap()
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
        provider: text(item, "provider").unwrap(),
        outcome: text(item, "outcome"),
        status_before: number(item, "status_before"),
        status_after: number(item, "status_after"),
        version: number(item, "version"),
        verdict: text(item, "verdict").unwrap(),
        reason: text(item, "reason"),
        source: number(item, "source").unwrap(),
        provider_txn: text(item, "provider_txn"),
        amount: number(item, "amount"),
        currency: text(item, "currency"),
        sha256: text(item, "sha256").unwrap(),
        len: number(item, "len").unwrap(),
        body: item["body"].as_b().unwrap().clone().into_inner(),
        work: text(item, "work"),
        due: number(item, "due"),
    }
}

impl Quarantine for Dynamo {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        self.payments.quarantined(key).await
    }

    async fn resolved(&self, key: &EventKey) -> Result<(), StoreError> {
        self.payments.resolved(key).await
    }
}

impl Inspect for Dynamo {
    async fn events(&self, of: Option<PaymentId>, provider: Provider) -> Vec<LoggedEvent> {
        let pk = match of {
            Some(id) => format!("pay#{id}"),
            None => format!("stray#{}", provider.as_str()),
        };
        let query = self.raw.query().table_name(&self.table).consistent_read(true);
        let found = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :event)")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":event", AttributeValue::S("event#".to_owned()))
            .send()
            .await;
        found.unwrap().items().iter().map(read_event).collect()
    }

    async fn listed(&self) -> Vec<Listed> {
        let entries = self.scan(Some("work-index")).await;
        let mut listed: Vec<_> = entries
            .iter()
            .map(|item| Listed {
                work: text(item, "work").unwrap(),
                due: number(item, "due").unwrap(),
                pk: text(item, "pk").unwrap(),
                sk: text(item, "sk").unwrap(),
            })
            .collect();
        listed.sort();
        listed
    }
}

/// The adapter's own answers.
impl PaymentStore for Dynamo {
    async fn newest_of_order(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        self.payments.newest_of_order(oid).await
    }

    async fn guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        self.payments.guard(oid).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        self.payments.payment(id).await
    }

    async fn of_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        self.payments.of_user(uid, before, limit).await
    }

    async fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        self.payments.create(payment, guard, replacing).await
    }

    async fn apply(&self, change: &Change, event: &Event) -> Result<Applied, StoreError> {
        self.payments.apply(change, event).await
    }

    async fn log(&self, event: &Event) -> Result<Logged, StoreError> {
        self.payments.log(event).await
    }

    async fn told(&self, id: PaymentId, work: Work, at: Timestamp) -> Result<(), StoreError> {
        self.payments.told(id, work, at).await
    }

    async fn to_tell(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        self.payments.to_tell(until, limit).await
    }

    async fn put_off(&self, id: PaymentId, work: Work, next: Work) -> Result<(), StoreError> {
        self.payments.put_off(id, work, next).await
    }
}
