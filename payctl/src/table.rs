//! A table as an operator reads it: on this machine, in an emulator, or in AWS.

use std::collections::HashMap;
use std::error::Error;

use anyhow::Result;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use pay_core::domain::EventKey;
use pay_service::adapters::aws;
use pay_service::adapters::dynamodb::DynamoDbPayments;
use pay_service::limits::STORE_BATCH_MAX;
use pay_service::start::environment;

use crate::audit::{Audited, Key, primary};
use crate::{Row, target};

/// A table with its client.
#[derive(Debug)]
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
            .consistent_read(true);
        let items = query.into_paginator().items().send().try_collect().await;
        let items = items.map_err(|error| self.cannot_read(error))?;
        Ok(items.into_iter().map(Row::from).collect())
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
                let read = batch.send().await.map_err(|error| self.cannot_read(error))?;
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
        let item = item.consistent_read(true).send().await;
        Ok(item.map_err(|error| self.cannot_read(error))?.item.map(Row::from))
    }

    /// The notifications that a person must look at, oldest first. One that was quarantined a
    /// moment ago may be missing.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn quarantine(&self) -> Result<Vec<Row>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("due-index")
            .key_condition_expression("#queue = :queue")
            .expression_attribute_names("#queue", "queue")
            .expression_attribute_values(":queue", AttributeValue::S("review".to_owned()));
        let mut pages = query.into_paginator().items().send();
        let mut rows = Vec::new();
        while let Some(entry) = pages.next().await {
            let mut entry = entry.map_err(|error| self.cannot_read(error))?;
            entry.retain(|name, _| name == "pk" || name == "sk");
            rows.extend(self.get(entry).await?.filter(|row| row.has("queue")));
        }
        Ok(rows)
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
