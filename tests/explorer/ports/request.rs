//! A call of a port, as data that can be passed on and carried out later.

use std::fmt;

use pay_core::{
    domain::{
        Amount, Change, Checkout, CheckoutReference, CheckoutState, Decided, Due, Event, EventKey,
        Guard, MerchantAccount, OrderId, Payment, PaymentId, Provider, ProviderRef, ProviderRefund,
        ProviderTxn, Refund, RefundId, RefundReference, Timestamp, UserId,
    },
    ports::{
        CheckoutOrder, Orders, Outbox, Payments, Providers, Quarantine, Query, RefundOrder,
        TraceParent, Users,
    },
    testing::{Call, FakeProviders, FakeShop, FakeStore},
};

use super::response::{MadeCheckout, MadeRefund, Response, response};

/// Identifies one of the calls that an actor waits for: there can be several of a kind, each about
/// another payment, or about another item of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallId {
    pub(crate) call: Call,
    pub(crate) payment: Option<PaymentId>,
    /// How many calls of this kind about this payment wait before it.
    pub(crate) number: usize,
}

impl CallId {
    /// The ids of calls that wait, one after another.
    pub(crate) fn all(waiting: &[Request]) -> Vec<Self> {
        let mut ids = Vec::with_capacity(waiting.len());
        for request in waiting {
            ids.push(request.id().after(&ids));
        }
        ids
    }

    /// The id of a call of this kind where these wait before it.
    pub(super) fn after(self, ids: &[Self]) -> Self {
        let same = |id: &&Self| (id.call, id.payment) == (self.call, self.payment);
        Self { number: ids.iter().filter(same).count(), ..self }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, payment, number } = self;
        write!(f, "{call:?}")?;
        if let Some(payment) = payment {
            write!(f, "@{payment}")?;
        }
        if *number == 0 { Ok(()) } else { write!(f, "#{number}") }
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
    RefundNamed(PaymentId, Provider, ProviderRefund),
    Create { payment: Payment, guard: Guard, replacing: Option<PaymentId> },
    Update { change: Change, event: Event },
    Append(Event),
    DueItems { until: Option<Timestamp>, limit: usize },
    Refunds(PaymentId),
    Checkouts(PaymentId),
    ChangeCheckout { read: Box<Checkout>, next: Box<Checkout> },
    EndCheckout { checkout: CheckoutReference, end: CheckoutState, at: Timestamp },
    MarkNotified { read: Payment, at: Timestamp, next: Option<Due> },
    Clear(Payment),
    Reschedule { read: Payment, next: Due },
    RescheduleRefund { read: Refund, next: Option<Due> },
    Quarantined(EventKey),
    Resolve { key: EventKey, decided: Decided, change: Option<Change>, event: Event },
    UserExists(UserId),
    FindOrder { oid: OrderId, payer: UserId },
    NotifyPaid(Payment),
    NotifyRefunded(Payment, Refund),
    Query { provider: Provider, query: Query, at: Timestamp },
    MakeRefund(Box<RefundCall>),
    MakeCheckout(Box<CheckoutCall>),
    Close(Box<Checkout>, Timestamp),
}

/// A request to a provider to make a checkout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CheckoutCall {
    pub(crate) checkout: Checkout,
    pub(crate) oid: OrderId,
    pub(crate) amount: Amount,
    pub(crate) at: Timestamp,
}

/// A request to a provider to make a refund.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RefundCall {
    pub(crate) provider: Provider,
    pub(crate) reference: RefundReference,
    pub(crate) refund: Refund,
    pub(crate) txn: ProviderTxn,
    pub(crate) paid: Amount,
    pub(crate) at: Timestamp,
}

impl Request {
    /// Its id where no other call waits.
    pub(crate) fn id(&self) -> CallId {
        let (call, payment) = match self {
            Self::NewestOfOrder(_) => (Call::NewestOfOrder, None),
            Self::Guard(_) => (Call::Guard, None),
            Self::Payment(id) => (Call::Payment, Some(*id)),
            Self::OfTransaction(_) => (Call::OfTransaction, None),
            Self::Refund(id, _) => (Call::Refund, Some(*id)),
            Self::RefundNamed(id, ..) => (Call::RefundNamed, Some(*id)),
            Self::Create { .. } => (Call::Create, None),
            Self::Update { change, .. } => (Call::Update, Some(change.id)),
            Self::Append(event) => (Call::Append, event.payment),
            Self::DueItems { .. } => (Call::DueItems, None),
            Self::Refunds(id) => (Call::Refunds, Some(*id)),
            Self::Checkouts(id) => (Call::Checkouts, Some(*id)),
            Self::ChangeCheckout { read, .. } => {
                (Call::ChangeCheckout, Some(read.reference.payment))
            }
            Self::EndCheckout { checkout, .. } => (Call::EndCheckout, Some(checkout.payment)),
            Self::MarkNotified { read, .. } => (Call::MarkNotified, Some(read.id)),
            Self::Clear(read) => (Call::Clear, Some(read.id)),
            Self::Reschedule { read, .. } => (Call::Reschedule, Some(read.id)),
            Self::RescheduleRefund { read, .. } => (Call::RescheduleRefund, Some(read.payment)),
            Self::Quarantined(_) => (Call::Quarantined, None),
            Self::Resolve { .. } => (Call::Resolve, None),
            Self::UserExists(_) => (Call::UserExists, None),
            Self::FindOrder { .. } => (Call::FindOrder, None),
            Self::NotifyPaid(payment) => (Call::NotifyPaid, Some(payment.id)),
            Self::NotifyRefunded(payment, _) => (Call::NotifyRefunded, Some(payment.id)),
            Self::Query { query, .. } => (Call::Query, query.payment()),
            Self::MakeRefund(call) => (Call::MakeRefund, Some(call.reference.payment())),
            Self::MakeCheckout(call) => (Call::MakeCheckout, Some(call.checkout.reference.payment)),
            Self::Close(checkout, _) => (Call::Close, Some(checkout.reference.payment)),
        };
        CallId { call, payment, number: 0 }
    }

    /// The checkout that a provider is asked to make or to close.
    pub(crate) fn checkout_sent(&self) -> Option<&Checkout> {
        if let Self::MakeCheckout(call) = self {
            return Some(&call.checkout);
        }
        if let Self::Close(checkout, _) = self { Some(checkout) } else { None }
    }

    /// The merchant account that the caller has the keys of, where that matters.
    pub(crate) fn account(&self) -> Option<&MerchantAccount> {
        if let Self::Query { query: Query::Checkout { account, .. }, .. } = self {
            return Some(account);
        }
        self.checkout_sent().map(|checkout| &checkout.account)
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
            Self::RefundNamed(payment, provider, id) => {
                response(store.refund_named(*payment, *provider, id).await)
            }
            Self::Create { payment, guard, replacing } => {
                response(store.create(payment, guard, *replacing).await)
            }
            Self::Update { change, event } => response(store.update(change, event).await),
            Self::Append(event) => response(store.append(event).await),
            Self::DueItems { until, limit } => response(store.due_items(*until, *limit).await),
            Self::Refunds(payment) => response(store.refunds(*payment).await),
            Self::Checkouts(payment) => response(store.checkouts(*payment).await),
            Self::ChangeCheckout { read, next } => {
                response(store.change_checkout(read, next).await)
            }
            Self::EndCheckout { checkout, end, at } => {
                response(store.end_checkout(*checkout, *end, *at).await)
            }
            Self::MarkNotified { read, at, next } => {
                response(store.mark_notified(read, *at, *next).await)
            }
            Self::Clear(read) => response(store.clear(read).await),
            Self::Reschedule { read, next } => response(store.reschedule(read, *next).await),
            Self::RescheduleRefund { read, next } => {
                response(store.reschedule_refund(read, *next).await)
            }
            Self::Quarantined(key) => response(store.quarantined(key).await),
            Self::Resolve { key, decided, change, event } => {
                response(store.resolve(key, decided, change.as_ref(), event).await)
            }
            Self::UserExists(uid) => response(shop.exists(*uid, &trace).await),
            Self::FindOrder { oid, payer } => response(shop.find(*oid, *payer, &trace).await),
            Self::NotifyPaid(payment) => response(shop.notify_paid(payment, &trace).await),
            Self::NotifyRefunded(payment, refund) => {
                response(shop.notify_refunded(payment, refund, &trace).await)
            }
            Self::Query { provider, query, at } => {
                response(providers.query(*provider, query, *at).await)
            }
            Self::MakeRefund(call) => {
                let RefundCall { provider, reference, refund, txn, paid, at } = &**call;
                let order = RefundOrder {
                    reference: *reference,
                    refund,
                    txn,
                    paid: *paid,
                    notify_url: None,
                };
                response(MadeRefund::of(providers.refund(*provider, &order, *at).await))
            }
            Self::MakeCheckout(call) => {
                let CheckoutCall { checkout, oid, amount, at } = &**call;
                let order = CheckoutOrder { checkout, oid: *oid, amount: *amount };
                response(MadeCheckout::of(providers.checkout(&order, *at).await))
            }
            Self::Close(checkout, at) => response(providers.close(checkout, *at).await),
        }
    }
}
