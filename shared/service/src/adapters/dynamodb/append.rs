//! Appending an event that changes no record.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure,
};
use pay_core::{
    domain::Event,
    ports::{Appended, StoreError},
};

use super::{
    DynamoDbPayments,
    attempts::{classify, write},
    event_row::{event_item, read_digest},
    expression::ABSENT,
    units,
    unreadable::readable,
};

impl DynamoDbPayments {
    pub(super) async fn put_event(&self, event: &Event) -> Result<Appended, StoreError> {
        let item = event_item(event);
        write(|_token| {
            let request = self
                .writer
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item.clone()))
                .condition_expression(ABSENT)
                .return_consumed_capacity(units::TOTAL)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            async move {
                let error = match request.send().await {
                    Ok(done) => {
                        units::written(done.consumed_capacity());
                        return Ok(Appended::Done);
                    }
                    Err(error) => error,
                };
                match error.as_service_error() {
                    // An unreadable event keeps its key, and stops no other.
                    Some(PutItemError::ConditionalCheckFailedException(taken)) => {
                        let digest =
                            taken.item().and_then(|item| readable(item, read_digest(item)));
                        Ok(Appended::KeyTaken(digest))
                    }
                    _ => Err(classify("PutItem", &error)),
                }
            }
        })
        .await
    }
}
