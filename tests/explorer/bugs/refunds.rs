//! What bugs about refunds need, and those of the store.

use pay_core::{
    domain::{
        Change, Digest, Provider, ProviderRefund, RefundChange, RefundReference, RefundReport,
        RefundState,
    },
    ports::{Query, QueryResponse, QueryState},
    testing::{Table, a_refund, reporting},
};

use crate::{
    ports::{MadeRefund, RefundCall, Request, Response, Value},
    scenario::{self, payment_of},
};

/// The request to the provider that belongs to a reservation.
pub(super) fn call_of(request: &Request) -> Option<RefundCall> {
    let Request::Update { change, .. } = request else { return None };
    let refund =
        change.refund.as_ref().filter(|refund| refund.item.state == RefundState::Requested)?;
    let refund = refund.item.clone();
    Some(RefundCall {
        provider: Provider::Stripe,
        reference: RefundReference::parse(refund.id.as_str()).ok()?,
        txn: refund.taken_from.txn.clone()?,
        paid: scenario::request(100, None).amount,
        at: change.at,
        refund,
    })
}

/// Whether a provider is asked about a refund of ours.
pub(super) fn is_query(request: &Request) -> bool {
    matches!(request, Request::Query { query: Query::Refund { .. }, .. })
}

/// Asks about a refund, and sends it, under another reference.
pub(super) fn rename(request: &mut Request) {
    let other = RefundReference::new(payment_of(0), Digest::new([0xee; 32]));
    if let Request::Query { query: Query::Refund { refund, .. }, .. } = request {
        *refund = other;
    }
    if let Request::MakeRefund(call) = request {
        call.reference = other;
    }
}

/// Counts a refund of money in quarantine that succeeds as one of the payment.
pub(super) fn count_outside(change: &mut Change) {
    let outside = change.refund.as_mut().filter(|refund| refund.item.is_outside());
    if let Some(refund) = outside.filter(|refund| refund.item.state == RefundState::Succeeded) {
        let RefundChange { refunds, item, .. } = &mut **refund;
        refunds.sum = refunds.sum.saturating_add(item.amount_minor);
    }
}

/// The response that the provider has no refund with our reference.
pub(super) fn absent() -> Value {
    let (state, notifications) = (QueryState::NoRefund, Vec::new());
    Value::Queried(QueryResponse { state, notifications, next: None })
}

/// The response that refuses a refund.
pub(super) fn refused(call: &RefundCall) -> Value {
    let (name, amount_minor) = (call.reference.to_string(), call.refund.amount_minor);
    let failed = a_refund(payment_of(0), (&name, amount_minor, RefundState::Failed), 77);
    let report = reporting(failed, |report| {
        let id = ProviderRefund::new(&name).unwrap();
        let (reference, state) = (Some(id.clone()), RefundState::Failed);
        report.refund = Some(RefundReport::One { id, reference, amount_minor, state });
    });
    Value::MadeRefund(MadeRefund::Refused { code: "TIMEOUT".into(), report: Box::new(report) })
}

/// Counts a refund that is kept already once more.
pub(crate) fn counts_refunds_again(table: &mut Table, request: &Request) -> Option<Response> {
    if let Request::Refund(..) = request {
        return Some(Ok(Value::Refund(None)));
    }
    if let Request::Update { change, .. } = request {
        let id = &change.refund.as_ref()?.item.id;
        table.refunds.remove(&(change.id, id.clone()));
    }
    None
}

/// Reserves a refund by what was read, whatever the record is by now.
pub(crate) fn reserves_unconditioned(table: &mut Table, request: &Request) -> Option<Response> {
    let Request::Update { change, event } = request else { return None };
    change.refund.as_ref().filter(|refund| refund.item.state == RefundState::Requested)?;
    let record = table.payments.get(&change.id)?;
    let change = Change { from: record.status, from_version: record.version, ..change.clone() };
    Some(Ok(Value::Updated(table.update(&change, event))))
}

/// Resolves a refund as if it had not come to an end, whatever its state is.
pub(crate) fn resolves_again(table: &mut Table, request: &Request) -> Option<Response> {
    if let Request::Refund(payment, id) = request {
        let mut kept = table.refunds.get(&(*payment, id.clone()))?.clone();
        kept.state = RefundState::Requested;
        return Some(Ok(Value::Refund(Some(kept))));
    }
    if let Request::Update { change, .. } = request {
        let refund = change.refund.as_ref()?;
        let kept = table.refunds.get_mut(&(change.id, refund.item.id.clone()))?;
        kept.state = refund.from?;
    }
    None
}
