//! Reads for pages: each as few calls as a page may make.

use anyhow::Result;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use pay_core::domain::{PaymentId, UserId};

use super::{Table, WaitingEntry, key_of, usage_of};
use crate::Row;
use crate::limits::CONSOLE_READS;

/// The index of a payer's payments.
const UID_INDEX: &str = "uid-index";

impl Table {
    /// The items under a partition key, read consistently, from the last sort key on, so that a payment's record
    /// and refunds come first; and whether there are more than [`CONSOLE_READS`] reads give.
    pub(crate) async fn last_under(&self, pk: &str) -> Result<(Vec<Row>, bool)> {
        let query = self.client.query().table_name(&self.name);
        let query = query
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .scan_index_forward(false)
            .consistent_read(true);
        let mut rows = Vec::new();
        let mut after = None;
        for _ in 0..CONSOLE_READS {
            let page = query.clone().set_exclusive_start_key(after).send().await;
            let page = page.map_err(|error| self.cannot_read(error))?;
            usage_of(page.consumed_capacity());
            rows.extend(page.items.unwrap_or_default().into_iter().map(Row::from));
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                return Ok((rows, false));
            }
        }
        Ok((rows, true))
    }

    /// The records of a payer's payments with ids below `before`, newest first, at most `limit`, and the id after
    /// which there are more. One that was created a moment ago may be missing; the records themselves are read
    /// consistently, and one that cannot be taken for what it says is there, too.
    pub(crate) async fn of_payer(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: i32,
    ) -> Result<(Vec<Row>, Option<u64>)> {
        let number = |number: u64| AttributeValue::N(number.to_string());
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(UID_INDEX)
            .key_condition_expression(match before {
                Some(_) => "uid = :uid AND id < :before",
                None => "uid = :uid",
            })
            .expression_attribute_values(":uid", number(uid.get()))
            .scan_index_forward(false)
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let query = match before {
            Some(before) => query.expression_attribute_values(":before", number(before.get())),
            None => query,
        };
        let page = query.send().await.map_err(|error| self.cannot_read(error))?;
        usage_of(page.consumed_capacity());
        let has_more = page.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let entries: Vec<_> = page.items.unwrap_or_default().into_iter().map(Row::from).collect();
        let next = entries.last().and_then(|last| last.number("id")).filter(|_| has_more);
        let keys: Vec<_> = entries.iter().map(key_of).collect();
        let rows = self.in_order(&keys).await?;
        Ok((rows.into_iter().flatten().collect(), next))
    }

    /// Everything that is due by `now`, in Unix milliseconds, longest overdue first: as many reads as it takes.
    pub(crate) async fn all_due(&self, now: u64) -> Result<Vec<WaitingEntry>> {
        let mut entries = Vec::new();
        let mut next = None;
        loop {
            let (page, more) = self.queues_page(Some(now), next).await?;
            entries.extend(page);
            if more.is_none() {
                break;
            }
            next = more;
        }
        entries.sort();
        Ok(entries)
    }

    /// The items that entries of the index speak of, read consistently, in this order; `None` for one that is gone.
    pub(crate) async fn of_entries(
        &self,
        entries: &[WaitingEntry],
    ) -> Result<Vec<(WaitingEntry, Option<Row>)>> {
        let keys: Vec<_> =
            entries.iter().map(|entry| (entry.pk.clone(), entry.sk.clone())).collect();
        let rows = self.in_order(&keys).await?;
        Ok(entries.iter().cloned().zip(rows).collect())
    }
}
