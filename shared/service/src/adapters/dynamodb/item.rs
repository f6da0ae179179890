//! One item: a consistent read, a conditional update.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
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
                match request.send().await {
                    Ok(done) => {
                        units::written(done.consumed_capacity());
                        Ok(())
                    }
                    Err(error) => match error.as_service_error() {
                        Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                        _ => Err(classify("UpdateItem", &error)),
                    },
                }
            }
        })
        .await
    }
}
