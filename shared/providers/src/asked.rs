//! What a query asks for, at providers that list nothing.

use pay_core::{
    domain::{PaymentId, ProviderTxn, RefundReference},
    ports::{Query, QueryError, RefundOrder},
};

use crate::query::unusable;

/// What is asked for.
pub(crate) enum Asked<'a> {
    Payment(AskedPayment<'a>),
    Refund(AskedRefund<'a>),
}

/// Which payment is asked for.
pub(crate) struct AskedPayment<'a> {
    pub(crate) payment: PaymentId,
    /// The provider's transaction, where it is known.
    pub(crate) txn: Option<&'a ProviderTxn>,
}

/// Which refund is asked for.
///
/// A response is about it if it has both: our reference, and the transaction that the refund is taken from.
/// Under which reference the payment was made is not compared, since a record may name a transaction that
/// somebody else began.
pub(crate) struct AskedRefund<'a> {
    pub(crate) refund: RefundReference,
    pub(crate) txn: &'a ProviderTxn,
}

impl<'a> Asked<'a> {
    /// The payment or the refund of a query.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unusable`] for a query of something else.
    pub(crate) fn of(query: &'a Query) -> Result<Self, QueryError> {
        match query {
            Query::Payment { id, txn } => {
                Ok(Self::Payment(AskedPayment { payment: *id, txn: txn.as_ref() }))
            }
            Query::Refund { refund, txn } => Ok(Self::Refund(AskedRefund { refund: *refund, txn })),
            Query::Refunds { .. } | Query::Object(_) => {
                Err(unusable("a query that this provider does not take"))
            }
        }
    }
}

impl<'a> From<&RefundOrder<'a>> for AskedRefund<'a> {
    /// The response to an order is about what was ordered.
    fn from(order: &RefundOrder<'a>) -> Self {
        Self { refund: order.reference, txn: order.txn }
    }
}
