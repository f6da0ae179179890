//! What a query asks for, at providers that list nothing.

use pay_core::{
    domain::{
        CheckoutNumber, CheckoutReference, MerchantAccount, PaymentId, ProviderTxn, RefundReference,
    },
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
    /// The checkout of it, where one is asked for.
    pub(crate) checkout: Option<CheckoutNumber>,
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

impl AskedPayment<'_> {
    /// Our reference of the checkout that is asked for.
    pub(crate) fn checkout(&self) -> Option<CheckoutReference> {
        self.checkout.map(|number| CheckoutReference { payment: self.payment, number })
    }
}

impl<'a> Asked<'a> {
    /// The payment, the checkout or the refund of a query.
    ///
    /// # Errors
    ///
    /// [`QueryError::NoKey`] for a checkout of another account, [`QueryError::Unusable`] for a query of
    /// something else.
    pub(crate) fn of(query: &'a Query, ours: &MerchantAccount) -> Result<Self, QueryError> {
        match query {
            Query::Payment { id, txn } => {
                let (payment, txn) = (*id, txn.as_ref());
                Ok(Self::Payment(AskedPayment { payment, checkout: None, txn }))
            }
            // Neither provider has an id of it before it is paid.
            Query::Checkout { reference, account, .. } => {
                of_our_account(account, ours)?;
                let CheckoutReference { payment, number } = *reference;
                Ok(Self::Payment(AskedPayment { payment, checkout: Some(number), txn: None }))
            }
            Query::Refund { refund, txn } => Ok(Self::Refund(AskedRefund { refund: *refund, txn })),
            Query::Refunds { .. } | Query::Object(_) => {
                Err(unusable("a query that this provider does not take"))
            }
        }
    }
}

/// Whether a checkout was made with our account: another one does not know of it.
///
/// # Errors
///
/// [`QueryError::NoKey`] if it was not.
pub(crate) fn of_our_account(
    made_with: &MerchantAccount,
    ours: &MerchantAccount,
) -> Result<(), QueryError> {
    if made_with == ours { Ok(()) } else { Err(QueryError::NoKey) }
}

impl<'a> From<&RefundOrder<'a>> for AskedRefund<'a> {
    /// The response to an order is about what was ordered.
    fn from(order: &RefundOrder<'a>) -> Self {
        Self { refund: order.reference, txn: order.txn }
    }
}
