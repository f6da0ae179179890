//! One entry of a sweep: what its record says is to be done.

use super::{
    Run, checkouts,
    lanes::{Lanes, Outages, Upstream, Waiting},
};
use crate::{
    domain::{Due, Payment, PaymentId, Provider, Timestamp},
    limits::QUERY_AGE_MAX_MS,
    ports::{
        Orders, Outbox, Payments, ProviderState, QueryError, QueryState, ShopError, StoreError,
        TraceParent,
    },
    usecases::{
        Failure,
        apply::ApplyError,
        query::{AnyQueryPorts, providers_of, query_payment},
    },
};

/// The queries about a payment that had no usable response.
pub(super) type Unknown = Vec<(PaymentId, Provider, QueryError)>;

/// What became of one entry.
pub(super) enum Entry {
    /// The order service was notified.
    Notified,
    /// Nothing was to be done.
    Stale,
    /// The service that it needs is down, or the time is over; of a paid one, when it was paid.
    Left(Option<Timestamp>),
    /// The order service could not be notified, of a payment that was paid at this time.
    Rescheduled(PaymentId, ShopError, Option<Timestamp>),
    /// Providers were asked, and it is not paid yet.
    Queried(Unknown),
    /// A refund that was requested at this time: its provider was asked, and what became of it is not known.
    Unresolved(Unknown, Timestamp),
    /// A provider's response moved it on.
    Moved(Unknown),
    /// It was closed by the sweep itself.
    Closed(Unknown),
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
pub(super) async fn look(
    ports: &impl AnyQueryPorts,
    (id, until): (PaymentId, Option<Timestamp>),
    run: &Run<'_>,
    lanes: &Lanes<'_>,
    outages: &Outages,
    now: Timestamp,
) -> Option<Entry> {
    let payment = match ports.store().payment(id).await {
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
        if outages.is_down(Upstream::Orders) {
            return Some(Entry::Left(payment.paid_time));
        }
        return Some(
            notify(ports.orders(), ports.store(), (&payment, due), outages, now, run.trace).await,
        );
    }
    if payment.checkouts > 0 || checkouts::is_to_be_closed(&payment, run, now) {
        lanes.wait_for_query(Waiting::Checkouts(payment));
        return None;
    }
    if payment.is_open() {
        match providers_of(ports, &payment, now).await {
            Ok(providers) if providers.is_empty() => {}
            Ok(_) => {
                lanes.wait_for_query(Waiting::Payment(payment));
                return None;
            }
            // Whom to ask is not known now.
            Err(_no_keys) => return Some(Entry::Left(None)),
        }
    }
    Some(later_or_cleared(ports.store(), &payment, run, Entry::Stale).await)
}

/// Nothing is to be done about a payment: `due` is the end of its time to live, or cleared.
pub(super) async fn later_or_cleared(
    store: &impl Outbox,
    payment: &Payment,
    run: &Run<'_>,
    entry: Entry,
) -> Entry {
    match run.time_to_live.filter(|_| payment.is_open()) {
        Some(time) => {
            let next = Due { at: time.end_of(payment.create_time), attempts: 0 };
            rescheduled(store, payment, next, entry).await
        }
        None => cleared(store, payment, entry).await,
    }
}

pub(super) async fn rescheduled(
    store: &impl Outbox,
    payment: &Payment,
    next: Due,
    entry: Entry,
) -> Entry {
    match store.reschedule(payment, next).await {
        Ok(()) => entry,
        Err(error) => Entry::Failed(payment.id, error, None),
    }
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
    outages.count(Upstream::Orders, matches!(notified, Err(ShopError::Unavailable(_))));
    let written = match &notified {
        // The sweep ends the checkouts that did not pay.
        Ok(()) => {
            let next = (payment.checkouts > 0).then_some(Due { at: now, attempts: 0 });
            store.mark_notified(payment, now, next).await
        }
        Err(_) => store.reschedule(payment, due.rescheduled(id, now)).await,
    };
    match (written, notified) {
        (Err(error), _) => Entry::Failed(id, error, paid),
        (Ok(()), Ok(())) => Entry::Notified,
        (Ok(()), Err(cause)) => Entry::Rescheduled(id, cause, paid),
    }
}

/// Asks each provider about a payment until one response moves it on.
pub(super) async fn query(
    ports: &impl AnyQueryPorts,
    mut payment: Payment,
    run: &Run<'_>,
    outages: &Outages,
    now: Timestamp,
) -> Entry {
    let id = payment.id;
    let mut unknown = Vec::new();
    let (mut asked, mut all_asked, mut processing) = (false, true, false);
    let Ok(providers) = providers_of(ports, &payment, now).await else {
        return Entry::Left(None);
    };
    for provider in providers {
        let service = Upstream::Provider(provider);
        if outages.is_down(service) || (run.go_on)().is_none() {
            all_asked = false;
            continue;
        }
        asked = true;
        let may_start = || (run.go_on)().is_some();
        let steps = query_payment(ports, provider, &payment, &may_start, now, run.trace).await;
        if steps.is_empty() {
            // Its turn comes in the next run: it is still due.
            return Entry::Left(None);
        }
        for step in steps {
            outages.count(service, matches!(step.state, Err(QueryError::Unavailable(_))));
            let is_processing = QueryState::Payment(ProviderState::Processing);
            processing = processing || matches!(step.state, Ok(state) if state == is_processing);
            unknown.extend(step.state.err().map(|error| (id, provider, error)));
            for (notification, applied) in step.applied {
                (run.observe)(&notification, &applied);
                match applied {
                    Ok(applied) => payment = applied.record,
                    // A person decides.
                    Err(ApplyError::Mismatch(_) | ApplyError::NotOurs) => {}
                    Err(ApplyError::Failed(failure)) => return failed(id, failure),
                }
            }
        }
        if !payment.is_open() {
            return Entry::Moved(unknown);
        }
    }
    if !asked {
        return Entry::Left(None);
    }
    // Somebody else has cleared it.
    let Some(due) = payment.due else { return Entry::Stale };
    let age_ms = now.millis().saturating_sub(payment.create_time.millis());
    let is_known = all_asked && unknown.is_empty();
    // A checkout that was requested meanwhile may still be paid.
    if age_ms > QUERY_AGE_MAX_MS && is_known && !processing && payment.checkouts == 0 {
        return later_or_cleared(ports.store(), &payment, run, Entry::Abandoned(id)).await;
    }
    let next = due.queried_again(id, now);
    let next = run.time_to_live.map_or(next, |time| time.bounds(payment.create_time, next));
    rescheduled(ports.store(), &payment, next, Entry::Queried(unknown)).await
}

pub(super) fn failed(id: PaymentId, failure: Failure) -> Entry {
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
