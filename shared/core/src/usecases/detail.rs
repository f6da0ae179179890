//! Detail: one payment, by its id or by its order.

use crate::domain::{OrderId, Payment, PaymentId, UserId};
use crate::ports::{Cause, PaymentStore, StoreError};

/// Which payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// This one.
    Id(PaymentId),
    /// The order's newest.
    Order(OrderId),
}

/// Why there is no payment to show.
#[derive(Debug, thiserror::Error)]
pub enum DetailError {
    /// No such payment, or another user's: the same answer, so that nobody learns which.
    #[error("the payment does not exist")]
    NotFound,
    /// The store is down; a repeat may help.
    #[error("the store cannot be used now")]
    Unavailable(#[source] Cause),
    /// Ours to repair.
    #[error("the store is not as it should be")]
    Fault(#[source] Cause),
}

impl From<StoreError> for DetailError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Unknown(cause) => Self::Unavailable(cause),
            StoreError::Fault(cause) => Self::Fault(cause),
        }
    }
}

/// Finds one payment.
///
/// `viewer` may see only payments of their own; `None` is a caller that may see all.
///
/// # Errors
///
/// [`DetailError`].
pub async fn detail(
    store: &impl PaymentStore,
    wanted: Wanted,
    viewer: Option<UserId>,
) -> Result<Payment, DetailError> {
    let found = match wanted {
        Wanted::Id(id) => store.payment(id).await?,
        Wanted::Order(oid) => of_order(store, oid).await?,
    };
    found
        .filter(|payment| viewer.is_none_or(|viewer| viewer == payment.uid))
        .ok_or(DetailError::NotFound)
}

/// The index finds the newest payment it has heard of. Only the guard knows that there is none, or
/// that one which could be replaced was not.
async fn of_order(store: &impl PaymentStore, oid: OrderId) -> Result<Option<Payment>, DetailError> {
    let hinted = match store.newest_of_order(oid).await {
        Ok(Some(id)) => store.payment(id).await?,
        // A hint query that fails is no hint.
        Ok(None) | Err(_) => None,
    };
    if let Some(payment) = &hinted
        && !payment.is_replaceable()
    {
        return Ok(hinted);
    }
    match store.guard(oid).await? {
        None => Ok(hinted),
        Some(guard) if hinted.as_ref().is_some_and(|payment| payment.id == guard.payment) => {
            Ok(hinted)
        }
        Some(guard) => match store.payment(guard.payment).await? {
            Some(payment) => Ok(Some(payment)),
            None => Err(DetailError::Unavailable("the guarded payment is not there".into())),
        },
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
