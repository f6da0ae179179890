//! Transactions whose items say what it means when their condition fails.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};
use pay_core::ports::{Cause, StoreError};

use super::{
    DynamoDbPayments,
    attempts::{Failure, classify, write},
    row::Item,
    units,
};

/// One item of a transaction, and what it means when its condition fails.
#[derive(Clone, Debug)]
pub(super) struct Part<M> {
    pub(super) item: TransactWriteItem,
    pub(super) meaning: M,
}

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Transacted<M> {
    /// All of it is written.
    Done,
    /// Nothing is: a condition failed. The item as it is, where it was asked for and is there.
    Refused(M, Option<Item>),
}

impl DynamoDbPayments {
    /// Writes all parts or none.
    ///
    /// The parts are in the order in which their failures count. A part's failure is only told
    /// when all parts before it were found as expected: where one of those was in conflict it is
    /// not known, and the transaction is tried again.
    pub(super) async fn transact<M: Copy>(
        &self,
        parts: &[Part<M>],
    ) -> Result<Transacted<M>, StoreError> {
        let items: Vec<_> = parts.iter().map(|part| part.item.clone()).collect();
        write(|token| {
            let request = self
                .writer
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
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
                        decide(parts, cancelled.cancellation_reasons())
                    }
                    _ => Err(classify("TransactWriteItems", &error)),
                }
            }
        })
        .await
    }
}

fn decide<M: Copy>(
    parts: &[Part<M>],
    reasons: &[CancellationReason],
) -> Result<Transacted<M>, Failure> {
    for (part, reason) in parts.iter().zip(reasons) {
        let cause = || Cause::from(format!("transaction cancelled: {:?}", reason.code()));
        match reason.code() {
            None | Some("None") => {}
            Some("ConditionalCheckFailed") => {
                let found = reason.item().filter(|item| !item.is_empty()).cloned();
                return Ok(Transacted::Refused(part.meaning, found));
            }
            Some(
                "TransactionConflict"
                | "ThrottlingError"
                | "ProvisionedThroughputExceeded"
                | "RequestLimitExceeded",
            ) => return Err(Failure::Conflict(cause())),
            // ValidationError, ItemCollectionSizeLimitExceeded, AccessDenied.
            Some(_) => return Err(Failure::Fault(cause())),
        }
    }
    Err(Failure::Conflict("transaction cancelled for no reason given".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(codes: &[&str]) -> String {
        let part = |meaning| Part { item: TransactWriteItem::builder().build(), meaning };
        let reasons: Vec<_> =
            codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        match decide(&[part("first"), part("second"), part("third")], &reasons) {
            Ok(Transacted::Done) => "done".to_owned(),
            Ok(Transacted::Refused(meaning, _)) => meaning.to_owned(),
            Err(Failure::Conflict(_)) => "again".to_owned(),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn the_first_part_that_is_not_as_expected_decides() {
        let failed = "ConditionalCheckFailed";
        let conflict = "TransactionConflict";
        for (codes, want) in [
            ([failed, failed, failed], "first"),
            (["None", failed, failed], "second"),
            (["None", "None", failed], "third"),
            // A condition that failed outweighs a conflict behind it …
            ([failed, conflict, "None"], "first"),
            (["None", failed, "ThrottlingError"], "second"),
            // … but what comes after a conflict is only known once the conflict is over.
            ([conflict, failed, "None"], "again"),
            (["None", "ProvisionedThroughputExceeded", "None"], "again"),
            (["None", "None", "None"], "again"),
        ] {
            assert_eq!(decided(&codes), want, "{codes:?}");
        }
        assert_eq!(decided(&[]), "again");
        assert!(decided(&["None", "None", "ValidationError"]).starts_with("Fault"));
    }
}
