//! Create: at most one live payment for an order, whatever crashes or races.
//!
//! An index may hint that the order has a payment; only the guard, which is written in the same
//! transaction as the payment, decides.

use futures_util::future;

use super::Failure;
use crate::{
    domain::{
        Amount, Digest, Due, Guard, OrderId, Payment, PaymentId, TimeToLive, Timestamp, UserId,
    },
    limits::DECISIONS_MAX,
    ports::{Created, Order, Orders, PaymentIds, Payments, StoreError, TraceParent, Users},
};

/// A request to create a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatePayment {
    /// The payer.
    pub uid: UserId,
    /// The order to pay.
    pub oid: OrderId,
    /// The amount, which must be the order's.
    pub amount: Amount,
    /// SHA-256 of (uid, Idempotency-Key), where the request carries one.
    pub key: Option<Digest>,
    /// Whether providers can be asked what became of it: then it is looked at until its end is known.
    pub queried: bool,
    /// How long it can be paid, where that is limited: then it is closed.
    pub time_to_live: Option<TimeToLive>,
}

impl CreatePayment {
    /// When a payment that is made now is first looked at.
    fn first_look(&self, now: Timestamp) -> Option<Due> {
        let query = self.queried.then(|| Due::first_query(now));
        let Some(time) = self.time_to_live else { return query };
        let end = Due { at: time.end_of(now), attempts: 0 };
        Some(query.map_or(end, |query| time.bounds(now, query)))
    }
}

/// The payment that a create names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedPayment {
    /// Its id.
    pub id: PaymentId,
    /// Whether an earlier request with the same key created it.
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
    /// Another request with the same key created the order's payment.
    #[error("the key was used for another request")]
    KeyReused,
    /// The order has a live payment; its id is for its owner only.
    #[error("the order has a payment already")]
    PaymentExists(Option<PaymentId>),
    /// The order takes no payment.
    #[error("the order is paid")]
    OrderPaid,
    /// The order has another amount.
    #[error("the order has another amount")]
    AmountMismatch,
    /// A dependency failed.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for CreateError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Creates a payment for an order, or names the one that a request with the same key created.
///
/// # Errors
///
/// [`CreateError`], in the order of its variants.
pub async fn create(
    (users, orders): (&impl Users, &impl Orders),
    (store, ids): (&impl Payments, &impl PaymentIds),
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
    // The guard is read before any problem: the request may repeat one that succeeded.
    let guard = if hinted || payable(order, request.amount).is_err() {
        store.guard(request.oid).await?
    } else {
        None
    };
    write(store, ids, request, order, guard, now).await
}

/// Decides by the guard and writes, until one of the two gives the result.
async fn write(
    store: &impl Payments,
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
                Existing::Replay => {
                    return Ok(CreatedPayment { id: guard.payment, replayed: true });
                }
                Existing::Replace => Some(guard.payment),
            },
            None => None,
        };
        payable(order, request.amount)?;
        let payment = Payment::pending(id, request.uid, request.oid, request.amount, now);
        let due = request.first_look(now);
        let payment = Payment { due, ..payment };
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
                // Nothing there yet. If the write takes effect later, the client's retry finds it.
                None => return Err(Failure::Unavailable(cause).into()),
                found => found,
            },
            Err(error) => return Err(error.into()),
        };
        // The guard is ours: an earlier attempt took effect, although its response was lost.
        if guard.as_ref() == Some(&own) {
            return Ok(CreatedPayment { id, replayed: false });
        }
    }
    Err(Failure::Unavailable("the order's payment kept changing".into()).into())
}

enum Existing {
    Replay,
    Replace,
}

/// What an existing guard means for a request.
async fn decide(
    store: &impl Payments,
    guard: &Guard,
    request: CreatePayment,
) -> Result<Existing, CreateError> {
    // Never name a payment that cannot be read.
    let Some(existing) = store.payment(guard.payment).await? else {
        return Err(Failure::Unavailable("the guarded payment does not exist".into()).into());
    };
    let same_key = guard.has_key(request.key);
    if same_key && guard.is_for(request.uid, request.amount) {
        Ok(Existing::Replay)
    } else if existing.is_replaceable() {
        Ok(Existing::Replace)
    } else if same_key {
        Err(CreateError::KeyReused)
    } else {
        let owned = guard.uid == request.uid;
        Err(CreateError::PaymentExists(owned.then_some(guard.payment)))
    }
}

/// Whether the order takes a payment of just this amount.
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
