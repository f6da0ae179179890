//! One entry of a sweep: what its record says is to be done.

use super::{
    Run,
    lanes::{Lanes, Outages, Service},
};
use crate::{
    domain::{Due, Notification, Payment, PaymentId, Provider, Status, Timestamp},
    limits::QUERY_AGE_MAX_MS,
    ports::{
        Orders, Outbox, Payments, ProviderState, Providers, QueryError, ShopError, StoreError,
        TraceParent, Users,
    },
    usecases::{
        Failure,
        apply::{Applied, ApplyError, OrderNotification},
        query::QueryPorts,
    },
};

/// What became of one entry.
pub(super) enum Entry {
    /// The order service was notified.
    Notified,
    /// Nothing was to be done.
    Stale,
    /// The service that it needs is down, or the time is over.
    Left,
    /// The order service could not be notified, of a payment that was paid at this time.
    Rescheduled(PaymentId, ShopError, Option<Timestamp>),
    /// Providers were asked, and it is not paid yet. Those without a usable response.
    Queried(Vec<(PaymentId, Provider, QueryError)>),
    /// A provider's response moved it on.
    Moved,
    /// Nobody paid it in time.
    Abandoned(PaymentId),
    /// The store failed.
    Failed(PaymentId, StoreError, Option<Timestamp>),
}

impl Entry {
    /// Whether the store was down. A row that cannot be read says nothing about the others.
    pub(super) const fn is_outage_of_the_store(&self) -> bool {
        matches!(self, Self::Failed(_, StoreError::Unavailable(_) | StoreError::Unknown(_), _))
    }
}

/// Reads a record and does what it says; `None` if providers are to be asked, in a lane that may.
pub(super) async fn look<U, O, S, P>(
    ports: &QueryPorts<'_, U, O, S, P>,
    (id, until): (PaymentId, Option<Timestamp>),
    lanes: &Lanes<'_>,
    outages: &Outages,
    now: Timestamp,
    trace: &TraceParent,
) -> Option<Entry>
where
    U: Users,
    O: Orders,
    S: Payments + Outbox,
    P: Providers,
{
    let payment = match ports.store.payment(id).await {
        Ok(payment) => payment,
        Err(error) => return Some(Entry::Failed(id, error, None)),
    };
    let is_due = |due: &Due| until.is_none_or(|until| due.at <= until);
    let Some((payment, due)) = payment.and_then(|payment| {
        let due = payment.due.filter(is_due)?;
        Some((payment, due))
    }) else {
        return Some(Entry::Stale);
    };
    if payment.needs_notification() {
        if outages.is_down(Service::Orders) {
            return Some(Entry::Left);
        }
        return Some(notify(ports.orders, ports.store, (&payment, due), outages, now, trace).await);
    }
    let is_open = matches!(payment.status, Status::Pending | Status::Failed);
    if is_open {
        match ports.providers_of(&payment, now).await {
            Ok(providers) if providers.is_empty() => {}
            Ok(_) => {
                lanes.wait_for_query(payment);
                return None;
            }
            // Whom to ask is not known now.
            Err(_no_keys) => return Some(Entry::Left),
        }
    }
    Some(cleared(ports.store, &payment, Entry::Stale).await)
}

async fn notify(
    orders: &impl Orders,
    store: &impl Outbox,
    (payment, due): (&Payment, Due),
    outages: &Outages,
    now: Timestamp,
    trace: &TraceParent,
) -> Entry {
    let (id, paid) = (payment.id, payment.paid_time);
    let notified = orders.notify_paid(payment, trace).await;
    outages.count(Service::Orders, matches!(notified, Err(ShopError::Unavailable(_))));
    let written = match &notified {
        Ok(()) => store.mark_notified(payment, now).await,
        Err(_) => store.reschedule(payment, due.rescheduled(id, now)).await,
    };
    match (written, notified) {
        (Err(error), _) => Entry::Failed(id, error, paid),
        (Ok(()), Ok(())) => Entry::Notified,
        (Ok(()), Err(cause)) => Entry::Rescheduled(id, cause, paid),
    }
}

/// Asks each provider about a payment until one response moves it on.
pub(super) async fn query<U, O, S, P, G, B>(
    ports: &QueryPorts<'_, U, O, S, P>,
    mut payment: Payment,
    run: &Run<'_, G, B>,
    outages: &Outages,
    now: Timestamp,
) -> Entry
where
    U: Users,
    O: Orders,
    S: Payments + Outbox,
    P: Providers,
    G: Fn() -> Option<Timestamp>,
    B: Fn(&Notification, &Result<Applied, ApplyError>),
{
    let id = payment.id;
    let mut unknown = Vec::new();
    let (mut asked, mut processing) = (false, false);
    let Ok(providers) = ports.providers_of(&payment, now).await else { return Entry::Left };
    for provider in providers {
        let service = Service::Provider(provider);
        if outages.is_down(service) || (run.go_on)().is_none() {
            continue;
        }
        asked = true;
        for step in ports.query_payment(provider, &payment, now, run.trace).await {
            outages.count(service, matches!(step.state, Err(QueryError::Unavailable(_))));
            processing = processing || matches!(step.state, Ok(ProviderState::Processing));
            unknown.extend(step.state.err().map(|error| (id, provider, error)));
            for (notification, applied) in step.applied {
                (run.observe)(&notification, &applied);
                match applied {
                    Ok(applied) => payment = with_notification(applied, now),
                    // A person decides.
                    Err(ApplyError::Mismatch(_)) => {}
                    Err(ApplyError::Failed(failure)) => return failed(id, failure),
                }
            }
        }
        if !matches!(payment.status, Status::Pending | Status::Failed) {
            return Entry::Moved;
        }
    }
    let Some(due) = payment.due.filter(|_| asked) else { return Entry::Left };
    let age_ms = now.millis().saturating_sub(payment.create_time.millis());
    if age_ms > QUERY_AGE_MAX_MS && !processing && unknown.is_empty() {
        return cleared(ports.store, &payment, Entry::Abandoned(id)).await;
    }
    match ports.store.reschedule(&payment, due.queried_again(id, now)).await {
        Ok(()) => Entry::Queried(unknown),
        Err(error) => Entry::Failed(id, error, None),
    }
}

/// The record after a notification, with the order notification that followed.
fn with_notification(applied: Applied, now: Timestamp) -> Payment {
    let mut record = applied.record;
    if matches!(applied.order_notification, OrderNotification::Done) {
        (record.due, record.notified_time) = (None, Some(now));
    }
    record
}

fn failed(id: PaymentId, failure: Failure) -> Entry {
    let error = match failure {
        Failure::Unavailable(cause) => StoreError::Unavailable(cause),
        Failure::Fault(cause) => StoreError::Fault(cause),
    };
    Entry::Failed(id, error, None)
}

async fn cleared(store: &impl Outbox, payment: &Payment, entry: Entry) -> Entry {
    match store.clear(payment).await {
        Ok(()) => entry,
        Err(error) => Entry::Failed(payment.id, error, None),
    }
}
