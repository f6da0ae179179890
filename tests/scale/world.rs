//! A work list of millions, an order service that can be down, and a clock that runs as fast as it
//! is asked to.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::poll_fn,
    ops::Range,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use pay_core::{
    domain::{
        Amount, Change, Currency, Event, Guard, Money, OrderId, Payment, PaymentId, Status,
        Timestamp, UserId, Work,
    },
    ports::{
        Applied, Created, Logged, Order, Orders, PaymentIds, PaymentStore, ShopError, StoreError,
        TraceParent,
    },
    testing::SeededIds,
};

/// When every simulation starts, in Unix milliseconds.
pub(super) const START_MS: u64 = 1_800_000_000_000;

/// How long things take.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "each says its unit")]
pub(super) struct Costs {
    /// A call to the store.
    pub(super) store_ms: u64,
    /// A call to the order service that answers.
    pub(super) shop_ms: u64,
    /// What the function's own processor needs for an entry.
    pub(super) cpu_ms: u64,
    /// How long an index still lists what was taken off.
    pub(super) lag_ms: u64,
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Payments that are paid, a second.
    pub(super) rate: u64,
    /// When the order service is down, in seconds since the start.
    pub(super) outage_secs: Range<u64>,
    /// How long a call then takes to fail.
    pub(super) fails_after_ms: u64,
    pub(super) costs: Costs,
}

/// Tellings of one second, by who made them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) callback: u64,
    pub(super) reconcile: u64,
}

struct State {
    plan: Plan,
    now_ms: u64,
    wake_ms: Option<u64>,
    /// Until when the function's processor has work.
    busy_until_ms: u64,
    ids: SeededIds,
    /// The list: what callbacks put there, in order; what of it was taken off since; what was put
    /// off; and what the index names though it was taken off, until when.
    fresh: VecDeque<(Timestamp, PaymentId)>,
    gone: BTreeSet<PaymentId>,
    later: BTreeMap<PaymentId, Work>,
    by_due: BTreeSet<(Timestamp, PaymentId)>,
    lagging: VecDeque<(u64, (Timestamp, PaymentId))>,
    loads: Vec<Load>,
}

/// The world. Clones are the same.
#[derive(Clone)]
pub(super) struct World {
    state: Arc<Mutex<State>>,
}

impl World {
    pub(super) fn new(plan: Plan, seed: u64) -> Self {
        let state = State {
            plan,
            now_ms: START_MS,
            wake_ms: None,
            busy_until_ms: START_MS,
            ids: SeededIds::new(seed),
            fresh: VecDeque::new(),
            gone: BTreeSet::new(),
            later: BTreeMap::new(),
            by_due: BTreeSet::new(),
            lagging: VecDeque::new(),
            loads: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.lock().now_ms).unwrap()
    }

    /// Orders that are still to be told.
    pub(super) fn backlog(&self) -> usize {
        let state = self.lock();
        state.fresh.len() - state.gone.len() + state.later.len()
    }

    /// The tellings of every second so far.
    pub(super) fn loads(&self) -> Vec<Load> {
        self.lock().loads.clone()
    }

    /// Lets time pass until then.
    pub(super) fn pass_until(&self, ms: u64) {
        self.lock().pass_until(ms);
    }

    /// Runs work to its end, and as much time as it takes.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return done;
            }
            let mut state = self.lock();
            let wake_ms = state.wake_ms.take().expect("somebody waits for a time");
            state.pass_until(wake_ms);
        }
    }

    /// Waits until then, but for the few milliseconds that make many waits end together: the
    /// simulation is slower than the world by that.
    async fn wait_until(&self, ms: u64) {
        let until_ms = ms.next_multiple_of(5);
        poll_fn(|_| {
            let mut state = self.lock();
            if state.now_ms >= until_ms {
                return Poll::Ready(());
            }
            state.wake_ms = Some(state.wake_ms.map_or(until_ms, |wake| wake.min(until_ms)));
            Poll::Pending
        })
        .await;
    }

    async fn wait(&self, ms: u64) {
        let until_ms = self.lock().now_ms + ms;
        self.wait_until(until_ms).await;
    }
}

impl State {
    /// In seconds since the start.
    fn is_down(&self, ms: u64) -> bool {
        self.plan.outage_secs.contains(&((ms - START_MS) / 1000))
    }

    fn load(&mut self, ms: u64) -> &mut Load {
        let at = usize::try_from((ms - START_MS) / 1000).unwrap();
        if self.loads.len() <= at {
            self.loads.resize(at + 1, Load::default());
        }
        &mut self.loads[at]
    }

    fn pass_until(&mut self, until_ms: u64) {
        while self.now_ms < until_ms {
            let ms = self.now_ms;
            let second_ends_ms = ms + 1000 - (ms - START_MS) % 1000;
            let down = self.is_down(ms);
            // While all are told by their callbacks, a second is as good as its milliseconds.
            let next_ms = if down { ms + 1 } else { second_ends_ms.min(until_ms) };
            let total = |ms: u64| (ms - START_MS) * self.plan.rate / 1000;
            let paid = total(next_ms) - total(ms);
            self.load(ms).callback += paid;
            for _ in 0..if down { paid } else { 0 } {
                self.untold(ms);
            }
            self.now_ms = next_ms;
        }
    }

    /// A payment is paid, and its order cannot be told.
    fn untold(&mut self, ms: u64) {
        let now = Timestamp::from_millis(ms).unwrap();
        let id = self.ids.next(now);
        let entry = (paid(id, now).work.unwrap().due, id);
        // Of one millisecond the ids are in no order.
        let at = self.fresh.iter().rev().take_while(|other| **other > entry).count();
        let at = self.fresh.len() - at;
        self.fresh.insert(at, entry);
    }

    fn fresh(&self, id: PaymentId) -> Option<Timestamp> {
        let at = self.fresh.binary_search_by_key(&id, |(_, id)| *id).ok()?;
        (!self.gone.contains(&id)).then(|| self.fresh[at].0)
    }

    fn find(&self, id: PaymentId) -> Option<Payment> {
        if let Some(work) = self.later.get(&id) {
            return Some(Payment { work: Some(*work), ..paid(id, Timestamp::EPOCH) });
        }
        // Due a minute after it was paid.
        let paid_ms = self.fresh(id)?.millis() - 60_000;
        Some(paid(id, Timestamp::from_millis(paid_ms).unwrap()))
    }

    /// Takes an entry off the list, which the index hears of later.
    fn take_off(&mut self, id: PaymentId) {
        let due = if let Some(work) = self.later.remove(&id) {
            self.by_due.remove(&(work.due, id));
            work.due
        } else {
            let Some(due) = self.fresh(id) else { return };
            self.gone.insert(id);
            due
        };
        self.lagging.push_back((self.now_ms + self.plan.costs.lag_ms, (due, id)));
        while let Some((_, id)) = self.fresh.front()
            && self.gone.remove(id)
        {
            self.fresh.pop_front();
        }
    }

    fn listed(&mut self, until: Option<Timestamp>, limit: usize) -> Vec<PaymentId> {
        while self.lagging.front().is_some_and(|(heard_ms, _)| *heard_ms <= self.now_ms) {
            self.lagging.pop_front();
        }
        let due = |entry: &&(Timestamp, PaymentId)| until.is_none_or(|until| entry.0 <= until);
        let still = self.fresh.iter().filter(|(_, id)| !self.gone.contains(id));
        let mut listed: Vec<_> = still.take_while(due).take(limit).copied().collect();
        listed.extend(self.by_due.iter().take_while(due).take(limit));
        listed.extend(self.lagging.iter().map(|(_, entry)| entry).filter(due));
        listed.sort_unstable();
        listed.into_iter().map(|(_, id)| id).take(limit).collect()
    }
}

/// The record of a payment that was paid then.
fn paid(id: PaymentId, at: Timestamp) -> Payment {
    let amount = Amount::new(100, Currency::new("CNY").unwrap()).unwrap();
    let (uid, oid) = (UserId::new(1).unwrap(), OrderId::new(id.get()).unwrap());
    let pending = Payment::pending(id, uid, oid, amount, at);
    pending.change_to(Status::Paid, &Money::NONE, false, at).applied_to(pending)
}

impl Orders for World {
    async fn find(
        &self,
        _oid: OrderId,
        _payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        Err(ShopError::Unavailable("not asked here".into()))
    }

    async fn tell_paid(&self, _payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        let (down, ms) = {
            let mut state = self.lock();
            let now_ms = state.now_ms;
            state.load(now_ms).reconcile += 1;
            let down = state.is_down(now_ms);
            let plan = &state.plan;
            (down, if down { plan.fails_after_ms } else { plan.costs.shop_ms })
        };
        self.wait(ms).await;
        if down { Err(ShopError::Unavailable("down".into())) } else { Ok(()) }
    }
}

fn unused<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("not asked here".into()))
}

impl PaymentStore for World {
    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let until_ms = {
            let mut state = self.lock();
            let Costs { cpu_ms, store_ms, .. } = state.plan.costs;
            state.busy_until_ms = state.busy_until_ms.max(state.now_ms) + cpu_ms;
            state.busy_until_ms + store_ms
        };
        self.wait_until(until_ms).await;
        Ok(self.lock().find(id))
    }

    async fn to_tell(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        let store_ms = self.lock().plan.costs.store_ms;
        self.wait(store_ms).await;
        Ok(self.lock().listed(until, limit))
    }

    async fn told(&self, id: PaymentId, _work: Work, _at: Timestamp) -> Result<(), StoreError> {
        let store_ms = self.lock().plan.costs.store_ms;
        self.wait(store_ms).await;
        self.lock().take_off(id);
        Ok(())
    }

    async fn put_off(&self, id: PaymentId, _work: Work, next: Work) -> Result<(), StoreError> {
        let store_ms = self.lock().plan.costs.store_ms;
        self.wait(store_ms).await;
        let mut state = self.lock();
        state.take_off(id);
        state.later.insert(id, next);
        state.by_due.insert((next.due, id));
        Ok(())
    }

    async fn newest_of_order(&self, _oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        unused()
    }

    async fn guard(&self, _oid: OrderId) -> Result<Option<Guard>, StoreError> {
        unused()
    }

    async fn of_user(
        &self,
        _uid: UserId,
        _before: Option<PaymentId>,
        _limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        unused()
    }

    async fn create(
        &self,
        _payment: &Payment,
        _guard: &Guard,
        _replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        unused()
    }

    async fn apply(&self, _change: &Change, _event: &Event) -> Result<Applied, StoreError> {
        unused()
    }

    async fn log(&self, _event: &Event) -> Result<Logged, StoreError> {
        unused()
    }
}
