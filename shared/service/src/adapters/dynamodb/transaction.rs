//! Transactions that report which of their conditions failed.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};
use pay_core::ports::{Cause, StoreError};

use super::{
    DynamoDbPayments,
    attempts::{AttemptError, classify, write},
    row::Item,
    units,
};

/// One item of a transaction, and what its condition is about.
#[derive(Clone, Debug)]
pub(super) struct Checked<C> {
    pub(super) item: TransactWriteItem,
    pub(super) check: C,
}

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Transacted<C> {
    /// All of it is written.
    Done,
    /// Nothing is: a condition failed. The item as it is, where it was requested and exists.
    ConditionFailed(C, Option<Item>),
}

impl DynamoDbPayments {
    /// Writes all items or none.
    ///
    /// The items are in the order in which their failures count. A failed condition is only reported
    /// when all items before it are as expected: where one of those was in conflict this is not known,
    /// and the transaction is retried.
    pub(super) async fn transact<C: Copy>(
        &self,
        items: &[Checked<C>],
    ) -> Result<Transacted<C>, StoreError> {
        let writes: Vec<_> = items.iter().map(|checked| checked.item.clone()).collect();
        write(|token| {
            let request = self
                .writer
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .return_consumed_capacity(units::TOTAL)
                .client_request_token(token);
            async move {
                let error = match request.send().await {
                    Ok(done) => {
                        units::written(done.consumed_capacity());
                        return Ok(Transacted::Done);
                    }
                    Err(error) => error,
                };
                match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                        first_failure(items, cancelled.cancellation_reasons())
                    }
                    _ => Err(classify("TransactWriteItems", &error)),
                }
            }
        })
        .await
    }
}

fn first_failure<C: Copy>(
    items: &[Checked<C>],
    reasons: &[CancellationReason],
) -> Result<Transacted<C>, AttemptError> {
    for (checked, reason) in items.iter().zip(reasons) {
        let cause = || Cause::from(format!("transaction cancelled: {:?}", reason.code()));
        match reason.code() {
            None | Some("None") => {}
            Some("ConditionalCheckFailed") => {
                let found = reason.item().filter(|item| !item.is_empty()).cloned();
                return Ok(Transacted::ConditionFailed(checked.check, found));
            }
            Some(
                "TransactionConflict"
                | "ThrottlingError"
                | "ProvisionedThroughputExceeded"
                | "RequestLimitExceeded",
            ) => return Err(AttemptError::Conflict(cause())),
            // ValidationError, ItemCollectionSizeLimitExceeded, AccessDenied.
            Some(_) => return Err(AttemptError::Fault(cause())),
        }
    }
    Err(AttemptError::Conflict("transaction cancelled for no reason given".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(codes: &[&str]) -> String {
        let of = |check| Checked { item: TransactWriteItem::builder().build(), check };
        let reasons: Vec<_> =
            codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        match first_failure(&[of("first"), of("second"), of("third")], &reasons) {
            Ok(Transacted::Done) => "done".to_owned(),
            Ok(Transacted::ConditionFailed(check, _)) => check.to_owned(),
            Err(AttemptError::Conflict(_)) => "retry".to_owned(),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn the_first_item_that_is_not_as_expected_decides() {
        let failed = "ConditionalCheckFailed";
        let conflict = "TransactionConflict";
        for (codes, want) in [
            ([failed, failed, failed], "first"),
            (["None", failed, failed], "second"),
            (["None", "None", failed], "third"),
            // A condition that failed outweighs a conflict after it …
            ([failed, conflict, "None"], "first"),
            (["None", failed, "ThrottlingError"], "second"),
            // … but what comes after a conflict is only known once the conflict is over.
            ([conflict, failed, "None"], "retry"),
            (["None", "ProvisionedThroughputExceeded", "None"], "retry"),
            (["None", "None", "None"], "retry"),
        ] {
            assert_eq!(outcome(&codes), want, "{codes:?}");
        }
        assert_eq!(outcome(&[]), "retry");
        assert!(outcome(&["None", "None", "ValidationError"]).starts_with("Fault"));
    }
}
