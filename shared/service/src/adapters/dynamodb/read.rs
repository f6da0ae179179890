//! Reads of payments and guards, consistent; and of their indexes, which lag.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::future::try_join;
use pay_core::{
    domain::{
        Guard, OrderId, Payment, PaymentId, Provider, ProviderRef, ProviderRefund, Refund,
        RefundId, UserId,
    },
    ports::{PaymentLists, PaymentPage, StoreError},
};
use tokio::time::sleep;

use super::{
    DynamoDbPayments,
    attempts::{Backoff, classify},
    keys::{self, OID_INDEX, TRANSACTION_INDEX, UID_INDEX},
    payment_row::{read_guard, read_payment},
    refund_row::{read_refund, read_refund_reference},
    row::{BadRow, Item, must_number, must_text, n, s},
    units,
    unreadable::readable,
};
use crate::limits::STORE_BATCH_MAX;

impl PaymentLists for DynamoDbPayments {
    async fn list_by_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<PaymentPage, StoreError> {
        if limit == 0 {
            return Ok(PaymentPage { payments: Vec::new(), cursor: None });
        }
        // One more than the page holds tells whether there is another page.
        let listed = limit.saturating_add(1);
        let key = ("uid", n(uid.get()));
        let mut ids = Box::pin(self.list_ids(UID_INDEX, key, before, listed)).await?;
        let is_last = ids.len() <= limit;
        ids.truncate(limit);
        let cursor = ids.last().copied().filter(|_| !is_last);
        let (first, rest) = ids.split_at(ids.len().min(STORE_BATCH_MAX));
        let (mut found, more) = Box::pin(try_join(self.batch(first), self.batch(rest))).await?;
        found.extend(more);
        // In the order of the index. What it lists and the table does not have is left out.
        let payments = ids.iter().filter_map(|id| found.remove(id)).collect();
        Ok(PaymentPage { payments, cursor })
    }
}

impl DynamoDbPayments {
    pub(super) async fn get_payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        self.get_as(keys::payment(id), read_payment).await
    }

    pub(super) async fn get_guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        self.get_as(keys::guard(oid), |item| read_guard(item, oid)).await
    }

    pub(super) async fn get_refund(
        &self,
        payment: PaymentId,
        id: &RefundId,
    ) -> Result<Option<Refund>, StoreError> {
        self.get_as(keys::refund(payment, id), |item| read_refund(item, payment, id)).await
    }

    pub(super) async fn get_refund_named(
        &self,
        payment: PaymentId,
        provider: Provider,
        id: &ProviderRefund,
    ) -> Result<Option<RefundId>, StoreError> {
        self.get_as(keys::refund_reference(payment, provider, id), read_refund_reference).await
    }

    pub(super) async fn query_newest(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        let newest = self.list_ids(OID_INDEX, ("oid", n(oid.get())), None, 1).await?;
        Ok(newest.first().copied())
    }

    pub(super) async fn query_transaction(
        &self,
        reference: &ProviderRef,
    ) -> Result<Vec<PaymentId>, StoreError> {
        let Some(transaction) = reference.transaction() else {
            return Ok(Vec::new());
        };
        // Two are enough to see that none of them is certain.
        self.list_ids(TRANSACTION_INDEX, ("transaction", s(transaction)), None, 2).await
    }

    /// The ids of the payments that an index lists under a key, newest first, at most `limit`.
    ///
    /// It reads on past entries that name no payment: an id is always known to go on from.
    async fn list_ids(
        &self,
        index: &str,
        (key, value): (&'static str, AttributeValue),
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        let older = if before.is_some() { " AND #id < :before" } else { "" };
        let mut request = self
            .reader
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression(format!("#key = :key{older}"))
            .expression_attribute_names("#key", key)
            .expression_attribute_values(":key", value)
            .return_consumed_capacity(units::TOTAL)
            .scan_index_forward(false);
        if let Some(before) = before {
            request = request
                .expression_attribute_names("#id", "id")
                .expression_attribute_values(":before", n(before.get()));
        }
        let mut ids = Vec::new();
        loop {
            let missing = i32::try_from(limit.saturating_sub(ids.len())).unwrap_or(i32::MAX);
            let response = request.clone().limit(missing).send().await;
            let response = response.map_err(|error| classify("Query", &error).of_read())?;
            units::read(response.consumed_capacity());
            let entries = response.items().iter();
            ids.extend(entries.filter_map(|entry| readable(entry, read_entry(entry))));
            let next = response.last_evaluated_key.filter(|key| !key.is_empty());
            if next.is_none() || ids.len() >= limit {
                return Ok(ids);
            }
            request = request.set_exclusive_start_key(next);
        }
    }

    pub(super) async fn query_refunds(
        &self,
        payment: PaymentId,
    ) -> Result<Vec<Refund>, StoreError> {
        let items = self.under(payment, keys::REFUND).await?;
        let read = |item: &Item| {
            let id = must_text(item, "sk")?.strip_prefix(keys::REFUND).unwrap_or_default();
            read_refund(item, payment, &RefundId::new(id)?)
        };
        Ok(items.iter().filter_map(|item| readable(item, read(item))).collect())
    }

    /// The items of a payment whose sort keys begin so.
    pub(super) async fn under(
        &self,
        payment: PaymentId,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let request = self
            .reader
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_names("#sk", "sk")
            .expression_attribute_values(":pk", s(keys::payment(payment).pk))
            .expression_attribute_values(":prefix", s(prefix))
            .return_consumed_capacity(units::TOTAL)
            .consistent_read(true);
        let mut items = Vec::new();
        let mut next: Option<Item> = None;
        loop {
            let response = request.clone().set_exclusive_start_key(next).send().await;
            let response = response.map_err(|error| classify("Query", &error).of_read())?;
            units::read(response.consumed_capacity());
            items.extend(response.items.unwrap_or_default());
            next = response.last_evaluated_key.filter(|key| !key.is_empty());
            if next.is_none() {
                return Ok(items);
            }
        }
    }

    async fn batch(&self, ids: &[PaymentId]) -> Result<HashMap<PaymentId, Payment>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut wanted: Vec<_> = ids.iter().map(|id| keys::payment(*id).into_item()).collect();
        let mut backoff = Backoff::start();
        while !wanted.is_empty() {
            let (items, unprocessed) = self.batch_once(wanted).await?;
            let payments = items.iter().filter_map(|item| readable(item, read_payment(item)));
            found.extend(payments.map(|payment| (payment.id, payment)));
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

/// The payment that an entry of an index is about.
fn read_entry(entry: &Item) -> Result<PaymentId, BadRow> {
    let id = PaymentId::new(must_number(entry, "id")?)?;
    let named = keys::payment_of(must_text(entry, "pk")?, must_text(entry, "sk")?);
    named.filter(|named| *named == id).ok_or(BadRow::WrongKey)
}
