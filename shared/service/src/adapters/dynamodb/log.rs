//! An event that changes no record.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError, types::ReturnValuesOnConditionCheckFailure,
};
use pay_core::{
    domain::Event,
    ports::{Logged, StoreError},
};

use super::{
    DynamoDbPayments,
    attempts::{Failure, classify, write},
    event_row::{event_item, read_digest},
    expression::ABSENT,
    row::BadRow,
    units,
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
                .return_consumed_capacity(units::TOTAL)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            async move {
                let error = match request.send().await {
                    Ok(done) => {
                        units::written(done.consumed_capacity());
                        return Ok(Logged::Done);
                    }
                    Err(error) => error,
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
}
