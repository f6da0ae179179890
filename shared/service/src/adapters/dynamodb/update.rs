//! Changing a record and appending the event of the change, in one transaction.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};
use pay_core::{
    domain::{Change, Due, DueChange, Event, OrderId, PaymentId, RefundChange},
    ports::{StoreError, Updated},
};

use super::{
    DynamoDbPayments,
    checkout_row::checkout_item,
    event_row::event_item,
    expression::{ABSENT, Expression},
    keys::{self, ItemKey},
    payment_row::{due_attributes, read_guard, refunds_attributes, transaction_attributes},
    refund_row::{reference_item, refund_item},
    row::{Item, n, s},
    transaction::{Checked, Transacted},
    unreadable::fault,
};

/// What a condition of the transaction is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum UpdateCheck {
    Record,
    Refund,
    Checkout,
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
            Transacted::ConditionFailed(
                UpdateCheck::Record | UpdateCheck::Refund | UpdateCheck::Checkout,
                _,
            ) => Ok(Updated::RecordChanged),
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
        let item = self.update_of(keys::payment(change.id), &expression(change))?;
        let mut items = vec![Checked { item, check: UpdateCheck::Record }];
        if let Some(refund) = &change.refund {
            let puts = self.refund_items(refund)?.into_iter();
            items.extend(puts.map(|item| Checked { item, check: UpdateCheck::Refund }));
        }
        if let Some(checkout) = &change.checkout {
            let item = self.put_new(checkout_item(checkout))?;
            items.push(Checked { item, check: UpdateCheck::Checkout });
        }
        if change.guarded {
            items.push(Checked { item: self.live_check(change)?, check: UpdateCheck::Guard });
        }
        items.push(self.put_checked(event)?);
        Ok(items)
    }

    /// The refund as it is after the change, and what the provider's id of a new one stands for.
    fn refund_items(&self, refund: &RefundChange) -> Result<Vec<TransactWriteItem>, BuildError> {
        let item = refund_item(&refund.item);
        let reference = reference_item(&refund.item).filter(|_| refund.is_named);
        let reference = reference.map(|item| self.put_new(item)).transpose()?;
        let Some(from) = refund.from else {
            return Ok([Some(self.put_new(item)?), reference].into_iter().flatten().collect());
        };
        let as_read = Expression::default().when("state", s(from.as_str()));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(as_read.condition())
            .set_expression_attribute_names(Some(as_read.names()))
            .set_expression_attribute_values(Some(as_read.values()))
            .build()?;
        let put = TransactWriteItem::builder().put(put).build();
        Ok([Some(put), reference].into_iter().flatten().collect())
    }

    /// The event, if its key is free.
    pub(super) fn put_checked(&self, event: &Event) -> Result<Checked<UpdateCheck>, BuildError> {
        Ok(Checked { item: self.put_new(event_item(event))?, check: UpdateCheck::EventKey })
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(ABSENT)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The change of one item, for a transaction.
    pub(super) fn update_of(
        &self,
        key: ItemKey,
        expression: &Expression,
    ) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.into_item()))
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
        for (name, value) in transaction_attributes(reference) {
            expression = expression.set_or_remove(name, value);
        }
    }
    if let Some(refund) = &change.refund {
        for (name, minor) in refunds_attributes(refund.refunds) {
            expression = expression.set_or_remove(name, (minor > 0).then(|| n(minor)));
        }
    }
    if let Some(checkout) = &change.checkout {
        expression = expression.set("checkouts", n(checkout.reference.number.get().into()));
    }
    if change.ends_closing() {
        expression = expression.remove("closing");
    } else if change.is_closing {
        expression = expression.set("closing", AttributeValue::Bool(true));
    }
    if change.pays() {
        expression = expression.set("paid_time", n(change.at.millis()));
    }
    match change.due {
        DueChange::Keep => expression,
        DueChange::Set { before, after } => due_expression(expression, change.id, before, after),
        DueChange::Clear => expression.remove_due(),
    }
}

/// The queue stays as it is, so that a time which stays as it is writes no index.
fn due_expression(
    expression: Expression,
    id: PaymentId,
    before: Option<Due>,
    after: Due,
) -> Expression {
    let expression = match before {
        Some(before) => expression.when_all(due_attributes(before)),
        None => expression.when_absent("due").set("queue", s(keys::queue_of(id))),
    };
    expression.set_all(due_attributes(after))
}
