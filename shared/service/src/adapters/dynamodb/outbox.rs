//! The outbox: which payments and refunds are due, and what the sweep writes about them.

use futures_util::future::try_join_all;
use pay_core::{
    domain::{Due, Payment, Refund, Timestamp},
    limits::{SWEEP_LANES, SWEEP_QUEUES},
    ports::{DueItem, Outbox, StoreError},
};

use super::{
    DynamoDbPayments,
    attempts::classify,
    expression::Expression,
    keys::{self, DUE_INDEX},
    payment_row::due_attributes,
    row::{BadRow, Item, must_number, must_text, n, number, s},
    units,
    unreadable::readable,
};

/// A queue that is read page by page.
#[derive(Clone, Debug)]
struct QueueCursor {
    queue: String,
    /// The key of the last entry that was read.
    last: Option<Item>,
}

/// A page of a queue.
struct QueuePage {
    entries: Vec<(u64, DueItem)>,
    /// Where the next page starts, if there is one.
    next: Option<QueueCursor>,
}

impl Outbox for DynamoDbPayments {
    /// Merges the queues. A queue is read on only while it may still hold an entry that belongs to
    /// the longest overdue `limit`.
    async fn due_items(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<DueItem>, StoreError> {
        let page = page_of(limit);
        let mut due: Vec<(u64, DueItem)> = Vec::new();
        let mut cursors: Vec<_> =
            keys::sweep_queues().map(|queue| QueueCursor { queue, last: None }).collect();
        while limit > 0 && !cursors.is_empty() {
            let mut pages = Vec::new();
            // No more queries at a time than the sweep has connections.
            for some in cursors.chunks(SWEEP_LANES) {
                let queries = some.iter().map(|cursor| self.query_queue(cursor, until, page));
                pages.extend(Box::pin(try_join_all(queries)).await?);
            }
            due.extend(pages.iter().flat_map(|page| page.entries.iter().cloned()));
            due.sort_unstable();
            due.truncate(limit);
            let last = due.last().filter(|_| due.len() == limit).map(|(due, _)| *due);
            let next = pages.into_iter().filter_map(|page| page.next);
            cursors =
                next.filter(|cursor| last.is_none_or(|last| cursor.is_before(last))).collect();
        }
        Ok(due.into_iter().map(|(_, item)| item).collect())
    }

    async fn mark_notified(
        &self,
        read: &Payment,
        at: Timestamp,
        next: Option<Due>,
    ) -> Result<(), StoreError> {
        let notified = |expression: Expression| {
            let expression = expression.set("notified_time", n(at.millis()));
            match next {
                Some(next) => expression.set_all(due_attributes(next)),
                None => expression.remove_due(),
            }
        };
        Box::pin(self.update_as_read(read, notified)).await
    }

    async fn clear(&self, read: &Payment) -> Result<(), StoreError> {
        Box::pin(self.update_as_read(read, Expression::remove_due)).await
    }

    /// The queue stays, so that the number of queues can be raised while there is data.
    async fn reschedule(&self, read: &Payment, next: Due) -> Result<(), StoreError> {
        let rescheduled = |expression: Expression| expression.set_all(due_attributes(next));
        Box::pin(self.update_as_read(read, rescheduled)).await
    }

    async fn reschedule_refund(&self, read: &Refund, next: Option<Due>) -> Result<(), StoreError> {
        let Some(due) = read.due else { return Ok(()) };
        let as_read = Expression::default().when("state", s(read.state.as_str()));
        let as_read = as_read.when_all(due_attributes(due));
        let change = match next {
            Some(next) => as_read.set_all(due_attributes(next)),
            None => as_read.remove_due(),
        };
        Box::pin(self.update_item(keys::refund(read.payment, &read.id), &change)).await
    }
}

impl DynamoDbPayments {
    /// Makes a change that does not raise the version, while version and `due` are those that were read.
    /// Without `due` there is nothing to change.
    async fn update_as_read(
        &self,
        read: &Payment,
        change: impl FnOnce(Expression) -> Expression,
    ) -> Result<(), StoreError> {
        let Some(due) = read.due else { return Ok(()) };
        let as_read = Expression::default().when("version", n(read.version));
        let as_read = as_read.when_all(due_attributes(due));
        self.update_item(keys::payment(read.id), &change(as_read)).await
    }

    async fn query_queue(
        &self,
        QueueCursor { queue, last }: &QueueCursor,
        until: Option<Timestamp>,
        page: i32,
    ) -> Result<QueuePage, StoreError> {
        let by = if until.is_some() { " AND #due <= :until" } else { "" };
        let mut request = self
            .reader
            .query()
            .table_name(&self.table)
            .index_name(DUE_INDEX)
            .key_condition_expression(format!("#queue = :queue{by}"))
            .expression_attribute_names("#queue", "queue")
            .expression_attribute_values(":queue", s(queue))
            .return_consumed_capacity(units::TOTAL)
            .set_exclusive_start_key(last.clone())
            .limit(page);
        if let Some(until) = until {
            request = request
                .expression_attribute_names("#due", "due")
                .expression_attribute_values(":until", n(until.millis()));
        }
        let response = request.send().await;
        let response = response.map_err(|error| classify("Query", &error).of_read())?;
        units::read(response.consumed_capacity());
        let entries = response.items().iter();
        let entries = entries.filter_map(|entry| readable(entry, read_entry(entry))).collect();
        let last = response.last_evaluated_key.filter(|key| !key.is_empty());
        let next = last.map(|key| QueueCursor { queue: queue.clone(), last: Some(key) });
        Ok(QueuePage { entries, next })
    }
}

impl QueueCursor {
    /// Whether the entries after it may be due before `due`.
    fn is_before(&self, due: u64) -> bool {
        let last = self.last.as_ref().map(|key| number(key, "due"));
        // Where the last entry cannot be read, they may.
        !matches!(last, Some(Ok(Some(last))) if last >= due)
    }
}

/// How many entries of each queue are read at a time: twice its share of `limit`, since ids spread
/// payments over the queues evenly but not exactly.
fn page_of(limit: usize) -> i32 {
    let queues = usize::try_from(SWEEP_QUEUES).unwrap_or(1);
    let page = limit.div_ceil(queues).saturating_mul(2);
    i32::try_from(page).unwrap_or(i32::MAX)
}

fn read_entry(entry: &Item) -> Result<(u64, DueItem), BadRow> {
    let item = keys::due_item(must_text(entry, "pk")?, must_text(entry, "sk")?);
    Ok((must_number(entry, "due")?, item.ok_or(BadRow::WrongKey)?))
}

#[cfg(test)]
mod tests;
