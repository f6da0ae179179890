//! Writes of one item: an event alone, and a telling that is done.

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::ReturnValuesOnConditionCheckFailure,
};

use super::{
    DynamoDbPayments,
    attempts::{Failure, classify, write},
    event_row::{event_item, read_digest},
    expression::{ABSENT, Expression},
    keys,
    payment_row::work_attributes,
    row::{BadRow, n},
};
use crate::{
    domain::{Event, PaymentId, Timestamp, Work},
    ports::{Logged, StoreError},
};

impl DynamoDbPayments {
    pub(super) async fn put_event(&self, event: &Event) -> Result<Logged, StoreError> {
        let item = event_item(event);
        write(|_token| {
            let request = self
                .writer
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item.clone()))
                .condition_expression(ABSENT)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            async move {
                let Err(error) = request.send().await else {
                    return Ok(Logged::Done);
                };
                match error.as_service_error() {
                    Some(PutItemError::ConditionalCheckFailedException(taken)) => taken
                        .item()
                        .ok_or(BadRow::Missing("sha256"))
                        .and_then(read_digest)
                        .map(Logged::KeyTaken)
                        .map_err(|bad| Failure::Fault(bad.into())),
                    _ => Err(classify("PutItem", &error)),
                }
            }
        })
        .await
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
        write(|_token| {
            let request = self
                .writer
                .update_item()
                .table_name(&self.table)
                .set_key(Some(keys::payment(id).into_item()))
                .update_expression(expression.update())
                .condition_expression(expression.condition())
                .set_expression_attribute_names(Some(expression.names()))
                .set_expression_attribute_values(Some(expression.values()));
            async move {
                let Err(error) = request.send().await else {
                    return Ok(());
                };
                match error.as_service_error() {
                    // Somebody else told the order or rescheduled it: theirs stands.
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                    _ => Err(classify("UpdateItem", &error)),
                }
            }
        })
        .await
    }
}
