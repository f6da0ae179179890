//! The ports as an actor sees them: every call waits until the explorer has a response for it.

mod request;
mod response;

use std::{
    future::{pending, poll_fn},
    sync::{Arc, Mutex},
    task::Poll,
};

use pay_core::{
    domain::{
        Change, Checkout, CheckoutReference, CheckoutState, Decided, Due, Event, EventKey, Guard,
        MerchantAccount, OrderId, Payment, PaymentId, Provider, ProviderRef, ProviderRefund,
        Quarantined, Refund, RefundId, Timestamp, UserId,
    },
    ports::{
        Appended, CheckoutCallError, CheckoutOrder, Created, DueItem, NoKeys, Order, Orders,
        Outbox, Payments, Providers, Quarantine, Query, QueryError, QueryResponse, RefundCallError,
        RefundOrder, Resolved, ShopError, StartedCheckout, StoreError, TraceParent, Updated, Users,
    },
};

pub(crate) use request::{CallId, CheckoutCall, RefundCall, Request};
pub(crate) use response::{Failed, MadeCheckout, MadeRefund, Response, Value};

use super::{actor::Actor, bugs::PlantedBug};

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
    /// The merchant account that they are of, at every provider.
    account: &'static str,
    hears_of_refunds: bool,
    bug: Option<Arc<PlantedBug>>,
}

impl Probe {
    pub(crate) fn new(actor: &Actor) -> Self {
        let Actor { account, hears_of_refunds, bug, .. } = *actor;
        let bug = bug.map(PlantedBug::new).map(Arc::new);
        let keys = actor.keys().to_vec();
        Self { exchange: Arc::default(), keys, account, hears_of_refunds, bug }
    }

    /// Without a key of the account there is no call.
    fn has_keys_of(&self, account: &MerchantAccount) -> Result<(), QueryError> {
        if account.as_str() == self.account { Ok(()) } else { Err(QueryError::NoKey) }
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
        poll_fn(|_| {
            let mut exchange = self.exchange.lock().unwrap();
            // Those that were polled before wait before it, in the same order at every poll.
            let id = request.id().after(&CallId::all(&exchange.waiting));
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

    async fn refund_named(
        &self,
        payment: PaymentId,
        provider: Provider,
        id: &ProviderRefund,
    ) -> Result<Option<RefundId>, StoreError> {
        self.ask(Request::RefundNamed(payment, provider, id.clone())).await
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        self.ask(Request::Refunds(payment)).await
    }

    async fn checkouts(&self, payment: PaymentId) -> Result<Vec<Checkout>, StoreError> {
        self.ask(Request::Checkouts(payment)).await
    }

    async fn change_checkout(&self, read: &Checkout, next: &Checkout) -> Result<bool, StoreError> {
        let (read, next) = (Box::new(read.clone()), Box::new(next.clone()));
        self.ask(Request::ChangeCheckout { read, next }).await
    }

    async fn end_checkout(
        &self,
        checkout: CheckoutReference,
        end: CheckoutState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(Request::EndCheckout { checkout, end, at }).await
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
    async fn due_items(
        &self,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<DueItem>, StoreError> {
        self.ask(Request::DueItems { until, limit }).await
    }

    async fn mark_notified(
        &self,
        read: &Payment,
        at: Timestamp,
        next: Option<Due>,
    ) -> Result<(), StoreError> {
        self.ask(Request::MarkNotified { read: read.clone(), at, next }).await
    }

    async fn clear(&self, read: &Payment) -> Result<(), StoreError> {
        self.ask(Request::Clear(read.clone())).await
    }

    async fn reschedule(&self, read: &Payment, next: Due) -> Result<(), StoreError> {
        self.ask(Request::Reschedule { read: read.clone(), next }).await
    }

    async fn reschedule_refund(&self, read: &Refund, next: Option<Due>) -> Result<(), StoreError> {
        self.ask(Request::RescheduleRefund { read: read.clone(), next }).await
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

    fn hears_of_refunds(&self) -> bool {
        self.hears_of_refunds
    }

    async fn notify_refunded(
        &self,
        payment: &Payment,
        refund: &Refund,
        _trace: &TraceParent,
    ) -> Result<(), ShopError> {
        self.ask(Request::NotifyRefunded(payment.clone(), refund.clone())).await
    }
}

impl Providers for Probe {
    async fn account(
        &self,
        provider: Provider,
        _now: Timestamp,
    ) -> Result<Option<MerchantAccount>, NoKeys> {
        let has_key = self.keys.contains(&provider);
        Ok(MerchantAccount::new(self.account).ok().filter(|_| has_key))
    }

    async fn checkout(
        &self,
        order: &CheckoutOrder<'_>,
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        let CheckoutOrder { checkout, oid, amount } = *order;
        self.has_keys_of(&checkout.account)?;
        let call = CheckoutCall { checkout: checkout.clone(), oid, amount, at: now };
        let made: Result<MadeCheckout, QueryError> =
            self.ask(Request::MakeCheckout(Box::new(call))).await;
        made?.into_result()
    }

    async fn close(&self, checkout: &Checkout, now: Timestamp) -> Result<(), QueryError> {
        self.has_keys_of(&checkout.account)?;
        self.ask(Request::Close(Box::new(checkout.clone()), now)).await
    }

    async fn queried(&self, _now: Timestamp) -> Result<Vec<Provider>, NoKeys> {
        Ok(self.keys.clone())
    }

    async fn query(
        &self,
        provider: Provider,
        query: &Query,
        now: Timestamp,
    ) -> Result<QueryResponse, QueryError> {
        let mut query = query.clone();
        if let Query::Checkout { account, .. } = &mut query {
            if self.bug.as_ref().is_some_and(|bug| bug.asks_another_account()) {
                *account = MerchantAccount::new(self.account).unwrap();
            }
            self.has_keys_of(account)?;
        }
        self.ask(Request::Query { provider, query, at: now }).await
    }

    async fn refund(
        &self,
        provider: Provider,
        order: &RefundOrder<'_>,
        now: Timestamp,
    ) -> Result<QueryResponse, RefundCallError> {
        let RefundOrder { reference, refund, txn, paid, notify_url: _ } = *order;
        let (refund, txn) = (refund.clone(), txn.clone());
        let call = RefundCall { provider, reference, refund, txn, paid, at: now };
        let made: Result<MadeRefund, QueryError> =
            self.ask(Request::MakeRefund(Box::new(call))).await;
        made?.into_result()
    }
}
