//! A table as an operator looks at it: this machine's, an emulator's, or one in AWS.

use std::collections::HashMap;

use anyhow::{Context as _, Result, anyhow};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pay_core::domain::{OrderId, Payment, UserId};
use pay_core::ports::{Cause, Order, Orders, ShopError, TraceParent, Users};
use pay_service::adapters::aws::{self, AwsSettings};
use pay_service::adapters::dynamodb::DynamoDbPayments;
use pay_service::adapters::https::{self, Pool};
use serde_json::{Map, Value};

use crate::audit::Row;
use crate::defaults::REGION;

type Item = HashMap<String, AttributeValue>;

/// A table, and the way to it.
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
        let lookup = |variable: &str| {
            let given = std::env::var(variable).ok().filter(|value| !value.is_empty());
            let local = match variable {
                "AWS_ENDPOINT_URL_DYNAMODB" => return endpoint.map(str::to_owned).or(given),
                "AWS_REGION" => REGION,
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "local",
                _ => return given,
            };
            given.or_else(|| endpoint.map(|_| local.to_owned()))
        };
        let settings = AwsSettings::load(lookup)?;
        let error = |error: Cause| anyhow!("{error}");
        let tls = https::tls(None).map_err(|failed| error(failed.into()))?;
        let http = https::client(tls, Pool::Kept).map_err(|failed| error(failed.into()))?;
        Ok(Self { client: aws::dynamodb(&settings, &http), name: name.to_owned() })
    }

    /// The payments in it, as the functions reach them.
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
        let mut pages = scan.into_paginator().items().send();
        let mut rows = Vec::new();
        while let Some(item) = pages.next().await {
            rows.push(row(item.map_err(|error| self.cannot("read", error))?));
        }
        Ok(rows)
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
        let mut pages = query.into_paginator().items().send();
        let mut rows = Vec::new();
        while let Some(item) = pages.next().await {
            rows.push(row(item.map_err(|error| self.cannot("read", error))?));
        }
        Ok(rows)
    }

    /// The messages that a person must look at, the oldest first. A new one may still be missing.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn quarantine(&self) -> Result<Vec<Row>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("work-index")
            .key_condition_expression("#work = :work")
            .expression_attribute_names("#work", "work")
            .expression_attribute_values(":work", AttributeValue::S("quarantine".to_owned()));
        let mut pages = query.into_paginator().items().send();
        let mut rows = Vec::new();
        while let Some(entry) = pages.next().await {
            let mut entry = entry.map_err(|error| self.cannot("read", error))?;
            entry.retain(|name, _| name == "pk" || name == "sk");
            let item = self.client.get_item().table_name(&self.name).set_key(Some(entry));
            let item = item.consistent_read(true).send().await;
            let item = item.map_err(|error| self.cannot("read", error))?.item;
            rows.extend(item.map(row).filter(|row| row.has("work")));
        }
        Ok(rows)
    }

    fn cannot<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &str,
        error: E,
    ) -> anyhow::Error {
        anyhow::Error::new(error).context(format!("cannot {what} the table {}", self.name))
    }
}

fn row(item: Item) -> Row {
    let plain = |value: AttributeValue| {
        if let Ok(text) = value.as_s() {
            Value::from(text.as_str())
        } else if let Ok(number) = value.as_n() {
            number.parse::<u64>().map_or_else(|_odd| Value::from(number.as_str()), Value::from)
        } else if let Ok(bytes) = value.as_b() {
            Value::from(BASE64.encode(bytes))
        } else {
            // Nothing that we write.
            Value::Null
        }
    };
    Row(item.into_iter().map(|(name, value)| (name, plain(value))).collect::<Map<_, _>>())
}

/// What a sender's message was, decoded from what is kept of it.
///
/// # Errors
///
/// It is not kept as it should be.
pub fn body(row: &Row) -> Result<String> {
    let bytes = BASE64.decode(row.text("body")).context("the body is not base64")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The shop as an operator's tool reaches it: not at all. An order that has to be told is on the
/// work list, and reconcile tells it within a minute.
#[derive(Debug, Clone, Copy)]
pub struct OutOfReach;

fn left_to_reconcile() -> ShopError {
    ShopError::Unavailable("left to reconcile".into())
}

impl Users for OutOfReach {
    async fn exists(&self, _uid: UserId, _trace: &TraceParent) -> Result<bool, ShopError> {
        Err(left_to_reconcile())
    }
}

impl Orders for OutOfReach {
    async fn find(
        &self,
        _oid: OrderId,
        _payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        Err(left_to_reconcile())
    }

    async fn tell_paid(&self, _payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        Err(left_to_reconcile())
    }
}
