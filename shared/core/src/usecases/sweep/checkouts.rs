//! The checkouts of a payment in a sweep, and its close.

use super::{
    Run,
    entry::{Entry, Unknown, failed, later_or_cleared, rescheduled},
    lanes::{Outages, Upstream},
};
use crate::{
    domain::{Checkout, Due, Payment, PaymentId, Provider, RawBody, Sender, Timestamp},
    limits::{CHECKOUT_ABSENT_AFTER_MS, QUERY_AGE_MAX_MS, UNENDED_LOOK_MS},
    ports::QueryError,
    usecases::{
        Failure, close,
        query::AnyQueryPorts,
        unended::{CheckoutPurpose, ProviderCalls, Seen},
    },
};

/// Whether a payment is to be closed: somebody has asked for that, or its time to live is over.
pub(super) fn is_to_be_closed(payment: &Payment, run: &Run<'_>, now: Timestamp) -> bool {
    let is_over = run.time_to_live.is_some_and(|time| time.is_over(payment, now));
    payment.is_open() && (payment.closing || is_over)
}

/// Asks about the unended checkouts of a payment, ends those that are to be ended, and closes the payment
/// where that is to be done.
pub(super) async fn carry_on(
    ports: &impl AnyQueryPorts,
    payment: Payment,
    run: &Run<'_>,
    outages: &Outages,
    now: Timestamp,
) -> Entry {
    let (id, was_open) = (payment.id, payment.is_open());
    let may_start =
        |provider| !outages.is_down(Upstream::Provider(provider)) && (run.go_on)().is_some();
    let calls =
        ProviderCalls { ports, observe: run.observe, may_start: &may_start, now, trace: run.trace };
    let looked = if is_to_be_closed(&payment, run, now) {
        close_it(&calls, payment).await
    } else {
        look(&calls, payment).await
    };
    let Looked { record, is_closed, is_all, checkouts, asked } = match looked {
        Ok(looked) => looked,
        Err(failure) => return failed(id, failure),
    };
    let is_untouched = asked.is_empty() && checkouts.iter().all(|of| matches!(of.1, Seen::NoTime));
    let waits = checkouts.iter().any(|of| !of.1.is_end());
    if is_untouched && waits {
        // Its turn comes in the next run: it is still due.
        return Entry::Left(None);
    }
    let is_processing = checkouts.iter().any(|of| matches!(of.1, Seen::Processing));
    let unended: Vec<_> =
        checkouts.iter().filter(|of| !of.1.is_end()).map(|of| of.0.clone()).collect();
    let unknown = counted(record.id, checkouts, asked, outages);
    let entry = if is_closed {
        Entry::Closed(unknown)
    } else if was_open && !record.is_open() {
        Entry::Moved(unknown)
    } else {
        Entry::Queried(unknown)
    };
    // Somebody else has cleared it, or it was paid and its order service notified.
    let Some(due) = record.due else { return entry };
    if record.needs_notification() {
        return entry;
    }
    // Another checkout was requested meanwhile, and the payment is due for that.
    if !is_all {
        return entry;
    }
    if unended.is_empty() && !record.closing {
        let is_done = !matches!(entry, Entry::Moved(_) | Entry::Closed(_));
        let entry = if is_done { Entry::Stale } else { entry };
        return later_or_cleared(ports.store(), &record, run, entry).await;
    }
    let next = next_look(&record, &unended, is_processing, due, now);
    let next = match run.time_to_live.filter(|time| !time.is_over(&record, now)) {
        Some(time) if record.is_open() => time.bounds(record.create_time, next),
        _ => next,
    };
    rescheduled(ports.store(), &record, next, entry).await
}

/// What was seen of a payment's checkouts, and what was asked about the payment itself.
struct Looked {
    record: Payment,
    /// Whether this has closed it.
    is_closed: bool,
    /// Whether those are all that the record knows of.
    is_all: bool,
    checkouts: Vec<(Checkout, Seen)>,
    asked: Vec<(Provider, Result<(), QueryError>)>,
}

async fn close_it<P: AnyQueryPorts>(
    calls: &ProviderCalls<'_, P>,
    payment: Payment,
) -> Result<Looked, Failure> {
    let by = (Sender::Sweep, &RawBody::empty());
    let closing = close::begin(calls.ports, payment, by, calls.now).await?;
    let finished = close::finish(calls, closing, Sender::Sweep).await?;
    let close::Finished { record, is_closed, looked, asked } = finished;
    // Of what is closing no further checkout is requested.
    Ok(Looked { record, is_closed, is_all: true, checkouts: looked, asked })
}

/// A checkout of a payment that nobody can pay any more is ended; else only one that has expired.
async fn look<P: AnyQueryPorts>(
    calls: &ProviderCalls<'_, P>,
    payment: Payment,
) -> Result<Looked, Failure> {
    let (is_open, now) = (payment.is_open(), calls.now);
    let purpose = |checkout: &Checkout| {
        if is_open && !checkout.is_expired(now) {
            CheckoutPurpose::Ask
        } else {
            CheckoutPurpose::End
        }
    };
    let round = calls.look_at_all(payment, purpose).await?;
    let is_all = u32::try_from(round.listed) == Ok(round.record.checkouts);
    let (record, checkouts) = (round.record, round.looked);
    Ok(Looked { record, is_closed: false, is_all, checkouts, asked: Vec::new() })
}

/// Counts the outages, and gives the queries without a usable response.
fn counted(
    id: PaymentId,
    checkouts: Vec<(Checkout, Seen)>,
    asked: Vec<(Provider, Result<(), QueryError>)>,
    outages: &Outages,
) -> Unknown {
    let of_checkouts = checkouts.into_iter().filter_map(|(checkout, seen)| {
        let provider = checkout.provider();
        match seen {
            Seen::NoTime => None,
            Seen::Unknown(error) => Some((provider, Err(error))),
            Seen::Ended
            | Seen::Refused
            | Seen::Open
            | Seen::Processing
            | Seen::Absent
            | Seen::Unfitting => Some((provider, Ok(()))),
        }
    });
    let mut unknown = Unknown::new();
    for (provider, result) in of_checkouts.chain(asked) {
        let is_outage = matches!(result, Err(QueryError::Unavailable(_)));
        outages.count(Upstream::Provider(provider), is_outage);
        unknown.extend(result.err().map(|error| (id, provider, error)));
    }
    unknown
}

/// When a payment is looked at again: later each time, but when a checkout expires and when it can be absent;
/// once a day when nobody has paid for long.
fn next_look(
    record: &Payment,
    unended: &[Checkout],
    is_processing: bool,
    due: Due,
    now: Timestamp,
) -> Due {
    let next = due.queried_again(record.id, now);
    let last = unended.iter().map(|checkout| checkout.expires_time).max();
    let since = last.unwrap_or(record.create_time);
    if now >= since.plus_millis(QUERY_AGE_MAX_MS) && !is_processing {
        return Due { at: now.plus_millis(UNENDED_LOOK_MS), ..next };
    }
    let moments = unended.iter().flat_map(|checkout| {
        let expiry = checkout.expires_time;
        [expiry, expiry.plus_millis(CHECKOUT_ABSENT_AFTER_MS)]
    });
    let first = moments.filter(|moment| *moment > now).min();
    Due { at: first.map_or(next.at, |first| first.min(next.at)), ..next }
}
