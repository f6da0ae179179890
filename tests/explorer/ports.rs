//! The ports as an actor sees them: every call waits until the explorer has a response for it.

mod response;

use std::{
    fmt,
    future::{pending, poll_fn},
    sync::{Arc, Mutex},
    task::Poll,
};

use pay_core::{
    domain::{
        Change, Decided, Due, Event, EventKey, Guard, OrderId, Payment, PaymentId, Provider,
        ProviderRef, Quarantined, Refund, RefundId, Timestamp, UserId,
    },
    ports::{
        Appended, Created, NoKeys, Order, Orders, Outbox, Payments, Providers, Quarantine, Query,
        QueryError, QueryResponse, Resolved, ShopError, StoreError, TraceParent, Updated, Users,
    },
    testing::{Call, FakeProviders, FakeShop, FakeStore},
};

pub(crate) use response::{Failed, Response, Value};

use response::response;

use super::bugs::{Bug, PlantedBug};

/// Identifies one of the calls that an actor waits for: there can be several of a kind, each about
/// another payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallId {
    pub(crate) call: Call,
    pub(crate) payment: Option<PaymentId>,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { call, payment: None } => write!(f, "{call:?}"),
            Self { call, payment: Some(payment) } => write!(f, "{call:?}@{payment}"),
        }
    }
}

/// A call of a port, as data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    NewestOfOrder(OrderId),
    Guard(OrderId),
    Payment(PaymentId),
    OfTransaction(ProviderRef),
    Refund(PaymentId, RefundId),
    Create { payment: Payment, guard: Guard, replacing: Option<PaymentId> },
    Update { change: Change, event: Event },
    Append(Event),
    DuePayments { until: Option<Timestamp>, limit: usize },
    MarkNotified { read: Payment, at: Timestamp },
    Clear(Payment),
    Reschedule { read: Payment, next: Due },
    Quarantined(EventKey),
    Resolve { key: EventKey, decided: Decided, change: Option<Change>, event: Event },
    UserExists(UserId),
    FindOrder { oid: OrderId, payer: UserId },
    NotifyPaid(Payment),
    Query { provider: Provider, query: Query, at: Timestamp },
}

impl Request {
    pub(crate) const fn id(&self) -> CallId {
        let (call, payment) = match self {
            Self::NewestOfOrder(_) => (Call::NewestOfOrder, None),
            Self::Guard(_) => (Call::Guard, None),
            Self::Payment(id) => (Call::Payment, Some(*id)),
            Self::OfTransaction(_) => (Call::OfTransaction, None),
            Self::Refund(id, _) => (Call::Refund, Some(*id)),
            Self::Create { .. } => (Call::Create, None),
            Self::Update { change, .. } => (Call::Update, Some(change.id)),
            Self::Append(event) => (Call::Append, event.payment),
            Self::DuePayments { .. } => (Call::DuePayments, None),
            Self::MarkNotified { read, .. } => (Call::MarkNotified, Some(read.id)),
            Self::Clear(read) => (Call::Clear, Some(read.id)),
            Self::Reschedule { read, .. } => (Call::Reschedule, Some(read.id)),
            Self::Quarantined(_) => (Call::Quarantined, None),
            Self::Resolve { .. } => (Call::Resolve, None),
            Self::UserExists(_) => (Call::UserExists, None),
            Self::FindOrder { .. } => (Call::FindOrder, None),
            Self::NotifyPaid(payment) => (Call::NotifyPaid, Some(payment.id)),
            Self::Query { query, .. } => (Call::Query, query.payment()),
        };
        CallId { call, payment }
    }

    /// Makes the call to the fakes.
    pub(crate) async fn make(
        &self,
        store: &FakeStore,
        shop: &FakeShop,
        providers: &FakeProviders,
    ) -> Response {
        let trace = TraceParent::start(1, 1);
        match self {
            Self::NewestOfOrder(oid) => response(store.newest_of_order(*oid).await),
            Self::Guard(oid) => response(store.guard(*oid).await),
            Self::Payment(id) => response(store.payment(*id).await),
            Self::OfTransaction(reference) => response(store.of_transaction(reference).await),
            Self::Refund(payment, id) => response(store.refund(*payment, id).await),
            Self::Create { payment, guard, replacing } => {
                response(store.create(payment, guard, *replacing).await)
            }
            Self::Update { change, event } => response(store.update(change, event).await),
            Self::Append(event) => response(store.append(event).await),
            Self::DuePayments { until, limit } => {
                response(store.due_payments(*until, *limit).await)
            }
            Self::MarkNotified { read, at } => response(store.mark_notified(read, *at).await),
            Self::Clear(read) => response(store.clear(read).await),
            Self::Reschedule { read, next } => response(store.reschedule(read, *next).await),
            Self::Quarantined(key) => response(store.quarantined(key).await),
            Self::Resolve { key, decided, change, event } => {
                response(store.resolve(key, decided, change.as_ref(), event).await)
            }
            Self::UserExists(uid) => response(shop.exists(*uid, &trace).await),
            Self::FindOrder { oid, payer } => response(shop.find(*oid, *payer, &trace).await),
            Self::NotifyPaid(payment) => response(shop.notify_paid(payment, &trace).await),
            Self::Query { provider, query, at } => {
                response(providers.query(*provider, query, *at).await)
            }
        }
    }
}

/// What goes between an actor and the explorer that polls it.
#[derive(Debug, Default)]
struct Exchange {
    waiting: Vec<Request>,
    response: Option<(CallId, Response)>,
}

/// The ports of one run of an actor. Clones are handles on one exchange.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    exchange: Arc<Mutex<Exchange>>,
    /// The providers that there are keys for. Nothing changes them.
    keys: Vec<Provider>,
    bug: Option<Arc<PlantedBug>>,
}

impl Probe {
    pub(crate) fn new(keys: &[Provider], bug: Option<Bug>) -> Self {
        let bug = bug.map(PlantedBug::new).map(Arc::new);
        Self { exchange: Arc::default(), keys: keys.to_vec(), bug }
    }

    /// Has a response ready for the next poll.
    pub(crate) fn respond(&self, id: CallId, response: Response) {
        let mut exchange = self.exchange.lock().unwrap();
        exchange.waiting.clear();
        exchange.response = Some((id, response));
    }

    /// The calls that wait since the last poll.
    pub(crate) fn waiting(&self) -> Vec<Request> {
        let exchange = self.exchange.lock().unwrap();
        assert_eq!(exchange.response, None, "a response that no call waited for");
        exchange.waiting.clone()
    }

    /// Makes a call, and waits for its response.
    pub(crate) async fn call(&self, request: Request) -> Response {
        let id = request.id();
        poll_fn(|_| {
            let mut exchange = self.exchange.lock().unwrap();
            if let Some((_, response)) = exchange.response.take_if(|(of, _)| *of == id) {
                return Poll::Ready(response);
            }
            exchange.waiting.push(request.clone());
            Poll::Pending
        })
        .await
    }

    async fn ask<T: TryFrom<Value>, E: From<Failed>>(&self, request: Request) -> Result<T, E> {
        let response = match &self.bug {
            None => self.call(request).await,
            Some(bug) => bug.call(self, request).await,
        };
        match response.map(T::try_from) {
            Ok(Ok(value)) => Ok(value),
            // The explorer fails when it finds an actor that waits for no call.
            Ok(Err(_of_another_call)) => pending().await,
            Err(failed) => Err(failed.into()),
        }
    }
}

impl Payments for Probe {
    async fn newest_of_order(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        self.ask(Request::NewestOfOrder(oid)).await
    }

    async fn guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        self.ask(Request::Guard(oid)).await
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        self.ask(Request::Payment(id)).await
    }

    async fn of_transaction(&self, reference: &ProviderRef) -> Result<Vec<PaymentId>, StoreError> {
        self.ask(Request::OfTransaction(reference.clone())).await
    }

    async fn refund(
        &self,
        payment: PaymentId,
        id: &RefundId,
    ) -> Result<Option<Refund>, StoreError> {
        self.ask(Request::Refund(payment, id.clone())).await
    }

    async fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        let (payment, guard) = (payment.clone(), guard.clone());
        self.ask(Request::Create { payment, guard, replacing }).await
    }

    async fn update(&self, change: &Change, event: &Event) -> Result<Updated, StoreError> {
        self.ask(Request::Update { change: change.clone(), event: event.clone() }).await
    }

    async fn append(&self, event: &Event) -> Result<Appended, StoreError> {
        self.ask(Request::Append(event.clone())).await
    }
}

impl Outbox for Probe {
    async fn due_payments(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        self.ask(Request::DuePayments { until, limit }).await
    }

    async fn mark_notified(&self, read: &Payment, at: Timestamp) -> Result<(), StoreError> {
        self.ask(Request::MarkNotified { read: read.clone(), at }).await
    }

    async fn clear(&self, read: &Payment) -> Result<(), StoreError> {
        self.ask(Request::Clear(read.clone())).await
    }

    async fn reschedule(&self, read: &Payment, next: Due) -> Result<(), StoreError> {
        self.ask(Request::Reschedule { read: read.clone(), next }).await
    }
}

impl Quarantine for Probe {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        self.ask(Request::Quarantined(key.clone())).await
    }

    async fn resolve(
        &self,
        key: &EventKey,
        decided: &Decided,
        change: Option<&Change>,
        event: &Event,
    ) -> Result<Resolved, StoreError> {
        let (key, decided, event) = (key.clone(), decided.clone(), event.clone());
        self.ask(Request::Resolve { key, decided, change: change.cloned(), event }).await
    }
}

impl Users for Probe {
    async fn exists(&self, uid: UserId, _trace: &TraceParent) -> Result<bool, ShopError> {
        self.ask(Request::UserExists(uid)).await
    }
}

impl Orders for Probe {
    async fn find(
        &self,
        oid: OrderId,
        payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        self.ask(Request::FindOrder { oid, payer }).await
    }

    async fn notify_paid(&self, payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        self.ask(Request::NotifyPaid(payment.clone())).await
    }
}

impl Providers for Probe {
    async fn queried(&self, _now: Timestamp) -> Result<Vec<Provider>, NoKeys> {
        Ok(self.keys.clone())
    }

    async fn query(
        &self,
        provider: Provider,
        query: &Query,
        now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        self.ask(Request::Query { provider, query: query.clone(), at: now }).await
    }
}
