//! Reconcile: tells the orders that nobody has told yet.
//!
//! The index only names candidates; the record, read consistently, decides. A telling that fails is
//! put off and never given up. Neither clearing nor putting off raises a record's version: they
//! say nothing new of the payment.

use futures_util::future::join_all;

use crate::{
    domain::{OutOfRange, PaymentId, Status, Timestamp},
    ports::{Orders, PaymentStore, ShopError, StoreError, TraceParent},
};

/// How many orders are told at the same time: enough to get on, few enough for an order service
/// that has just come back.
const AT_ONCE: usize = 16;

/// A request to go through the work list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconcile {
    limit: usize,
    all: bool,
}

impl Reconcile {
    /// At most `limit` entries, 1 to 1000; those that are due, or with `all` every one.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`].
    pub fn new(limit: u64, all: bool) -> Result<Self, OutOfRange> {
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=1000).contains(limit));
        Ok(Self { limit: limit.ok_or(OutOfRange::new("limit"))?, all })
    }
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// Orders told.
    pub told: usize,
    /// Entries of an index that lagged, and tellings that somebody else did or put off meanwhile.
    pub stale: usize,
    /// Orders that could not be told, and why. Each is put off.
    pub put_off: Vec<(PaymentId, ShopError)>,
    /// Entries that the store failed at. They stay as they are: an order that was told is told
    /// again, which is no harm.
    pub failed: Vec<(PaymentId, StoreError)>,
    /// When the payment was paid that has waited longest and still waits, of those looked at.
    pub oldest_paid: Option<Timestamp>,
    /// Entries found that time did not suffice for.
    pub left: usize,
}

/// What became of one entry.
enum Entry {
    Told,
    Stale,
    PutOff(PaymentId, ShopError, Option<Timestamp>),
    Failed(PaymentId, StoreError, Option<Timestamp>),
}

/// Tells the orders on the work list, the longest due first, as long as `go_on` says so.
///
/// # Errors
///
/// [`StoreError`] if the work list cannot be read; of single entries see [`Reconciled::failed`].
pub async fn reconcile(
    orders: &impl Orders,
    store: &impl PaymentStore,
    Reconcile { limit, all }: Reconcile,
    now: Timestamp,
    go_on: &impl Fn() -> bool,
    trace: &TraceParent,
) -> Result<Reconciled, StoreError> {
    let until = (!all).then_some(now);
    let listed = store.to_tell(until, limit).await?;
    let mut done = Reconciled::default();
    for some in listed.chunks(AT_ONCE) {
        if !go_on() {
            done.left = done.left.saturating_add(some.len());
            continue;
        }
        let entries = some.iter().map(|id| entry(orders, store, *id, until, now, trace));
        for entry in join_all(entries).await {
            done.count(entry);
        }
    }
    Ok(done)
}

async fn entry(
    orders: &impl Orders,
    store: &impl PaymentStore,
    id: PaymentId,
    until: Option<Timestamp>,
    now: Timestamp,
    trace: &TraceParent,
) -> Entry {
    let payment = match store.payment(id).await {
        Ok(payment) => payment,
        Err(error) => return Entry::Failed(id, error, None),
    };
    let Some(payment) = payment.filter(|payment| payment.status == Status::Paid) else {
        return Entry::Stale;
    };
    let due = payment.work.filter(|work| until.is_none_or(|until| work.due <= until));
    let (Some(work), paid) = (due, payment.paid_time) else {
        return Entry::Stale;
    };
    match orders.tell_paid(&payment, trace).await {
        Ok(()) => match store.told(id, work, now).await {
            Ok(()) => Entry::Told,
            Err(error) => Entry::Failed(id, error, paid),
        },
        Err(untold) => match store.put_off(id, work, work.put_off(id, now)).await {
            Ok(()) => Entry::PutOff(id, untold, paid),
            Err(error) => Entry::Failed(id, error, paid),
        },
    }
}

impl Reconciled {
    fn count(&mut self, entry: Entry) {
        match entry {
            Entry::Told => self.told = self.told.saturating_add(1),
            Entry::Stale => self.stale = self.stale.saturating_add(1),
            Entry::PutOff(id, error, paid) => {
                self.put_off.push((id, error));
                self.waits_since(paid);
            }
            Entry::Failed(id, error, paid) => {
                self.failed.push((id, error));
                self.waits_since(paid);
            }
        }
    }

    fn waits_since(&mut self, paid: Option<Timestamp>) {
        self.oldest_paid = [self.oldest_paid, paid].into_iter().flatten().min();
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
