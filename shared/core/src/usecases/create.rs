//! Create: at most one live payment for an order, whatever crashes or races.
//!
//! An index may hint that the order has a payment; only the guard, which is written in the same
//! transaction as the payment, decides.

use futures_util::future;

use super::DECISIONS_MAX;
use crate::{
    domain::{Amount, Digest, Guard, OrderId, Payment, PaymentId, Timestamp, UserId},
    ports::{
        Cause, Created, Order, Orders, PaymentIds, PaymentStore, ShopError, StoreError,
        TraceParent, Users,
    },
};

/// A request to make a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatePayment {
    /// Who pays.
    pub uid: UserId,
    /// What for.
    pub oid: OrderId,
    /// How much.
    pub amount: Amount,
    /// SHA-256 of (uid, Idempotency-Key), where the request carries one.
    pub key: Option<Digest>,
}

/// The payment that a create names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedPayment {
    /// Its id.
    pub id: PaymentId,
    /// Whether an earlier request with the same key made it.
    pub replayed: bool,
}

/// Why there is no new payment. In the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// No such user.
    #[error("the user does not exist")]
    UserNotFound,
    /// No such order, or another user's.
    #[error("the order does not exist")]
    OrderNotFound,
    /// The order's payment was made by another request with the same key.
    #[error("the key was used for another request")]
    KeyReused,
    /// The order has a payment; its id is for its owner only.
    #[error("the order has a payment already")]
    PaymentExists(Option<PaymentId>),
    /// The order does not wait for a payment.
    #[error("the order is paid")]
    OrderPaid,
    /// The order costs another amount.
    #[error("the order costs another amount")]
    AmountMismatch,
    /// A dependency is down or did not say what it did; a repeat finds out.
    #[error("a dependency cannot be used now")]
    Unavailable(#[source] Cause),
    /// Ours to repair.
    #[error("the store is not as it should be")]
    Fault(#[source] Cause),
}

impl From<StoreError> for CreateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Unknown(cause) => Self::Unavailable(cause),
            StoreError::Fault(cause) => Self::Fault(cause),
        }
    }
}

impl From<ShopError> for CreateError {
    fn from(error: ShopError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Makes a payment for an order, or names the one that a request with the same key made.
///
/// # Errors
///
/// [`CreateError`], in the order of its variants.
pub async fn create(
    (users, orders): (&impl Users, &impl Orders),
    (store, ids): (&impl PaymentStore, &impl PaymentIds),
    request: CreatePayment,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<CreatedPayment, CreateError> {
    let (user, order, hint) = future::join3(
        users.exists(request.uid, trace),
        orders.find(request.oid, request.uid, trace),
        store.newest_of_order(request.oid),
    )
    .await;
    if !user? {
        return Err(CreateError::UserNotFound);
    }
    let order =
        order?.filter(|order| order.uid == request.uid).ok_or(CreateError::OrderNotFound)?;
    // A hint query that fails is no hint: the transaction finds the guard itself.
    let hinted = matches!(hint, Ok(Some(_)));
    // Before any refusal the guard is asked: the request may be the repeat of one that succeeded.
    let guard = if hinted || payable(order, request.amount).is_err() {
        store.guard(request.oid).await?
    } else {
        None
    };
    write(store, ids, request, order, guard, now).await
}

/// Decides by the guard and writes, until one of them gives the answer.
async fn write(
    store: &impl PaymentStore,
    ids: &impl PaymentIds,
    request: CreatePayment,
    order: Order,
    mut guard: Option<Guard>,
    now: Timestamp,
) -> Result<CreatedPayment, CreateError> {
    let mut id = ids.next(now);
    for _ in 0..DECISIONS_MAX {
        let replacing = match &guard {
            Some(guard) => match decide(store, guard, request).await? {
                Decision::Replay => {
                    return Ok(CreatedPayment { id: guard.payment, replayed: true });
                }
                Decision::Replace => Some(guard.payment),
            },
            None => None,
        };
        payable(order, request.amount)?;
        let payment = Payment::pending(id, request.uid, request.oid, request.amount, now);
        let own = Guard::of(&payment, request.key);
        let attempt = store.create(&payment, &own, replacing).await;
        guard = match attempt {
            Ok(Created::Done) => {
                return Ok(CreatedPayment { id, replayed: false });
            }
            Ok(Created::Guarded(found)) => found,
            Ok(Created::NotReplaceable) => store.guard(request.oid).await?,
            Ok(Created::IdTaken) => {
                id = ids.next(now);
                continue;
            }
            Err(StoreError::Unknown(cause)) => match store.guard(request.oid).await? {
                // Nothing there yet. A late effect is found by the repeat.
                None => return Err(CreateError::Unavailable(cause)),
                found => found,
            },
            Err(error) => return Err(error.into()),
        };
        // The guard is ours: an attempt of ours landed, whatever its answer was.
        if guard.as_ref() == Some(&own) {
            return Ok(CreatedPayment { id, replayed: false });
        }
    }
    Err(CreateError::Unavailable("the order's payment kept changing".into()))
}

enum Decision {
    Replay,
    Replace,
}

/// What a guard that is there means for a request.
async fn decide(
    store: &impl PaymentStore,
    guard: &Guard,
    request: CreatePayment,
) -> Result<Decision, CreateError> {
    // An answer that names a payment names one that is there.
    let Some(existing) = store.payment(guard.payment).await? else {
        return Err(CreateError::Unavailable("the guarded payment is not there".into()));
    };
    let same_key = guard.has_key(request.key);
    if same_key && guard.is_for(request.uid, request.amount) {
        Ok(Decision::Replay)
    } else if existing.is_replaceable() {
        Ok(Decision::Replace)
    } else if same_key {
        Err(CreateError::KeyReused)
    } else {
        let owned = guard.uid == request.uid;
        Err(CreateError::PaymentExists(owned.then_some(guard.payment)))
    }
}

/// Whether the order waits for just this amount.
fn payable(order: Order, amount: Amount) -> Result<(), CreateError> {
    if order.paid {
        Err(CreateError::OrderPaid)
    } else if order.amount_minor != amount.minor() {
        Err(CreateError::AmountMismatch)
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
