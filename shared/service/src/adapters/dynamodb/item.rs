//! One item: a consistent read, a conditional update.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError, types::ReturnValuesOnConditionCheckFailure,
};
use pay_core::ports::StoreError;

use super::{
    DynamoDbPayments,
    attempts::{classify, write},
    expression::Expression,
    keys::ItemKey,
    row::{BadRow, Item},
    units,
    unreadable::fault,
};

impl DynamoDbPayments {
    pub(super) async fn get_as<T>(
        &self,
        key: ItemKey,
        read: impl FnOnce(&Item) -> Result<T, BadRow>,
    ) -> Result<Option<T>, StoreError> {
        let request = self
            .reader
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.into_item()))
            .return_consumed_capacity(units::TOTAL)
            .consistent_read(true);
        let response = request.send().await;
        let response = response.map_err(|error| classify("GetItem", &error).of_read())?;
        units::read(response.consumed_capacity());
        let read = |item: Item| read(&item).map_err(|bad| fault(&item, &bad));
        response.item.map(read).transpose()
    }

    /// Changes an item if it meets the conditions of `expression`; otherwise does nothing, because
    /// somebody else has changed it meanwhile, and that change stands.
    pub(super) async fn update_item(
        &self,
        key: ItemKey,
        expression: &Expression,
    ) -> Result<(), StoreError> {
        self.update_if(key, expression, None).await.map(drop)
    }

    /// The same, of an item that becomes `next` by it; `false` if it does not meet the conditions.
    pub(super) async fn update_item_to(
        &self,
        key: ItemKey,
        expression: &Expression,
        next: &Item,
    ) -> Result<bool, StoreError> {
        self.update_if(key, expression, Some(next)).await
    }

    async fn update_if(
        &self,
        key: ItemKey,
        expression: &Expression,
        next: Option<&Item>,
    ) -> Result<bool, StoreError> {
        let key = key.into_item();
        let returned = next.map(|_| ReturnValuesOnConditionCheckFailure::AllOld);
        let mut attempts = 0_u32;
        write(|_token| {
            attempts = attempts.saturating_add(1);
            let is_repeat = attempts > 1;
            let request = self
                .writer
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.clone()))
                .update_expression(expression.update())
                .condition_expression(expression.condition())
                .return_consumed_capacity(units::TOTAL)
                .set_return_values_on_condition_check_failure(returned.clone())
                .set_expression_attribute_names(Some(expression.names()))
                .set_expression_attribute_values(Some(expression.values()));
            async move {
                match request.send().await {
                    Ok(done) => {
                        units::written(done.consumed_capacity());
                        Ok(true)
                    }
                    Err(error) => match error.as_service_error() {
                        // An attempt before this one may have made the item what it is.
                        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                            Ok(is_repeat && next.is_some() && failed.item.as_ref() == next)
                        }
                        _ => Err(classify("UpdateItem", &error)),
                    },
                }
            }
        })
        .await
    }
}
