//! Refund: gives money of a paid payment back at the provider that collected it, once for each key.
//!
//! The refund is reserved in the record before its provider is called, and its id is the reference there:
//! whatever crashes, the same reference is asked about, and sent again only where the provider does not
//! have it.

use super::{
    Failure,
    apply::{Applied, ApplyError, update},
    query::{AnyQueryPorts, Observe, apply_response},
};
use crate::{
    domain::{
        Amount, Change, Digest, Due, Event, Notification, Payment, PaymentId, Provider, RawBody,
        Refund, RefundId, RefundReason, RefundReference, RefundReport, RefundRequest, RefundState,
        Sender, Status, Timestamp,
    },
    limits::DECISIONS_MAX,
    ports::{
        Payments, Providers, Query, QueryError, QueryState, RefundCallError, RefundOrder,
        StoreError, TraceParent, Updated,
    },
};

/// A request to refund a payment.
#[derive(Clone, Debug)]
pub struct RefundPayment {
    /// The payment.
    pub id: PaymentId,
    /// How much, in minor units; `None` for what is left.
    pub amount_minor: Option<u64>,
    /// SHA-256 of (payment id, Idempotency-Key): the same key is the same refund.
    pub key: Digest,
    /// Why.
    pub reason: Option<RefundReason>,
    /// Who asks.
    pub sender: Sender,
    /// The request as it came.
    pub body: RawBody,
}

/// Why money is not given back. In the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// No such payment.
    #[error("the payment does not exist")]
    PaymentNotFound,
    /// Another refund was requested with this key.
    #[error("the key was used for a refund of another amount")]
    KeyReused,
    /// It cannot be refunded by us; why.
    #[error("the payment cannot be refunded: {0}")]
    NotRefundable(&'static str),
    /// More than is left of it.
    #[error("more than is left of the payment")]
    ExceedsPayment,
    /// The provider refused, by this code of its own. Nothing went back.
    #[error("the provider refused the refund: {0}")]
    Refused(String),
    /// A dependency failed.
    #[error(transparent)]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for RefundError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Where a refund stands after its provider was called or asked.
#[derive(Debug)]
pub struct Carried {
    /// The refund as it is kept.
    pub refund: Refund,
    /// The provider's code, if it refused it.
    pub refused: Option<String>,
    /// Why the provider gave no usable response: the refund may have been made, or what went back of the
    /// payment in all is not known.
    pub unknown: Option<QueryError>,
}

/// Reserves a refund and asks its provider to make it; with a key that was used before, says what became of
/// the refund.
///
/// One whose outcome is not known stays as it is: the sweep asks the provider about it. So does one whose
/// next call may not start, as `may_start` says.
///
/// # Errors
///
/// [`RefundError`], in the order of its variants.
pub async fn refund(
    ports: &impl AnyQueryPorts,
    request: &RefundPayment,
    (observe, may_start): (Observe<'_>, &dyn Fn() -> bool),
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Carried, RefundError> {
    let Reserved { record, refund, is_new } = reserve(ports, request, now).await?;
    if refund.state.is_final() {
        return Ok(Carried { refund, refused: None, unknown: None });
    }
    let how = (observe, may_start);
    let carried = carry_out(ports, (&record, refund), is_new, how, now, trace).await?;
    match carried.refused {
        Some(code) => Err(RefundError::Refused(code)),
        None => Ok(carried),
    }
}

/// Goes on with a refund that is kept, as the sweep does.
///
/// # Errors
///
/// [`RefundError::PaymentNotFound`] where there is no such refund; [`RefundError::Refused`],
/// [`RefundError::Failed`].
pub async fn go_on(
    ports: &impl AnyQueryPorts,
    (payment, id): (PaymentId, &RefundId),
    how: (Observe<'_>, &dyn Fn() -> bool),
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Carried, RefundError> {
    let record = ports.store().payment(payment).await?.ok_or(RefundError::PaymentNotFound)?;
    let refund = ports.store().refund(payment, id).await?.ok_or(RefundError::PaymentNotFound)?;
    if refund.state.is_final() {
        return Ok(Carried { refund, refused: None, unknown: None });
    }
    let carried = carry_out(ports, (&record, refund), false, how, now, trace).await?;
    match carried.refused {
        Some(code) => Err(RefundError::Refused(code)),
        None => Ok(carried),
    }
}

/// A refund that is kept.
struct Reserved {
    record: Payment,
    refund: Refund,
    /// Whether its provider cannot know of it yet.
    is_new: bool,
}

async fn reserve(
    ports: &impl AnyQueryPorts,
    request: &RefundPayment,
    now: Timestamp,
) -> Result<Reserved, RefundError> {
    let store = ports.store();
    let reference = RefundReference::new(request.id, request.key);
    let id = RefundId::requested(reference);
    for _ in 0..DECISIONS_MAX {
        let record = store.payment(request.id).await?.ok_or(RefundError::PaymentNotFound)?;
        if let Some(refund) = store.refund(record.id, &id).await? {
            let same = request.amount_minor.is_none_or(|amount| amount == refund.amount_minor);
            let same = same && refund.request.as_ref().is_some_and(|of| of.key == request.key);
            return if same {
                Ok(Reserved { record, refund, is_new: false })
            } else {
                Err(RefundError::KeyReused)
            };
        }
        refundable(ports, &record, now).await?;
        let refund = request.of(&record, id.clone(), now)?;
        let change = record.reserving(&refund, now);
        match update(store, &change, request.event(&record, &change, now)).await {
            Ok(Updated::Done) => {
                let record = change.applied_to(record);
                return Ok(Reserved { record, refund, is_new: true });
            }
            // An attempt whose outcome is not known may have taken effect: the item says so.
            Ok(_) | Err(StoreError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::Unavailable("the record kept changing".into()).into())
}

/// Whether we can give money of a payment back, whatever the amount.
async fn refundable(
    ports: &impl AnyQueryPorts,
    record: &Payment,
    now: Timestamp,
) -> Result<(), RefundError> {
    match record.status {
        Status::Paid => {}
        Status::Refunded => return Err(RefundError::ExceedsPayment),
        Status::Pending | Status::Failed | Status::Closed => {
            return Err(RefundError::NotRefundable("it is not paid"));
        }
    }
    let provider = Provider::of_source(record.reference.source);
    let (Some(provider), Some(_)) = (provider, &record.reference.txn) else {
        return Err(RefundError::NotRefundable("the provider's transaction is not known"));
    };
    let queried = ports.providers().queried(now).await;
    let queried = queried.map_err(|error| Failure::Unavailable(error.into()))?;
    if queried.contains(&provider) {
        Ok(())
    } else {
        Err(RefundError::NotRefundable("there is no key of its provider"))
    }
}

/// Asks a provider to make a refund that is reserved, and applies what it reports. Unless it is new, the
/// provider is asked about it first, and it is sent again only where the provider does not have it. No call
/// starts once `may_start` says so: the refund stays as it is, and is due.
///
/// # Errors
///
/// [`Failure`] of the store.
pub(super) async fn carry_out(
    ports: &impl AnyQueryPorts,
    (record, refund): (&Payment, Refund),
    is_new: bool,
    (observe, may_start): (Observe<'_>, &dyn Fn() -> bool),
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Carried, Failure> {
    let carried = Carried { refund, refused: None, unknown: None };
    let reference = RefundReference::parse(carried.refund.id.as_str());
    let source = carried.refund.taken_from.source;
    let (Ok(reference), Some(provider), Some(txn)) =
        (reference, Provider::of_source(source), carried.refund.taken_from.txn.clone())
    else {
        return Err(Failure::Fault("a refund without a reference or a transaction".into()));
    };
    let query = Query::Refund { refund: reference, txn: txn.clone() };
    let ask = || ports.providers().query(provider, &query, now);
    if !may_start() {
        return Ok(carried);
    }
    if !is_new {
        match ask().await {
            Ok(response) if response.state == QueryState::NoRefund => {}
            Ok(response) => {
                let reported = response.notifications;
                let carried = applied(ports, carried, reported, observe, now, trace).await?;
                let again = carried.reads_total(provider) && may_start();
                return if again {
                    read_total(ports, record, (carried, provider), observe, now, trace).await
                } else {
                    Ok(carried)
                };
            }
            Err(error) => return Ok(Carried { unknown: Some(error), ..carried }),
        }
    }
    if !may_start() {
        return Ok(carried);
    }
    let paid = paid(record, &carried.refund)?;
    let order =
        RefundOrder { reference, refund: &carried.refund, txn: &txn, paid, notify_url: None };
    let (code, report) = match ports.providers().refund(provider, &order, now).await {
        Ok(response) => {
            return applied(ports, carried, response.notifications, observe, now, trace).await;
        }
        Err(RefundCallError::Unknown(error)) => {
            return Ok(Carried { unknown: Some(error), ..carried });
        }
        Err(RefundCallError::Refused { code, report }) => (code, report),
    };
    if !may_start() {
        return Ok(carried);
    }
    // A refused repeat may stand for a refund that was made.
    let notifications = match ask().await {
        Ok(response) if response.state == QueryState::NoRefund => vec![*report],
        Ok(response) => response.notifications,
        Err(error) => return Ok(Carried { unknown: Some(error), ..carried }),
    };
    let carried = applied(ports, carried, notifications, observe, now, trace).await?;
    // Another request may have made it meanwhile.
    let refused = (carried.refund.state == RefundState::Failed).then_some(code);
    Ok(Carried { refused, ..carried })
}

/// How much was paid by the transaction that a refund is taken from.
fn paid(record: &Payment, refund: &Refund) -> Result<Amount, Failure> {
    if !refund.is_outside() {
        return Ok(record.amount);
    }
    Amount::new(refund.amount_minor, record.amount.currency())
        .map_err(|error| Failure::Fault(error.into()))
}

/// Sends a refund that was made once more: its response says what went back in all, and it is not made twice.
async fn read_total(
    ports: &impl AnyQueryPorts,
    record: &Payment,
    (carried, provider): (Carried, Provider),
    observe: Observe<'_>,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Carried, Failure> {
    let refund = &carried.refund;
    let (Ok(reference), Some(txn)) =
        (RefundReference::parse(refund.id.as_str()), &refund.taken_from.txn)
    else {
        return Ok(carried);
    };
    let order =
        RefundOrder { reference, refund, txn, paid: paid(record, refund)?, notify_url: None };
    let error = match ports.providers().refund(provider, &order, now).await {
        Ok(response) => {
            // What became of this one is known.
            let is_total =
                |one: &Notification| matches!(one.report.refund, Some(RefundReport::Total(_)));
            let totals = response.notifications.into_iter().filter(is_total).collect();
            return applied(ports, carried, totals, observe, now, trace).await;
        }
        Err(RefundCallError::Unknown(error)) => error,
        Err(RefundCallError::Refused { code, .. }) => {
            QueryError::Unusable(format!("it refuses a refund that it has made: {code}").into())
        }
    };
    Ok(Carried { unknown: Some(error), ..carried })
}

/// Applies what a response reports about a refund.
async fn applied(
    ports: &impl AnyQueryPorts,
    mut carried: Carried,
    notifications: Vec<Notification>,
    observe: Observe<'_>,
    now: Timestamp,
    trace: &TraceParent,
) -> Result<Carried, Failure> {
    let is_outside = carried.refund.is_outside();
    for notification in notifications {
        // The total of other money than the payment's is compared with nothing.
        if is_outside && matches!(notification.report.refund, Some(RefundReport::Total(_))) {
            continue;
        }
        let result = apply_response(ports, &notification, now, trace).await;
        observe(&notification, &result);
        match result {
            Ok(Applied { refund: Some(refund), .. }) if refund.id == carried.refund.id => {
                carried.refund = refund;
            }
            // Of others it is kept for a person.
            Ok(_) | Err(ApplyError::Mismatch(_) | ApplyError::NotOurs) => {}
            Err(ApplyError::Failed(failure)) => return Err(failure),
        }
    }
    Ok(carried)
}

impl Carried {
    /// Whether what went back in all is to be read: the refund succeeded, and the query does not say it.
    fn reads_total(&self, provider: Provider) -> bool {
        let succeeded = self.refund.state == RefundState::Succeeded;
        succeeded && !self.refund.is_outside() && provider.reports_totals()
    }
}

impl RefundPayment {
    /// The refund that is requested of a payment.
    fn of(&self, record: &Payment, id: RefundId, now: Timestamp) -> Result<Refund, RefundError> {
        let left = record.amount.minor().saturating_sub(record.refunds.claimed());
        let amount_minor = self.amount_minor.unwrap_or(left);
        if amount_minor == 0 || amount_minor > left {
            return Err(RefundError::ExceedsPayment);
        }
        let currency = record.amount.currency();
        if let Some(why) = record.reference.cannot_be_refunded(currency, amount_minor) {
            return Err(RefundError::NotRefundable(why));
        }
        Ok(Refund {
            payment: record.id,
            id,
            taken_from: record.reference.clone(),
            provider_refund: None,
            reference: None,
            amount_minor,
            state: RefundState::Requested,
            request: Some(RefundRequest {
                key: self.key,
                reason: self.reason.clone(),
                quarantined: None,
            }),
            due: Some(Due::after_grace(now)),
            create_time: now,
            update_time: now,
        })
    }

    /// The event of a reservation: what was asked for, by whom.
    fn event(&self, record: &Payment, change: &Change, now: Timestamp) -> Event {
        let refund = change.refund.as_ref().map(|refund| refund.item.id.as_str());
        let name = format!("refund.{}", refund.unwrap_or_default());
        Event::of_request((self.sender, &self.body), &name, (record, change), now)
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
