//! Changing a record and appending the event of the change, in one transaction.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use pay_core::{
    domain::{Change, DueChange, Event, OrderId, PaymentId},
    ports::{StoreError, Updated},
};

use super::{
    DynamoDbPayments,
    event_row::event_item,
    expression::{ABSENT, Expression},
    keys,
    payment_row::{due_attributes, read_guard},
    row::{Item, n, s},
    transaction::{Checked, Transacted},
    unreadable::fault,
};

/// What a condition of the transaction is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum UpdateCheck {
    Record,
    Guard,
    EventKey,
}

impl DynamoDbPayments {
    pub(super) async fn update_payment(
        &self,
        change: &Change,
        event: &Event,
    ) -> Result<Updated, StoreError> {
        let items =
            self.update_items(change, event).map_err(|error| StoreError::Fault(error.into()))?;
        match self.transact(&items).await? {
            Transacted::Done => Ok(Updated::Done),
            Transacted::ConditionFailed(UpdateCheck::Record, _) => Ok(Updated::RecordChanged),
            Transacted::ConditionFailed(UpdateCheck::Guard, found) => {
                Ok(Updated::NotLive(live_payment(found, Some(change.oid))?))
            }
            Transacted::ConditionFailed(UpdateCheck::EventKey, _) => Ok(Updated::KeyTaken),
        }
    }

    pub(super) fn update_items(
        &self,
        change: &Change,
        event: &Event,
    ) -> Result<Vec<Checked<UpdateCheck>>, BuildError> {
        let mut items =
            vec![Checked { item: self.change_item(change)?, check: UpdateCheck::Record }];
        if change.guarded {
            items.push(Checked { item: self.live_check(change)?, check: UpdateCheck::Guard });
        }
        items.push(self.put_checked(event)?);
        Ok(items)
    }

    /// The event, if its key is free.
    pub(super) fn put_checked(&self, event: &Event) -> Result<Checked<UpdateCheck>, BuildError> {
        let put_event = Put::builder()
            .table_name(&self.table)
            .set_item(Some(event_item(event)))
            .condition_expression(ABSENT)
            .build()?;
        let item = TransactWriteItem::builder().put(put_event).build();
        Ok(Checked { item, check: UpdateCheck::EventKey })
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

    fn live_check(&self, change: &Change) -> Result<TransactWriteItem, BuildError> {
        let names_it = Expression::default().when("payment", n(change.id.get()));
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(keys::guard(change.oid).into_item()))
            .condition_expression(names_it.condition())
            .set_expression_attribute_names(Some(names_it.names()))
            .set_expression_attribute_values(Some(names_it.values()))
            // The failed check itself returns the guard: a read after it would race.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// The payment that the guard of an order names, as a failed condition gave it.
pub(super) fn live_payment(
    guard: Option<Item>,
    oid: Option<OrderId>,
) -> Result<Option<PaymentId>, StoreError> {
    let (Some(item), Some(oid)) = (guard, oid) else {
        return Ok(None);
    };
    let guard = read_guard(&item, oid).map_err(|bad| fault(&item, &bad))?;
    Ok(Some(guard.payment))
}

/// [`Change::applied_to`] as an expression: it touches only what the change names.
fn expression(change: &Change) -> Expression {
    let mut expression = Expression::default()
        .when("version", n(change.from_version))
        .when("status", n(change.from.code().into()))
        .set("status", n(change.to.code().into()))
        .set("version", n(change.version()))
        .set("update_time", n(change.at.millis()));
    if let Some(reference) = &change.reference {
        expression = expression.set("source", n(reference.source.get().into()));
        expression = match &reference.txn {
            Some(txn) => expression.set("provider_txn", s(txn.as_str())),
            None => expression.remove("provider_txn"),
        };
    }
    match change.due {
        DueChange::Keep => expression,
        DueChange::Set => due_attributes(change.new_due())
            .into_iter()
            .fold(expression, |all, (name, value)| all.set(name, value))
            .set("queue", s(keys::queue_of(change.id)))
            .set("paid_time", n(change.at.millis())),
        DueChange::Clear => {
            ["queue", "due", "attempts"].into_iter().fold(expression, Expression::remove)
        }
    }
}
