//! Reads of payments and guards, consistent; and of their indexes, which lag.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::future::try_join;
use pay_core::{
    domain::{Guard, OrderId, Payment, PaymentId, UserId},
    ports::{PaymentLists, StoreError},
};
use tokio::time::sleep;

use super::{
    DynamoDbPayments,
    attempts::{Backoff, classify},
    keys::{self, OID_INDEX, UID_INDEX},
    payment_row::{read_guard, read_payment},
    row::{Item, must_number, n},
    units,
};
use crate::limits::STORE_BATCH_MAX;

impl PaymentLists for DynamoDbPayments {
    async fn list_by_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        // DynamoDB has no query for an empty page.
        let Ok(limit @ 1..) = i32::try_from(limit) else {
            return Ok(Vec::new());
        };
        let ids = Box::pin(self.query(UID_INDEX, "uid", uid.get(), before, limit)).await?;
        let (first, rest) = ids.split_at(ids.len().min(STORE_BATCH_MAX));
        let (mut found, more) = Box::pin(try_join(self.batch(first), self.batch(rest))).await?;
        found.extend(more);
        // In the order of the index. What it lists and the table does not have is left out.
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

impl DynamoDbPayments {
    pub(super) async fn get_payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let item = self.get(keys::payment(id)).await?;
        Ok(item.map(|item| read_payment(&item)).transpose()?)
    }

    pub(super) async fn get_guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        let item = self.get(keys::guard(oid)).await?;
        Ok(item.map(|item| read_guard(&item, oid)).transpose()?)
    }

    pub(super) async fn query_newest(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        let newest = self.query(OID_INDEX, "oid", oid.get(), None, 1).await?;
        Ok(newest.first().copied())
    }

    /// Ids that an index lists under `key`, newest first.
    async fn query(
        &self,
        index: &str,
        key: &'static str,
        value: u64,
        before: Option<PaymentId>,
        limit: i32,
    ) -> Result<Vec<PaymentId>, StoreError> {
        let older = if before.is_some() { " AND #id < :before" } else { "" };
        let mut request = self
            .reader
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression(format!("#key = :key{older}"))
            .expression_attribute_names("#key", key)
            .expression_attribute_values(":key", n(value))
            .return_consumed_capacity(units::TOTAL)
            .scan_index_forward(false)
            .limit(limit);
        if let Some(before) = before {
            request = request
                .expression_attribute_names("#id", "id")
                .expression_attribute_values(":before", n(before.get()));
        }
        let response = request.send().await;
        let response = response.map_err(|error| classify("Query", &error).of_read())?;
        units::read(response.consumed_capacity());
        response.items().iter().map(id_of).collect()
    }

    async fn batch(&self, ids: &[PaymentId]) -> Result<HashMap<PaymentId, Payment>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut wanted: Vec<_> = ids.iter().map(|id| keys::payment(*id).into_item()).collect();
        let mut backoff = Backoff::start();
        while !wanted.is_empty() {
            let (items, unprocessed) = self.batch_once(wanted).await?;
            for item in &items {
                let payment = read_payment(item)?;
                found.insert(payment.id, payment);
            }
            wanted = unprocessed;
            if !wanted.is_empty() {
                let Some(delay) = backoff.next_delay() else {
                    return Err(StoreError::Unavailable("keys stay unprocessed".into()));
                };
                sleep(delay).await;
            }
        }
        Ok(found)
    }

    async fn batch_once(
        &self,
        wanted: Vec<HashMap<String, AttributeValue>>,
    ) -> Result<(Vec<Item>, Vec<Item>), StoreError> {
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(wanted))
            .consistent_read(true)
            .build()
            .map_err(|error| StoreError::Fault(error.into()))?;
        let request = self
            .reader
            .batch_get_item()
            .request_items(&self.table, wanted)
            .return_consumed_capacity(units::TOTAL);
        let response = request.send().await;
        let response = response.map_err(|error| classify("BatchGetItem", &error).of_read())?;
        units::read(response.consumed_capacity());
        let items = response.responses.unwrap_or_default().remove(&self.table);
        let unprocessed = response.unprocessed_keys.unwrap_or_default().remove(&self.table);
        Ok((items.unwrap_or_default(), unprocessed.map(|rest| rest.keys).unwrap_or_default()))
    }
}

fn id_of(entry: &Item) -> Result<PaymentId, StoreError> {
    let id = must_number(entry, "id")?;
    PaymentId::new(id).map_err(|error| StoreError::Fault(error.into()))
}
