//! A table as an operator reads it: on this machine, in an emulator, or in AWS.

mod pages;
mod review;

use std::collections::HashMap;
use std::error::Error;

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity,
};
use pay_core::domain::EventKey;
use pay_core::limits::SWEEP_QUEUES;
use pay_service::adapters::aws;
use pay_service::adapters::dynamodb::DynamoDbPayments;
use pay_service::limits::STORE_BATCH_MAX;
use pay_service::start::environment;
use pay_service::usage;

use crate::audit::{Audited, Key, primary};
use crate::{Row, target};

pub(crate) use self::review::ReviewCursor;

/// The index of what waits: for a person, or for its time.
const DUE_INDEX: &str = "due-index";

/// A table with its client.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table of this name at `endpoint`, or in AWS itself.
    ///
    /// Region and credentials come from the SDK's own variables; with an endpoint they may be
    /// absent, since emulators ask for none.
    ///
    /// # Errors
    ///
    /// A variable is missing.
    pub fn open(endpoint: Option<&str>, name: &str) -> Result<Self> {
        let aws = match endpoint {
            Some(url) => target::aws(&target::or_local(Some(url)))?,
            None => target::aws(&environment)?,
        };
        Ok(Self { client: aws::dynamodb(&aws.settings, &aws.http), name: name.to_owned() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its payments, through the adapter of the functions.
    #[must_use]
    pub fn payments(&self) -> DynamoDbPayments {
        DynamoDbPayments::new(self.client.clone(), &self.name)
    }

    /// Every item, read consistently.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn items(&self) -> Result<Vec<Row>> {
        let scan = self.client.scan().table_name(&self.name).consistent_read(true);
        let items = scan.into_paginator().items().send().try_collect().await;
        let items = items.map_err(|error| self.cannot_read(error))?;
        Ok(items.into_iter().map(Row::from).collect())
    }

    /// The items under a partition key, in the order of their sort keys, read consistently.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn under(&self, pk: &str) -> Result<Vec<Row>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .consistent_read(true);
        let mut pages = query.into_paginator().send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.cannot_read(error))?;
            usage_of(page.consumed_capacity());
            rows.extend(page.items.unwrap_or_default().into_iter().map(Row::from));
        }
        Ok(rows)
    }

    /// Items by their keys, read consistently; those that do not exist are left out.
    async fn by_keys(&self, keys: &[Key]) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for keys in keys.chunks(STORE_BATCH_MAX) {
            let mut wanted: Vec<_> = keys.iter().map(key).collect();
            while !wanted.is_empty() {
                let keys = KeysAndAttributes::builder().set_keys(Some(wanted));
                let keys = keys.consistent_read(true).build()?;
                let batch = self.client.batch_get_item().request_items(&self.name, keys);
                let batch = batch.return_consumed_capacity(ReturnConsumedCapacity::Total);
                let read = batch.send().await.map_err(|error| self.cannot_read(error))?;
                read.consumed_capacity().iter().for_each(|table| usage_of(Some(table)));
                let found = read.responses.unwrap_or_default().remove(&self.name);
                let found = found.unwrap_or_default();
                // DynamoDB gives at least one item of a batch that it does not reject.
                let rest = read.unprocessed_keys.unwrap_or_default().remove(&self.name);
                wanted = rest.map(|rest| rest.keys).unwrap_or_default();
                rows.extend(found.into_iter().map(Row::from));
            }
        }
        Ok(rows)
    }

    /// The items under these keys, read consistently, in this order; `None` for one that does not exist.
    async fn in_order(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        let rows = self.by_keys(keys).await?.into_iter().map(|row| (key_of(&row), row));
        let mut rows: HashMap<Key, Row> = rows.collect();
        Ok(keys.iter().map(|key| rows.remove(key)).collect())
    }

    /// The item under a primary key, read consistently.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn item(&self, pk: &str, sk: &str) -> Result<Option<Row>> {
        self.get(key(&(pk.to_owned(), sk.to_owned()))).await
    }

    /// A notification of the event log, read consistently.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn event(&self, key: &EventKey) -> Result<Option<Row>> {
        let (pk, sk) = primary(key);
        self.item(&pk, &sk).await
    }

    async fn get(&self, key: HashMap<String, AttributeValue>) -> Result<Option<Row>> {
        let item = self.client.get_item().table_name(&self.name).set_key(Some(key));
        let item = item.consistent_read(true);
        let item = item.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
        let item = item.map_err(|error| self.cannot_read(error))?;
        usage_of(item.consumed_capacity());
        Ok(item.item.map(Row::from))
    }

    /// The notifications that a person must look at, oldest first. One that was quarantined a
    /// moment ago may be missing.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn quarantine(&self) -> Result<Vec<Row>> {
        let query = self.review_query();
        let mut pages = query.into_paginator().items().send();
        let mut keys = Vec::new();
        while let Some(entry) = pages.next().await {
            keys.push(key_of(&Row::from(entry.map_err(|error| self.cannot_read(error))?)));
        }
        self.waiting_of(&keys).await
    }

    /// The oldest of [`Self::quarantine`], at most `limit`, and whether there are more: one query and one read of
    /// a batch if `limit` is at most 100.
    pub(crate) async fn review(&self, limit: i32) -> Result<(Vec<Row>, bool)> {
        let (rows, next) = self.review_page(None, None, limit).await?;
        Ok((rows, next.is_some()))
    }

    fn review_query(&self) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .index_name(DUE_INDEX)
            .key_condition_expression("#queue = :queue")
            .expression_attribute_names("#queue", "queue")
            .expression_attribute_values(":queue", AttributeValue::S("review".to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// The items under these keys that still wait for a person, in this order.
    async fn waiting_of(&self, keys: &[Key]) -> Result<Vec<Row>> {
        let rows = self.in_order(keys).await?.into_iter().flatten();
        Ok(rows.filter(|row| row.has("queue")).collect())
    }

    /// Everything that waits for its time, longest overdue first: as much as one read of the index gives.
    pub(crate) async fn waiting(&self) -> Result<DueEntries> {
        self.in_queues(None).await
    }

    /// What is due by `now`, in Unix milliseconds, longest overdue first: as much as one read of the index gives.
    pub(crate) async fn due(&self, now: u64) -> Result<DueEntries> {
        self.in_queues(Some(now)).await
    }

    async fn in_queues(&self, until: Option<u64>) -> Result<DueEntries> {
        let (mut entries, next) = self.queues_page(until, None).await?;
        entries.sort();
        Ok(DueEntries { entries, has_more: next.is_some() })
    }

    /// What is due by `until`, or all that waits, after this token: one statement in place of a query a queue, each
    /// of which is a partition.
    async fn queues_page(
        &self,
        until: Option<u64>,
        after: Option<String>,
    ) -> Result<(Vec<WaitingEntry>, Option<String>)> {
        let queues = (0..SWEEP_QUEUES).map(|queue| format!("'sweep#{queue}'"));
        let queues = queues.collect::<Vec<_>>().join(", ");
        let (table, index) = (&self.name, DUE_INDEX);
        let by = if until.is_some() { " AND due <= ?" } else { "" };
        let statement =
            format!(r#"SELECT pk, sk, due FROM "{table}"."{index}" WHERE queue IN [{queues}]{by}"#);
        let until = until.map(|until| vec![AttributeValue::N(until.to_string())]);
        let read = self.client.execute_statement().statement(statement).set_parameters(until);
        let read = read.set_next_token(after);
        let read = read.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
        let read = read.map_err(|error| self.cannot_read(error))?;
        usage_of(read.consumed_capacity());
        let entry = |row: Row| WaitingEntry {
            due: row.number("due").unwrap_or_default(),
            pk: row.text("pk").to_owned(),
            sk: row.text("sk").to_owned(),
        };
        let entries = read.items.unwrap_or_default().into_iter().map(|item| entry(Row::from(item)));
        Ok((entries.collect(), read.next_token))
    }

    /// The table's ARN.
    ///
    /// # Errors
    ///
    /// There is no such table, or it cannot be read.
    pub(crate) async fn arn(&self) -> Result<String> {
        let read = self.client.describe_table().table_name(&self.name).send().await;
        let read = read.map_err(|error| self.cannot_read(error))?;
        let arn = read.table.and_then(|table| table.table_arn);
        arn.with_context(|| format!("the table {} has no ARN", self.name))
    }

    fn cannot_read<E>(&self, error: SdkError<E>) -> anyhow::Error
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let why = reason(&error).map(|reason| format!(": {reason}")).unwrap_or_default();
        anyhow::Error::new(error).context(format!("cannot read the table {}{why}", self.name))
    }
}

impl Audited for Table {
    async fn page(&self, after: Option<Key>) -> Result<(Vec<Row>, Option<Key>)> {
        let scan = self.client.scan().table_name(&self.name).consistent_read(true);
        let scan = scan.set_exclusive_start_key(after.as_ref().map(key));
        let page = scan.send().await.map_err(|error| self.cannot_read(error))?;
        let rows = page.items.unwrap_or_default().into_iter().map(Row::from).collect();
        let last = page.last_evaluated_key.filter(|key| !key.is_empty()).map(Row::from);
        let next = last.map(|last| (last.text("pk").to_owned(), last.text("sk").to_owned()));
        Ok((rows, next))
    }

    async fn partition(&self, pk: &str) -> Result<Vec<Row>> {
        self.under(pk).await
    }

    async fn batch(&self, keys: &[Key]) -> Result<Vec<Row>> {
        self.by_keys(keys).await
    }
}

/// What the sweep will look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueEntries {
    /// Longest overdue first.
    pub(crate) entries: Vec<WaitingEntry>,
    /// Whether the index has more than one read of it gives.
    pub(crate) has_more: bool,
}

/// An item that the sweep will look at; in the order of their times.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitingEntry {
    /// When, in Unix milliseconds.
    pub(crate) due: u64,
    /// Its partition: a payment's.
    pub(crate) pk: String,
    /// Its sort key: the record's, or a refund's.
    pub(crate) sk: String,
}

impl WaitingEntry {
    /// Whether it is a refund.
    pub(crate) fn is_refund(&self) -> bool {
        self.sk.starts_with("refund#")
    }
}

/// Counts what a read cost.
fn usage_of(consumed: Option<&ConsumedCapacity>) {
    consumed.and_then(|table| table.capacity_units).into_iter().for_each(usage::read_units);
}

fn key_of(row: &Row) -> Key {
    (row.text("pk").to_owned(), row.text("sk").to_owned())
}

/// A primary key as DynamoDB takes it.
fn key((pk, sk): &Key) -> HashMap<String, AttributeValue> {
    let text = |value: &String| AttributeValue::S(value.clone());
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// The error of a service of AWS by its code and message; `None` where no service responded.
pub(crate) fn reason(error: &impl ProvideErrorMetadata) -> Option<String> {
    let code = error.code()?;
    Some(error.message().map_or_else(|| code.to_owned(), |message| format!("{code}: {message}")))
}
