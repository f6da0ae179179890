//! The work list: tellings of orders that are still to be done, messages a person must look at.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use futures_util::future::try_join_all;
use pay_core::{
    domain::{EventKey, PaymentId, Timestamp, Work},
    ports::StoreError,
};

use super::{
    DynamoDbPayments,
    attempts::{classify, write},
    expression::Expression,
    keys::{self, Key, QUARANTINE, WORK_INDEX},
    payment_row::work_attributes,
    row::{BadRow, must_number, must_text, n, s},
    units,
};

impl DynamoDbPayments {
    pub(super) async fn query_work(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        // No page at all is no query that DynamoDB knows.
        let Ok(page @ 1..) = i32::try_from(limit) else {
            return Ok(Vec::new());
        };
        let lists = keys::work_lists().map(|list| self.query_list(list, until, page));
        let mut due = try_join_all(lists).await?.concat();
        due.sort_unstable();
        Ok(due.into_iter().map(|(_, id)| id).take(limit).collect())
    }

    /// When each telling of one list is due, and whose it is.
    async fn query_list(
        &self,
        list: String,
        until: Option<Timestamp>,
        limit: i32,
    ) -> Result<Vec<(u64, PaymentId)>, StoreError> {
        let by = if until.is_some() { " AND #due <= :until" } else { "" };
        let mut request = self
            .reader
            .query()
            .table_name(&self.table)
            .index_name(WORK_INDEX)
            .key_condition_expression(format!("#work = :work{by}"))
            .expression_attribute_names("#work", "work")
            .expression_attribute_values(":work", s(list))
            .return_consumed_capacity(units::TOTAL)
            .limit(limit);
        if let Some(until) = until {
            request = request
                .expression_attribute_names("#due", "due")
                .expression_attribute_values(":until", n(until.millis()));
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| classify("Query", &error).of_read())?;
        units::read(answer.consumed_capacity());
        let entries = answer.items().iter().map(|item| {
            let id = keys::payment_of(must_text(item, "pk")?).ok_or(BadRow::OtherKey)?;
            Ok((must_number(item, "due")?, id))
        });
        entries.collect()
    }

    pub(super) async fn clear_work(
        &self,
        id: PaymentId,
        work: Work,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let start = Expression::default().set("told_at", n(at.millis()));
        let expression = work_attributes(id, work)
            .into_iter()
            .fold(start, |all, (name, value)| all.when(name, value).remove(name));
        self.update(keys::payment(id), &expression).await
    }

    pub(super) async fn reschedule_work(
        &self,
        id: PaymentId,
        work: Work,
        next: Work,
    ) -> Result<(), StoreError> {
        let read = work_attributes(id, work).into_iter();
        let start = read.fold(Expression::default(), |all, (name, value)| all.when(name, value));
        let changed = work_attributes(id, next).into_iter().filter(|(name, _)| *name != "work");
        let expression = changed.fold(start, |all, (name, value)| all.set(name, value));
        self.update(keys::payment(id), &expression).await
    }

    pub(super) async fn clear_quarantine(&self, key: &EventKey) -> Result<(), StoreError> {
        let listed = Expression::default().when("work", s(QUARANTINE));
        self.update(keys::event(key), &listed.remove("work").remove("due")).await
    }

    /// Changes an item while it is as `expression` demands.
    async fn update(&self, key: Key, expression: &Expression) -> Result<(), StoreError> {
        let key = key.into_item();
        write(|_token| {
            let request = self
                .writer
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.clone()))
                .update_expression(expression.update())
                .condition_expression(expression.condition())
                .return_consumed_capacity(units::TOTAL)
                .set_expression_attribute_names(Some(expression.names()))
                .set_expression_attribute_values(Some(expression.values()));
            async move {
                let error = match request.send().await {
                    Ok(done) => {
                        units::written(done.consumed_capacity());
                        return Ok(());
                    }
                    Err(error) => error,
                };
                match error.as_service_error() {
                    // Somebody else told the order or put it off: theirs stands.
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                    _ => Err(classify("UpdateItem", &error)),
                }
            }
        })
        .await
    }
}
