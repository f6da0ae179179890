//! Sweep: retries order notifications that failed, longest overdue first.
//!
//! The index only names candidates; the record, read consistently, decides. A notification that fails
//! is rescheduled and never given up. Neither clearing nor rescheduling raises a record's version.
//!
//! How fast it may be, and why it stops where the order service is down, is in docs/scale.md.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures_util::future::join_all;

use crate::{
    domain::{OutOfRange, PaymentId, Status, Timestamp},
    limits::{SWEEP_ENTRY_MS, SWEEP_LANES, SWEEP_LIMIT_MAX, SWEEP_PAGE},
    ports::{Orders, Outbox, Payments, ShopError, StoreError, TraceParent},
};

/// How long a run that must have ended after `left_ms` may start further entries: until there is
/// just time for one, or half of the time where that is longer.
#[must_use]
pub fn starts_for_ms(left_ms: u64) -> u64 {
    left_ms.saturating_sub(SWEEP_ENTRY_MS).max(left_ms / 2)
}

/// A request to sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    limit: usize,
    all: bool,
}

impl Sweep {
    /// At most `limit` entries, 1 to [`SWEEP_LIMIT_MAX`]; those that are due, or with `all` every
    /// one.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`].
    pub fn new(limit: u64, all: bool) -> Result<Self, OutOfRange> {
        let limit =
            usize::try_from(limit).ok().filter(|limit| (1..=SWEEP_LIMIT_MAX).contains(limit));
        Ok(Self { limit: limit.ok_or(OutOfRange::new("limit"))?, all })
    }
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Swept {
    /// Payments whose order service was notified.
    pub notified: usize,
    /// Entries of an index that lagged, and payments that somebody else notified or rescheduled.
    pub stale: usize,
    /// Order notifications that failed, and why. Each payment is rescheduled.
    pub rescheduled: Vec<(PaymentId, ShopError)>,
    /// Entries that the store failed at. They stay due: an order service that was notified is
    /// notified again, which has no effect.
    pub failed: Vec<(PaymentId, StoreError)>,
    /// When the payment was paid that has waited longest and still waits, of those looked at.
    pub oldest_paid: Option<Timestamp>,
    /// Entries that were listed and not started: the time was over, or a service was down.
    pub left: usize,
}

/// What became of one entry.
enum Entry {
    Notified,
    Stale,
    Rescheduled(PaymentId, ShopError, Option<Timestamp>),
    Failed(PaymentId, StoreError, Option<Timestamp>),
}

/// Notifies the order service of the payments that are due by `now`, longest overdue first, as long
/// as `go_on` returns the time.
///
/// It ends early after as many outages in a row as it has lanes: the order service is down, and
/// rescheduling one payment after another would only make them wait longer than the outage lasts.
///
/// # Errors
///
/// [`StoreError`] if the outbox cannot be read; for single entries see [`Swept::failed`].
pub async fn sweep(
    orders: &impl Orders,
    store: &(impl Payments + Outbox),
    Sweep { limit, all }: Sweep,
    now: Timestamp,
    go_on: &impl Fn() -> Option<Timestamp>,
    trace: &TraceParent,
) -> Result<Swept, StoreError> {
    let until = (!all).then_some(now);
    let mut swept = Swept::default();
    let mut seen: BTreeSet<PaymentId> = BTreeSet::new();
    loop {
        let page = limit.saturating_sub(seen.len()).min(SWEEP_PAGE);
        // Entries that the store failed at are still listed first.
        let asked = page.saturating_add(swept.failed.len());
        let listed = match store.due_payments(until, asked).await {
            Err(error) if seen.is_empty() => return Err(error),
            // What was done is reported; the next run reads the list again.
            Err(_unlisted) => return Ok(swept),
            Ok(listed) => listed,
        };
        let is_last = listed.len() < asked;
        // An index that lags lists some that were notified a moment ago.
        let fresh = listed.into_iter().filter(|id| !seen.contains(id)).take(page);
        let fresh: Vec<PaymentId> = fresh.collect();
        seen.extend(&fresh);
        let queue = Queue::new(&fresh);
        let lane = || queue.work_off(go_on, |id, at| entry(orders, store, id, until, at, trace));
        let lanes = join_all((0..SWEEP_LANES).map(|_| lane())).await;
        let before = swept.entries();
        lanes.into_iter().flatten().for_each(|entry| swept.count(entry));
        swept.left = fresh.len().saturating_sub(swept.entries().saturating_sub(before));
        let over = swept.left > 0 || seen.len() >= limit || queue.is_down();
        if is_last || fresh.is_empty() || over {
            return Ok(swept);
        }
    }
}

/// Entries that several lanes work on, each taking the next one when it has finished one.
struct Queue<'a> {
    entries: &'a [PaymentId],
    started: AtomicUsize,
    /// Outages in a row.
    outages: AtomicUsize,
}

impl<'a> Queue<'a> {
    const fn new(entries: &'a [PaymentId]) -> Self {
        Self { entries, started: AtomicUsize::new(0), outages: AtomicUsize::new(0) }
    }

    /// Whether a service is down: as many outages in a row as there are lanes.
    fn is_down(&self) -> bool {
        self.outages.load(Relaxed) >= SWEEP_LANES
    }

    fn next(&self) -> Option<PaymentId> {
        self.entries.get(self.started.fetch_add(1, Relaxed)).copied()
    }

    /// The work of one lane, as long as `go_on` returns the time and no service is down.
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
                self.outages.fetch_add(1, Relaxed);
            } else {
                self.outages.store(0, Relaxed);
            }
            done.push(entry);
        }
        done
    }
}

async fn entry(
    orders: &impl Orders,
    store: &(impl Payments + Outbox),
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
    let due = payment.due.filter(|due| until.is_none_or(|until| due.at <= until));
    let (Some(due), paid) = (due, payment.paid_time) else {
        return Entry::Stale;
    };
    match orders.notify_paid(&payment, trace).await {
        Ok(()) => match store.mark_notified(id, due, now).await {
            Ok(()) => Entry::Notified,
            Err(error) => Entry::Failed(id, error, paid),
        },
        Err(cause) => match store.reschedule(id, due, due.rescheduled(id, now)).await {
            Ok(()) => Entry::Rescheduled(id, cause, paid),
            Err(error) => Entry::Failed(id, error, paid),
        },
    }
}

impl Entry {
    /// Whether a service was down. An order that is gone, or a row that cannot be read, says nothing
    /// about the other entries.
    const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Rescheduled(_, ShopError::Unavailable(_), _)
                | Self::Failed(_, StoreError::Unavailable(_) | StoreError::Unknown(_), _)
        )
    }
}

impl Swept {
    fn entries(&self) -> usize {
        [self.notified, self.stale, self.rescheduled.len(), self.failed.len()].iter().sum()
    }

    fn count(&mut self, entry: Entry) {
        match entry {
            Entry::Notified => self.notified = self.notified.saturating_add(1),
            Entry::Stale => self.stale = self.stale.saturating_add(1),
            Entry::Rescheduled(id, error, paid) => {
                self.rescheduled.push((id, error));
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
