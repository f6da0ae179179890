//! The payment that a query asks for, at providers that are asked for payments only.

use pay_core::{
    domain::{PaymentId, ProviderTxn},
    ports::{Query, QueryError},
};

use crate::query::unusable;

/// Which payment is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) payment: PaymentId,
    /// The provider's transaction, where it is known.
    pub(crate) txn: Option<&'a ProviderTxn>,
}

impl<'a> Asked<'a> {
    /// The payment of a query.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for a query of something else.
    pub(crate) fn of(query: &'a Query) -> Result<Self, QueryError> {
        match query {
            Query::Payment { id, txn } => Ok(Self { payment: *id, txn: txn.as_ref() }),
            Query::Refunds { .. } | Query::Object(_) => {
                Err(unusable("a query that this provider does not take"))
            }
        }
    }
}
