//! Ports that do one thing wrong, each a mistake that a service like this has been seen to make.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use pay_core::{
    domain::{
        Change, Event, EventKey, Guard, OrderId, Payment, PaymentId, Quarantined, Timestamp,
        UserId, Work,
    },
    ports::{
        Applied, Created, Logged, Order, Orders, PaymentStore, Quarantine, ShopError, StoreError,
        TraceParent, Users,
    },
    testing::Table,
};

use super::ports::{Answer, Probe, Request};

/// What a use case on these ports does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bend {
    /// A closed payment is paid without a look at the guard.
    Unguarded,
    /// The order is told before the record moves.
    TellsFirst,
    /// Only who moved the record tells the order.
    SilentRepeat,
    /// A telling that failed counts as done.
    ClearsAnyway,
    /// A message whose event is there counts as handled.
    Handled,
    /// An unknown outcome counts as success.
    Hopes,
    /// Refuses without asking the guard.
    RefusesFirst,
    /// Replaces without a look at the key.
    ForgetsKeys,
}

/// The ports of one actor, bent.
#[derive(Clone, Debug)]
pub(crate) struct Bent {
    probe: Probe,
    bend: Bend,
    /// Whether this actor moved the record.
    moved: Arc<AtomicBool>,
    /// Whether this actor takes the message for handled.
    handled: Arc<AtomicBool>,
}

impl Bent {
    pub(crate) fn new(probe: Probe, bend: Bend) -> Self {
        Self { probe, bend, moved: Arc::default(), handled: Arc::default() }
    }

    fn is(&self, bend: Bend) -> bool {
        self.bend == bend
    }

    /// Whether it keeps quiet about a telling.
    fn is_silent(&self) -> bool {
        (self.is(Bend::SilentRepeat) && !self.moved.load(Ordering::Relaxed))
            || self.handled.load(Ordering::Relaxed)
    }
}

impl PaymentStore for Bent {
    async fn newest_of_order(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        self.probe.newest_of_order(oid).await
    }

    async fn guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        let found = self.probe.guard(oid).await?;
        if self.is(Bend::ForgetsKeys) {
            return Ok(found.map(|guard| Guard { key: None, ..guard }));
        }
        Ok(found.filter(|_| !self.is(Bend::RefusesFirst)))
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let found = self.probe.payment(id).await?;
        if let (true, Some(payment)) = (self.is(Bend::TellsFirst), &found) {
            let told = self.probe.tell_paid(payment, &TraceParent::start(1, 1)).await;
            drop(told);
        }
        Ok(found)
    }

    async fn of_user(
        &self,
        uid: UserId,
        before: Option<PaymentId>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        self.probe.of_user(uid, before, limit).await
    }

    async fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        match self.probe.create(payment, guard, replacing).await {
            Err(StoreError::Unknown(_)) if self.is(Bend::Hopes) => Ok(Created::Done),
            created => created,
        }
    }

    async fn apply(&self, change: &Change, event: &Event) -> Result<Applied, StoreError> {
        let guarded = change.guarded && !self.is(Bend::Unguarded);
        let applied = self.probe.apply(&Change { guarded, ..change.clone() }, event).await?;
        self.moved.fetch_or(applied == Applied::Done, Ordering::Relaxed);
        if applied == Applied::KeyTaken && self.is(Bend::Handled) {
            self.handled.store(true, Ordering::Relaxed);
            return Ok(Applied::Done);
        }
        Ok(applied)
    }

    async fn log(&self, event: &Event) -> Result<Logged, StoreError> {
        self.probe.log(event).await
    }

    async fn told(&self, id: PaymentId, work: Work, at: Timestamp) -> Result<(), StoreError> {
        if self.is_silent() { Ok(()) } else { self.probe.told(id, work, at).await }
    }

    async fn to_tell(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        self.probe.to_tell(until, limit).await
    }

    async fn put_off(&self, id: PaymentId, work: Work, next: Work) -> Result<(), StoreError> {
        self.probe.put_off(id, work, next).await
    }
}

impl Quarantine for Bent {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        self.probe.quarantined(key).await
    }

    async fn resolved(&self, key: &EventKey) -> Result<(), StoreError> {
        self.probe.resolved(key).await
    }
}

impl Users for Bent {
    async fn exists(&self, uid: UserId, trace: &TraceParent) -> Result<bool, ShopError> {
        self.probe.exists(uid, trace).await
    }
}

impl Orders for Bent {
    async fn find(
        &self,
        oid: OrderId,
        payer: UserId,
        trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        self.probe.find(oid, payer, trace).await
    }

    async fn tell_paid(&self, payment: &Payment, trace: &TraceParent) -> Result<(), ShopError> {
        if self.is_silent() {
            return Ok(());
        }
        let told = self.probe.tell_paid(payment, trace).await;
        if self.is(Bend::ClearsAnyway) { Ok(()) } else { told }
    }
}

/// Makes a payment without a look at the guard: the hint has decided.
pub(crate) fn check_then_insert(table: &mut Table, request: &Request) -> Option<Answer> {
    if let Request::Create { guard, replacing: None, .. } = request {
        table.guards.remove(&guard.oid);
    }
    None
}

/// Replaces whatever the guard names, replaceable or not.
pub(crate) fn replaces_blindly(table: &mut Table, request: &Request) -> Option<Answer> {
    let Request::Create { payment, guard, replacing: Some(old) } = request else { return None };
    if table.guards.get(&guard.oid).is_none_or(|guard| guard.payment != *old) {
        return None;
    }
    table.guards.insert(guard.oid, guard.clone());
    table.payments.insert(payment.id, payment.clone());
    Some(Answer::Create(Ok(Created::Done)))
}

/// Puts a record where one is.
pub(crate) fn overwrites_records(table: &mut Table, request: &Request) -> Option<Answer> {
    if let Request::Create { payment, .. } = request {
        table.payments.remove(&payment.id);
    }
    None
}

/// Puts an event where one is.
pub(crate) fn overwrites_events(table: &mut Table, request: &Request) -> Option<Answer> {
    if let Request::Apply { event, .. } | Request::Log(event) = request {
        table.events.retain(|kept| kept.key() != event.key());
    }
    None
}

/// Lists a telling anew, whatever became of it meanwhile.
pub(crate) fn writes_work_back(table: &mut Table, request: &Request) -> Option<Answer> {
    let Request::PutOff { id, next, .. } = request else { return None };
    table.payments.get_mut(id)?.work = Some(*next);
    Some(Answer::PutOff(Ok(())))
}

/// Takes everything off the work list for one telling.
pub(crate) fn clears_the_list(table: &mut Table, request: &Request) -> Option<Answer> {
    if let Request::Told { id, .. } = request {
        let others = table.payments.values_mut().filter(|payment| payment.id != *id);
        others.for_each(|payment| payment.work = None);
    }
    None
}
