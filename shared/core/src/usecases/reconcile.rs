//! Reconcile: tells the orders that nobody has told yet.
//!
//! The index only names candidates; the record, read consistently, decides. A telling that fails is
//! put off and never given up. Neither clearing nor putting off raises a record's version: they
//! say nothing new of the payment.
//!
//! How fast it may be, and why it stops where nobody can be told, is in docs/scale.md.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures_util::future::join_all;

use crate::{
    domain::{OutOfRange, PaymentId, Status, Timestamp},
    ports::{Orders, PaymentStore, ShopError, StoreError, TraceParent},
};

/// How many orders are told at the same time: enough to get on, few enough for an order service
/// that has just come back.
const AT_ONCE: usize = 16;

/// How many entries are listed at a time: what a run holds of a list that may be long.
const PAGE: usize = 1000;

/// The most that an entry takes, in milliseconds: a read and a write of 2.5 seconds each and a telling
/// of 1.5, as their adapters bound them.
const ENTRY_MS: u64 = 7_000;

/// How long a run may begin further tellings if it must have ended after `left_ms`, so that what it
/// began can end: until there is only just time for one, or half of the time where that is longer.
#[must_use]
pub fn begins_for_ms(left_ms: u64) -> u64 {
    left_ms.saturating_sub(ENTRY_MS).max(left_ms / 2)
}

/// A request to go through the work list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconcile {
    limit: usize,
    all: bool,
}

impl Reconcile {
    /// What a run may be asked for: more than it has time for.
    pub const LIMIT_MAX: usize = 100_000;

    /// At most `limit` entries, 1 to [`Self::LIMIT_MAX`]; those that are due, or with `all` every
    /// one.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`].
    pub fn new(limit: u64, all: bool) -> Result<Self, OutOfRange> {
        let limit =
            usize::try_from(limit).ok().filter(|limit| (1..=Self::LIMIT_MAX).contains(limit));
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
    /// Entries found and left to the next run: time did not suffice, or nobody could be told.
    pub left: usize,
}

/// What became of one entry.
enum Entry {
    Told,
    Stale,
    PutOff(PaymentId, ShopError, Option<Timestamp>),
    Failed(PaymentId, StoreError, Option<Timestamp>),
}

/// Tells the orders on the work list that are due by `now`, the longest due first, as long as `go_on`
/// says what time it is.
///
/// It ends early when as many in a row as are told at the same time could not be told: the order
/// service is down, and to put off one order after another would only make them wait longer than it
/// takes to come back.
///
/// # Errors
///
/// [`StoreError`] if the work list cannot be read; of single entries see [`Reconciled::failed`].
pub async fn reconcile(
    orders: &impl Orders,
    store: &impl PaymentStore,
    Reconcile { limit, all }: Reconcile,
    now: Timestamp,
    go_on: &impl Fn() -> Option<Timestamp>,
    trace: &TraceParent,
) -> Result<Reconciled, StoreError> {
    let until = (!all).then_some(now);
    let mut done = Reconciled::default();
    let mut tried: BTreeSet<PaymentId> = BTreeSet::new();
    loop {
        let page = limit.saturating_sub(tried.len()).min(PAGE);
        // In front of what was not tried yet is still what the store failed at.
        let asked = page.saturating_add(done.failed.len());
        let listed = match store.to_tell(until, asked).await {
            Err(error) if tried.is_empty() => return Err(error),
            // What was done is said; the next run reads the list again.
            Err(_unlisted) => return Ok(done),
            Ok(listed) => listed,
        };
        let is_last = listed.len() < asked;
        // An index that lags names some that were told a moment ago.
        let fresh = listed.into_iter().filter(|id| !tried.contains(id)).take(page);
        let fresh: Vec<PaymentId> = fresh.collect();
        tried.extend(&fresh);
        let queue = Queue::new(&fresh);
        let lane = || queue.work_off(go_on, |id, at| entry(orders, store, id, until, at, trace));
        let lanes = join_all((0..AT_ONCE).map(|_| lane())).await;
        let before = done.tried();
        lanes.into_iter().flatten().for_each(|entry| done.count(entry));
        done.left = fresh.len().saturating_sub(done.tried().saturating_sub(before));
        let over = done.left > 0 || tried.len() >= limit || queue.is_down();
        if is_last || fresh.is_empty() || over {
            return Ok(done);
        }
    }
}

/// Entries that so many lanes take up, each the next one when it is done with one.
struct Queue<'a> {
    entries: &'a [PaymentId],
    begun: AtomicUsize,
    /// How many in a row found a service down.
    down: AtomicUsize,
}

impl<'a> Queue<'a> {
    const fn new(entries: &'a [PaymentId]) -> Self {
        Self { entries, begun: AtomicUsize::new(0), down: AtomicUsize::new(0) }
    }

    /// Whether as many as are told at the same time could not be told, one as little as the next.
    fn is_down(&self) -> bool {
        self.down.load(Relaxed) >= AT_ONCE
    }

    fn next(&self) -> Option<PaymentId> {
        self.entries.get(self.begun.fetch_add(1, Relaxed)).copied()
    }

    /// What one lane does, as long as `go_on` says what time it is and no service is down.
    async fn work_off<F: Future<Output = Entry>>(
        &self,
        go_on: &impl Fn() -> Option<Timestamp>,
        entry: impl Fn(PaymentId, Timestamp) -> F,
    ) -> Vec<Entry> {
        let mut done = Vec::new();
        while !self.is_down()
            && let Some(now) = go_on()
            && let Some(id) = self.next()
        {
            let entry = entry(id, now).await;
            if entry.is_outage() {
                self.down.fetch_add(1, Relaxed);
            } else {
                self.down.store(0, Relaxed);
            }
            done.push(entry);
        }
        done
    }
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

impl Entry {
    /// Whether a service was down for it. An order that is gone, or a row that cannot be read, says
    /// nothing of the others.
    const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::PutOff(_, ShopError::Unavailable(_), _)
                | Self::Failed(_, StoreError::Unavailable(_) | StoreError::Unknown(_), _)
        )
    }
}

impl Reconciled {
    fn tried(&self) -> usize {
        [self.told, self.stale, self.put_off.len(), self.failed.len()].iter().sum()
    }

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
