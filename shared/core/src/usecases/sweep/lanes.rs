//! The lanes of a sweep: who works on which entry, and which services are down.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    domain::{Payment, Provider, Refund},
    limits::{SWEEP_LANES, SWEEP_QUERY_LANES},
    ports::DueItem,
};

/// What an entry waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Upstream {
    Store,
    Orders,
    Provider(Provider),
}

/// What providers are to be asked about.
pub(super) enum Waiting {
    Payment(Payment),
    /// The checkouts of a payment, and whether it can be closed.
    Checkouts(Payment),
    Refund(Box<Refund>),
}

/// What a lane does next.
pub(super) enum Task {
    /// Read the record and see what is to be done.
    Look(DueItem),
    /// Ask providers about it.
    Query(Waiting),
}

/// The entries that the lanes of a run work on, each lane taking the next one when it has finished one.
///
/// Only so many lanes wait for providers at a time: slow ones do not hold up order notifications.
pub(super) struct Lanes<'a> {
    entries: &'a [DueItem],
    // Never held over an await.
    state: Mutex<LanesState>,
}

#[derive(Default)]
struct LanesState {
    looked_at: usize,
    /// Looked at, and to be asked about.
    waiting: VecDeque<Waiting>,
    /// Lanes that ask now.
    asking: usize,
}

/// The outages in a row of each service, in one run.
#[derive(Default)]
pub(super) struct Outages(Mutex<BTreeMap<Upstream, usize>>);

impl<'a> Lanes<'a> {
    pub(super) fn new(entries: &'a [DueItem]) -> Self {
        Self { entries, state: Mutex::default() }
    }

    /// The next task; `None` if there is none, or none that one more lane may do.
    pub(super) fn next(&self) -> Option<Task> {
        let mut state = lock(&self.state);
        if state.asking < SWEEP_QUERY_LANES
            && let Some(waiting) = state.waiting.pop_front()
        {
            state.asking = state.asking.saturating_add(1);
            return Some(Task::Query(waiting));
        }
        let item = self.entries.get(state.looked_at).cloned()?;
        state.looked_at = state.looked_at.saturating_add(1);
        Some(Task::Look(item))
    }

    /// Puts what is waiting where a lane finds it that may ask.
    pub(super) fn wait_for_query(&self, waiting: Waiting) {
        lock(&self.state).waiting.push_back(waiting);
    }

    /// A lane has asked.
    pub(super) fn asked(&self) {
        let mut state = lock(&self.state);
        state.asking = state.asking.saturating_sub(1);
    }
}

impl Outages {
    /// Whether a service is down: as many outages in a row as there are lanes.
    pub(super) fn is_down(&self, service: Upstream) -> bool {
        lock(&self.0).get(&service).is_some_and(|outages| *outages >= SWEEP_LANES)
    }

    /// One more call to a service, and whether it was an outage.
    pub(super) fn count(&self, service: Upstream, is_outage: bool) {
        let mut outages = lock(&self.0);
        let outages = outages.entry(service).or_default();
        *outages = if is_outage { outages.saturating_add(1) } else { 0 };
    }
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one assignment: a panic elsewhere leaves nothing half done.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
