//! Sweep: does what is due, longest overdue first.
//!
//! The index only names candidates; the record, read consistently, says what is to be done: the order
//! service is to be notified of a paid payment, and providers are asked about one that is not paid yet. A
//! notification that fails is rescheduled and never given up. Neither clearing nor rescheduling raises a
//! record's version.
//!
//! How fast it may be, and why it leaves a service alone that is down, is in docs/scale.md.

mod checkouts;
mod entry;
mod lanes;
mod refund;

use std::{collections::BTreeSet, fmt};

use futures_util::future::join_all;

use super::query::{AnyQueryPorts, Observe};
use crate::{
    domain::{OutOfRange, PaymentId, Provider, TimeToLive, Timestamp},
    limits::{SWEEP_ENTRY_MS, SWEEP_LANES, SWEEP_LIMIT_MAX, SWEEP_PAGE},
    ports::{DueItem, Outbox, Payments, QueryError, ShopError, StoreError, TraceParent},
};
use entry::Entry;
use lanes::{Lanes, Outages, Task, Upstream, Waiting};

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
    /// The one payment to look at.
    only: Option<PaymentId>,
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
        Ok(Self { limit: limit.ok_or(OutOfRange::new("limit"))?, all, only: None })
    }

    /// What is still to be done about one payment and its refunds, due or not.
    #[must_use]
    pub const fn of(id: PaymentId) -> Self {
        Self { limit: SWEEP_LIMIT_MAX, all: true, only: Some(id) }
    }

    /// The one payment to look at; `None` for what the index lists.
    #[must_use]
    pub const fn only(self) -> Option<PaymentId> {
        self.only
    }
}

/// One run of the sweep.
pub struct Run<'a> {
    /// When it began.
    pub now: Timestamp,
    /// The time, as long as further entries may be started.
    pub go_on: &'a dyn Fn() -> Option<Timestamp>,
    /// Is shown what each response of a provider reports, and what that did.
    pub observe: Observe<'a>,
    /// How long a payment can be paid, where that is limited.
    pub time_to_live: Option<TimeToLive>,
    /// The trace of the invocation.
    pub trace: &'a TraceParent,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("now", &self.now).finish_non_exhaustive()
    }
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Swept {
    /// Payments whose order service was notified.
    pub notified: usize,
    /// Payments that providers were asked about and that can still be paid, there at least.
    pub queried: usize,
    /// Payments that a response moved on, and those that were closed.
    pub moved: usize,
    /// Those of them that the sweep itself has closed, by no response.
    pub closed: usize,
    /// Entries of an index that lagged, and payments that somebody else has dealt with, or about which
    /// nothing was left to do.
    pub stale: usize,
    /// Order notifications that failed, and why. Each payment is rescheduled.
    pub rescheduled: Vec<(PaymentId, ShopError)>,
    /// Queries without a usable response. The payment is rescheduled, unless another provider's response
    /// moved it on.
    pub unknown: Vec<(PaymentId, Provider, QueryError)>,
    /// Payments that nobody paid in time: they are not asked about any more.
    pub abandoned: Vec<PaymentId>,
    /// Entries that the store failed at. They stay due: an order service that was notified is
    /// notified again, which has no effect.
    pub failed: Vec<(PaymentId, StoreError)>,
    /// When the payment was paid that has waited longest and still waits, of those looked at.
    pub oldest_paid: Option<Timestamp>,
    /// When the refund was requested of which it is longest not known what became, of those looked at.
    pub oldest_refund: Option<Timestamp>,
    /// Entries that were listed and not dealt with: the time was over, or a service was down.
    pub left: usize,
}

/// Does what is due by `now`, longest overdue first, as long as `go_on` returns the time.
///
/// A service with as many outages in a row as there are lanes is not called again: it is down, and
/// rescheduling one payment after another would only make them wait longer than the outage lasts. Where
/// it is the store, the run ends.
///
/// # Errors
///
/// [`StoreError`] if the outbox, or the refunds of the one payment, cannot be read; for single entries see [`Swept::failed`].
pub async fn sweep(
    ports: &impl AnyQueryPorts,
    Sweep { limit, all, only }: Sweep,
    run: &Run<'_>,
) -> Result<Swept, StoreError> {
    let until = (!all).then_some(run.now);
    let mut swept = Swept::default();
    let mut seen: BTreeSet<DueItem> = BTreeSet::new();
    let outages = Outages::default();
    loop {
        let page = limit.saturating_sub(seen.len()).min(SWEEP_PAGE);
        // Entries that the store failed at, and those that were left, are still listed first.
        let asked = page.saturating_add(swept.failed.len()).saturating_add(swept.left);
        let listed = match only {
            Some(id) => items_of(ports.store(), id).await,
            None => ports.store().due_items(until, asked).await,
        };
        let listed = match listed {
            Err(error) if seen.is_empty() => return Err(error),
            // What was done is reported; the next run reads the list again.
            Err(_unlisted) => return Ok(swept),
            Ok(listed) => listed,
        };
        let is_last = listed.len() < asked;
        // An index that lags lists some that were notified a moment ago.
        let fresh = listed.into_iter().filter(|item| !seen.contains(item)).take(page);
        let fresh: Vec<DueItem> = fresh.collect();
        seen.extend(fresh.iter().cloned());
        let lanes = Lanes::new(&fresh);
        let lane = || work_off(ports, run, until, &lanes, &outages);
        let done = join_all((0..SWEEP_LANES).map(|_| lane())).await;
        let before = swept.entries();
        done.into_iter().flatten().for_each(|entry| swept.count(entry));
        let dealt_with = swept.entries().saturating_sub(before);
        swept.left = swept.left.saturating_add(fresh.len().saturating_sub(dealt_with));
        let is_over = (run.go_on)().is_none() || outages.is_down(Upstream::Store);
        if is_last || fresh.is_empty() || is_over || seen.len() >= limit {
            return Ok(swept);
        }
    }
}

/// A payment, and those of its refunds that wait for their time.
async fn items_of(store: &impl Payments, id: PaymentId) -> Result<Vec<DueItem>, StoreError> {
    let refunds = store.refunds(id).await?.into_iter().filter(|refund| refund.due.is_some());
    let refunds = refunds.map(|refund| DueItem::Refund(id, refund.id));
    Ok([DueItem::Payment(id)].into_iter().chain(refunds).collect())
}

/// The work of one lane, as long as `go_on` returns the time and the store is not down.
async fn work_off(
    ports: &impl AnyQueryPorts,
    run: &Run<'_>,
    until: Option<Timestamp>,
    lanes: &Lanes<'_>,
    outages: &Outages,
) -> Vec<Entry> {
    let mut done = Vec::new();
    while !outages.is_down(Upstream::Store)
        && let Some(now) = (run.go_on)()
        && let Some(task) = lanes.next()
    {
        let entry = match task {
            Task::Look(item) => {
                let entry = match item {
                    DueItem::Payment(id) => {
                        entry::look(ports, (id, until), run, lanes, outages, now).await
                    }
                    DueItem::Refund(payment, id) => {
                        let item = (payment, &id, until);
                        refund::look(ports, item, lanes, outages, now, run.trace).await
                    }
                };
                // It waits for a lane that may ask.
                let Some(entry) = entry else { continue };
                entry
            }
            Task::Query(waiting) => {
                let asked = match waiting {
                    Waiting::Payment(payment) => {
                        entry::query(ports, payment, run, outages, now).await
                    }
                    Waiting::Checkouts(payment) => {
                        checkouts::carry_on(ports, payment, run, outages, now).await
                    }
                    Waiting::Refund(refund) => {
                        refund::carry_on(ports, *refund, run, outages, now).await
                    }
                };
                lanes.asked();
                asked
            }
        };
        outages.count(Upstream::Store, entry.is_outage_of_the_store());
        done.push(entry);
    }
    done
}

impl Swept {
    fn entries(&self) -> usize {
        let lists = [self.rescheduled.len(), self.abandoned.len(), self.failed.len()];
        let counts = [self.notified, self.queried, self.moved, self.stale];
        lists.iter().chain(&counts).sum()
    }

    fn count(&mut self, entry: Entry) {
        let more = |count: &mut usize| *count = count.saturating_add(1);
        match entry {
            Entry::Notified => more(&mut self.notified),
            Entry::Stale => more(&mut self.stale),
            Entry::Left(paid) => self.waits_since(paid),
            Entry::Rescheduled(id, error, paid) => {
                self.rescheduled.push((id, error));
                self.waits_since(paid);
            }
            Entry::Queried(unknown) => {
                more(&mut self.queried);
                self.unknown.extend(unknown);
            }
            Entry::Unresolved(unknown, requested) => {
                more(&mut self.queried);
                self.unknown.extend(unknown);
                self.oldest_refund =
                    [self.oldest_refund, Some(requested)].into_iter().flatten().min();
            }
            Entry::Moved(unknown) => {
                more(&mut self.moved);
                self.unknown.extend(unknown);
            }
            Entry::Closed(unknown) => {
                more(&mut self.moved);
                more(&mut self.closed);
                self.unknown.extend(unknown);
            }
            Entry::Abandoned(id) => self.abandoned.push(id),
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
