//! Query: asks providers what became of a payment, and applies what they report.
//!
//! A response takes the same path as a webhook. One that proves nothing changes nothing.

use super::{
    Failure,
    apply::{Applied, ApplyError, apply},
};
use crate::{
    domain::{Notification, Payment, Provider, Sender, Timestamp, Verdict},
    ports::{
        NoKeys, Orders, Outbox, Payments, Providers, Query, QueryError, QueryState, TraceParent,
        Users,
    },
};

/// The ports of this use case, and of the sweep.
#[derive(Debug)]
pub struct QueryPorts<'a, U, O, S, P> {
    /// The shop's users.
    pub users: &'a U,
    /// The shop's orders.
    pub orders: &'a O,
    /// The store.
    pub store: &'a S,
    /// The providers.
    pub providers: &'a P,
}

/// Any [`QueryPorts`] whose parts are ports.
pub trait AnyQueryPorts {
    /// The shop's users.
    fn users(&self) -> &impl Users;
    /// The shop's orders.
    fn orders(&self) -> &impl Orders;
    /// The store.
    fn store(&self) -> &(impl Payments + Outbox);
    /// The providers.
    fn providers(&self) -> &impl Providers;
}

impl<U: Users, O: Orders, S: Payments + Outbox, P: Providers> AnyQueryPorts
    for QueryPorts<'_, U, O, S, P>
{
    fn users(&self) -> &impl Users {
        self.users
    }

    fn orders(&self) -> &impl Orders {
        self.orders
    }

    fn store(&self) -> &(impl Payments + Outbox) {
        self.store
    }

    fn providers(&self) -> &impl Providers {
        self.providers
    }
}

/// Is shown what each response of a provider reports, and what that did.
pub type Observe<'a> = &'a dyn Fn(&Notification, &Result<Applied, ApplyError>);

/// What one call to a provider came to.
#[derive(Debug)]
pub struct Queried {
    /// Whom.
    pub provider: Provider,
    /// What was asked.
    pub query: Query,
    /// What became there of what was asked about, or why that is not known.
    pub state: Result<QueryState, QueryError>,
    /// What the response reports, and what that did. Empty where it is not known.
    pub applied: Vec<(Notification, Result<Applied, ApplyError>)>,
}

/// The providers to ask about a payment: the one that collected it, or each that can be queried.
///
/// # Errors
///
/// [`NoKeys`] if it is not known which can be queried.
pub async fn providers_of(
    ports: &impl AnyQueryPorts,
    payment: &Payment,
    now: Timestamp,
) -> Result<Vec<Provider>, NoKeys> {
    let queried = ports.providers().queried(now).await?;
    Ok(match Provider::of_source(payment.reference.source) {
        Some(provider) => queried.into_iter().filter(|of| *of == provider).collect(),
        None => queried,
    })
}

/// Asks a provider what became of a payment, and applies what it reports: one call, and another one
/// where the response says what to ask next.
///
/// If that call may not start, as `may_start` says, nothing is applied and the result is empty: a payment
/// that became paid now would not be looked at again for its refunds.
pub async fn query_payment(
    ports: &impl AnyQueryPorts,
    provider: Provider,
    payment: &Payment,
    may_start: &dyn Fn() -> bool,
    now: Timestamp,
    trace: &TraceParent,
) -> Vec<Queried> {
    let query = Query::Payment { id: payment.id, txn: payment.reference.txn.clone() };
    query_and_apply(ports, provider, query, may_start, now, trace).await
}

/// Applies a message that only says where to look. Where its provider can be queried, what that responds
/// is applied, and the message is kept; else, and where the response proves nothing, the message itself is
/// applied.
///
/// # Errors
///
/// [`ApplyError`]: that of the message, or of the first response that could not be applied. A query
/// without a response is [`Failure::Unavailable`]: the provider sends the message again.
pub async fn follow(
    ports: &impl AnyQueryPorts,
    (message, query): (&Notification, Query),
    observe: Observe<'_>,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<(), ApplyError> {
    let provider = match message.sender {
        Sender::Provider(provider) => Some(provider),
        Sender::Native | Sender::Operator | Sender::Sweep => None,
    };
    let queried = ports.providers().queried(now).await;
    let queried = queried.map_err(|error| Failure::Unavailable(error.into()))?;
    let Some(provider) = provider.filter(|provider| queried.contains(provider)) else {
        return apply_itself(ports, message, observe, now, trace).await;
    };

    let steps = query_and_apply(ports, provider, query, &|| true, now, trace).await;
    let (states, applied): (Vec<_>, Vec<_>) =
        steps.into_iter().map(|step| (step.state, step.applied)).unzip();
    let applied: Vec<_> = applied.into_iter().flatten().collect();
    for (notification, result) in &applied {
        observe(notification, result);
    }

    let is_proof = match states.into_iter().find_map(Result::err) {
        None => !applied.is_empty(),
        // The message itself is authentic, and counts as it does without a key.
        Some(QueryError::Unusable(_)) => false,
        Some(error) => return Err(Failure::Unavailable(error.into()).into()),
    };
    let records = applied.into_iter().map(|(_, result)| record_of(result));
    let records = records.collect::<Result<Vec<_>, _>>()?;
    if !is_proof {
        return apply_itself(ports, message, observe, now, trace).await;
    }
    // Without a record all of it waits for a person, or is not ours.
    if let Some(record) = records.into_iter().flatten().last() {
        ports.store().append(&message.event(&record, None, Verdict::Noted, now)).await?;
    }
    Ok(())
}

/// The record that a notification was applied to; none if it is kept for a person, or not ours.
fn record_of(result: Result<Applied, ApplyError>) -> Result<Option<Payment>, ApplyError> {
    match result {
        Ok(applied) => Ok(Some(applied.record)),
        Err(ApplyError::Mismatch(_) | ApplyError::NotOurs) => Ok(None),
        Err(error @ ApplyError::Failed(_)) => Err(error),
    }
}

async fn apply_itself(
    ports: &impl AnyQueryPorts,
    message: &Notification,
    observe: Observe<'_>,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<(), ApplyError> {
    let applied = apply_now(ports, message, now, trace).await;
    observe(message, &applied);
    applied.map(drop)
}

pub(super) async fn query_and_apply(
    ports: &impl AnyQueryPorts,
    provider: Provider,
    first: Query,
    may_start: &dyn Fn() -> bool,
    now: Timestamp,
    trace: &TraceParent,
) -> Vec<Queried> {
    let mut steps = Vec::new();
    let mut next = Some(first);
    // The refunds of a payment are the last that a response can say to ask.
    while let Some(query) = next.take().filter(|_| steps.len() < 2) {
        let (state, notifications) = match ports.providers().query(provider, &query, now).await {
            Ok(response) => {
                next = response.next;
                (Ok(response.state), response.notifications)
            }
            Err(error) => (Err(error), Vec::new()),
        };
        if steps.is_empty() && next.is_some() && !may_start() {
            return Vec::new();
        }
        let mut applied = Vec::new();
        for notification in notifications {
            let result = apply_response(ports, &notification, now, trace).await;
            let failed = matches!(result, Err(ApplyError::Failed(_)));
            applied.push((notification, result));
            if failed {
                // What comes after it may rest on it: a refund on what was paid. All of it comes again.
                next = None;
                break;
            }
        }
        steps.push(Queried { provider, query, state, applied });
    }
    steps
}

/// A response that reports nothing that we act on is kept as an event and compared with nothing: a
/// provider that knows of no payment has no amount to name.
pub(super) async fn apply_response(
    ports: &impl AnyQueryPorts,
    notification: &Notification,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Applied, ApplyError> {
    let store = ports.store();
    let record = match (notification.report.outcome, notification.payment) {
        (None, Some(id)) if notification.review.is_none() => store.payment(id).await?,
        _ => None,
    };
    let Some(record) = record else { return apply_now(ports, notification, now, trace).await };
    store.append(&notification.event(&record, None, Verdict::Ignored, now)).await?;
    Ok(Applied::unchanged(record, Verdict::Ignored))
}

pub(super) async fn apply_now(
    ports: &impl AnyQueryPorts,
    notification: &Notification,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Applied, ApplyError> {
    apply((ports.users(), ports.orders()), ports.store(), notification, now, trace).await
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
