//! The ports as an actor sees them: every call waits until the explorer has an answer for it.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::Poll,
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
    testing::Call,
};

/// Which of an actor's calls: of its kind there can be several at once, each about a payment of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Which {
    pub(crate) call: Call,
    pub(crate) of: Option<PaymentId>,
}

/// A call of a port, as data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    NewestOfOrder(OrderId),
    Guard(OrderId),
    Payment(PaymentId),
    Create { payment: Payment, guard: Guard, replacing: Option<PaymentId> },
    Apply { change: Change, event: Event },
    Log(Event),
    Told { id: PaymentId, work: Work, at: Timestamp },
    ToTell { until: Option<Timestamp>, limit: usize },
    PutOff { id: PaymentId, work: Work, next: Work },
    Quarantined(EventKey),
    Resolved(EventKey),
    UserExists(UserId),
    FindOrder { oid: OrderId, payer: UserId },
    TellPaid(Payment),
}

impl Request {
    pub(crate) const fn which(&self) -> Which {
        let of = match self {
            Self::Payment(id) | Self::Told { id, .. } | Self::PutOff { id, .. } => Some(*id),
            Self::TellPaid(payment) => Some(payment.id),
            Self::NewestOfOrder(_)
            | Self::Guard(_)
            | Self::Create { .. }
            | Self::Apply { .. }
            | Self::Log(_)
            | Self::ToTell { .. }
            | Self::Quarantined(_)
            | Self::Resolved(_)
            | Self::UserExists(_)
            | Self::FindOrder { .. } => None,
        };
        Which { call: self.call(), of }
    }

    pub(crate) const fn call(&self) -> Call {
        match self {
            Self::NewestOfOrder(_) => Call::NewestOfOrder,
            Self::Guard(_) => Call::Guard,
            Self::Payment(_) => Call::Payment,
            Self::Create { .. } => Call::Create,
            Self::Apply { .. } => Call::Apply,
            Self::Log(_) => Call::Log,
            Self::Told { .. } => Call::Told,
            Self::ToTell { .. } => Call::ToTell,
            Self::PutOff { .. } => Call::PutOff,
            Self::Quarantined(_) => Call::Quarantined,
            Self::Resolved(_) => Call::Resolved,
            Self::UserExists(_) => Call::UserExists,
            Self::FindOrder { .. } => Call::FindOrder,
            Self::TellPaid(_) => Call::TellPaid,
        }
    }
}

/// Why a call has no answer, without the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Unavailable,
    Unknown,
    Fault,
    Absent,
}

/// What a call of a port was answered, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    NewestOfOrder(Result<Option<PaymentId>, Failed>),
    Guard(Result<Option<Guard>, Failed>),
    Payment(Result<Option<Payment>, Failed>),
    Create(Result<Created, Failed>),
    Apply(Result<Applied, Failed>),
    Log(Result<Logged, Failed>),
    Told(Result<(), Failed>),
    ToTell(Result<Vec<PaymentId>, Failed>),
    PutOff(Result<(), Failed>),
    Quarantined(Result<Option<Quarantined>, Failed>),
    Resolved(Result<(), Failed>),
    UserExists(Result<bool, Failed>),
    FindOrder(Result<Option<Order>, Failed>),
    TellPaid(Result<(), Failed>),
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

fn store_error(failed: Failed) -> StoreError {
    match failed {
        Failed::Unavailable => StoreError::Unavailable("explored".into()),
        Failed::Unknown => StoreError::Unknown("explored".into()),
        Failed::Fault | Failed::Absent => StoreError::Fault("explored".into()),
    }
}

fn shop_error(failed: Failed) -> ShopError {
    match failed {
        Failed::Absent => ShopError::Absent,
        Failed::Unavailable | Failed::Unknown | Failed::Fault => {
            ShopError::Unavailable("explored".into())
        }
    }
}

/// Makes a request of the same kind to the fakes themselves.
pub(crate) async fn put(
    request: &Request,
    store: &(impl PaymentStore + Quarantine),
    shop: &(impl Users + Orders),
) -> Answer {
    let trace = TraceParent::start(1, 1);
    match request {
        Request::NewestOfOrder(oid) => {
            Answer::NewestOfOrder(store.newest_of_order(*oid).await.map_err(Failed::from))
        }
        Request::Guard(oid) => Answer::Guard(store.guard(*oid).await.map_err(Failed::from)),
        Request::Payment(id) => Answer::Payment(store.payment(*id).await.map_err(Failed::from)),
        Request::Create { payment, guard, replacing } => {
            let created = store.create(payment, guard, *replacing).await;
            Answer::Create(created.map_err(Failed::from))
        }
        Request::Apply { change, event } => {
            Answer::Apply(store.apply(change, event).await.map_err(Failed::from))
        }
        Request::Log(event) => Answer::Log(store.log(event).await.map_err(Failed::from)),
        Request::Told { id, work, at } => {
            Answer::Told(store.told(*id, *work, *at).await.map_err(Failed::from))
        }
        Request::ToTell { until, limit } => {
            Answer::ToTell(store.to_tell(*until, *limit).await.map_err(Failed::from))
        }
        Request::PutOff { id, work, next } => {
            Answer::PutOff(store.put_off(*id, *work, *next).await.map_err(Failed::from))
        }
        Request::Quarantined(key) => {
            Answer::Quarantined(store.quarantined(key).await.map_err(Failed::from))
        }
        Request::Resolved(key) => Answer::Resolved(store.resolved(key).await.map_err(Failed::from)),
        Request::UserExists(uid) => {
            Answer::UserExists(shop.exists(*uid, &trace).await.map_err(Failed::from))
        }
        Request::FindOrder { oid, payer } => {
            Answer::FindOrder(shop.find(*oid, *payer, &trace).await.map_err(Failed::from))
        }
        Request::TellPaid(payment) => {
            Answer::TellPaid(shop.tell_paid(payment, &trace).await.map_err(Failed::from))
        }
    }
}

/// What goes between an actor and whoever polls it.
#[derive(Debug, Default)]
struct Exchange {
    waiting: Vec<Request>,
    answer: Option<(Which, Answer)>,
}

/// The ports of one actor. Clones are handles on one exchange.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    exchange: Arc<Mutex<Exchange>>,
}

impl Probe {
    /// Has an answer ready for the next poll.
    pub(crate) fn answer(&self, which: Which, answer: Answer) {
        let mut exchange = self.exchange.lock().unwrap();
        exchange.waiting.clear();
        exchange.answer = Some((which, answer));
    }

    /// The calls that wait since the last poll.
    pub(crate) fn waiting(&self) -> Vec<Request> {
        let exchange = self.exchange.lock().unwrap();
        assert_eq!(exchange.answer, None, "an answer nobody waited for");
        exchange.waiting.clone()
    }

    async fn ask(&self, request: Request) -> Answer {
        let mut asked = false;
        poll_fn(|_| {
            let mut exchange = self.exchange.lock().unwrap();
            let mine =
                asked && matches!(&exchange.answer, Some((which, _)) if *which == request.which());
            asked = true;
            if let Some((_, answer)) = exchange.answer.take_if(|_| mine) {
                return Poll::Ready(answer);
            }
            exchange.waiting.push(request.clone());
            Poll::Pending
        })
        .await
    }
}

/// Asks, and takes the answer that goes with the request.
macro_rules! ask {
    ($probe:expr, $request:expr, $kind:ident) => {{
        let Answer::$kind(answer) = $probe.ask($request).await else {
            panic!("the answer to another call");
        };
        answer
    }};
}

impl PaymentStore for Probe {
    async fn newest_of_order(&self, oid: OrderId) -> Result<Option<PaymentId>, StoreError> {
        ask!(self, Request::NewestOfOrder(oid), NewestOfOrder).map_err(store_error)
    }

    async fn guard(&self, oid: OrderId) -> Result<Option<Guard>, StoreError> {
        ask!(self, Request::Guard(oid), Guard).map_err(store_error)
    }

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        ask!(self, Request::Payment(id), Payment).map_err(store_error)
    }

    async fn of_user(
        &self,
        _uid: UserId,
        _before: Option<PaymentId>,
        _limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        panic!("no actor lists payments")
    }

    async fn create(
        &self,
        payment: &Payment,
        guard: &Guard,
        replacing: Option<PaymentId>,
    ) -> Result<Created, StoreError> {
        let (payment, guard) = (payment.clone(), guard.clone());
        let request = Request::Create { payment, guard, replacing };
        ask!(self, request, Create).map_err(store_error)
    }

    async fn apply(&self, change: &Change, event: &Event) -> Result<Applied, StoreError> {
        let request = Request::Apply { change: change.clone(), event: event.clone() };
        ask!(self, request, Apply).map_err(store_error)
    }

    async fn log(&self, event: &Event) -> Result<Logged, StoreError> {
        ask!(self, Request::Log(event.clone()), Log).map_err(store_error)
    }

    async fn told(&self, id: PaymentId, work: Work, at: Timestamp) -> Result<(), StoreError> {
        ask!(self, Request::Told { id, work, at }, Told).map_err(store_error)
    }

    async fn to_tell(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<PaymentId>, StoreError> {
        ask!(self, Request::ToTell { until, limit }, ToTell).map_err(store_error)
    }

    async fn put_off(&self, id: PaymentId, work: Work, next: Work) -> Result<(), StoreError> {
        ask!(self, Request::PutOff { id, work, next }, PutOff).map_err(store_error)
    }
}

impl Quarantine for Probe {
    async fn quarantined(&self, key: &EventKey) -> Result<Option<Quarantined>, StoreError> {
        ask!(self, Request::Quarantined(key.clone()), Quarantined).map_err(store_error)
    }

    async fn resolved(&self, key: &EventKey) -> Result<(), StoreError> {
        ask!(self, Request::Resolved(key.clone()), Resolved).map_err(store_error)
    }
}

impl Users for Probe {
    async fn exists(&self, uid: UserId, _trace: &TraceParent) -> Result<bool, ShopError> {
        ask!(self, Request::UserExists(uid), UserExists).map_err(shop_error)
    }
}

impl Orders for Probe {
    async fn find(
        &self,
        oid: OrderId,
        payer: UserId,
        _trace: &TraceParent,
    ) -> Result<Option<Order>, ShopError> {
        ask!(self, Request::FindOrder { oid, payer }, FindOrder).map_err(shop_error)
    }

    async fn tell_paid(&self, payment: &Payment, _trace: &TraceParent) -> Result<(), ShopError> {
        ask!(self, Request::TellPaid(payment.clone()), TellPaid).map_err(shop_error)
    }
}
