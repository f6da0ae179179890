//! What bugs about checkouts do, and those of the store.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pay_core::{
    domain::{Change, CheckoutNumber, CheckoutState, Due, DueChange, Payment, Provider},
    ports::{ProviderState, Query, QueryResponse, QueryState},
    testing::{HeldPayment, Table},
};

use super::Bug;
use crate::{
    ports::{CheckoutCall, MadeCheckout, Probe, Request, Response, Value},
    scenario::request as request_of,
};

/// What a bug about checkouts remembers of its run.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Whether a provider was asked to close a checkout.
    has_closed: AtomicBool,
}

impl Remembered {
    /// What a use case with the bug does before a call, or instead of it: then its result.
    pub(super) async fn before(
        &self,
        bug: Bug,
        probe: &Probe,
        request: &mut Request,
    ) -> Option<Response> {
        match (bug, request) {
            (Bug::CallsBeforeItBegins, Request::Update { change, .. }) => {
                let call = call_of(change)?;
                drop(probe.call(Request::MakeCheckout(Box::new(call))).await);
                None
            }
            (Bug::EndsWithoutASecondQuery, Request::Close(..)) => {
                self.has_closed.store(true, Relaxed);
                None
            }
            (Bug::EndsWithoutASecondQuery, Request::Query { provider, query, .. })
                if self.has_closed.swap(false, Relaxed) =>
            {
                closed(*provider, query).map(Ok)
            }
            (Bug::EndsWhatIsAbsentOnce, Request::ChangeCheckout { read, next })
                if read.absent_time.is_none() && next.absent_time.is_some() =>
            {
                let end = CheckoutState::Ended;
                let (checkout, at) = (read.reference, next.absent_time?);
                let ended = probe.call(Request::EndCheckout { checkout, end, at }).await;
                Some(ended.map(|_| Value::Is(true)))
            }
            (Bug::TakesRefusedForAbsent, Request::MakeCheckout(call)) => {
                let (checkout, at) = (call.checkout.reference, call.at);
                let made = probe.call(Request::MakeCheckout(call.clone())).await;
                if let Ok(Value::MadeCheckout(MadeCheckout::Refused { .. })) = made {
                    let end = CheckoutState::Refused;
                    drop(probe.call(Request::EndCheckout { checkout, end, at }).await);
                }
                Some(made)
            }
            (Bug::SendsForgotten, Request::ChangeCheckout { read, next })
                if next.state == CheckoutState::Ended && read.is_unnamed() =>
            {
                let (oid, amount) = (request_of(100, None).oid, request_of(100, None).amount);
                let at = next.update_time;
                let call = CheckoutCall { checkout: (**read).clone(), oid, amount, at };
                drop(probe.call(Request::MakeCheckout(Box::new(call))).await);
                None
            }
            (Bug::ClearsBesideCheckouts, Request::MarkNotified { next, .. }) => {
                *next = None;
                None
            }
            _ => None,
        }
    }

    /// What it takes the response to a call for.
    pub(super) fn taken(bug: Bug, response: Response) -> Response {
        match (bug, response) {
            (Bug::ClosesWhatCanBePaid, Ok(Value::Checkouts(_))) => Ok(Value::Checkouts(Vec::new())),
            (Bug::IgnoresClosing, Ok(Value::Payment(Some(payment)))) => {
                Ok(Value::Payment(Some(Payment { closing: false, ..payment })))
            }
            (_, response) => response,
        }
    }
}

/// The request to the provider that belongs to a checkout that is to be written.
fn call_of(change: &Change) -> Option<CheckoutCall> {
    let checkout = Box::as_ref(change.checkout.as_ref()?).clone();
    let amount = request_of(100, None).amount;
    Some(CheckoutCall { checkout, oid: change.oid, amount, at: change.at })
}

/// The response that a checkout is closed.
fn closed(provider: Provider, query: &Query) -> Option<Value> {
    let Query::Checkout { reference, .. } = query else { return None };
    let held = HeldPayment::new(ProviderState::Closed, None, 100);
    let mut sent = held.notification(provider, reference.payment);
    sent.checkout = Some(reference.number);
    let state = QueryState::Payment(ProviderState::Closed);
    Some(Value::Queried(QueryResponse { state, notifications: vec![sent], next: None }))
}

/// Writes a checkout whatever the record is by now.
pub(crate) fn begins_unconditioned(table: &mut Table, request: &Request) -> Option<Response> {
    let Request::Update { change, event } = request else { return None };
    let mut checkout = change.checkout.clone()?;
    let record = table.payments.get(&change.id)?;
    checkout.reference.number = CheckoutNumber::new(record.checkouts.saturating_add(1)).ok()?;
    let (before, after) = (record.due, record.due.unwrap_or(Due::after_grace(change.at)));
    let change = Change {
        from: record.status,
        to: record.status,
        from_version: record.version,
        due: DueChange::Set { before, after },
        checkout: Some(checkout),
        ..change.clone()
    };
    let mut event = event.clone();
    event.status = Some((change.from, change.to));
    event.version = Some(change.version());
    Some(Ok(Value::Updated(table.update(&change, &event))))
}

/// Refuses a checkout whatever became of it since it was read.
pub(crate) fn refuses_unconditioned(table: &mut Table, request: &Request) -> Option<Response> {
    let Request::ChangeCheckout { read, next } = request else { return None };
    if next.is_unended() {
        return None;
    }
    table.end_checkout(read.reference, next.state, next.update_time);
    Some(Ok(Value::Is(true)))
}
