//! Reads the response to a query. It is not signed: what counts is that the verified connection is to
//! Stripe, and that the response is about what was asked.

use pay_core::{
    domain::{
        Notification, PaymentId, Provider, ProviderTxn, RefundReference, RefundReport, RefundState,
        Report,
    },
    json::{Json, Object},
    ports::{ProviderState, Query, QueryError, QueryResponse, QueryState, RefundOrder},
};

use super::{
    kept::Kept,
    kind::{self, ObjectKind},
    read, reference, state,
    target::Target,
};
use crate::{
    adapter::Message,
    query::{respond_about_refund, respond_no_refund, unusable},
};

/// Reads the body of a response with the status 200. Where the account is shared, nothing is reported of
/// an object that names no payment.
pub(super) fn read(query: &Query, body: &[u8], shared: bool) -> Result<QueryResponse, QueryError> {
    let object = Object::parse_message(body).ok_or_else(|| unusable("not a JSON object"))?;
    let kept = Kept::of(body);
    let target = Target::of(query)?;
    let response = read_target(query, target, &object, &kept)?;
    if shared && matches!(query, Query::Object(_)) && names_nothing(target, &object) {
        return Ok(QueryResponse { notifications: Vec::new(), next: None, ..response });
    }
    Ok(response)
}

/// Whether nothing in an object is meant to name a payment of ours. Of a refund its `PaymentIntent` says so.
fn names_nothing(target: Target<'_>, object: &Object) -> bool {
    let of = |kind| reference::is_not_ours(object, kind);
    match target {
        Target::Intent(_) => of(ObjectKind::Intent),
        Target::Session(_) => of(ObjectKind::Session),
        Target::Charge(_) => of(ObjectKind::Charge),
        Target::Refund(_) => object
            .object("payment_intent")
            .is_some_and(|intent| reference::is_not_ours(intent, ObjectKind::Intent)),
        Target::Search(_) | Target::Refunds(_) | Target::OwnRefund(..) => false,
    }
}

fn read_target(
    query: &Query,
    target: Target<'_>,
    object: &Object,
    kept: &Kept,
) -> Result<QueryResponse, QueryError> {
    match target {
        Target::Intent(id) => {
            is_about(object, "payment_intent", id)?;
            Ok(PaymentObject::of_intent(object)?.asked_by(query, object)?.response(kept))
        }
        Target::Charge(id) => {
            is_about(object, "charge", id)?;
            Ok(PaymentObject::of_charge(id, object)?.response(kept))
        }
        Target::Session(id) => {
            is_about(object, "checkout.session", id)?;
            let (state, reading) = state::of_session(object)?;
            let mut message = read::message(None, object, reading);
            is_asked_for(&mut message, query, object, ObjectKind::Session)?;
            let txn = message.report.reference.txn.clone().filter(|_| state == ProviderState::Paid);
            let of_checkout = txn.filter(|_| matches!(query, Query::Checkout { .. }));
            let next = of_checkout.map(|txn| Query::Refunds { payment: message.payment, txn });
            let notification = queried(message, state.as_str(), id, &kept.whole());
            Ok(responded(state, vec![notification], next))
        }
        Target::Refund(id) => {
            is_about(object, "refund", id)?;
            if let Some(intent) = object.object("payment_intent") {
                is(intent, "payment_intent")?;
                return Ok(PaymentObject::of_intent(intent)?.response(kept));
            }
            let (state, notification) = refund(None, object, &kept.whole())?;
            Ok(responded(state, vec![notification], None))
        }
        Target::Search(id) => search(id, object, kept),
        Target::Refunds(intent) => refunds(query, intent, object, kept),
        Target::OwnRefund(intent, ours) => own_refund(ours, intent, object, kept),
    }
}

/// An object that says what became of a payment.
struct PaymentObject<'a> {
    id: &'a str,
    state: ProviderState,
    message: Message<'static>,
    /// How much was refunded so far; `None` if that is not known.
    refunded: Option<u64>,
}

impl<'a> PaymentObject<'a> {
    fn of_intent(object: &'a Object) -> Result<Self, QueryError> {
        let id = object.text("id").ok_or_else(|| unusable("a PaymentIntent without an id"))?;
        let (state, reading) = state::of_intent(object)?;
        let message = read::message(None, object, reading);
        let refunded = state::refunded_so_far(object.get("latest_charge"));
        Ok(Self { id, state, message, refunded })
    }

    fn of_charge(id: &'a str, object: &Object) -> Result<Self, QueryError> {
        let (state, reading) = state::of_charge(object)?;
        let message = read::message(None, object, reading);
        Ok(Self { id, state, message, refunded: object.integer("amount_refunded") })
    }

    /// The same, if it is about what the query is about.
    fn asked_by(mut self, query: &Query, object: &Object) -> Result<Self, QueryError> {
        is_asked_for(&mut self.message, query, object, ObjectKind::Intent)?;
        Ok(self)
    }

    fn is_paid(&self) -> bool {
        self.state == ProviderState::Paid
    }

    /// A response about it alone. Its refunds are asked for whatever its charge says was refunded: that
    /// falls again when a refund fails.
    fn response(self, kept: &Kept) -> QueryResponse {
        let (state, next) = (self.state_with_refunds(), self.refunds());
        responded(state, vec![self.notification(&kept.whole())], next)
    }

    fn state_with_refunds(&self) -> ProviderState {
        let some = self.refunded.is_some_and(|refunded| refunded > 0);
        if self.is_paid() && some { ProviderState::Refunded } else { self.state }
    }

    /// The query of its refunds, if it is paid.
    fn refunds(&self) -> Option<Query> {
        let txn = self.message.report.reference.txn.clone().filter(|_| self.is_paid())?;
        Some(Query::Refunds { payment: self.message.payment, txn })
    }

    fn notification(self, body: &[u8]) -> Notification {
        queried(self.message, self.state.as_str(), self.id, body)
    }
}

/// The `PaymentIntent`s of a payment: each one that is paid, else the one that is most likely to be.
///
/// What was made or changed within the last minute may be missing, so that an empty list proves nothing.
fn search(id: PaymentId, object: &Object, kept: &Kept) -> Result<QueryResponse, QueryError> {
    let mut found = Vec::new();
    for (index, intent) in items(object, "search_result", "payment_intent")? {
        if reference::payment(intent, ObjectKind::Intent).0 == Some(id) {
            found.push((PaymentObject::of_intent(intent)?, kept.item(index)));
        }
    }
    let (paid, unpaid): (Vec<_>, Vec<_>) = found.into_iter().partition(|(one, _)| one.is_paid());
    if let Some((first, _)) = paid.first() {
        let is_refunded = |one: &PaymentObject<'_>| one.refunded != Some(0);
        let refunded = paid.iter().map(|(one, _)| one).find(|one| is_refunded(one));
        let state = refunded.unwrap_or(first).state_with_refunds();
        let next = refunded.and_then(PaymentObject::refunds);
        let notifications = paid.into_iter().map(|(one, body)| one.notification(&body)).collect();
        return Ok(responded(state, notifications, next));
    }
    if object.get("has_more").and_then(Json::as_bool) != Some(false) {
        return Err(unusable("more PaymentIntents of one payment than are read"));
    }
    let rank = |state| match state {
        ProviderState::Processing => 2,
        ProviderState::Open => 1,
        ProviderState::Absent
        | ProviderState::Closed
        | ProviderState::Paid
        | ProviderState::Refunded => 0,
    };
    if let Some((one, body)) = unpaid.into_iter().max_by_key(|(one, _)| rank(one.state)) {
        let state = one.state;
        return Ok(responded(state, vec![one.notification(&body)], None));
    }
    let nothing = Message { payment: Some(id), ..Message::unreadable(None) };
    let state = ProviderState::Absent;
    let notification = nothing.into_queried(Provider::Stripe, state.as_str(), None, &kept.whole());
    Ok(responded(state, vec![notification], None))
}

/// The refunds of a `PaymentIntent`. Of more than fit into one response the newest are read: each one
/// counts by itself.
fn refunds(
    query: &Query,
    intent: &str,
    object: &Object,
    kept: &Kept,
) -> Result<QueryResponse, QueryError> {
    let payment = query.payment();
    let mut state = ProviderState::Paid;
    let mut notifications = Vec::new();
    for (index, one) in items(object, "list", "refund")? {
        let (after, notification) = refund(payment, one, &kept.item(index))?;
        is_of(intent, &notification.report)?;
        if after == ProviderState::Refunded {
            state = after;
        }
        notifications.push(notification);
    }
    Ok(responded(state, notifications, None))
}

/// The refund of a `PaymentIntent` that has our reference. The list is complete where it says so; only then
/// there is none that it does not have.
fn own_refund(
    ours: RefundReference,
    intent: &str,
    object: &Object,
    kept: &Kept,
) -> Result<QueryResponse, QueryError> {
    let text = ours.to_string();
    let mut found = None;
    for (index, one) in items(object, "list", "refund")? {
        let message = read::message(None, one, kind::refund("refund", one));
        is_of(intent, &message.report)?;
        let of = reference::in_refund(one);
        let of = of.map_err(|_unknown_type| unusable("a refund with an unknown reference"))?;
        if of == Some(&*text) && found.replace((message, kept.item(index))).is_some() {
            return Err(unusable("two refunds with one reference"));
        }
    }
    if let Some((message, body)) = found {
        return respond_about_refund(Provider::Stripe, ours, message, &body);
    }
    if object.get("has_more").and_then(Json::as_bool) != Some(false) {
        return Err(unusable("more refunds of one payment than are read"));
    }
    Ok(respond_no_refund(Provider::Stripe, ours, &kept.whole()))
}

/// The refund that was made by an order of ours.
pub(super) fn made(order: &RefundOrder<'_>, body: &[u8]) -> Result<QueryResponse, QueryError> {
    let object = Object::parse_message(body).ok_or_else(|| unusable("not a JSON object"))?;
    is(&object, "refund")?;
    let message = read::message(None, &object, kind::refund("refund", &object));
    is_of(order.txn.as_str(), &message.report)?;
    let of = reference::in_refund(&object);
    let of = of.map_err(|_unknown_type| unusable("a refund with an unknown reference"))?;
    if of != Some(&*order.reference.to_string()) {
        return Err(unusable("another refund than was ordered"));
    }
    respond_about_refund(Provider::Stripe, order.reference, message, &Kept::of(body).whole())
}

/// One refund. The payment of its `PaymentIntent`, where it is known, is its payment.
fn refund(
    payment: Option<PaymentId>,
    object: &Object,
    body: &[u8],
) -> Result<(ProviderState, Notification), QueryError> {
    let id = object.text("id").ok_or_else(|| unusable("a refund without an id"))?;
    let mut message = read::message(None, object, kind::refund("refund", object));
    message.payment = payment.or(message.payment);
    let state = match &message.report.refund {
        Some(RefundReport::One { state, .. }) => Some(*state),
        Some(RefundReport::Total(_)) | None => None,
    };
    let after = match state {
        Some(RefundState::Succeeded) => ProviderState::Refunded,
        Some(RefundState::Requested | RefundState::Pending | RefundState::Failed) | None => {
            ProviderState::Paid
        }
    };
    let word = state.map_or("unknown", RefundState::as_str);
    Ok((after, queried(message, word, id, body)))
}

/// The objects of a list, oldest first, with their places in it: they come newest first.
fn items<'a>(
    list: &'a Object,
    kind: &str,
    of: &str,
) -> Result<Vec<(usize, &'a Object)>, QueryError> {
    is(list, kind)?;
    let data = list.get("data").and_then(Json::as_array).ok_or_else(|| unusable("no list"))?;
    let read = |(index, item): (usize, &'a Json)| {
        let object = item.as_object().ok_or_else(|| unusable("an item that is no object"))?;
        is(object, of).map(|()| (index, object))
    };
    data.iter().enumerate().rev().map(read).collect()
}

/// A response about a payment.
const fn responded(
    state: ProviderState,
    notifications: Vec<Notification>,
    next: Option<Query>,
) -> QueryResponse {
    QueryResponse { state: QueryState::Payment(state), notifications, next }
}

/// Whether an object is about the payment or the checkout that the query is about. One that names none is: the
/// record has its id.
fn is_asked_for(
    message: &mut Message<'_>,
    query: &Query,
    object: &Object,
    kind: ObjectKind,
) -> Result<(), QueryError> {
    let (payment, checkout) = match query {
        Query::Payment { id, .. } => (*id, None),
        Query::Checkout { reference, .. } => (reference.payment, Some(reference.number)),
        Query::Refunds { .. } | Query::Refund { .. } | Query::Object(_) => return Ok(()),
    };
    if reference::is_not_ours(object, kind) {
        message.payment = Some(payment);
        message.checkout = checkout;
    }
    let is_checkout = checkout.is_none_or(|number| message.checkout == Some(number));
    let is_it = message.payment == Some(payment) && is_checkout;
    is_it.then_some(()).ok_or_else(|| unusable("an object of another payment than was asked for"))
}

/// Whether a refund is taken from this `PaymentIntent`.
fn is_of(intent: &str, refund: &Report) -> Result<(), QueryError> {
    let is_it = refund.reference.txn.as_ref().map(ProviderTxn::as_str) == Some(intent);
    is_it
        .then_some(())
        .ok_or_else(|| unusable("a refund of another PaymentIntent than was asked for"))
}

fn queried(message: Message<'_>, word: &str, id: &str, body: &[u8]) -> Notification {
    message.into_queried(Provider::Stripe, word, Some(id), body)
}

fn is(object: &Object, kind: &str) -> Result<(), QueryError> {
    let is_one = object.text("object") == Some(kind);
    is_one.then_some(()).ok_or_else(|| unusable("an object of another kind than was asked for"))
}

fn is_about(object: &Object, kind: &str, id: &str) -> Result<(), QueryError> {
    is(object, kind)?;
    let is_it = object.text("id") == Some(id);
    is_it.then_some(()).ok_or_else(|| unusable("another object than was asked for"))
}
