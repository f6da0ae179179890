//! Planted bugs, each one that a service like this has been seen to have: in a use case, as ports
//! that do something else than what they are asked, or in the store.

mod checkouts;
mod refunds;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pay_core::{
    domain::{Guard, Payment, PaymentId, Provider, ProviderTxn, Refunds, Status},
    ports::{Created, ProviderState, Query, QueryResponse, QueryState, Updated},
    testing::{Call, HeldPayment, Table},
};

use super::{
    ports::{Failed, MadeRefund, Probe, RefundCall, Request, Response, Value},
    scenario::payment_of,
};

use checkouts::Remembered;
pub(crate) use checkouts::{begins_unconditioned, refuses_unconditioned};
pub(crate) use refunds::{counts_refunds_again, reserves_unconditioned, resolves_again};

/// A bug of a use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A closed payment is paid without a check of the guard.
    SkipsGuard,
    /// The order service is notified before the record moves to paid.
    NotifiesFirst,
    /// Only the delivery that moved the record notifies the order service.
    DuplicateIsSilent,
    /// An order notification that failed counts as done.
    IgnoresFailedNotification,
    /// A notification whose event exists counts as handled.
    TrustsTheEventLog,
    /// A create whose outcome is unknown counts as a success.
    AssumesSuccess,
    /// A create is rejected before the guard is read.
    RejectsBeforeTheGuard,
    /// A payment is replaced without a check of the key.
    IgnoresKeys,
    /// A payment that a provider does not know counts as closed there.
    TakesAbsentForClosed,
    /// A response that is not signed is believed.
    BelievesUnsigned,
    /// A response about another payment is applied to the one that was asked about.
    AppliesToTheAsked,
    /// What was reported in all is added to what was reported one by one.
    AddsTotals,
    /// A query without a response counts as one that says that it is not paid yet.
    TakesNoResponseForOpen,
    /// A message that says where to look counts as *paid*, whatever is found there.
    BelievesTheHint,
    /// A notification that no index finds the payment of counts as one of others.
    TakesUnmatchedForOthers,
    /// A provider is asked to refund before the refund is reserved.
    CallsBeforeItReserves,
    /// A repeated request to refund gets a reference of its own.
    NewReferenceOnRepeat,
    /// A refund whose outcome is unknown is released, as if it was refused.
    ReleasesOnUnknown,
    /// A refund counts as refused without a query whether it was made before.
    TrustsRefused,
    /// A refund is sent once more without a query whether it was made.
    SendsUnasked,
    /// The refund of money in quarantine has the notification as key, not the transaction.
    KeysByNotification,
    /// The refund of money in quarantine is asked about and sent under another reference.
    OtherReferenceOfQuarantined,
    /// The refund of money in quarantine counts as one of the payment.
    CountsQuarantined,
    /// The order service is notified of a refund whether it knows of the payment or not.
    NotifiesOfRefundsFirst,
    /// A provider is asked for a checkout before that is written.
    CallsBeforeItBegins,
    /// What a provider was asked to close counts as closed there.
    EndsWithoutASecondQuery,
    /// A payment is closed whatever became of its checkouts.
    ClosesWhatCanBePaid,
    /// A checkout is requested of a payment that is being closed.
    IgnoresClosing,
    /// A repeated request that is refused counts as one of which the provider has nothing.
    TakesRefusedForAbsent,
    /// A checkout that its provider once had nothing of counts as ended.
    EndsWhatIsAbsentOnce,
    /// A provider is asked about a checkout with the keys of another account than it was made with.
    AsksAnotherAccount,
    /// A checkout is requested again when its key may be forgotten.
    SendsForgotten,
    /// `due` is cleared with the order notification although another checkout can be paid.
    ClearsBesideCheckouts,
}

/// A bug at work in one run of an actor.
#[derive(Debug)]
pub(crate) struct PlantedBug {
    bug: Bug,
    /// Whether this run moved the record.
    moved: AtomicBool,
    /// Whether this run takes the notification for handled.
    handled: AtomicBool,
    /// Whether this run takes a refund for refused.
    refused: AtomicBool,
    of_checkouts: Remembered,
}

impl PlantedBug {
    pub(crate) fn new(bug: Bug) -> Self {
        let [moved, handled, refused] = [const { AtomicBool::new(false) }; 3];
        Self { bug, moved, handled, refused, of_checkouts: Remembered::default() }
    }

    /// Makes a call as a use case with the bug would, and passes on what it would see.
    pub(crate) async fn call(&self, probe: &Probe, mut request: Request) -> Response {
        let call = request.id().call;
        if matches!(call, Call::NotifyPaid | Call::MarkNotified) && self.is_silent() {
            return Ok(Value::Done(()));
        }
        let is_unasked = self.bug == Bug::SendsUnasked && refunds::is_query(&request);
        if is_unasked || (call == Call::Query && self.refused.load(Relaxed)) {
            return Ok(refunds::absent());
        }
        if self.bug == Bug::OtherReferenceOfQuarantined {
            refunds::rename(&mut request);
        }
        if let Some(response) = self.of_checkouts.before(self.bug, probe, &mut request).await {
            return response;
        }
        let early = refunds::call_of(&request).filter(|_| self.bug == Bug::CallsBeforeItReserves);
        if let Some(early) = early {
            drop(probe.call(Request::MakeRefund(Box::new(early))).await);
        }
        self.change(&mut request);
        let asked = asked(&request);
        let refund =
            if let Request::MakeRefund(call) = &request { Some(call.clone()) } else { None };
        if let (Bug::AppliesToTheAsked, Request::Query { query, .. }) = (self.bug, &mut request) {
            *query = Query::Payment { id: payment_of(1), txn: None };
        }
        let response = probe.call(request).await;
        self.moved.fetch_or(response == Ok(Value::Updated(Updated::Done)), Relaxed);
        match (self.bug, response) {
            (Bug::IgnoresKeys, Ok(Value::Guard(Some(guard)))) => {
                Ok(Value::Guard(Some(Guard { key: None, ..guard })))
            }
            (Bug::RejectsBeforeTheGuard, Ok(Value::Guard(_))) => Ok(Value::Guard(None)),
            (Bug::AssumesSuccess, Err(Failed::Unknown)) if call == Call::Create => {
                Ok(Value::Created(Created::Done))
            }
            (Bug::IgnoresFailedNotification, Err(_))
                if matches!(call, Call::NotifyPaid | Call::NotifyRefunded) =>
            {
                Ok(Value::Done(()))
            }
            (Bug::TrustsTheEventLog, Ok(Value::Updated(Updated::KeyTaken))) => {
                self.handled.store(true, Relaxed);
                Ok(Value::Updated(Updated::Done))
            }
            (Bug::NotifiesFirst, Ok(Value::Payment(Some(payment)))) => {
                drop(probe.call(Request::NotifyPaid(payment.clone())).await);
                Ok(Value::Payment(Some(payment)))
            }
            (Bug::TakesAbsentForClosed, Ok(Value::Queried(response)))
                if response.state == QueryState::Payment(ProviderState::Absent) =>
            {
                Ok(reported(asked, ProviderState::Closed))
            }
            (Bug::TakesNoResponseForOpen, Err(Failed::Unavailable)) if call == Call::Query => {
                Ok(reported(asked, ProviderState::Open))
            }
            (Bug::BelievesTheHint, Ok(Value::Queried(_)))
            | (Bug::BelievesUnsigned, Err(Failed::Unusable)) => {
                Ok(reported(asked, ProviderState::Paid))
            }
            (Bug::AppliesToTheAsked, Ok(Value::Queried(mut response))) => {
                response.notifications.iter_mut().for_each(|sent| sent.payment = asked);
                Ok(Value::Queried(response))
            }
            (_, response) => self.about_refunds(refund.as_deref(), response),
        }
    }

    /// What a bug changes of what is written.
    fn change(&self, request: &mut Request) {
        if let Request::Update { change, .. } = request {
            change.guarded &= self.bug != Bug::SkipsGuard;
            if let (Bug::AddsTotals, Some(refund)) = (self.bug, &mut change.refund) {
                let Refunds { sum, total, .. } = &mut refund.refunds;
                *sum = sum.saturating_add(*total);
            }
            if self.bug == Bug::CountsQuarantined {
                refunds::count_outside(change);
            }
        }
    }

    /// The same for bugs about refunds; `refund` is what a provider was asked for.
    fn about_refunds(&self, refund: Option<&RefundCall>, response: Response) -> Response {
        match (self.bug, response) {
            (Bug::ReleasesOnUnknown, Err(failed)) => {
                self.refused.fetch_or(refund.is_some(), Relaxed);
                refund.map(refunds::refused).ok_or(failed)
            }
            (Bug::TrustsRefused, Ok(Value::MadeRefund(refused))) => {
                let is_refused = matches!(refused, MadeRefund::Refused { .. });
                self.refused.store(is_refused, Relaxed);
                Ok(Value::MadeRefund(refused))
            }
            (Bug::NotifiesOfRefundsFirst, Ok(Value::Payment(Some(payment)))) => {
                let notified_time = payment.paid_time;
                Ok(Value::Payment(Some(Payment { notified_time, ..payment })))
            }
            (bug, response) => Remembered::taken(bug, response),
        }
    }

    /// Whether it asks about a checkout of another account than it has the keys of.
    pub(crate) fn asks_another_account(&self) -> bool {
        self.bug == Bug::AsksAnotherAccount
    }

    /// Whether it leaves out the order notification.
    fn is_silent(&self) -> bool {
        let moved = self.moved.load(Relaxed);
        (self.bug == Bug::DuplicateIsSilent && !moved) || self.handled.load(Relaxed)
    }
}

/// The payment that a query is about; that of an object is the first one.
fn asked(request: &Request) -> Option<PaymentId> {
    let Request::Query { query, .. } = request else { return None };
    match query {
        Query::Payment { id, .. } => Some(*id),
        Query::Object(_) => Some(payment_of(0)),
        Query::Checkout { .. } | Query::Refunds { .. } | Query::Refund { .. } => None,
    }
}

/// The response that says this of a payment.
fn reported(asked: Option<PaymentId>, state: ProviderState) -> Value {
    let id = asked.expect("a query about a payment");
    let txn = (state == ProviderState::Paid).then(|| ProviderTxn::new("pi_1").unwrap());
    let held = HeldPayment::new(state, txn, 100);
    let notifications = vec![held.notification(Provider::Stripe, id)];
    let state = QueryState::Payment(state);
    Value::Queried(QueryResponse { state, notifications, next: None })
}

/// A bug of the store: how it carries out a request, or changes the table before the sound store
/// does; `None` leaves the request to that.
pub(crate) type StoreBug = fn(&mut Table, &Request) -> Option<Response>;

/// Creates a payment without a check of the guard: only the hint decides.
pub(crate) fn creates_unguarded(table: &mut Table, request: &Request) -> Option<Response> {
    if let Request::Create { guard, replacing: None, .. } = request {
        table.guards.remove(&guard.oid);
    }
    None
}

/// Replaces whatever payment the guard names, replaceable or not.
pub(crate) fn replaces_any_payment(table: &mut Table, request: &Request) -> Option<Response> {
    let Request::Create { payment, guard, replacing: Some(old) } = request else { return None };
    if table.guards.get(&guard.oid).is_none_or(|guard| guard.payment != *old) {
        return None;
    }
    table.guards.insert(guard.oid, guard.clone());
    table.payments.insert(payment.id, payment.clone());
    Some(Ok(Value::Created(Created::Done)))
}

/// Overwrites a record that has the new payment's id.
pub(crate) fn overwrites_records(table: &mut Table, request: &Request) -> Option<Response> {
    if let Request::Create { payment, .. } = request {
        table.payments.remove(&payment.id);
    }
    None
}

/// Overwrites an event that has the new event's key.
pub(crate) fn overwrites_events(table: &mut Table, request: &Request) -> Option<Response> {
    if let Request::Update { event, .. } | Request::Append(event) = request {
        table.events.retain(|kept| kept.key() != event.key());
    }
    None
}

/// Reschedules a payment without a check that it is still due.
pub(crate) fn writes_due_back(table: &mut Table, request: &Request) -> Option<Response> {
    let Request::Reschedule { read, next } = request else { return None };
    table.payments.get_mut(&read.id)?.due = Some(*next);
    Some(Ok(Value::Done(())))
}

/// Clears `due` of every payment but the one that was notified of.
pub(crate) fn clears_the_outbox(table: &mut Table, request: &Request) -> Option<Response> {
    if let Request::MarkNotified { read, .. } = request {
        let others = table.payments.values_mut().filter(|payment| payment.id != read.id);
        others.for_each(|payment| payment.due = None);
    }
    None
}

/// Clears `due` without a check that the record is as it was read.
pub(crate) fn clears_what_changed(table: &mut Table, request: &Request) -> Option<Response> {
    let Request::Clear(read) = request else { return None };
    table.payments.get_mut(&read.id)?.due = None;
    Some(Ok(Value::Done(())))
}

/// Sets the status to what a response to a query says, whatever it was meanwhile.
pub(crate) fn lowers_by_a_query(table: &mut Table, request: &Request) -> Option<Response> {
    if let Request::Append(event) = request
        && event.id.as_str().starts_with("query.open")
    {
        table.payments.get_mut(&event.payment?)?.status = Status::Pending;
    }
    None
}
