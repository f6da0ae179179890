//! Changing a record and logging why, in one transaction.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{ConditionCheck, Put, TransactWriteItem, Update},
};
use pay_core::{
    domain::{Change, Event, WorkChange},
    ports::{Applied, StoreError},
};

use super::{
    DynamoDbPayments,
    event_row::event_item,
    expression::{ABSENT, Expression},
    keys,
    payment_row::work_attributes,
    row::{n, s},
    transaction::{Part, Transacted},
};

impl DynamoDbPayments {
    pub(super) async fn change_payment(
        &self,
        change: &Change,
        event: &Event,
    ) -> Result<Applied, StoreError> {
        let parts =
            self.application(change, event).map_err(|error| StoreError::Fault(error.into()))?;
        match self.transact(&parts).await? {
            Transacted::Done => Ok(Applied::Done),
            Transacted::Refused(meaning, _) => Ok(meaning),
        }
    }

    fn application(
        &self,
        change: &Change,
        event: &Event,
    ) -> Result<Vec<Part<Applied>>, BuildError> {
        let mut parts =
            vec![Part { item: self.change_item(change)?, meaning: Applied::RecordChanged }];
        if change.guarded {
            parts.push(Part { item: self.still_live(change)?, meaning: Applied::NotLive });
        }
        let put_event = Put::builder()
            .table_name(&self.table)
            .set_item(Some(event_item(event)))
            .condition_expression(ABSENT)
            .build()?;
        parts.push(Part {
            item: TransactWriteItem::builder().put(put_event).build(),
            meaning: Applied::KeyTaken,
        });
        Ok(parts)
    }

    fn change_item(&self, change: &Change) -> Result<TransactWriteItem, BuildError> {
        let expression = expression(change);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::payment(change.id).into_item()))
            .update_expression(expression.update())
            .condition_expression(expression.condition())
            .set_expression_attribute_names(Some(expression.names()))
            .set_expression_attribute_values(Some(expression.values()))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn still_live(&self, change: &Change) -> Result<TransactWriteItem, BuildError> {
        let names_it = Expression::default().when("payment", n(change.id.get()));
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(keys::guard(change.oid).into_item()))
            .condition_expression(names_it.condition())
            .set_expression_attribute_names(Some(names_it.names()))
            .set_expression_attribute_values(Some(names_it.values()))
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// [`Change::applied_to`], in DynamoDB's words: only what the change names is touched.
fn expression(change: &Change) -> Expression {
    let mut expression = Expression::default()
        .when("version", n(change.from_version))
        .when("status", n(change.from.code().into()))
        .set("status", n(change.to.code().into()))
        .set("version", n(change.version()))
        .set("update_time", n(change.at.millis()));
    if let Some(money) = &change.money {
        expression = expression.set("source", n(money.source.get().into()));
        expression = match &money.txn {
            Some(txn) => expression.set("provider_txn", s(txn.as_str())),
            None => expression.remove("provider_txn"),
        };
    }
    match change.work {
        WorkChange::Keep => expression,
        WorkChange::Start => work_attributes(change.id, change.new_work())
            .into_iter()
            .fold(expression, |all, (name, value)| all.set(name, value))
            .set("paid_time", n(change.at.millis())),
        WorkChange::Remove => {
            ["work", "due", "tries"].into_iter().fold(expression, Expression::remove)
        }
    }
}
