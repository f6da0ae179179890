//! Creating a payment: it and its guard in one transaction.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use pay_core::{
    domain::{Guard, Payment, PaymentId, Status},
    ports::{Created, StoreError},
};

use super::{
    DynamoDbPayments,
    expression::{ABSENT, Expression},
    keys,
    payment_row::{guard_item, payment_item, read_guard},
    row::n,
    transaction::{Checked, Transacted},
};

/// What a condition of the transaction is about.
#[derive(Clone, Copy, Debug)]
enum CreateCheck {
    Guard,
    Replaced,
    Id,
}

impl DynamoDbPayments {
    pub(super) async fn put_payment(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        let items = self
            .create_items(payment, guard, replacing)
            .map_err(|error| StoreError::Fault(error.into()))?;
        match self.transact(&items).await? {
            Transacted::Done => Ok(Created::Done),
            Transacted::ConditionFailed(CreateCheck::Guard, found) => {
                let found = found.map(|item| read_guard(&item, guard.oid)).transpose()?;
                Ok(Created::Guarded(found))
            }
            Transacted::ConditionFailed(CreateCheck::Replaced, _) => Ok(Created::NotReplaceable),
            Transacted::ConditionFailed(CreateCheck::Id, _) => Ok(Created::IdTaken),
        }
    }

    fn create_items(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Vec<Checked<CreateCheck>>, BuildError> {
        let put_guard = Put::builder()
            .table_name(&self.table)
            .set_item(Some(guard_item(guard)))
            // The failed write itself returns the guard: a read after it would race.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put_guard = match replacing {
            None => put_guard.condition_expression(ABSENT),
            Some(old) => {
                let names_old = Expression::default().when("payment", n(old.get()));
                put_guard
                    .condition_expression(names_old.condition())
                    .set_expression_attribute_names(Some(names_old.names()))
                    .set_expression_attribute_values(Some(names_old.values()))
            }
        };
        let put_payment = Put::builder()
            .table_name(&self.table)
            .set_item(Some(payment_item(payment)))
            .condition_expression(ABSENT);

        let mut items = vec![Checked {
            item: TransactWriteItem::builder().put(put_guard.build()?).build(),
            check: CreateCheck::Guard,
        }];
        if let Some(old) = replacing {
            items
                .push(Checked { item: self.replaceable_check(old)?, check: CreateCheck::Replaced });
        }
        items.push(Checked {
            item: TransactWriteItem::builder().put(put_payment.build()?).build(),
            check: CreateCheck::Id,
        });
        Ok(items)
    }

    /// [`Payment::is_replaceable`] as a condition.
    fn replaceable_check(&self, old: PaymentId) -> Result<TransactWriteItem, BuildError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(keys::payment(old).into_item()))
            .condition_expression(
                "#status = :closed OR (#status = :refunded AND attribute_not_exists(paid_time))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":closed", n(Status::Closed.code().into()))
            .expression_attribute_values(":refunded", n(Status::Refunded.code().into()))
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}
