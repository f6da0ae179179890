//! Callback: what a genuine message does to the payment it names.
//!
//! The record decides, never the event log: an entry that is there says that the message came
//! before, not that its work was done. Whoever calls this has checked that the message is genuine.

mod notice;
mod settle;

use futures_util::future;

pub use notice::{Claims, Notice};

use crate::{
    domain::{Misfit, Outcome, Payment, Report, Timestamp, Verdict},
    ports::{Cause, Orders, PaymentStore, ShopError, StoreError, TraceParent, Users},
};

/// What became of a message that was taken.
#[derive(Debug)]
pub struct Received {
    /// The record after it.
    pub record: Payment,
    /// What it did to the record.
    pub verdict: Verdict,
    /// Whether the order was told because of it.
    pub telling: Telling,
}

/// Whether the order was told.
#[derive(Debug)]
pub enum Telling {
    /// There was nothing to tell.
    None,
    /// It was, and the work list knows.
    Done,
    /// It was, and will be again: taking it off the work list failed.
    Uncleared(StoreError),
    /// It does not know yet. It is in the work list, durably.
    Failed(ShopError),
}

/// Why a message is answered with a refusal.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// It is in quarantine, durably: a person looks at it, and sending it again does nothing.
    #[error("the message does not fit")]
    Misfit(Misfit),
    /// The store is down or did not say what it did; a repeat finds out.
    #[error("the store cannot be used now")]
    Unavailable(#[source] Cause),
    /// Ours to repair.
    #[error("the store is not as it should be")]
    Fault(#[source] Cause),
}

impl From<StoreError> for CallbackError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) | StoreError::Unknown(cause) => Self::Unavailable(cause),
            StoreError::Fault(cause) => Self::Fault(cause),
        }
    }
}

/// Takes a genuine message: moves the record, tells the order, or puts it in quarantine.
///
/// # Errors
///
/// [`CallbackError`]. After [`CallbackError::Misfit`], as after every success, what the message did is
/// durable: a sender that only wants the message kept may be thanked for it.
pub async fn callback(
    (users, orders): (&impl Users, &impl Orders),
    store: &impl PaymentStore,
    notice: &Notice,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Received, CallbackError> {
    let record = async {
        match notice.payment {
            Some(id) => store.payment(id).await,
            None => Ok(None),
        }
    };
    let (record, claimed) = future::join(record, absent(users, orders, notice, trace)).await;
    let Some(record) = record? else {
        let misfit = claimed.unwrap_or(Misfit::PaymentNotFound);
        return Err(settle::park(store, notice, None, misfit, now).await);
    };
    if let Some(misfit) = claimed.or_else(|| notice.misfit(&record)) {
        return Err(settle::park(store, notice, Some(&record), misfit, now).await);
    }
    let (record, verdict) = settle::settle(store, notice, record, now).await?;
    let telling = tell(orders, store, notice, &record, now, trace).await;
    Ok(Received { record, verdict, telling })
}

/// What a native message claims and the shop definitely does not know. A service that is down
/// stops no message that fits the record.
async fn absent(
    users: &impl Users,
    orders: &impl Orders,
    notice: &Notice,
    trace: &TraceParent,
) -> Option<Misfit> {
    let Claims { uid, oid } = notice.claims?;
    match future::join(users.exists(uid, trace), orders.find(oid, uid, trace)).await {
        (Ok(false), _) => Some(Misfit::UserNotFound),
        (_, Ok(None)) => Some(Misfit::OrderNotFound),
        (Ok(true) | Err(_), Ok(Some(_)) | Err(_)) => None,
    }
}

/// Tells the order of a paid message, if the record still lists the telling.
async fn tell(
    orders: &impl Orders,
    store: &impl PaymentStore,
    notice: &Notice,
    record: &Payment,
    now: Timestamp,
    trace: &TraceParent,
) -> Telling {
    let (Report::Outcome(Outcome::Paid), Some(work)) = (notice.report, record.work) else {
        return Telling::None;
    };
    if let Err(error) = orders.tell_paid(record, trace).await {
        return Telling::Failed(error);
    }
    // Told again later if this fails, which the order takes as the same telling.
    match store.told(record.id, work, now).await {
        Ok(()) => Telling::Done,
        Err(error) => Telling::Uncleared(error),
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
