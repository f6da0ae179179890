//! Making a payment: it and its guard in one transaction.

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
    transaction::{Part, Transacted},
};

/// What it means when a condition fails.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    Guarded,
    NotReplaceable,
    IdTaken,
}

impl DynamoDbPayments {
    pub(super) async fn put_payment(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        let parts = self
            .creation(payment, guard, replacing)
            .map_err(|error| StoreError::Fault(error.into()))?;
        match self.transact(&parts).await? {
            Transacted::Done => Ok(Created::Done),
            Transacted::Refused(Meaning::Guarded, found) => {
                let found = found.map(|item| read_guard(&item, guard.oid)).transpose()?;
                Ok(Created::Guarded(found))
            }
            Transacted::Refused(Meaning::NotReplaceable, _) => Ok(Created::NotReplaceable),
            Transacted::Refused(Meaning::IdTaken, _) => Ok(Created::IdTaken),
        }
    }

    fn creation(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Vec<Part<Meaning>>, BuildError> {
        let put_guard = Put::builder()
            .table_name(&self.table)
            .set_item(Some(guard_item(guard)))
            // The write itself hands back the guard it met: a read after it would race.
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

        let mut parts = vec![Part {
            item: TransactWriteItem::builder().put(put_guard.build()?).build(),
            meaning: Meaning::Guarded,
        }];
        if let Some(old) = replacing {
            parts.push(Part {
                item: self.still_replaceable(old)?,
                meaning: Meaning::NotReplaceable,
            });
        }
        parts.push(Part {
            item: TransactWriteItem::builder().put(put_payment.build()?).build(),
            meaning: Meaning::IdTaken,
        });
        Ok(parts)
    }

    /// [`Payment::is_replaceable`], in DynamoDB's words.
    fn still_replaceable(&self, old: PaymentId) -> Result<TransactWriteItem, BuildError> {
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
