//! Close: ends every checkout of a payment at its provider, then the payment.
//!
//! A closed payment frees its order, so that money which still comes would be a second payment. It is closed
//! only when no checkout of it can be paid any more; that it is paid wins at any time before.

use super::{
    Failure,
    apply::{ApplyError, read_again, update},
    query::{AnyQueryPorts, Observe, providers_of, query_payment},
    unended::{CheckoutPurpose, ProviderCalls, Seen},
};
use crate::{
    domain::{
        Checkout, Event, Outcome, Payment, PaymentId, Provider, ProviderRef, RawBody, Report,
        Sender, Status, Timestamp, UserId, Verdict,
    },
    limits::DECISIONS_MAX,
    ports::{Payments, ProviderState, QueryError, QueryState, StoreError, TraceParent, Updated},
};

/// A request to close a payment.
#[derive(Clone, Debug)]
pub struct ClosePayment {
    /// The payment.
    pub id: PaymentId,
    /// Whose it must be; `None` where the caller may act for everybody.
    pub payer: Option<UserId>,
    /// Who asks.
    pub sender: Sender,
    /// The request as it came.
    pub body: RawBody,
}

/// Why a payment is not being closed. In the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// No such payment, or another user's.
    #[error("the payment does not exist")]
    PaymentNotFound,
    /// A dependency failed.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for CloseError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A payment after it was to be closed.
#[derive(Debug)]
pub struct ClosedPayment {
    /// The payment as it is then.
    pub payment: Payment,
    /// Whether it was closed now, and by this request.
    pub is_new: bool,
}

/// Begins to close a payment, ends what can be ended now, and gives the payment as it is then: closed; paid,
/// if a provider says so; pending, while a checkout of it can still be paid. The sweep goes on with it.
///
/// One that is closed or was paid stays as it is.
///
/// # Errors
///
/// [`CloseError`], in the order of its variants.
pub async fn close(
    ports: &impl AnyQueryPorts,
    request: &ClosePayment,
    (observe, may_start): (Observe<'_>, &dyn Fn() -> bool),
    now: Timestamp,
    trace: &TraceParent,
) -> Result<ClosedPayment, CloseError> {
    let record = ports.store().payment(request.id).await?;
    let is_theirs = |record: &Payment| record.is_of(request.payer);
    let record = record.filter(is_theirs).ok_or(CloseError::PaymentNotFound)?;
    let may_start = |_provider| may_start();
    let calls = ProviderCalls { ports, observe, may_start: &may_start, now, trace };
    let record = begin(ports, record, (request.sender, &request.body), now).await?;
    let Finished { record, is_closed, .. } = finish(&calls, record, request.sender).await?;
    Ok(ClosedPayment { payment: record, is_new: is_closed })
}

/// What became of a payment that is being closed.
pub(super) struct Finished {
    pub(super) record: Payment,
    /// Whether this has closed it.
    pub(super) is_closed: bool,
    /// Its checkouts that were unended, and what is known of each.
    pub(super) looked: Vec<(Checkout, Seen)>,
    /// The queries about the payment itself, where it has no checkout.
    pub(super) asked: Vec<(Provider, Result<(), QueryError>)>,
}

/// Sets `closing`, unless that is set or nobody can pay the payment any more.
///
/// # Errors
///
/// [`Failure`] of the store.
pub(super) async fn begin(
    ports: &impl AnyQueryPorts,
    mut record: Payment,
    by: (Sender, &RawBody),
    now: Timestamp,
) -> Result<Payment, Failure> {
    for _ in 0..DECISIONS_MAX {
        if record.closing || !record.is_open() {
            return Ok(record);
        }
        let change = record.begin_closing(now);
        let event = Event::of_request(by, "close", (&record, &change), now);
        match update(ports.store(), &change, event).await {
            Ok(Updated::Done) => return Ok(change.applied_to(record)),
            Ok(_) | Err(StoreError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
        record = read_again(ports.store(), record.id).await?;
    }
    Err(kept_changing())
}

/// Ends the checkouts of a payment that is being closed, and closes it when all of them have come to an end.
///
/// # Errors
///
/// [`Failure`] of the store.
pub(super) async fn finish<P: AnyQueryPorts>(
    calls: &ProviderCalls<'_, P>,
    record: Payment,
    sender: Sender,
) -> Result<Finished, Failure> {
    let mut finished = Finished { record, is_closed: false, looked: Vec::new(), asked: Vec::new() };
    if !finished.record.is_open() {
        return Ok(finished);
    }
    // Read after `closing` was written: no further checkout comes.
    let can_be_paid = if finished.record.checkouts == 0 {
        ask_by_id(calls, &mut finished).await?
    } else {
        let round = calls.look_at_all(finished.record, |_checkout| CheckoutPurpose::End).await?;
        let can_be_paid = round.unended().next().is_some();
        finished = Finished { record: round.record, looked: round.looked, ..finished };
        can_be_paid
    };
    if can_be_paid {
        return Ok(finished);
    }
    // What a write leads to whose outcome is not known.
    let mut sent = None;
    for _ in 0..DECISIONS_MAX {
        let record = &finished.record;
        if !record.is_open() {
            let is_closed = sent == Some((record.status, record.version));
            return Ok(Finished { is_closed, ..finished });
        }
        let change = record.change_to(Status::Closed, &ProviderRef::NONE, false, calls.now);
        let by = (sender, &RawBody::empty());
        let event = Event::of_request(by, "close.ended", (record, &change), calls.now);
        let report = Report { outcome: Some(Outcome::Closed), ..Report::NONE };
        let event = Event { report, verdict: Verdict::Applied, ..event };
        match update(calls.ports.store(), &change, event).await {
            Ok(Updated::Done) => {
                let record = change.applied_to(finished.record);
                return Ok(Finished { record, is_closed: true, ..finished });
            }
            Ok(_) => {}
            Err(StoreError::Unknown(_)) => sent = Some((change.to, change.version())),
            Err(error) => return Err(error.into()),
        }
        finished.record = read_again(calls.ports.store(), finished.record.id).await?;
    }
    Err(kept_changing())
}

/// Asks the providers by our id about a payment without checkouts, which the shop may have started there
/// itself: whether it may still become paid by what is known.
async fn ask_by_id<P: AnyQueryPorts>(
    calls: &ProviderCalls<'_, P>,
    finished: &mut Finished,
) -> Result<bool, Failure> {
    let ProviderCalls { ports, observe, now, trace, .. } = *calls;
    let providers = providers_of(ports, &finished.record, now).await;
    let providers = providers.map_err(|error| Failure::Unavailable(error.into()))?;
    let mut can_be_paid = false;
    for provider in providers {
        let may_start = || (calls.may_start)(provider);
        let steps = if may_start() {
            query_payment(ports, provider, &finished.record, &may_start, now, trace).await
        } else {
            Vec::new()
        };
        can_be_paid = can_be_paid || steps.is_empty();
        for step in steps {
            let state = step.state.as_ref().ok();
            can_be_paid = can_be_paid || state.is_none_or(|state| may_become_paid(*state));
            for (notification, applied) in step.applied {
                observe(&notification, &applied);
                finished.record = match applied {
                    Ok(applied) => applied.record,
                    Err(ApplyError::Failed(failure)) => return Err(failure),
                    Err(_kept_for_a_person) => continue,
                };
            }
            finished.asked.push((provider, step.state.map(drop)));
        }
    }
    Ok(can_be_paid)
}

/// What the shop has started itself it closes itself: one that is open there is its business.
const fn may_become_paid(state: QueryState) -> bool {
    matches!(
        state,
        QueryState::Payment(
            ProviderState::Processing | ProviderState::Paid | ProviderState::Refunded
        )
    )
}

fn kept_changing() -> Failure {
    Failure::Unavailable("the record kept changing".into())
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
