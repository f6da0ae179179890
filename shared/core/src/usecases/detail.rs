//! Detail: one payment, by its id or by its order.

use super::Failure;
use crate::{
    domain::{OrderId, Payment, PaymentId, UserId},
    ports::{Payments, StoreError},
};

/// Which payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The payment with this id.
    Id(PaymentId),
    /// The newest payment of this order.
    Order(OrderId),
}

/// Why there is no payment to show.
#[derive(Debug, thiserror::Error)]
pub enum DetailError {
    /// No such payment, or another user's: the same error, so that nobody learns which.
    #[error("the payment does not exist")]
    NotFound,
    /// A dependency failed.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for DetailError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Finds one payment.
///
/// A `viewer` sees only payments of their own; `None` sees all. Whose a record is is compared before
/// anything else is read, so that not even the time of the response says what status it has.
///
/// # Errors
///
/// [`DetailError`].
pub async fn detail(
    store: &impl Payments,
    wanted: Wanted,
    viewer: Option<UserId>,
) -> Result<Payment, DetailError> {
    let found = match wanted {
        Wanted::Id(id) => store.payment(id).await?,
        Wanted::Order(oid) => of_order(store, oid, viewer).await?,
    };
    own(found, viewer)?.ok_or(DetailError::NotFound)
}

/// A record, if the viewer may see it.
fn own(found: Option<Payment>, viewer: Option<UserId>) -> Result<Option<Payment>, DetailError> {
    let is_anothers = |payment: &Payment| !payment.is_of(viewer);
    if found.as_ref().is_some_and(is_anothers) { Err(DetailError::NotFound) } else { Ok(found) }
}

/// The index lags: only the guard tells that there is no payment, or that a replaceable one was not
/// replaced.
async fn of_order(
    store: &impl Payments,
    oid: OrderId,
    viewer: Option<UserId>,
) -> Result<Option<Payment>, DetailError> {
    let hint = match store.newest_of_order(oid).await {
        Ok(Some(id)) => store.payment(id).await,
        // A hint query that fails is no hint.
        Ok(None) | Err(_) => Ok(None),
    };
    let hinted = match hint {
        // Nor is a record that cannot be read, unless it is the order's own.
        Err(StoreError::Fault(cause)) => {
            let guard = store.guard(oid).await?.ok_or(StoreError::Fault(cause))?;
            return Ok(store.payment(guard.payment).await?);
        }
        hinted => own(hinted?, viewer)?,
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
            None => Err(Failure::Unavailable("the guarded payment does not exist".into()).into()),
        },
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
