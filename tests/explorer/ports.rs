//! The ports as an actor sees them: every call waits until the explorer has a response for it.

use std::{
    fmt,
    future::{pending, poll_fn},
    sync::{Arc, Mutex},
    task::Poll,
};

use pay_core::{
    domain::{
        Change, Decided, Due, Event, EventKey, Guard, OrderId, Payment, PaymentId, Quarantined,
        Timestamp, UserId,
    },
    ports::{
        Appended, Created, Order, Orders, Outbox, Payments, Quarantine, Resolved, ShopError,
        StoreError, TraceParent, Updated, Users,
    },
    testing::{Call, FakeShop, FakeStore},
};

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
    Create { payment: Payment, guard: Guard, replacing: Option<PaymentId> },
    Update { change: Change, event: Event },
    Append(Event),
    DuePayments { until: Option<Timestamp>, limit: usize },
    MarkNotified { id: PaymentId, due: Due, at: Timestamp },
    Reschedule { id: PaymentId, due: Due, next: Due },
    Quarantined(EventKey),
    Resolve { key: EventKey, decided: Decided, change: Option<Change>, event: Event },
    UserExists(UserId),
    FindOrder { oid: OrderId, payer: UserId },
    NotifyPaid(Payment),
}

impl Request {
    pub(crate) const fn id(&self) -> CallId {
        let (call, payment) = match self {
            Self::NewestOfOrder(_) => (Call::NewestOfOrder, None),
            Self::Guard(_) => (Call::Guard, None),
            Self::Payment(id) => (Call::Payment, Some(*id)),
            Self::Create { .. } => (Call::Create, None),
            Self::Update { .. } => (Call::Update, None),
            Self::Append(_) => (Call::Append, None),
            Self::DuePayments { .. } => (Call::DuePayments, None),
            Self::MarkNotified { id, .. } => (Call::MarkNotified, Some(*id)),
            Self::Reschedule { id, .. } => (Call::Reschedule, Some(*id)),
            Self::Quarantined(_) => (Call::Quarantined, None),
            Self::Resolve { .. } => (Call::Resolve, None),
            Self::UserExists(_) => (Call::UserExists, None),
            Self::FindOrder { .. } => (Call::FindOrder, None),
            Self::NotifyPaid(payment) => (Call::NotifyPaid, Some(payment.id)),
        };
        CallId { call, payment }
    }

    /// Makes the call to the fakes.
    pub(crate) async fn make(&self, store: &FakeStore, shop: &FakeShop) -> Response {
        let trace = TraceParent::start(1, 1);
        match self {
            Self::NewestOfOrder(oid) => response(store.newest_of_order(*oid).await),
            Self::Guard(oid) => response(store.guard(*oid).await),
            Self::Payment(id) => response(store.payment(*id).await),
            Self::Create { payment, guard, replacing } => {
                response(store.create(payment, guard, *replacing).await)
            }
            Self::Update { change, event } => response(store.update(change, event).await),
            Self::Append(event) => response(store.append(event).await),
            Self::DuePayments { until, limit } => {
                response(store.due_payments(*until, *limit).await)
            }
            Self::MarkNotified { id, due, at } => {
                response(store.mark_notified(*id, *due, *at).await)
            }
            Self::Reschedule { id, due, next } => {
                response(store.reschedule(*id, *due, *next).await)
            }
            Self::Quarantined(key) => response(store.quarantined(key).await),
            Self::Resolve { key, decided, change, event } => {
                response(store.resolve(key, decided, change.as_ref(), event).await)
            }
            Self::UserExists(uid) => response(shop.exists(*uid, &trace).await),
            Self::FindOrder { oid, payer } => response(shop.find(*oid, *payer, &trace).await),
            Self::NotifyPaid(payment) => response(shop.notify_paid(payment, &trace).await),
        }
    }
}

/// What a call of a port returns, as data.
pub(crate) type Response = Result<Value, Failed>;

fn response<T: Into<Value>, E: Into<Failed>>(result: Result<T, E>) -> Response {
    result.map(Into::into).map_err(Into::into)
}

macro_rules! values {
    ($($kind:ident($type:ty),)+) => {
        /// What a call that succeeds returns; each type has one variant.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) enum Value {
            $($kind($type),)+
        }

        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$kind(value)
            }
        }

        impl TryFrom<Value> for $type {
            type Error = Value;

            fn try_from(value: Value) -> Result<Self, Value> {
                if let Value::$kind(value) = value { Ok(value) } else { Err(value) }
            }
        })+
    };
}

values! {
    Hint(Option<PaymentId>),
    Guard(Option<Guard>),
    Payment(Option<Payment>),
    Created(Created),
    Updated(Updated),
    Appended(Appended),
    Due(Vec<PaymentId>),
    Quarantined(Option<Quarantined>),
    Resolved(Resolved),
    Exists(bool),
    Order(Option<Order>),
    Done(()),
}

/// Why a call failed, without the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Unavailable,
    Unknown,
    Fault,
    Absent,
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Unknown(_) => Self::Unknown,
            StoreError::Fault(_) => Self::Fault,
        }
    }
}

impl From<ShopError> for Failed {
    fn from(error: ShopError) -> Self {
        match error {
            ShopError::Absent => Self::Absent,
            ShopError::Unavailable(_) => Self::Unavailable,
        }
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unavailable => Self::Unavailable("explored".into()),
            Failed::Unknown => Self::Unknown("explored".into()),
            Failed::Fault | Failed::Absent => Self::Fault("explored".into()),
        }
    }
}

impl From<Failed> for ShopError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Absent => Self::Absent,
            Failed::Unavailable | Failed::Unknown | Failed::Fault => {
                Self::Unavailable("explored".into())
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
    bug: Option<Arc<PlantedBug>>,
}

impl Probe {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { exchange: Arc::default(), bug: bug.map(PlantedBug::new).map(Arc::new) }
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

    async fn mark_notified(
        &self,
        id: PaymentId,
        due: Due,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(Request::MarkNotified { id, due, at }).await
    }

    async fn reschedule(&self, id: PaymentId, due: Due, next: Due) -> Result<(), StoreError> {
        self.ask(Request::Reschedule { id, due, next }).await
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
