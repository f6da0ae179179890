//! A refund in a sweep: what its state says is to be done.

use super::{
    Run,
    entry::{Entry, failed},
    lanes::{Lanes, Outages, Upstream, Waiting},
};
use crate::{
    domain::{Due, PaymentId, Provider, Refund, RefundId, RefundState, Timestamp},
    ports::{Orders, Outbox, Payments, QueryError, ShopError, TraceParent},
    usecases::{
        query::{AnyQueryPorts, Observe},
        refund::{Carried, carry_out},
    },
};

/// Reads a refund and does what it says; `None` if its provider is to be asked, in a lane that may.
pub(super) async fn look(
    ports: &impl AnyQueryPorts,
    (payment, id, until): (PaymentId, &RefundId, Option<Timestamp>),
    lanes: &Lanes<'_>,
    outages: &Outages,
    now: Timestamp,
    trace: &TraceParent,
) -> Option<Entry> {
    let refund = match ports.store().refund(payment, id).await {
        Ok(refund) => refund,
        Err(error) => return Some(Entry::Failed(payment, error, None)),
    };
    let is_due = |due: &Due| until.is_none_or(|until| due.at <= until);
    let Some((refund, due)) = refund.and_then(|refund| {
        let due = refund.due.filter(is_due)?;
        Some((refund, due))
    }) else {
        return Some(Entry::Stale);
    };
    match refund.state {
        RefundState::Requested | RefundState::Pending => {
            lanes.wait_for_query(Waiting::Refund(Box::new(refund)));
            None
        }
        RefundState::Succeeded => Some(notify(ports, (&refund, due), outages, now, trace).await),
        RefundState::Failed => Some(rescheduled(ports, &refund, None, Entry::Stale).await),
    }
}

/// Notifies the order service of a refund, once it has acknowledged that the payment was paid.
async fn notify(
    ports: &impl AnyQueryPorts,
    (refund, due): (&Refund, Due),
    outages: &Outages,
    now: Timestamp,
    trace: &TraceParent,
) -> Entry {
    let id = refund.payment;
    let record = match ports.store().payment(id).await {
        Ok(Some(record)) => record,
        Ok(None) => return Entry::Stale,
        Err(error) => return Entry::Failed(id, error, None),
    };
    let later = Some(due.rescheduled(id, now));
    if record.notified_time.is_none() {
        // Of a payment that was refunded in full it never hears that it was paid.
        let next = later.filter(|_| record.needs_notification());
        return rescheduled(ports, refund, next, Entry::Stale).await;
    }
    if outages.is_down(Upstream::Orders) {
        return Entry::Left(None);
    }
    let notified = ports.orders().notify_refunded(&record, refund, trace).await;
    outages.count(Upstream::Orders, matches!(notified, Err(ShopError::Unavailable(_))));
    match notified {
        Ok(()) => rescheduled(ports, refund, None, Entry::Notified).await,
        Err(cause) => rescheduled(ports, refund, later, Entry::Rescheduled(id, cause, None)).await,
    }
}

/// Asks a refund's provider what became of it, and sends it again where the provider does not have it.
pub(super) async fn carry_on(
    ports: &impl AnyQueryPorts,
    refund: Refund,
    run: &Run<'_>,
    outages: &Outages,
    now: Timestamp,
) -> Entry {
    let id = refund.payment;
    let Some(provider) = Provider::of_source(refund.taken_from.source) else {
        return Entry::Stale;
    };
    let service = Upstream::Provider(provider);
    if outages.is_down(service) || (run.go_on)().is_none() {
        return Entry::Left(None);
    }
    let record = match ports.store().payment(id).await {
        Ok(Some(record)) => record,
        Ok(None) => return Entry::Stale,
        Err(error) => return Entry::Failed(id, error, None),
    };
    let may_start = || (run.go_on)().is_some();
    let how: (Observe<'_>, &dyn Fn() -> bool) = (run.observe, &may_start);
    let carried = carry_out(ports, (&record, refund), false, how, now, run.trace).await;
    let Carried { refund, unknown, .. } = match carried {
        Ok(carried) => carried,
        Err(failure) => return failed(id, failure),
    };
    outages.count(service, matches!(unknown, Some(QueryError::Unavailable(_))));
    let unknown: Vec<_> = unknown.into_iter().map(|error| (id, provider, error)).collect();
    match (refund.state.is_final(), refund.due) {
        (true, _) => Entry::Moved(unknown),
        (false, Some(due)) => {
            let next = Some(due.queried_again(id, now));
            let entry = if refund.state == RefundState::Requested {
                Entry::Unresolved(unknown, refund.create_time)
            } else {
                Entry::Queried(unknown)
            };
            rescheduled(ports, &refund, next, entry).await
        }
        (false, None) => Entry::Stale,
    }
}

async fn rescheduled(
    ports: &impl AnyQueryPorts,
    refund: &Refund,
    next: Option<Due>,
    entry: Entry,
) -> Entry {
    match ports.store().reschedule_refund(refund, next).await {
        Ok(()) => entry,
        Err(error) => Entry::Failed(refund.payment, error, None),
    }
}
